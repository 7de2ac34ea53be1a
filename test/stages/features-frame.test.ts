import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import definition from '../../src/stages/features-frame.ts';
import run from '../../src/stages/run/features-frame.ts';
import runProfile from '../../src/stages/run/wallets-profile.ts';
import runTargets from '../../src/stages/run/wallets-targets.ts';
import profileDefinition from '../../src/stages/wallets-profile.ts';
import targetsDefinition from '../../src/stages/wallets-targets.ts';
import type { ColumnRole } from '../../src/tables/columns.ts';
import { columnsOfParquet, copyToParquet, openDuck } from '../../src/tables/duck.ts';
import { columnNamed, columnsOf, type Frame, numbersOf, readFrame, textOf } from '../../src/tables/frame.ts';
import { type ParquetColumn, readParquet, writeParquet } from '../../src/tables/parquet.ts';
import { partFile } from '../../src/tables/parquet-files.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import { makeWorld, writeWorld } from '../support/world.ts';

const day = (n: number): Date => new Date(Date.UTC(2025, 0, n));

let folder: string;
let files = 0;
async function table(columns: readonly ParquetColumn[]): Promise<string> {
  const file = path.join(folder, `table${files++}.parquet`);
  await writeParquet(file, columns);
  return file;
}

const key = (wallets: string[], days: number[]): ParquetColumn[] => [
  { name: 'wallet', role: 'id', type: 'STRING', values: wallets },
  { name: 'asOf', role: 'time', type: 'TIMESTAMP', values: days.map(day) },
];

/** Rows out of order; NaN is missing. */
const profiles = (): ParquetColumn[] => [
  ...key(['b', 'a', 'c', 'a'], [2, 2, 2, 1]),
  { name: 'usd', role: 'feature', unit: 'USD', type: 'DOUBLE', values: [100, -7, Number.NaN, 0] },
  { name: 'count', role: 'feature', type: 'INT32', values: [3, 3, 9, null] },
  { name: 'kind', role: 'info', type: 'STRING', values: ['maker', null, 'taker', 'maker'] },
];
const targets = (): ParquetColumn[] => [
  ...key(['a', 'b', 'a'], [2, 2, 1]),
  { name: 'nextEdge', role: 'label', type: 'DOUBLE', values: [0.5, Number.NaN, 0.25] },
  { name: 'nextCount', role: 'label', type: 'INT32', values: [5, null, 4] },
  { name: 'labelEnd', role: 'labelEnd', type: 'TIMESTAMP', values: [day(9), day(9), day(8)] },
];
const truth = (): ParquetColumn[] => [
  { name: 'wallet', role: 'id', type: 'STRING', values: ['a', 'b'] },
  { name: 'archetype', role: 'feature', type: 'STRING', values: ['skilled', 'casual'] },
  { name: 'edge', role: 'label', type: 'DOUBLE', values: [0.03, 0] },
];

async function frameOf(
  params: object,
  inputs: Record<string, ParquetColumn[]>,
): Promise<{ frame: Frame; result: StageResult }> {
  const paths: Record<string, string[]> = {};
  for (const [port, columns] of Object.entries(inputs)) paths[port] = [await table(columns)];
  const result = await runStage(definition, run, { params, inputs: paths });
  return { frame: await readFrame(result.path('frame')), result };
}

const numbers = (frame: Frame, name: string): number[] => [...numbersOf(columnNamed(frame, name))];
const texts = (frame: Frame, name: string): string[] =>
  Array.from({ length: frame.rows }, (_, i) => textOf(columnNamed(frame, name), i));

