/**
 * Cuts a CSV file into pieces of whole lines, so that several threads can read it and each of them needs little memory.
 * Where the pieces end depends on the file alone.
 */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { FathomError } from '../../errors.ts';
import { checkIsFile } from '../records/bytes.ts';
import { blocksOf } from './blocks.ts';
import type { PlainLines } from './plain-lines.ts';
import { checkHeader } from './survey.ts';

/** Lines of a CSV file, without its header, in a file of their own. */
export interface Piece {
  readonly path: string;
  /** Line of the whole file, from 1, on which the piece begins. */
  readonly firstLine: number;
  /** Lines with at least one character that come before it in the file, the header aside. */
  readonly before: number;
  /** Lines of the piece with at least one character. */
  readonly lines: number;
  /** Places, from 0, of lines of the piece without any. */
  readonly blank: readonly number[];
  /** True if there is a double quote in it. */
  readonly quoted: boolean;
  /** True if all of its lines are plain; see `cutCsv`. */
  readonly plain: boolean;
  /** False for the last piece of a file whose last line has no line break. */
  readonly endsInLineBreak: boolean;
}

/** Some 300,000 trades. */
const PIECE_BYTES = 64 << 20;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;

/**
 * Cuts `file` (gunzipped if its name ends in `.gz`) into pieces in `folder`, made one at a time as they are asked for;
 * who takes a piece removes it. Lines that begin with the same first field stay together, and so do lines of one quoted
 * field. Stops where `surveyCsv` does.
 *
 * @param size a piece ends at the first line where it may once it has this many bytes
 * @param plainLines tells which lines are plain: they hold no quote and are not empty
 */
export async function* cutCsv(
  file: string,
  columns: readonly string[],
  folder: string,
  size = PIECE_BYTES,
  plainLines?: PlainLines,
): AsyncGenerator<Piece> {
  await checkIsFile(file);
  let header = false;
  let line = 1;
  let before = 0;
  let index = 0;
  let endsInLineBreak = true;
  let piece: OpenPiece | undefined;
  const begin = async (): Promise<OpenPiece> => {
    const target = path.join(folder, `piece-${index++}.csv`);
    return new OpenPiece(target, await open(target, 'w'), line, before, plainLines);
  };
  try {
    for await (const block of blocksOf(file)) {
      let from = 0;
      if (!header) {
        from = block.indexOf(LINE_FEED) + 1 || block.length;
        checkHeader(file, block.toString('utf8', 0, block[from - 1] === LINE_FEED ? from - 1 : from), columns);
        header = true;
        line++;
      }
      endsInLineBreak = block.at(-1) === LINE_FEED;
      // The last line is counted as if it ended like the others, and written as it is.
      const lines = endsInLineBreak ? block : Buffer.concat([block, Buffer.from('\n')]);
      plainLines?.load(lines);
      while (from < block.length) {
        piece ??= await begin();
        const cut = piece.take(lines, from, lines.length, endsInLineBreak ? size : Number.POSITIVE_INFINITY);
        const to = Math.min(cut.to, block.length);
        await piece.file.write(block, from, to - from);
        from = to;
        if (!cut.full) continue;
        yield await piece.close(true);
        line = piece.firstLine + piece.lines + piece.blank.length;
        before = piece.before + piece.lines;
        piece = undefined;
      }
    }
    if (!header) checkHeader(file, '', columns);
    if (before === 0 && (piece === undefined || piece.lines === 0))
      throw new FathomError('data', 'the file has a header and no rows', { at: { file, line: 1 } });
    if (piece !== undefined && piece.lines > 0) yield await piece.close(endsInLineBreak);
  } finally {
    await piece?.file.close().catch(() => undefined);
  }
}

/** A piece while it grows. */
class OpenPiece {
  readonly path: string;
  readonly file: FileHandle;
  readonly firstLine: number;
  readonly before: number;
  readonly blank: number[] = [];
  lines = 0;
  private bytes = 0;
  private quotes = 0;
  /** While all lines are plain. */
  private plainLines: PlainLines | undefined;
  /** First field of the line before, once the piece is large enough to end. */
  private field: string | undefined;

  constructor(target: string, file: FileHandle, firstLine: number, before: number, plainLines?: PlainLines) {
    this.path = target;
    this.file = file;
    this.firstLine = firstLine;
    this.before = before;
    this.plainLines = plainLines;
  }

  /** Counts whole lines of `bytes` until the piece may end; says where that is, and whether it is before `end`. */
  take(bytes: Buffer, from: number, end: number, size: number): { to: number; full: boolean } {
    // Quotes are rare in such files; the lines need a closer look only where there are some.
    const quoted = bytes.subarray(from, end).includes(QUOTE);
    let at = from;
    while (at < end) {
      const full = this.bytes >= size;
      // All plain lines at once; but each on its own where the piece may end before it.
      let next = this.plainLines?.run(at, full ? at + 1 : Math.min(end, at + size - this.bytes)) ?? at;
      const plain = next > at;
      if (!plain) next = bytes.indexOf(LINE_FEED, at) + 1;
      if (full && this.mayEnd(bytes, at, next)) return { to: at, full: true };
      if (plain) this.lines += (this.plainLines as PlainLines).lines;
      else this.takeOther(bytes, at, next, quoted);
      this.bytes += next - at;
      at = next;
    }
    return { to: end, full: false };
  }

  /** Whether the piece may end before a line: it begins with another field than the one before, and no field is open. */
  private mayEnd(bytes: Buffer, at: number, next: number): boolean {
    const comma = bytes.indexOf(',', at);
    const field = bytes.toString('latin1', at, comma < 0 || comma > next ? next : comma);
    if (this.field !== undefined && this.field !== field && this.quotes % 2 === 0) return true;
    this.field = field;
    return false;
  }

  /** Counts a line of any kind. */
  private takeOther(bytes: Buffer, at: number, next: number, quoted: boolean): void {
    this.plainLines = undefined;
    const length = next - 1 - at;
    if (length > 1 || (length === 1 && bytes[at] !== CARRIAGE_RETURN)) this.lines++;
    else this.blank.push(this.lines + this.blank.length);
    if (quoted)
      for (let i = bytes.indexOf(QUOTE, at); i >= 0 && i < next; i = bytes.indexOf(QUOTE, i + 1)) this.quotes++;
  }

  async close(endsInLineBreak: boolean): Promise<Piece> {
    await this.file.close();
    const { path: target, firstLine, before, lines, blank } = this;
    const [quoted, plain] = [this.quotes > 0, this.plainLines !== undefined];
    return { path: target, firstLine, before, lines, blank, quoted, plain, endsInLineBreak };
  }
}
