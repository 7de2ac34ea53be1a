import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Booster } from '../../src/models/boosting/booster.ts';
import { loadXgboost } from '../../src/models/boosting/xgboost-c.ts';
import runBoosting from '../../src/stages/run/train-boosting.ts';
import boosting from '../../src/stages/train-boosting.ts';
import { encodeFrame, type Frame, type FrameColumn } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { whyNoXgboost, xgboostPath } from '../models/boosting/peer.ts';
import { makeFrame, makeSplits, withQueries } from '../support/boosting.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const ROWS = 300;
const frame = makeFrame(ROWS);
const splits = makeSplits(ROWS, 5);

interface Options {
  readonly frame?: Frame;
  readonly splits?: Frame;
  readonly fold?: number;
  readonly cancelled?: () => boolean;
  /** Where the outputs and the checkpoint lie. */
  readonly folder?: string;
}

async function train(params: Record<string, unknown>, options: Options = {}): Promise<StageResult> {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('features.arrow'), encodeFrame(options.frame ?? frame));
  await writeFile(file('splits.arrow'), encodeFrame(options.splits ?? splits));
  return runStage(boosting, runBoosting, {
    params: { objective: 'binary', target: 'good', rounds: 60, resamples: 20, ...params },
    inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
    coordinates: { fold: options.fold ?? 0 },
    ...(options.folder === undefined ? {} : { folder: options.folder }),
    ...(options.cancelled === undefined ? {} : { cancelled: options.cancelled }),
  });
}

/** The frame with one column changed, or added. */
function withColumn(column: FrameColumn): Frame {
  const others = frame.columns.filter(({ name }) => name !== column.name);
  return { rows: frame.rows, columns: [...others, column] };
}

function numbers(name: string): Float64Array {
  const column = frame.columns.find((c) => c.name === name);
  if (column?.type !== 'number') throw new Error(name);
  return Float64Array.from(column.values);
}

const label = (name: string, values: Float64Array): FrameColumn => ({ name, role: 'label', type: 'number', values });
const failure = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

afterEach(() => {
  delete process.env['XGBOOST_LIB'];
});

describe('the parameters of train.boosting', () => {
  const parse = (params: Record<string, unknown>) =>
    boosting.params.parse({ target: 'good', objective: 'binary', ...params });

  it('have no early stopping without rows to stop by', () => {
    expect(() => parse({ fitOn: 'train+validation' })).toThrow(/earlyStoppingRounds/);
    expect(parse({ fitOn: 'train+validation', earlyStoppingRounds: 0 }).rounds).toBe(300);
  });

  it('of a refit take the mean best round and all rows', () => {
    const scalars = (bestRound: number | null) => ({ scalars: { bestRound } });
    const refitted = boosting.refit?.(parse({ learningRate: 0.3 }), [scalars(10), scalars(15), scalars(null)]);
    expect(refitted).toMatchObject({
      fitOn: 'train+validation',
      rounds: 13,
      earlyStoppingRounds: 0,
      learningRate: 0.3,
    });
    expect(() => boosting.params.parse(refitted)).not.toThrow();
    expect(boosting.refit?.(parse({ rounds: 70 }), [])).toMatchObject({ rounds: 70 });
  });

  it('ask for a GPU only on cuda, and for the threads they train with', () => {
    expect(boosting.resources(parse({ nthread: 3 }))).toMatchObject({ threads: 3, gpus: 0 });
    expect(boosting.resources(parse({ device: 'cuda' }))).toMatchObject({ gpus: 1 });
  });
});