describe('features.frame', () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  it('sorts by time and id, joins by them, and keeps what is missing missing', async () => {
    const { frame, result } = await frameOf({}, { table: profiles(), targets: targets(), truth: truth() });
    expect(texts(frame, 'wallet')).toEqual(['a', 'a', 'b', 'c']);
    expect(numbers(frame, 'asOf')).toEqual([1, 2, 2, 2].map((n) => day(n).getTime()));
    expect(numbers(frame, 'usd')).toEqual([0, -7, 100, Number.NaN]);
    expect(numbers(frame, 'count')).toEqual([Number.NaN, 3, 3, 9]);
    expect(numbers(frame, 'nextEdge')).toEqual([0.25, 0.5, Number.NaN, Number.NaN]);
    expect(numbers(frame, 'labelEnd')).toEqual([day(8), day(9), day(9)].map((d) => d.getTime()).concat(Number.NaN));
    expect(texts(frame, 'truthArchetype')).toEqual(['skilled', 'skilled', 'casual', '']);
    expect(Object.fromEntries(frame.columns.map((c) => [c.name, c.role]))).toEqual({
      wallet: 'id',
      asOf: 'time',
      group: 'group',
      labelEnd: 'labelEnd',
      nextEdge: 'label',
      nextCount: 'label',
      usd: 'feature',
      count: 'feature',
      kind: 'info',
      truthArchetype: 'info',
      truthEdge: 'info',
    });
    expect(texts(frame, 'group')).toEqual(texts(frame, 'wallet'));
    expect((await result.metrics()).scalars).toMatchObject({
      rows: 4,
      'rows.withoutTarget': 1,
      'rows.withoutLabel': 2,
      'missing.usd': 1,
      'missing.count': 1,
      'missing.nextEdge': 2,
    });
  });

  it('makes logarithms, indicators, ranks within a date and bounds', async () => {
    const { frame } = await frameOf(
      {
        features: ['usd', 'count', 'kind'],
        log1p: ['usd'],
        oneHot: ['kind'],
        quantileRanks: ['count', 'usd'],
        clip: { usd: [-5, 50] },
      },
      { table: profiles() },
    );
    const logs = numbers(frame, 'usdLog1p');
    expect(logs.slice(0, 2)).toEqual([0, expect.closeTo(-Math.log(6), 14)]);
    expect(logs[2]).toBeCloseTo(Math.log(51), 14);
    expect(logs[3]).toBeNaN();
    expect(numbers(frame, 'countRank')).toEqual([Number.NaN, 1 / 3, 1 / 3, 2.5 / 3]);
    expect(numbers(frame, 'usdRank')).toEqual([0.5, 0.25, 0.75, Number.NaN]);
    expect(numbers(frame, 'kind=maker')).toEqual([1, 0, 1, 0]);
    expect(numbers(frame, 'kind=taker')).toEqual([0, 0, 0, 1]);
    expect(columnsOf(frame, 'feature').map((c) => c.name)).toEqual([
      'usdLog1p',
      'usdRank',
      'countRank',
      'kind=maker',
      'kind=taker',
    ]);
    expect(columnNamed(frame, 'usd').role).toBe('info');
  });

  it('keeps text as codes of categories for models that split them', async () => {
    const { frame } = await frameOf({ features: ['usd', 'kind'], categories: ['kind'] }, { table: profiles() });
    const kind = columnNamed(frame, 'kind');
    if (kind.type !== 'category') throw new Error('kind holds text');
    expect(kind.role).toBe('feature');
    expect(Array.from(kind.codes, (code) => kind.labels[code] ?? null)).toEqual(['maker', null, 'maker', 'taker']);
  });

  it('drops rows without any label on request and takes another group', async () => {
    const { frame } = await frameOf(
      { dropRowsWithoutLabel: true, group: 'kind', labels: ['nextEdge'] },
      { table: profiles(), targets: targets() },
    );
    expect(texts(frame, 'wallet')).toEqual(['a', 'a']);
    expect(columnsOf(frame, 'group').map((c) => c.name)).toEqual(['kind']);
    // A label that was not chosen is not carried along as something else.
    expect(frame.columns.map((c) => c.name)).not.toContain('nextCount');
  });

  it('refuses what would be wrong', async () => {
    const wrong: [object, Record<string, ParquetColumn[]>, string][] = [
      [{ features: ['usd', 'nope'] }, { table: profiles() }, '"nope"'],
      [{ features: ['nextEdge'] }, { table: profiles(), targets: targets() }, 'give the answer away'],
      [{ features: ['kind'] }, { table: profiles() }, 'is text'],
      [{ features: ['usd'], categories: ['usd'] }, { table: profiles() }, '"usd", which holds numbers'],
      [{ features: ['usd'], categories: ['kind'] }, { table: profiles() }, '"kind", which is no feature'],
      [{ log1p: ['kind'] }, { table: profiles() }, 'no feature'],
      [
        {},
        { table: [...key(['a', 'a'], [1, 1]), { name: 'x', role: 'feature', type: 'DOUBLE', values: [1, 2] }] },
        'too many',
      ],
      [
        {},
        {
          table: profiles(),
          targets: [...targets(), { name: 'usd', role: 'label', type: 'DOUBLE', values: [1, 2, 3] }],
        },
        'both',
      ],
      [
        { quantileRanks: ['x'] },
        {
          table: [
            { name: 'row', role: 'id', type: 'INT32', values: [1] },
            { name: 'x', role: 'feature', type: 'DOUBLE', values: [1] },
          ],
        },
        'role time',
      ],
    ];
    for (const [params, inputs, words] of wrong)
      await expect(frameOf(params, inputs), words).rejects.toMatchObject({
        code: 'data',
        message: expect.stringContaining(words),
      });
  });

  describe('takes null for missing, and refuses a stored', () => {
    const roles: Record<string, ColumnRole> = { wallet: 'id', asOf: 'time', x: 'feature', y: 'feature' };
    /** A table as DuckDB writes it: unlike ours, it stores NaN. */
    async function stored(select: string, more: Record<string, ColumnRole | undefined> = {}): Promise<string> {
      const file = path.join(folder, `stored${files++}.parquet`);
      const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
      const columns = Object.entries({ ...roles, ...more }).flatMap(([name, role]) =>
        role === undefined ? [] : [{ name, role }],
      );
      await copyToParquet(duck, select, file, columns);
      duck.close();
      return file;
    }
    /** Rows of wallets d, c, b, a: in the frame their order is another. */
    const rows = (x: readonly string[], y = 'NULL::DOUBLE', more = ''): string =>
      x
        .map(
          (value, i) =>
            `SELECT '${'dcba'[i]}' AS wallet, TIMESTAMP '2025-01-02' AS "asOf", ${value} AS x, ${i === 2 ? y : '1.5'} AS y${more}`,
        )
        .join(' UNION ALL ');
    const build = async (file: string, params: object = {}, inputs: Record<string, string[]> = {}): Promise<Frame> =>
      readFrame((await runStage(definition, run, { params, inputs: { table: [file], ...inputs } })).path('frame'));

    it.each([
      ['NaN', "'nan'::DOUBLE", 'NaN'],
      ['infinity', "'inf'::DOUBLE", 'Infinity'],
      ['negative infinity', "'-inf'::DOUBLE", '-Infinity'],
      ['NaN of single precision', "'nan'::FLOAT", 'NaN'],
    ])('%s in a feature, by column, row and subject', async (_name, value, word) => {
      const file = await stored(rows(['1.0', value, 'NULL', '2.0']));
      await expect(build(file)).rejects.toMatchObject({
        code: 'data',
        message: `feature "x" is ${word} in row 1 of the table (wallet "c", asOf 2025-01-02)`,
        hint: expect.stringContaining('null is missing'),
      });
    });

    it('NaN in several, counted by column; null stays missing', async () => {
      const file = await stored(rows(['1.0', 'NULL', "'nan'::DOUBLE", "'inf'::DOUBLE"], "'nan'::DOUBLE"));
      await expect(build(file)).rejects.toThrow(
        'feature "x" is NaN in row 2 of the table (wallet "b", asOf 2025-01-02); 3 values are NaN or infinite: x 2, y 1',
      );
      expect(numbers(await build(await stored(rows(['1.0', 'NULL', '2.0', '3.0']))), 'x')).toEqual([3, 2, NaN, 1]);
    });

    it('NaN in a label of the targets and in a weight, but not in a column that is only carried', async () => {
      const nan = "'nan'::DOUBLE";
      const table = await stored(rows(['1.0', '2.0', '3.0', '4.0']));
      const outcomes = (gain: string, note: string): Promise<string> =>
        stored(`SELECT wallet, "asOf", ${gain} AS gain, ${note} AS note FROM (${rows(['0', '0'])})`, {
          x: undefined,
          y: undefined,
          gain: 'label',
          note: 'info',
        });
      await expect(build(table, {}, { targets: [await outcomes(nan, '1.5')] })).rejects.toThrow(
        'label "gain" is NaN in row 0 of the table (wallet "d", asOf 2025-01-02); 2 values',
      );
      expect(numbers(await build(table, {}, { targets: [await outcomes('0.5', nan)] }), 'note')).toEqual([
        NaN,
        NaN,
        NaN,
        NaN,
      ]);
      const weighted = await stored(rows(['1.0', '2.0'], '1.5', `, ${nan} AS w`), { w: 'weight' });
      await expect(build(weighted)).rejects.toThrow('weight "w" is NaN in row 0 of the table');
    });

    it('infinity where no bound is set for it', async () => {
      const file = await stored(rows(['1.0', "'inf'::DOUBLE", "'-inf'::DOUBLE", '2.0']));
      expect(numbers(await build(file, { clip: { x: [-5, 50] } }), 'x')).toEqual([2, -5, 50, 1]);
      await expect(build(file, { clip: { x: [null, 50] } })).rejects.toThrow('"x" is -Infinity in row 2 of the table');
      const nan = await stored(rows(['1.0', "'nan'::DOUBLE", '3.0', '2.0']));
      await expect(build(nan, { clip: { x: [-5, 50] } })).rejects.toThrow('"x" is NaN in row 1 of the table');
    });
  });

  it('takes every type that tables have, and rounds no whole number', async () => {
    const file = path.join(folder, 'types.parquet');
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
    const roles = ['id', 'time', 'feature', 'feature', 'feature', 'info', 'info', 'label'] as const;
    const names = ['n', 't', 'money', 'flag', 'tiny', 'day', 'big', 'kind'];
    const columns = names.map((name, i) => ({ name, role: roles[i] as (typeof roles)[number] }));
    const write = (big: string): Promise<void> =>
      copyToParquet(
        duck,
        `SELECT 7::BIGINT AS n, TIMESTAMPTZ '2025-01-01 00:00:00.25+02' AS t, 9000000000.123457::DECIMAL(18,6) AS money, true AS flag,
           -3::TINYINT AS tiny, DATE '2025-01-02' AS "day", ${big}::BIGINT AS big, 'x' AS kind`,
        file,
        columns,
      );
    const once = (): Promise<StageResult> => runStage(definition, run, { params: {}, inputs: { table: [file] } });
    await write('9007199254740991');
    const frame = await readFrame((await once()).path('frame'));
    expect(names.slice(0, 7).map((name) => numbers(frame, name)[0])).toEqual([
      7,
      Date.UTC(2024, 11, 31, 22, 0, 0, 250),
      9000000000.123457,
      1,
      -3,
      Date.UTC(2025, 0, 2),
      9007199254740991,
    ]);
    expect(texts(frame, 'kind')).toEqual(['x']);
    await write('9007199254740993');
    await expect(once()).rejects.toMatchObject({ message: expect.stringContaining('beyond 2^53') });
    duck.close();
  });

  it('turns profiles, targets and truth of a world into equal bytes whenever it runs', async () => {
    const world = makeWorld({ seed: 3, wallets: 30, trades: 1500, days: 60 });
    const written = await writeWorld(world, path.join(folder, 'world'));
    const inputs = { trades: [written.trades], markets: [written.markets], resolutions: [written.resolutions] };
    const asOf = { every: '2d', lookback: '20d' };
    const table = await runStage(profileDefinition, runProfile, { params: { asOf }, inputs });
    const labels = await runStage(targetsDefinition, runTargets, { params: { asOf, horizon: '10d' }, inputs });
    const once = (): Promise<StageResult> =>
      runStage(definition, run, {
        params: { log1p: ['settledPnlUsd', 'aggressionMaxUsd'], quantileRanks: ['tradesPerDay', 'edge'] },
        inputs: { table: [table.path('table')], targets: [labels.path('table')] },
      });
    const [first, second] = [await once(), await once()];
    expect(Buffer.compare(await first.bytes('frame'), await second.bytes('frame'))).toBe(0);
    const frame = await readFrame(first.path('frame'));
    const { rows } = await readParquet(table.path('table'));
    expect(texts(frame, 'wallet')).toEqual(rows.map((row) => row['wallet']));
    expect(numbers(frame, 'edge')).toEqual(rows.map((row) => row['edge'] ?? Number.NaN));
    const { columns } = await readParquet(labels.path('table'));
    expect(columnsOf(frame, 'label').map((c) => c.name)).toEqual(
      columns?.filter((c) => c.role === 'label').map((c) => c.name),
    );

    // The same profiles as a folder of parts, each of some wallets.
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
    const specs = (await columnsOfParquet(duck, table.path('table'))) ?? [];
    const parts = path.join(folder, 'parts.parquet');
    await mkdir(parts);
    for (const k of [0, 1])
      await copyToParquet(
        duck,
        `SELECT * FROM read_parquet('${table.path('table')}') WHERE hash(wallet) % 2 = ${k}`,
        partFile(parts, k),
        specs,
      );
    duck.close();
    const third = await runStage(definition, run, {
      params: { log1p: ['settledPnlUsd', 'aggressionMaxUsd'], quantileRanks: ['tradesPerDay', 'edge'] },
      inputs: { table: [parts], targets: [labels.path('table')] },
    });
    expect(Buffer.compare(await first.bytes('frame'), await third.bytes('frame'))).toBe(0);
  });
});
