/**
 * Cuts a CSV file into pieces of whole lines, so that several threads can read it and each of them needs little memory.
 * Where the pieces end depends on the file alone.
 */
import { FathomError } from '../../errors.ts';
import { checkIsFile } from '../records/bytes.ts';
import { type LineBlock, lineBlocks } from './line-blocks.ts';
import { checkHeader } from './survey.ts';

/** Lines of a CSV file, without its header. */
export interface Piece {
  /** The lines, in memory that threads share. They are written over once the piece is released. */
  readonly bytes: Uint8Array;
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
  /** False for the last piece of a file whose last line has no line break. */
  readonly endsInLineBreak: boolean;
}

export interface CutOptions {
  /** A piece ends at the first line where it may once it has this many bytes. */
  readonly size?: number | undefined;
  /** Pieces that may be held at a time: no other is made until one of them is released. */
  readonly held: number;
}

/** Some 150,000 trades. */
const PIECE_BYTES = 32 << 20;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;

/**
 * By how much a place in memory lies beyond a multiple of 8. Memory that threads share is copied a word at a time if it
 * goes to a place of the same misalignment, else a byte at a time.
 */
export const misalignment = (place: number): number => place & 7;

/** The pieces of one file, in order; the next one is made while others are worked on. */
export class PieceCutter implements AsyncIterable<Piece> {
  private readonly file: string;
  private readonly columns: readonly string[];
  private readonly size: number;
  private readonly spare: (SharedArrayBuffer | undefined)[];
  private wake: (() => void) | undefined;
  /** Ended once nobody wants more. */
  private readonly interest = new AbortController();

  constructor(file: string, columns: readonly string[], { size = PIECE_BYTES, held }: CutOptions) {
    this.file = file;
    this.columns = columns;
    this.size = size;
    this.spare = new Array(held).fill(undefined);
  }

