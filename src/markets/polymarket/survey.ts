/** A first look at a text file: what DuckDB would pass over in silence is found here. */
import { FathomError } from '../../errors.ts';
import { bytesOf, checkIsFile } from '../records/bytes.ts';

export interface Survey {
  readonly header: readonly string[];
  /** Lines with at least one character, the header among them. */
  readonly lines: number;
  /** Numbers, from 1, of lines without any. */
  readonly blank: readonly number[];
  /** False if the last line does not end in a line break: it may have been cut. */
  readonly endsInLineBreak: boolean;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Reads a CSV file, gzipped if its name ends in `.gz`, from end to end. Stops if it is missing, empty, a gzip stream
 * that ends too early (of which DuckDB reads the beginning without a word), or has another header than `columns`.
 */
export async function surveyCsv(file: string, columns: readonly string[]): Promise<Survey> {
  await checkIsFile(file);
  let header: string | undefined;
  let head = '';
  let line = 1;
  let empty = true;
  const blank: number[] = [];
  for await (const chunk of bytesOf(file, 'reading a CSV file')) {
    if (header === undefined) {
      head += chunk.toString('utf8');
      if (head.includes('\n')) header = head.slice(0, head.indexOf('\n'));
    }
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      const length = at - from;
      if (length > 1 || (length === 1 && chunk[from] !== CARRIAGE_RETURN)) empty = false;
      if (empty) blank.push(line);
      line++;
      empty = true;
      from = at + 1;
    }
    if (chunk.length - from > 1 || (chunk.length - from === 1 && chunk[from] !== CARRIAGE_RETURN)) empty = false;
  }
  const names = checkHeader(file, header ?? head, columns);
  const lines = line - 1 - blank.length + (empty ? 0 : 1);
  if (lines < 2) throw new FathomError('data', 'the file has a header and no rows', { at: { file, line: 1 } });
  return { header: names, lines, blank, endsInLineBreak: empty };
}

/** Stops unless the first line of a file names the columns in their order. Returns the names. */
export function checkHeader(file: string, line: string, columns: readonly string[]): string[] {
  if (line === '') throw new FathomError('data', 'the file is empty', { at: { file } });
  const names = line
    .replace(/^\uFEFF/, '')
    .replace(/\r$/, '')
    .split(',')
    .map((name) => name.replace(/^"(.*)"$/, '$1'));
  if (names.join() !== columns.join()) throw wrongHeader(file, names, columns);
  return names;
}

function wrongHeader(file: string, names: readonly string[], columns: readonly string[]): FathomError {
  const missing = columns.filter((name) => !names.includes(name));
  const extra = names.filter((name) => !columns.includes(name));
  const what =
    missing.length + extra.length === 0
      ? 'the columns are in another order'
      : [
          missing.length > 0 ? `no column ${missing.join(', ')}` : '',
          extra.length > 0 ? `unknown column ${extra.slice(0, 5).join(', ').slice(0, 120)}` : '',
        ]
          .filter((part) => part !== '')
          .join('; ');
  return new FathomError('data', `the header is not that of the format: ${what}`, {
    at: { file, line: 1 },
    hint: `Expected: ${columns.join(',')}`,
  });
}