describe.skipIf(xgboostPath === undefined)(`train.boosting (${xgboostPath ?? whyNoXgboost})`, () => {
  it('leaves predictions for the held-out rows of its fold, in order, beside the base rate', async () => {
    const result = await train({}, { fold: 2 });
    const { rows, columns } = await readParquet(result.path('predictions'));
    expect(rows).toHaveLength(120);
    for (const name of ['row', 'fold', 'set', 'target', 'actual', 'predicted', 'baseline', 'baselineLabel'])
      expect(columns).toContainEqual(expect.objectContaining({ name, role: 'info' }));
    for (const name of ['id', 'time', 'group'])
      expect(columns).toContainEqual(expect.objectContaining({ name, role: name }));
    const good = numbers('good');
    const base = Array.from(good).filter((_, i) => i % 5 !== 2 && i % 5 !== 3);
    const rate = base.reduce((a, b) => a + b, 0) / base.length;
    let last = -1;
    for (const row of rows) {
      const i = row['row'] as number;
      expect(i).toBeGreaterThan(last);
      last = i;
      expect(row).toMatchObject({
        id: `w${i}`,
        group: `w${i}`,
        time: null,
        fold: 2,
        set: i % 5 === 2 ? 'test' : 'validation',
        target: 'good',
        actual: good[i],
        baselineLabel: 'training base rate',
      });
      expect(row['baseline']).toBeCloseTo(rate, 12);
      expect(row['predicted']).toBeGreaterThan(0);
      expect(row['predicted']).toBeLessThan(1);
    }
  });

  it('measures itself and shows how it learned', async () => {
    const result = await train({ earlyStoppingRounds: 5, learningRate: 0.3 });
    const { scalars, metrics, notes } = await result.metrics();
    expect(scalars['test.score']).toBeGreaterThan(0.8);
    expect(scalars['test.score']).toBe(metrics?.find((m) => m.set === 'test' && m.name === 'auc')?.value);
    const [curves, importance] = await result.figures();
    if (curves?.kind !== 'line' || importance?.kind !== 'bars') throw new Error('other figures');
    const validation = curves.series[0]?.y as number[];
    const best = scalars['bestRound'] as number;
    expect(Math.min(...validation)).toBe(validation[best - 1]);
    expect(validation).toHaveLength(best + 5);
    // The loss that XGBoost prints and the one measured from the predictions agree.
    expect(scalars['validation.loss']).toBeCloseTo(validation[best - 1] as number, 6);
    expect(importance.bars[0]).toMatchObject({ label: 'a' });
    expect(importance.bars.reduce((sum, bar) => sum + (bar.value ?? 0), 0)).toBeCloseTo(100, 6);
    expect(notes).toEqual([
      expect.stringMatching(/^Fold 0 was trained by XGBoost \d+\.\d+\.\d+ on cpu, 1 thread\.$/),
      // Column b lacks every seventeenth value.
      expect.stringMatching(/^18 of 1200 values of features in fold 0 are missing; /),
    ]);
  });

  it('gives the same files twice', async () => {
    const [first, second] = [await train({ subsample: 0.5 }), await train({ subsample: 0.5 })];
    for (const port of ['model', 'predictions', 'metrics', 'figures'])
      expect(await first.bytes(port)).toEqual(await second.bytes(port));
  });

  it('leaves a model that can be read by itself', async () => {
    const result = await train({ earlyStoppingRounds: 5 });
    const { scalars } = await result.metrics();
    const bytes = await result.bytes('model');
    expect(JSON.parse(new TextDecoder().decode(bytes))).toHaveProperty('learner.gradient_booster.model.trees');
    const booster = Booster.load(loadXgboost(xgboostPath as string), bytes);
    expect(booster.attribute('best_iteration')).toBe(String((scalars['bestRound'] as number) - 1));
    expect(booster.attribute('nothing')).toBeUndefined();
    expect(booster.rounds()).toBe(scalars['rounds']);
    expect(JSON.parse(booster.attribute('fathom') ?? '')).toEqual({
      version: 1,
      kind: 'boosting',
      target: 'good',
      objective: 'binary',
      features: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }],
    });
    booster.free();
    booster.free();
  });

  it('predicts numbers beside their mean', async () => {
    const { scalars, metrics } = await (await train({ objective: 'regression', target: 'gain' })).metrics();
    const rmse = metrics?.find((m) => m.set === 'test' && m.name === 'rmse');
    expect(rmse?.baseline?.label).toBe('training mean');
    expect(rmse?.value).toBe(scalars['test.loss']);
    expect(rmse?.value).toBeLessThan(0.8 * (rmse?.baseline?.value as number));
  });

  it('predicts a probability a class, which sum to 1', async () => {
    const result = await train({ objective: 'multiclass', target: 'kind' });
    const { rows } = await readParquet(result.path('predictions'));
    expect([...new Set(rows.map((row) => row['target']))]).toEqual(['kind=high', 'kind=low', 'kind=middle']);
    const sums = new Map<unknown, { predicted: number; actual: number; baseline: number }>();
    for (const row of rows) {
      const sum = sums.get(row['row']) ?? { predicted: 0, actual: 0, baseline: 0 };
      for (const key of ['predicted', 'actual', 'baseline'] as const) sum[key] += row[key] as number;
      sums.set(row['row'], sum);
    }
    expect(sums.size).toBe(120);
    for (const { predicted, actual, baseline } of sums.values()) {
      expect(predicted).toBeCloseTo(1, 5);
      expect(actual).toBe(1);
      expect(baseline).toBeCloseTo(1, 12);
    }
    const { scalars } = await result.metrics();
    expect(scalars['test.accuracy']).toBeGreaterThan(0.5);
    const curves = (await result.figures())[0];
    const best = scalars['bestRound'] as number;
    expect(scalars['validation.loss']).toBeCloseTo(
      (curves?.kind === 'line' ? curves.series[0]?.y[best - 1] : undefined) as number,
      5,
    );
  });

  it('takes classes that are numbers', async () => {
    const codes = numbers('gain').map((value) => (value < 0 ? 7 : 12));
    const result = await train(
      { objective: 'multiclass', target: 'digit' },
      { frame: withColumn(label('digit', codes)) },
    );
    const { rows } = await readParquet(result.path('predictions'));
    expect([...new Set(rows.map((row) => row['target']))]).toEqual(['digit=12', 'digit=7']);
  });

  it('leaves out rows without a label, and says how many', async () => {
    const good = numbers('good');
    for (const row of [0, 1, 2, 3, 4]) good[row] = Number.NaN;
    const result = await train({}, { frame: withColumn(label('good', good)) });
    const { scalars, notes } = await result.metrics();
    expect(notes?.[1]).toBe('5 rows of fold 0 have no good and were left out.');
    expect([scalars['train.rows'], scalars['validation.rows'], scalars['test.rows']]).toEqual([177, 59, 59]);
    const { rows } = await readParquet(result.path('predictions'));
    expect(rows[0]).toMatchObject({ row: 5 });
  });

  it('weighs rows: those of weight 0 teach nothing', async () => {
    const weights = Float64Array.from({ length: ROWS }, (_, i) => (i % 10 === 4 ? 0 : 1 + (i % 3)));
    const weighted = (values: Float64Array): Frame => ({
      rows: ROWS,
      columns: [
        ...withColumn(label('good', values)).columns,
        { name: 'w', role: 'weight', type: 'number', values: weights },
      ],
    });
    const good = numbers('good');
    const flipped = good.map((value, i) => (i % 10 === 4 ? 1 - value : value));
    const params = { rounds: 20, earlyStoppingRounds: 0 };
    const predictions = async (f: Frame): Promise<unknown[]> =>
      (await readParquet((await train(params, { frame: f })).path('predictions'))).rows.map((row) => row['predicted']);
    expect(await predictions(weighted(flipped))).toEqual(await predictions(weighted(good)));
    expect(await predictions(frame)).not.toEqual(await predictions(weighted(good)));
    weights[5] = -1;
    await expect(train({}, { frame: weighted(good), fold: 1 })).rejects.toThrow(
      failure('data', /weight "w" is -1 in row 5/),
    );
  });

  it('takes weights from a column by name', async () => {
    const w = Float64Array.from({ length: ROWS }, (_, i) => 1 + (i % 3));
    const by = async (role: 'weight' | 'info', params: object): Promise<Uint8Array> =>
      (
        await train({ rounds: 5, ...params }, { frame: withColumn({ name: 'w', role, type: 'number', values: w }) })
      ).bytes('predictions');
    expect(await by('info', { weight: 'w' })).toEqual(await by('weight', {}));
    expect(await by('info', {})).not.toEqual(await by('weight', {}));
    await expect(train({ weight: 'nothing' })).rejects.toThrow(failure('data', /no column "nothing"/));
  });

  it('splits categories by what they are, not by the order of their codes', async () => {
    // Rows of every second category are good: no threshold on the codes tells them apart, one split of the set does.
    const codes = Int32Array.from({ length: ROWS }, (_, i) => i % 8);
    const label8 = label(
      'odd',
      Float64Array.from(codes, (code) => code % 2),
    );
    const venue: FrameColumn = { name: 'venue', role: 'feature', type: 'category', labels: [...'hgfedcba'], codes };
    const with8: Frame = {
      rows: ROWS,
      columns: [...frame.columns.filter(({ role }) => role !== 'feature'), venue, label8],
    };
    const params = { target: 'odd', rounds: 1, maxDepth: 1, earlyStoppingRounds: 0, learningRate: 1 };
    const { scalars } = await (await train(params, { frame: with8 })).metrics();
    expect(scalars['test.score']).toBe(1);
    const asNumbers: Frame = {
      rows: ROWS,
      columns: with8.columns.map((column) =>
        column === venue
          ? { name: 'venue', role: 'feature', type: 'number', values: Float64Array.from(codes) }
          : column,
      ),
    };
    const numeric = await (await train(params, { frame: asNumbers })).metrics();
    expect(numeric.scalars['test.score']).toBeLessThan(0.7);
    await expect(train({ ...params, treeMethod: 'exact' }, { frame: with8 })).rejects.toThrow(
      failure('experiment', /exact` cannot split the categories of "venue"/),
    );
    await expect(train({ ...params, monotone: { venue: 1 } }, { frame: with8 })).rejects.toThrow(
      failure('experiment', /"venue", whose categories have no order/),
    );
  });

  describe('ranks', () => {
    const { ranked } = withQueries(frame);
    const params = { target: 'gain', objective: 'ranking', grades: 4, rounds: 40 };

    it('rows of one date, better than any order, and says by how much', async () => {
      const result = await train(params, { frame: ranked });
      const { scalars, metrics } = await result.metrics();
      const found = metrics?.find((m) => m.set === 'test' && m.name === 'ndcg');
      expect(found).toMatchObject({ clusters: 6, n: 60, baseline: { label: 'no order' } });
      expect(found?.value).toBe(scalars['test.score']);
      expect(found?.value).toBeGreaterThan((found?.baseline?.value as number) + 0.1);
      expect(found?.low).toBeLessThan(found?.value as number);
      const [curves] = await result.figures();
      if (curves?.kind !== 'line') throw new Error('another figure');
      const validation = curves.series[0]?.y as number[];
      expect(Math.max(...validation)).toBe(validation[(scalars['bestRound'] as number) - 1]);
      expect(curves.title).toMatch(/score of gain is highest after/);
    });

    it('into a table in the order of the frame', async () => {
      const { rows } = await readParquet((await train(params, { frame: ranked })).path('predictions'));
      expect(rows.map((row) => row['row'])).toEqual(
        rows.map((row) => row['row']).sort((a, b) => Number(a) - Number(b)),
      );
      expect(rows[0]?.['actual']).toBeTypeOf('number');
    });

    it.each([
      ['without grades', { grades: undefined }, 'data', /target "gain" is .* in row 0, but a grade is a whole number/],
      ['without a query', { query: 'nowhere' }, 'data', /no column "nowhere"/],
    ])('nothing %s', async (_, changed, code, message) => {
      await expect(train({ ...params, ...changed }, { frame: ranked })).rejects.toThrow(failure(code, message));
    });

    it('only where that is the objective', () => {
      expect(() => boosting.params.parse({ target: 'good', objective: 'binary', grades: 3 })).toThrow(
        /must be ranking/,
      );
    });
  });

  it('keeps the best round of DART as it was', async () => {
    const result = await train({ dart: { rateDrop: 0.5 }, earlyStoppingRounds: 5, learningRate: 0.5 });
    const { scalars } = await result.metrics();
    const [curves] = await result.figures();
    const validation = curves?.kind === 'line' ? (curves.series[0]?.y as number[]) : [];
    expect(scalars['bestRound']).toBeLessThan(validation.length);
    // The saved rounds give the loss that was seen in their round, although later ones rescaled them.
    expect(scalars['validation.loss']).toBeCloseTo(validation[(scalars['bestRound'] as number) - 1] as number, 6);
  });

  it('shows the importance of features by five measures, those on test rows seeded', async () => {
    const result = await train({ permutations: 3, importanceRows: 30 });
    const figures = await result.figures();
    expect(figures.map(({ id }) => id)).toEqual([
      'learning-curves',
      'importance',
      'importance-permutation',
      'importance-shap',
      'importance-table',
    ]);
    const [, , permutation, shap, table] = figures;
    if (permutation?.kind !== 'bars' || shap?.kind !== 'bars' || table?.kind !== 'table')
      throw new Error('other figures');
    expect(permutation.bars[0]).toMatchObject({ label: 'a' });
    expect(permutation.bars[0]?.low).toBeLessThan(permutation.bars[0]?.value as number);
    expect(shap.bars[0]).toMatchObject({ label: 'a' });
    expect(permutation.subtitle).toMatch(/fold 0, 30 test rows$/);
    expect(table.rows.map(([name]) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(table.rows[0]).toHaveLength(table.columns.length);
    const { scalars } = await result.metrics();
    expect(scalars['shap.largestError']).toBeLessThan(1e-4);
    expect((await (await train({ permutations: 0 })).figures()).map(({ id }) => id)).toEqual([
      'learning-curves',
      'importance',
      'importance-table',
    ]);
  });

  it('stands beside a column that predicts by itself', async () => {
    const price = Float64Array.from({ length: ROWS }, (_, i) => (i % 100) / 100);
    const column: FrameColumn = { name: 'price', role: 'info', type: 'number', values: price };
    const result = await train({ baselineColumn: 'price' }, { frame: withColumn(column) });
    const { rows } = await readParquet(result.path('predictions'));
    for (const row of rows)
      expect(row).toMatchObject({ baselineLabel: 'price', baseline: price[row['row'] as number] });
    price[0] = Number.NaN;
    await expect(train({ baselineColumn: 'price' }, { frame: withColumn(column) })).rejects.toThrow(
      failure('data', /baseline "price" is missing in row 0/),
    );
    await expect(
      train({ baselineColumn: 'price', objective: 'multiclass', target: 'kind' }, { frame: withColumn(column) }),
    ).rejects.toThrow(failure('experiment', /baselineColumn/));
  });

  it('trained on the validation rows too, measures the test rows only', async () => {
    const result = await train({ fitOn: 'train+validation', earlyStoppingRounds: 0, rounds: 12 });
    const { scalars, notes } = await result.metrics();
    expect(scalars).toMatchObject({
      'train.rows': 240,
      'validation.score': null,
      'validation.loss': null,
      bestRound: 12,
    });
    expect(notes?.at(-1)).toMatch(/only the test rows/);
    const { rows } = await readParquet(result.path('predictions'));
    expect(new Set(rows.map((row) => row['set']))).toEqual(new Set(['test']));
    expect(rows).toHaveLength(60);
  });

  it('keeps to the direction of a constraint', async () => {
    // Two rows a step apart in `a` and equal elsewhere must not be predicted in the wrong order.
    const a = Float64Array.from({ length: ROWS }, (_, i) => Math.floor(i / 5) / 60);
    const flat = withColumn({ name: 'a', role: 'feature', type: 'number', values: a });
    const constant = {
      ...flat,
      columns: flat.columns.map((c) =>
        c.role === 'feature' && c.name !== 'a' && c.type === 'number' ? { ...c, values: new Float64Array(ROWS) } : c,
      ),
    };
    const result = await train({ monotone: { a: -1 }, earlyStoppingRounds: 0 }, { frame: constant });
    const { rows } = await readParquet(result.path('predictions'));
    for (let i = 1; i < rows.length; i++)
      expect(rows[i]?.['predicted']).toBeLessThanOrEqual(rows[i - 1]?.['predicted'] as number);
    await expect(train({ monotone: { e: 1 } })).rejects.toThrow(failure('experiment', /"e", which is no feature/));
  });

  it.each([
    ['continues from where it was stopped', {}, 7],
    [
      'continues a ranking',
      { objective: 'ranking', target: 'gain', grades: 4, query: 'kind', earlyStoppingRounds: 0, rounds: 20 },
      7,
    ],
    ['starts over where XGBoost draws random numbers', { subsample: 0.5 }, 0],
    ['starts over where it drops trees', { dart: {} }, 0],
  ])('%s, to the same bytes as if nothing had happened', async (_, params, continuesFrom) => {
    const undisturbed = await train({ earlyStoppingRounds: 5, ...params });
    const folder = await temporaryFolder();
    let rounds = 0;
    const stopAt = (last: number) => () => ++rounds > last;
    // Where it can continue it asks twice a round: whether to save, and whether to stop.
    const asks = continuesFrom === 0 ? 7 : 13;
    await expect(train({ earlyStoppingRounds: 5, ...params }, { folder, cancelled: stopAt(asks - 1) })).rejects.toThrow(
      failure('interrupted', /stopped/),
    );
    rounds = 0;
    const resumed = await train({ earlyStoppingRounds: 5, ...params }, { folder, cancelled: stopAt(1e9) });
    const total = (await resumed.metrics()).scalars['rounds'] as number;
    expect(rounds).toBe((total - continuesFrom) * (continuesFrom === 0 ? 1 : 2));
    for (const port of ['model', 'predictions', 'metrics', 'figures'])
      expect(await resumed.bytes(port)).toEqual(await undisturbed.bytes(port));
  });

  it.each([
    ['a target that is no label', { target: 'a' }, {}, 'data', /column "a" has the role feature/],
    ['a target that is not there', { target: 'bad' }, {}, 'data', /no column "bad"/],
    ['a binary target that is not 0 or 1', { target: 'gain' }, {}, 'data', /target "gain" is .* in row 0/],
    ['a fold that is not there', {}, { fold: 9 }, 'data', /no column "fold9"/],
    ['splits of another frame', {}, { splits: makeSplits(10, 1) }, 'data', /splits have 10 rows, the features 300/],
    [
      'a single class',
      {},
      { frame: withColumn(label('good', new Float64Array(ROWS))) },
      'data',
      /all 180 training rows of fold 0 have good = 0/,
    ],
    [
      'a label that is infinite',
      { target: 'gain', objective: 'regression' },
      { frame: withColumn(label('gain', numbers('gain').fill(Infinity, 4, 5))) },
      'data',
      /target "gain" is Infinity in row 4/,
    ],
    [
      'a single training row',
      { target: 'gain', objective: 'regression', earlyStoppingRounds: 0 },
      { frame: withColumn(label('gain', numbers('gain').fill(Number.NaN, 3))) },
      'data',
      /fold 0 has one training row with a label "gain"/,
    ],
    [
      'a feature that is infinite',
      {},
      { frame: withColumn({ name: 'a', role: 'feature', type: 'number', values: numbers('a').fill(-Infinity, 8, 9) }) },
      'data',
      /feature "a" is -Infinity in row 8: infinite/,
    ],
    [
      'a feature beyond float32',
      {},
      { frame: withColumn({ name: 'a', role: 'feature', type: 'number', values: new Float64Array(ROWS).fill(1e39) }) },
      'data',
      /feature "a" is 1e\+39 in row 2: too large/,
    ],
    [
      'a frame without features',
      {},
      { frame: { rows: ROWS, columns: frame.columns.filter(({ role }) => role !== 'feature') } },
      'data',
      /no column with the role feature/,
    ],
  ] as const)('refuses %s', async (_, params, options, code, message) => {
    await expect(train(params, options)).rejects.toThrow(failure(code, message));
    await expect(train(params, options)).rejects.toMatchObject({ hint: expect.any(String) });
  });

  it('refuses to stop early by no rows, and trains on without', async () => {
    const none = makeSplits(ROWS, 1);
    const [column] = none.columns;
    if (column?.type !== 'category') throw new Error('splits hold categories');
    for (const [i, code] of column.codes.entries()) if (code === 2) column.codes[i] = 1;
    await expect(train({}, { splits: none })).rejects.toThrow(failure('data', /no validation row to stop training by/));
    const { scalars } = await (await train({ earlyStoppingRounds: 0 }, { splits: none })).metrics();
    expect(scalars).toMatchObject({ 'validation.score': null, 'train.rows': 240, bestRound: 60 });
  });

  it('refuses a library that is not there, rather than take another', async () => {
    process.env['XGBOOST_LIB'] = '/nowhere/libxgboost.so';
    await expect(train({})).rejects.toThrow(
      failure('unavailable', /\/nowhere\/libxgboost\.so \(found by XGBOOST_LIB\)/),
    );
  });

  it.skipIf(xgboostPath !== undefined && loadXgboost(xgboostPath).hasCuda)(
    'refuses cuda on a library without it, rather than train on the CPU',
    async () => {
      await expect(train({ device: 'cuda' })).rejects.toThrow(failure('unavailable', /was built without CUDA/));
    },
  );

  it('names what XGBoost says is wrong, without its clock and stack', () => {
    const booster = Booster.create(loadXgboost(xgboostPath as string), {}, []);
    try {
      expect(() => booster.toJson()).toThrow(
        failure('task', /^XGBoost failed to save the model: .*0 feature is supplied/),
      );
      expect(() => booster.toJson()).not.toThrow(/Stack trace|\[\d\d:\d\d:\d\d\]/);
    } finally {
      booster.free();
    }
  });
});
