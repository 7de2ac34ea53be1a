import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnSpec } from '../../src/tables/columns.ts';
import { columnsOfParquet, copyToParquet, type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { type ParquetColumn, parquetColumns, readParquet, writeParquet } from '../../src/tables/parquet.ts';
import { temporaryFolder } from '../support/stage.ts';

let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await temporaryFolder();
  duck = await openDuck({ threads: 2, memoryMb: 512, scratch: folder });
});
afterAll(() => duck.close());

const at = new Date('2025-03-01T12:34:56.789Z');
const specs: ColumnSpec[] = [
  { name: 'id', role: 'id', description: 'it\'s "the" id' },
  { name: 'x', role: 'feature', unit: 'USD' },
  { name: 'n', role: 'label' },
  { name: 'at', role: 'time' },
];
const columns: ParquetColumn[] = [
  { ...(specs[0] as ColumnSpec), type: 'STRING', values: ['a', null, 'ü"\''] },
  { ...(specs[1] as ColumnSpec), type: 'DOUBLE', values: Float64Array.of(0.1, Number.NaN, -1e300) },
  { ...(specs[2] as ColumnSpec), type: 'INT32', values: [1, -2, null] },
  { ...(specs[3] as ColumnSpec), type: 'TIMESTAMP', values: [at, null, new Date(0)] },
];
const rows = [
  { id: 'a', x: 0.1, n: 1, at },
  { id: null, x: null, n: -2, at: null },
  { id: 'ü"\'', x: -1e300, n: null, at: new Date(0) },
];

describe('Parquet', () => {
  it('written without DuckDB is read by both, with its roles', async () => {
    const file = path.join(folder, 'small.parquet');
    await writeParquet(file, columns);
    expect(await readParquet(file)).toEqual({ columns: specs, rows });
    expect(await parquetColumns(file)).toEqual(specs);
    expect(await columnsOfParquet(duck, file)).toEqual(specs);
    expect(await duck.rows(`SELECT * REPLACE ("at"::TIMESTAMP AS "at") FROM read_parquet(${quote(file)})`)).toEqual(
      rows,
    );
    const types = await duck.rows<{ type: string }>(
      `SELECT column_type AS "type" FROM (DESCRIBE SELECT * FROM read_parquet(${quote(file)}))`,
    );
    expect(types.map((t) => t.type)).toEqual(['VARCHAR', 'DOUBLE', 'INTEGER', expect.stringMatching(/^TIMESTAMP/)]);
  });

  it('written by DuckDB is read by both, decimals and big integers included', async () => {
    const file = path.join(folder, 'large.parquet');
    const large: ColumnSpec[] = ['i', 'usd', 'at', 'text'].map((name) => ({ name, role: 'info' }));
    await copyToParquet(
      duck,
      `SELECT range AS i, (range * 0.000001)::DECIMAL(18,6) AS usd, make_timestamp(range * 1000) AS "at", 'w' || range % 7 AS "text"
       FROM range(300000) ORDER BY i`,
      file,
      large,
    );
    expect(await columnsOfParquet(duck, file)).toEqual(large);
    const read = await readParquet(file);
    expect(read.columns).toEqual(large);
    expect(read.rows.length).toBe(300_000);
    expect(read.rows[299_999]).toEqual({ i: 299_999n, usd: 0.299999, at: new Date(299_999), text: 'w0' });
    expect(read.rows.every((row, i) => row['usd'] === i / 1e6)).toBe(true);
    expect(await columnsOfParquet(duck, file)).toEqual(large);
  });

  it('has equal bytes for equal content: again, and with other threads and limits', async () => {
    const [one, two] = [path.join(folder, 'one.parquet'), path.join(folder, 'two.parquet')];
    await writeParquet(one, columns);
    await writeParquet(two, columns);
    expect(Buffer.compare(await readFile(one), await readFile(two))).toBe(0);
    const sql =
      "SELECT hash(range) % 1000 AS k, range AS i, 'x' || hash(range * 3) AS s FROM range(200000) ORDER BY k, i";
    const spec: ColumnSpec[] = ['k', 'i', 's'].map((name) => ({ name, role: 'info' }));
    for (const [file, threads, memoryMb] of [
      [one, 1, 256],
      [two, 2, 1024],
    ] as const) {
      const other = await openDuck({ threads, memoryMb, scratch: folder });
      await copyToParquet(other, sql, file, spec);
      other.close();
    }
    expect(Buffer.compare(await readFile(one), await readFile(two))).toBe(0);
  });

  it('gives back any numbers and texts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double(), fc.option(fc.string({ unit: 'grapheme' })), fc.integer()), {
          minLength: 1,
          maxLength: 40,
        }),
        async (values) => {
          const file = path.join(folder, 'any.parquet');
          await writeParquet(file, [
            { name: 'd', role: 'info', type: 'DOUBLE', values: values.map(([d]) => d) },
            { name: 's', role: 'info', type: 'STRING', values: values.map(([, s]) => s) },
            { name: 'n', role: 'info', type: 'INT32', values: Int32Array.from(values, ([, , n]) => n) },
          ]);
          const expected = values.map(([d, s, n]) => ({ d: Number.isNaN(d) ? null : d, s, n }));
          expect((await readParquet(file)).rows).toEqual(expected);
          expect(await duck.rows(`SELECT * FROM read_parquet(${quote(file)})`)).toEqual(expected);
        },
      ),
      { numRuns: 40, seed: 2 },
    );
  });

  it('may have no rows, and a foreign file has no roles', async () => {
    const file = path.join(folder, 'none.parquet');
    await writeParquet(file, columns.map((column) => ({ ...column, values: [] })) as ParquetColumn[]);
    expect(await readParquet(file)).toEqual({ columns: specs, rows: [] });
    expect(await duck.rows(`SELECT count(*)::DOUBLE AS n FROM read_parquet(${quote(file)})`)).toEqual([{ n: 0 }]);
    await duck.run(`COPY (SELECT 1 AS a) TO ${quote(file)} (FORMAT parquet)`);
    expect(await columnsOfParquet(duck, file)).toBeUndefined();
    expect(await parquetColumns(file)).toBeUndefined();
  });
});
