/** CSV files whose columns may stand in any order, and their rows as objects of text. */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { textOf } from '../records/text.ts';
import { type RawTable, readCsv } from './csv.ts';

/** The names in the first line of a file. Stops unless all of `needed` are there, each once. */
export async function headerOf(file: string, needed: readonly string[]): Promise<readonly string[]> {
  let head = '';
  for await (const chunk of textOf(file)) {
    head += chunk;
    if (head.includes('\n')) break;
  }
  const [line] = head.split('\n', 1) as [string];
  const names = line
    .replace(/\r$/, '')
    .split(',')
    .map((name) => name.replace(/^"(.*)"$/, '$1'));
  const missing = needed.filter((name) => !names.includes(name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (missing.length > 0 || twice !== undefined)
    throw new FathomError(
      'data',
      `the header is not that of the format: ${missing.length > 0 ? `no column ${missing.join(', ')}` : `two columns ${twice}`}`,
      { at: { file, line: 1 }, hint: `Needed: ${needed.join(',')}` },
    );
  return names;
}

/**
 * Stops where a file changes its schema: from some line on to its end, two rows or more, or for a hundred rows in
 * between, all rows have another number of columns than the header. A stray row or two are faults of those rows.
 */
export async function refuseSchemaChange(raw: RawTable): Promise<void> {
  const wrong = raw.malformed.filter(({ reason }) => reason === 'wrong number of columns');
  let from = 0;
  for (let i = 0; i < wrong.length; i++) {
    const record = (wrong[i] as { record: number }).record;
    if (i > 0 && record !== (wrong[i - 1] as { record: number }).record + 1) from = i;
    const run = i - from + 1;
    const last = 1 + raw.rows + raw.malformed.length;
    if (run >= 100 || (run >= 2 && record === last)) {
      const line = await raw.lineOfRecord((wrong[from] as { record: number }).record);
      throw new FathomError('data', 'the schema changes: from here on rows have another number of columns', {
        at: { file: raw.file, line },
        hint: 'Two exports were joined: split the file there, and read each part with its own format.',
      });
    }
  }
}

/** Reads a CSV with at least the columns `needed`. */
export async function readWideCsv(
  duck: Duck,
  file: string,
  needed: readonly string[],
  parquet: string,
): Promise<RawTable> {
  const raw = await readCsv(duck, file, await headerOf(file, needed), parquet);
  await refuseSchemaChange(raw);
  return raw;
}

/** The rows of a table as objects of text, in their order; `place` is the number of the row from 0. */
export async function* csvRows(
  duck: Duck,
  raw: RawTable,
): AsyncGenerator<{ readonly place: number; readonly value: Readonly<Record<string, string | null>> }> {
  // A connection of its own: any other statement on the connection of an open stream ends that stream.
  const connection = await duck.connect();
  try {
    const result = await connection.stream(`SELECT * FROM read_parquet(${quote(raw.parquet)})`);
    let place = 0;
    for await (const rows of result.yieldRowObjectJs())
      for (const value of rows) yield { place: place++, value: value as Record<string, string | null> };
    if (place !== raw.rows)
      throw new FathomError('internal', `${raw.name}: a stream ended after ${place} of ${raw.rows} rows`);
  } finally {
    connection.closeSync();
  }
}
