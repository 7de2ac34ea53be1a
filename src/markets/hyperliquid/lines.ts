/** The lines of a text file, one after the other, with their numbers; gzipped if the name ends in `.gz`. */
import { StringDecoder } from 'node:string_decoder';
import { FathomError } from '../../errors.ts';
import { bytesOf, checkIsFile } from '../records/bytes.ts';

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** False for a last line without a line break: it may be cut. */
  readonly ended: boolean;
}

/** No line of any format here is longer; beyond it, the file is something else. */
const LONGEST = 1 << 26;

/**
 * Yields the lines that are not blank, a batch for each piece of the file, so that memory does not grow with it. Stops
 * at a missing or empty file and at a gzip stream that ends too early.
 */
export async function* linesOf(file: string): AsyncGenerator<Line[]> {
  await checkIsFile(file);
  const decoder = new StringDecoder('utf8');
  let number = 1;
  let rest = '';
  let empty = true;
  for await (const piece of bytesOf(file, 'reading a recording')) {
    const parts = (rest + decoder.write(piece)).split('\n');
    rest = parts.pop() as string;
    if (rest.length > LONGEST)
      throw new FathomError('data', 'a line of more than 64 million characters: not a file of lines', {
        at: { file, line: number + parts.length },
      });
    const lines: Line[] = [];
    for (const part of parts) {
      const text = clean(part, number);
      if (text !== '') lines.push({ number, text, ended: true });
      number++;
    }
    if (lines.length > 0) {
      empty = false;
      yield lines;
    }
  }
  const last = clean(rest + decoder.end(), number);
  if (last !== '') yield [{ number, text: last, ended: false }];
  else if (empty) throw new FathomError('data', 'the file is empty', { at: { file, line: 1 } });
}

function clean(text: string, number: number): string {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  const marked = number === 1 && line.charCodeAt(0) === 0xfeff ? line.slice(1) : line;
  return marked.trim() === '' ? '' : marked;
}
