/** The file and its encodings, read back by DuckDB, which shares no code with them. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, makeKernels, type Pointer } from '../../src/kernels/kernels.ts';
import { columnsOfParquet, type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { type EncodedColumn, EncodedWriter, writeEncoded } from '../../src/tables/parquet/encoded.ts';
import { PieceWriter } from '../../src/tables/pieces.ts';
import { buildKernels } from '../support/kernels.ts';
import { temporaryFolder } from '../support/stage.ts';

buildKernels();
const kernels: Kernels = makeKernels();
const ROOM = 1 << 20;
const [values, target]: [Pointer, Pointer] = [kernels.allocate(ROOM), kernels.allocate(ROOM)];

let duck: Duck;
let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  duck = await openDuck({ threads: 1, memoryMb: 300, scratch: folder });
});
afterAll(() => duck.close());

const taken = (end: Pointer): Uint8Array => new Uint8Array(kernels.memory.buffer, target, end - target).slice();

function differences(numbers: readonly bigint[]): Uint8Array {
  new BigInt64Array(kernels.memory.buffer, values, numbers.length).set(numbers);
  return taken(kernels.packDifferences(values, numbers.length, target));
}

function packed(numbers: readonly number[], width: number, size: 1 | 4 = 4): Uint8Array {
  const array = size === 1 ? Uint8Array : Int32Array;
  new array(kernels.memory.buffer, values, numbers.length).set(numbers);
  return taken(kernels.packNumbers(values, size, numbers.length, width, target));
}

function texts(list: readonly string[]): { count: number; bytes: Uint8Array } {
  const parts = list.map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return { count: list.length, bytes: Buffer.concat(parts) };
}

async function readBack(
  rows: number,
  columns: Readonly<Record<string, EncodedColumn>>,
): Promise<Record<string, unknown>[]> {
  const file = path.join(folder, 'x.parquet');
  const specs = Object.keys(columns).map((name) => ({ name, role: 'info' as const }));
  await writeEncoded(file, specs, [{ rows, columns }]);
  return duck.rows(`SELECT * REPLACE (${specs.map(({ name }) => `"${name}"::VARCHAR AS "${name}"`).join(', ')})
    FROM read_parquet(${quote(file)})`);
}

const counts = fc.constantFrom(1, 2, 7, 8, 9, 31, 32, 33, 127, 128, 129, 130, 160, 161, 257, 1000);

describe('encoded Parquet', () => {
  it('holds whole numbers by their differences, up to 2^55 apart', async () => {
    await fc.assert(
      fc.asyncProperty(
        counts.chain((count) =>
          fc.integer({ min: 0, max: 54 }).chain((bits) =>
            fc.array(fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) }), {
              minLength: count,
              maxLength: count,
            }),
          ),
        ),
        async (numbers) => {
          const rows = await readBack(numbers.length, {
            x: { type: 'BIGINT', encoding: 'differences', values: [differences(numbers)] },
          });
          expect(rows.map(({ x }) => x)).toEqual(numbers.map(String));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('holds texts by their places in a dictionary, with gaps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 9 }), { minLength: 1, maxLength: 300 }),
        counts.chain((count) => fc.array(fc.option(fc.nat()), { minLength: count, maxLength: count })),
        async (list, picks) => {
          const there = picks.filter((pick) => pick !== null);
          const width = Math.max(1, Math.ceil(Math.log2(list.length)));
          const places = there.map((pick) => pick % list.length);
          const x: EncodedColumn = {
            type: 'VARCHAR',
            encoding: 'dictionary',
            values: [Uint8Array.of(width), packed(places, width)],
            dictionary: texts(list),
            present: packed(
              picks.map((pick) => (pick === null ? 0 : 1)),
              1,
              1,
            ),
            nulls: picks.length - there.length,
          };
          const rows = await readBack(picks.length, { x });
          expect(rows.map((row) => row['x'])).toEqual(
            picks.map((pick) => (pick === null ? null : list[pick % list.length])),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('holds several groups of rows one behind the other', async () => {
    const file = path.join(folder, 'groups.parquet');
    const groups = [[5n, 7n], [9n], [1n, 2n, 3n]].map((numbers) => ({
      rows: numbers.length,
      columns: {
        x: {
          type: 'BIGINT' as const,
          encoding: 'differences' as const,
          values: [differences(numbers)],
          range: { least: numbers[0] as bigint, greatest: numbers.at(-1) as bigint },
        },
      },
    }));
    await writeEncoded(file, [{ name: 'x', role: 'info' }], groups);
    const read = async (where: string) =>
      (await duck.rows<{ x: bigint }>(`SELECT x FROM read_parquet(${quote(file)}) WHERE ${where}`)).map(({ x }) => x);
    expect(await read('true')).toEqual([5n, 7n, 9n, 1n, 2n, 3n]);
    expect(await read('x BETWEEN 2 AND 7')).toEqual([5n, 7n, 2n, 3n]);
  });

  it('is the same written column by column, each in the memory of the one before', async () => {
    const [whole, byColumn] = [path.join(folder, 'whole.parquet'), path.join(folder, 'by-column.parquet')];
    const specs = ['x', 'y'].map((name) => ({ name, role: 'info' as const }));
    const groups = [[5n, 7n], [9n]].map((numbers) => {
      const column = (by: bigint): EncodedColumn => ({
        type: 'BIGINT',
        encoding: 'differences',
        values: [differences(numbers.map((number) => by * number))],
      });
      return { rows: numbers.length, columns: { x: column(1n), y: column(-1n) } };
    });
    await writeEncoded(whole, specs, groups);
    const writer = await EncodedWriter.open(byColumn, specs, new PieceWriter(true));
    const memory = new Uint8Array(1000);
    for (const { rows, columns } of groups)
      await writer.add(rows, (name) => {
        const column = columns[name as 'x' | 'y'];
        memory.set(column.values[0] as Uint8Array);
        return { ...column, values: [memory.subarray(0, column.values[0]?.length)] };
      });
    await (await writer.finish()).written;
    expect(Buffer.compare(await readFile(byColumn), await readFile(whole))).toBe(0);
    const abandoned = await EncodedWriter.open(byColumn, specs, new PieceWriter(true));
    await abandoned.abandon();
    await expect(readFile(`${byColumn}.part`)).rejects.toThrow('ENOENT');
  });

  it('tells types, roles and ranges, and leaves no other file', async () => {
    const file = path.join(folder, 'typed.parquet');
    const specs = [
      { name: 'at', role: 'time', description: 'When' },
      { name: 'usd', role: 'info', unit: 'USD' },
      { name: 'price', role: 'feature' },
      { name: 'side', role: 'info' },
      { name: 'index', role: 'info' },
      { name: 'fee', role: 'info' },
    ] as const;
    const at = [1_700_000_000_000_001n, 1_700_000_000_500_000n];
    const columns: Record<string, EncodedColumn> = {
      at: {
        type: 'TIMESTAMP',
        encoding: 'differences',
        values: [differences(at)],
        range: { least: at[0] as bigint, greatest: at[1] as bigint },
      },
      usd: { type: 'DECIMAL(18, 6)', encoding: 'differences', values: [differences([1n, -2_500_000n])] },
      price: { type: 'DOUBLE', encoding: 'plain', values: [new Uint8Array(Float64Array.of(0.1, -0).buffer)] },
      side: {
        type: 'VARCHAR',
        encoding: 'dictionary',
        values: [Uint8Array.of(1), packed([1, 0], 1, 1)],
        dictionary: texts(['BUY', 'SELL']),
      },
      index: {
        type: 'INTEGER',
        encoding: 'dictionary',
        values: [Uint8Array.of(1), packed([0, 1], 1)],
        dictionary: { count: 2, bytes: new Uint8Array(Int32Array.of(7, -7).buffer) },
      },
      fee: { type: 'DECIMAL(18, 6)', encoding: 'plain', values: [], present: packed([0, 0], 1, 1), nulls: 2 },
    };
    await writeEncoded(file, specs, [{ rows: 2, columns }]);
    const rows = await duck.rows(`SELECT "at"::VARCHAR AS "at", usd::VARCHAR AS usd, price, side, "index", fee,
      typeof("at") AS a, typeof(usd) AS u, typeof("index") AS i FROM read_parquet(${quote(file)})`);
    const types = { a: 'TIMESTAMP', u: 'DECIMAL(18,6)', i: 'INTEGER' };
    expect(rows).toEqual([
      { at: '2023-11-14 22:13:20.000001', usd: '0.000001', price: 0.1, side: 'SELL', index: 7, fee: null, ...types },
      { at: '2023-11-14 22:13:20.5', usd: '-2.500000', price: -0, side: 'BUY', index: -7, fee: null, ...types },
    ]);
    expect(await columnsOfParquet(duck, file)).toEqual(specs);
    // Whoever asks for later times reads nothing of it.
    const [stats] = await duck.rows(`SELECT stats_min_value AS least, stats_max_value AS greatest
      FROM parquet_metadata(${quote(file)}) WHERE path_in_schema = 'at'`);
    expect(stats).toEqual({ least: '2023-11-14 22:13:20.000001', greatest: '2023-11-14 22:13:20.5' });
    const bytes = await readFile(file);
    expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', bytes.length - 4)]).toEqual(['PAR1', 'PAR1']);
    await expect(readFile(`${file}.part`)).rejects.toThrow('ENOENT');
  });
});
