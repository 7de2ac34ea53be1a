/** Where the records of a CSV file stand: its first record, and the lines of the ones an error has to name. */
import { unpackedBytes } from './unpacked.ts';

const [QUOTE, LF, CR] = [0x22, 0x0a, 0x0d];

/** An error if a packed file ends early: DuckDB would take what is there for the whole. */
export async function checkPacked(file: string): Promise<void> {
  if (file.endsWith('.gz')) for await (const _ of unpackedBytes(file));
}

interface Record {
  /** Counted from 1, empty records included: what DuckDB calls a line. */
  readonly ordinal: number;
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
  readonly empty: boolean;
}

/** Calls `visit` with every record; a line end inside quotes does not end one. True if the last one has its line end. */
async function eachRecord(file: string, delimiter: string, visit: (record: Record) => void): Promise<boolean> {
  const separator = delimiter.charCodeAt(0);
  let [line, ordinal, begin] = [1, 1, 1];
  let [empty, fieldStart, quoted] = [true, true, false];
  for await (const chunk of unpackedBytes(file)) {
    for (const byte of chunk) {
      if (byte === LF) {
        line++;
        if (quoted) continue;
        visit({ ordinal, line: begin, empty });
        ordinal++;
        begin = line;
        empty = true;
        fieldStart = true;
      } else if (byte === CR && !quoted) {
        // Part of the line end.
      } else {
        empty = false;
        // A doubled quote closes and opens again, which comes to the same.
        if (byte === QUOTE && (quoted || fieldStart)) {
          quoted = !quoted;
          fieldStart = !quoted;
        } else fieldStart = byte === separator && !quoted;
      }
    }
  }
  if (!empty) visit({ ordinal, line: begin, empty });
  return empty;
}

/** Fields of the first record; undefined if the file is empty. */
export async function firstRecord(file: string, delimiter: string): Promise<string[] | undefined> {
  const bytes: Buffer[] = [];
  let size = 0;
  for await (const chunk of unpackedBytes(file)) {
    bytes.push(chunk);
    size += chunk.length;
    // A header longer than this is no header.
    if (size > 1 << 20 || chunk.includes(LF)) break;
  }
  const text = new TextDecoder().decode(Buffer.concat(bytes));
  if (text.trim() === '') return undefined;
  return fieldsOf(text, delimiter);
}

function fieldsOf(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && field === '') quoted = true;
    else if (c === delimiter) {
      fields.push(field);
      field = '';
    } else if (c === '\n' || c === '\r') break;
    else field += c;
  }
  return [...fields, field];
}

export interface Lines {
  /** DuckDB's count of the last record, and whether its line end is missing: the mark of a file that was cut off. */
  readonly last: number;
  readonly cut: boolean;
  /** Line on which the row with this number begins. */
  ofRow(row: number): number | undefined;
  /** Line of a record by DuckDB's count. */
  ofOrdinal(ordinal: number): number | undefined;
}

/**
 * Finds the lines of rows and of rejected records. Rows are numbered from 0 in the order of the file, without the
 * `skipped` first records, the rejected ones and, where there are several columns, empty ones.
 */
export async function findLines(
  file: string,
  delimiter: string,
  options: { skipped: number; rejected: ReadonlySet<number>; rows: readonly number[]; columns: number },
): Promise<Lines> {
  const wanted = new Set(options.rows);
  const rowLines = new Map<number, number>();
  const ordinalLines = new Map<number, number>();
  let row = 0;
  let last = 0;
  const complete = await eachRecord(file, delimiter, ({ ordinal, line, empty }) => {
    if (!empty) last = ordinal;
    if (ordinal <= options.skipped) return;
    if (options.rejected.has(ordinal)) ordinalLines.set(ordinal, line);
    else if (!empty || options.columns === 1) {
      if (wanted.has(row)) rowLines.set(row, line);
      row++;
    }
  });
  return { last, cut: !complete, ofRow: (r) => rowLines.get(r), ofOrdinal: (o) => ordinalLines.get(o) };
}
