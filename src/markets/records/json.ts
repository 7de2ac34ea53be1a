/**
 * Records out of JSON as services answer and recorders store it: one array of objects, objects line by line, pages
 * (`{"data": [...]}`), plain or gzipped. Streams: one record and one chunk of the file lie in memory at a time.
 */
import { FathomError } from '../../errors.ts';
import { textOf } from './text.ts';

export interface JsonRecord {
  /** The line, from 1, on which the record begins. */
  readonly line: number;
  /** The record; undefined if its text is no JSON, which is a fault of that record alone. */
  readonly value: unknown;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** The rows of a page; anything else is a row itself. */
function* rowsOf(value: unknown, line: number): Generator<JsonRecord> {
  const page = Array.isArray(value) ? value : (value as { data?: unknown } | null)?.data;
  if (Array.isArray(page)) for (const row of page as unknown[]) yield { line, value: row };
  else yield { line, value };
}

const cut = (file: string, line: number, what: string): FathomError =>
  new FathomError('data', `not whole JSON: ${what}`, {
    at: { file, line },
    hint: 'The file may be truncated: get it again in full.',
  });

/** All records of a file in its order. Stops at a file that is empty, cut, or no JSON. */
export async function* jsonRecords(file: string): AsyncGenerator<JsonRecord> {
  const chunks = textOf(file);
  let head = '';
  let line = 1;
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) throw new FathomError('data', 'the file is empty', { at: { file, line: 1 } });
    head = next.value.trimStart();
    line += lineBreaks(next.value.slice(0, next.value.length - head.length));
    if (head !== '') break;
  }
  async function* rest(): AsyncGenerator<string> {
    yield head;
    yield* chunks;
  }
  if (head.startsWith('[')) yield* elements(file, rest(), line);
  else yield* lines(file, rest(), line);
}

function lineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

async function* lines(file: string, chunks: AsyncIterable<string>, firstLine: number): AsyncGenerator<JsonRecord> {
  let pending = '';
  let line = firstLine;
  let first = true;
  for await (const chunk of chunks) {
    pending += chunk;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const text = pending.slice(0, end);
      const value = parse(text);
      // An object over several lines: then the file is one page.
      if (first && value === undefined) break;
      pending = pending.slice(end + 1);
      if (text.trim() !== '') yield* rowsOf(value, line);
      first = false;
      line++;
    }
  }
  if (pending.trim() === '') return;
  const value = parse(pending);
  if (value === undefined)
    throw cut(file, line, first ? 'neither objects line by line nor one page' : 'the last line is cut');
  yield* rowsOf(value, line);
}

const QUOTE = 34;
const BACKSLASH = 92;
const LINE_FEED = 10;

/** Elements of one array, found by counting brackets outside of strings. */
async function* elements(file: string, chunks: AsyncIterable<string>, firstLine: number): AsyncGenerator<JsonRecord> {
  let line = firstLine;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let closed = false;
  let text = '';
  let began = firstLine;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (code === LINE_FEED) line++;
      if (inString) {
        if (escaped) escaped = false;
        else if (code === BACKSLASH) escaped = true;
        else if (code === QUOTE) inString = false;
        continue;
      }
      if (code === QUOTE) inString = true;
      const sign = chunk[at] as string;
      if (closed && sign.trim() !== '') throw cut(file, line, 'something follows the array');
      const closes = sign === ']' || sign === '}';
      if (depth === 1 && (sign === ',' || closes)) {
        text += chunk.slice(from, at);
        from = at + 1;
        if (text.trim() !== '') yield { line: began, value: parse(text) };
        else if (sign === ',') throw cut(file, line, 'an element of the array is missing');
        text = '';
        began = line;
      }
      if (sign === '[' || sign === '{') {
        if (depth === 0) from = at + 1;
        if (depth === 1) began = line;
        depth++;
      }
      if (closes) {
        depth--;
        closed = depth === 0;
        if (closed) from = at + 1;
      }
    }
    if (!closed) text += chunk.slice(from);
  }
  if (!closed) throw cut(file, line, 'the array is not closed');
}
