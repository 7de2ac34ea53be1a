/** Rows of the data API's activity: JSON as it came, every row accounted for. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FathomError, fromSystemError } from '../../errors.ts';

export interface ActivityFile {
  readonly file: string;
  /** The file without its folders: what artifacts say, so that equal data give equal bytes wherever they lie. */
  readonly name: string;
  /** Rows as they stand in the file: an array of objects, one object a line, or an object whose `data` is an array. */
  readonly rows: readonly unknown[];
}

/** Reads one answer of the API, or several under one another; gzipped if the name ends in .gz. */
export async function readActivity(file: string): Promise<ActivityFile> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fromSystemError(error, 'reading activity');
  });
  let text: string;
  try {
    text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw new FathomError('data', 'not a whole gzip file', { at: { file }, cause: error });
  }
  const name = path.basename(file);
  if (text.trim() === '') throw new FathomError('data', 'the file is empty', { at: { file, line: 1 } });
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    if (/^\s*\[/.test(text)) throw broken(file, undefined, error);
    return { file, name, rows: linesOf(file, text) };
  }
  if (Array.isArray(whole)) return { file, name, rows: whole };
  const data = (whole as { data?: unknown } | null)?.data;
  if (Array.isArray(data)) return { file, name, rows: data };
  return { file, name, rows: [whole] };
}

function linesOf(file: string, text: string): unknown[] {
  const rows: unknown[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    try {
      rows.push(JSON.parse(line));
    } catch (error) {
      throw broken(file, index + 1, error);
    }
  });
  return rows;
}

function broken(file: string, line: number | undefined, cause: unknown): FathomError {
  return new FathomError('data', 'not whole JSON', {
    at: line === undefined ? { file } : { file, line },
    hint: 'the file may be truncated: get it again in full',
    cause,
  });
}