  /** Gives back the memory of a piece. */
  release({ bytes }: Pick<Piece, 'bytes'>): void {
    this.spare.push(bytes.buffer as SharedArrayBuffer);
    this.wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Piece> {
    const source = this.cut();
    let ahead: Promise<IteratorResult<Piece>> | undefined;
    return {
      next: async () => {
        const found = await (ahead ?? source.next());
        ahead = found.done === true ? undefined : source.next();
        // Whoever asks for it gets the error; it may be that nobody does.
        ahead?.catch(() => undefined);
        return found;
      },
      return: async () => {
        this.interest.abort();
        this.wake?.();
        await ahead?.catch(() => undefined);
        await source.return(undefined);
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Cuts the file, gunzipped if its name ends in `.gz`. Lines that begin with the same first field stay together, and so
   * do lines of one quoted field. Stops where `surveyCsv` does.
   */
  private async *cut(): AsyncGenerator<Piece> {
    const { file, columns, size } = this;
    await checkIsFile(file);
    let header = false;
    let line = 1;
    let before = 0;
    let endsInLineBreak = true;
    let piece: OpenPiece | undefined;
    for await (const block of lineBlocks(file)) {
      const { bytes } = block;
      ({ endsInLineBreak } = block);
      let from = 0;
      if (!header) {
        from = bytes.indexOf(LINE_FEED) + 1;
        checkHeader(file, bytes.toString('utf8', 0, from - 1), columns);
        header = true;
        line++;
      }
      while (from < bytes.length) {
        piece ??= new OpenPiece(await this.room(), line, before);
        const cut = piece.take(block, from, endsInLineBreak ? size : Number.POSITIVE_INFINITY);
        from = cut.to;
        if (!cut.full) continue;
        const whole = piece.close(true);
        line = whole.firstLine + whole.lines + whole.blank.length;
        before = whole.before + whole.lines;
        piece = undefined;
        yield whole;
      }
    }
    if (!header) checkHeader(file, '', columns);
    if (before === 0 && (piece === undefined || piece.lines === 0))
      throw new FathomError('data', 'the file has a header and no rows', { at: { file, line: 1 } });
    if (piece !== undefined && piece.lines > 0) yield piece.close(endsInLineBreak);
  }

  /** Memory for a piece, as soon as there is some. */
  private async room(): Promise<SharedArrayBuffer> {
    while (this.spare.length === 0) {
      this.interest.signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const bytes = Math.min(this.size, PIECE_BYTES);
    return this.spare.pop() ?? new SharedArrayBuffer(bytes + bytes / 4 + 1024);
  }
}

/** A piece while it grows. */
class OpenPiece {
  readonly firstLine: number;
  readonly before: number;
  readonly blank: number[] = [];
  lines = 0;
  private memory: Uint8Array;
  /** Where it begins in its memory: as misaligned as its first line is, and so are all blocks of a file. */
  private start: number | undefined;
  private bytes = 0;
  private quotes = 0;
  /** First field of the line before, once the piece is large enough to end. */
  private field: string | undefined;

  constructor(memory: SharedArrayBuffer, line: number, before: number) {
    this.memory = new Uint8Array(memory);
    this.firstLine = line;
    this.before = before;
  }

  /** Takes lines of a block from a place on, until the piece may end; says where that is, and whether it is before its end. */
  take(block: LineBlock, from: number, size: number): { to: number; full: boolean } {
    this.start ??= misalignment(block.bytes.byteOffset + from);
    const cut = this.count(block, from, size);
    const end = this.start + this.bytes - (cut.to - from);
    const last = cut.to === block.bytes.length && !block.endsInLineBreak ? 1 : 0;
    this.reserve(this.start + this.bytes);
    this.memory.set(block.bytes.subarray(from, cut.to - last), end);
    this.bytes -= last;
    return cut;
  }

  private count(block: LineBlock, from: number, size: number): { to: number; full: boolean } {
    const { bytes } = block;
    const plain = from === 0 && this.bytes + bytes.length <= size ? block.plainLines : undefined;
    if (plain !== undefined) {
      this.lines += plain;
      this.bytes += bytes.length;
      return { to: bytes.length, full: false };
    }
    // Quotes and empty lines are rare in such files; the lines need a closer look only where there are some.
    const odd = block.hasOddLines(from);
    let at = from;
    while (at < bytes.length) {
      const full = this.bytes >= size;
      let next: number;
      if (odd || full) {
        next = bytes.indexOf(LINE_FEED, at) + 1;
        if (full && this.mayEnd(bytes, at, next)) return { to: at, full: true };
        this.takeLine(bytes, at, next, odd);
      } else {
        next = block.skip(at, Math.min(bytes.length, at + size - this.bytes));
        this.lines += block.skipped;
      }
      this.bytes += next - at;
      at = next;
    }
    return { to: at, full: false };
  }

  /** Whether the piece may end before a line: it begins with another field than the one before, and no field is open. */
  private mayEnd(bytes: Buffer, at: number, next: number): boolean {
    const comma = bytes.indexOf(',', at);
    const field = bytes.toString('latin1', at, comma < 0 || comma > next ? next : comma);
    if (this.field !== undefined && this.field !== field && this.quotes % 2 === 0) return true;
    this.field = field;
    return false;
  }

  private takeLine(bytes: Buffer, at: number, next: number, odd: boolean): void {
    const length = next - 1 - at;
    if (length > 1 || (length === 1 && bytes[at] !== CARRIAGE_RETURN)) this.lines++;
    else this.blank.push(this.lines + this.blank.length);
    if (odd) for (let i = bytes.indexOf(QUOTE, at); i >= 0 && i < next; i = bytes.indexOf(QUOTE, i + 1)) this.quotes++;
  }

  /** Makes room for so many bytes. */
  private reserve(bytes: number): void {
    if (bytes <= this.memory.length) return;
    const larger = new Uint8Array(new SharedArrayBuffer(Math.max(bytes, 2 * this.memory.length)));
    larger.set(this.memory);
    this.memory = larger;
  }

  close(endsInLineBreak: boolean): Piece {
    const { firstLine, before, lines, blank, quotes } = this;
    const start = this.start ?? 0;
    const bytes = this.memory.subarray(start, start + this.bytes);
    return { bytes, firstLine, before, lines, blank, quoted: quotes > 0, endsInLineBreak };
  }
}
