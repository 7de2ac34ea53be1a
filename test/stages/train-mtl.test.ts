import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeContainer, encodeContainer } from '../../src/models/mtl/container.ts';
import { decodeModel, encodeModel, predictFrame } from '../../src/models/mtl/model.ts';
import { makeRng } from '../../src/random/rng.ts';
import run from '../../src/stages/run/train-mtl.ts';
import definition, { type MtlParams } from '../../src/stages/train-mtl.ts';
import { type Frame, type FrameColumn, readFrame, writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blasProducts, buildKernels, noOpenblas } from '../models/mtl/support.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

beforeAll(buildKernels);

const ROWS = 600;

/** Wallets with three features; the labels follow two of them, with gaps, the third is noise. */
function walletFrame(): Frame {
  const rng = makeRng('wallets');
  const column = (make: (row: number) => number): Float64Array =>
    Float64Array.from({ length: ROWS }, (_, i) => make(i));
  const a = column(() => rng.normal());
  const b = column(() => rng.normal());
  const value = (values: Float64Array, row: number): number => values[row] as number;
  const gaps = (share: number, make: (row: number) => number) =>
    column((row) => (rng.uniform() < share ? Number.NaN : make(row)));
  const wallets = Array.from({ length: 60 }, (_, i) => `0x${i.toString(16).padStart(4, '0')}`);
  const number = (name: string, role: FrameColumn['role'], values: Float64Array): FrameColumn => ({
    name,
    role,
    type: 'number',
    values,
  });
  return {
    rows: ROWS,
    columns: [
      {
        name: 'wallet',
        role: 'id',
        type: 'category',
        labels: wallets,
        codes: Int32Array.from({ length: ROWS }, (_, row) => row % 60),
      },
      number(
        'asOf',
        'time',
        column((row) => Date.UTC(2025, 0, 1 + Math.floor(row / 60))),
      ),
      number(
        'usd',
        'feature',
        Float64Array.from(a, (x) => 1e6 + 5e5 * x),
      ),
      number(
        'winRate',
        'feature',
        gaps(0.1, (row) => value(b, row)),
      ),
      number(
        'noise',
        'feature',
        column(() => rng.normal()),
      ),
      number(
        'profitable',
        'label',
        gaps(0.2, (row) => Number(value(a, row) + 0.3 * rng.normal() > 0)),
      ),
      number(
        'profit',
        'label',
        gaps(0.2, (row) => 1000 + 300 * value(a, row) + 50 * rng.normal()),
      ),
      number(
        'styleA',
        'label',
        column((row) => Math.max(-1, Math.min(1, value(a, row) / 3))),
      ),
      number(
        'styleB',
        'label',
        column((row) => Math.max(-1, Math.min(1, value(b, row) / 3))),
      ),
      number(
        'influence',
        'label',
        column((row) => Math.max(0, value(a, row))),
      ),
      {
        name: 'category',
        role: 'label',
        type: 'category',
        labels: ['politics', 'sports', 'crypto'],
        codes: Int32Array.from(a, (x) => (x < -0.5 ? 0 : x < 0.5 ? 1 : 2)),
      },
    ],
  };
}

function splitFrame(part: (row: number) => number): Frame {
  const labels = ['none', 'train', 'validation', 'test', 'purged'];
  const codes = Int32Array.from({ length: ROWS }, (_, row) => part(row));
  return { rows: ROWS, columns: [{ name: 'fold0', role: 'info', type: 'category', labels, codes }] };
}

const inTime = (row: number): number => (row < 400 ? 1 : row < 500 ? 2 : 3);

async function inputs(frame: Frame = walletFrame(), part = inTime): Promise<Record<string, string[]>> {
  const folder = await temporaryFolder();
  const files = { features: path.join(folder, 'features.arrow'), splits: path.join(folder, 'splits.arrow') };
  await writeFrame(files.features, frame);
  await writeFrame(files.splits, splitFrame(part));
  return { features: [files.features], splits: [files.splits] };
}

const params = {
  heads: [
    { target: 'profitable', kind: 'binary' },
    { target: 'profit', kind: 'regression', weight: 0.5 },
    { target: ['styleA', 'styleB'], kind: 'tanh', name: 'style' },
    { target: 'influence', kind: 'relu' },
    { target: 'category', kind: 'multiclass' },
  ],
  hidden: [16, 8],
  dropout: 0.1,
  learningRate: 0.01,
  epochs: 8,
  resamples: 20,
};

async function train(options: Partial<Parameters<typeof runStage<MtlParams>>[2]> = {}): Promise<StageResult> {
  return runStage(definition, run, { params, inputs: await inputs(), engine: 'wasm', ...options });
}

async function filesOf(result: StageResult): Promise<Uint8Array[]> {
  return Promise.all(['model', 'predictions', 'metrics', 'figures'].map((port) => result.bytes(port)));
}

describe('train.mtl', () => {
  it('learns every kind of head and beats its baselines on rows it has not seen', async () => {
    const result = await train();
    const { scalars, metrics = [], notes } = await result.metrics();
    expect(scalars['test.score']).toBeGreaterThan(0.8);
    expect(scalars['validation.score']).toBeGreaterThan(0.8);
    const test = (target: string, name: string) =>
      metrics.find((m) => m.set === 'test' && m.target === target && m.name === name);
    expect(test('profitable', 'auc')?.value).toBeGreaterThan(0.9);
    expect(test('profitable', 'auc')?.baseline).toMatchObject({ label: 'training mean', value: 0.5 });
    const rmse = test('profit', 'rmse');
    expect(rmse?.value).toBeLessThan((rmse?.baseline?.value as number) / 2);
    expect(test('influence', 'spearman')?.value).toBeGreaterThan(0.8);
    expect(test('category=crypto', 'auc')?.value).toBeGreaterThan(0.9);
    expect(scalars['validation.loss']).toBeLessThan((scalars['validation.constantLoss'] as number) / 2);
    expect(notes?.[0]).toMatch(/missing feature values in 1 features .* winRate/);
  });

  it('says so where features are noise: the curve lies above the constant', async () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.type === 'number' && column.role === 'feature' && column.name !== 'noise') column.values.fill(1);
    const result = await train({
      inputs: await inputs(frame),
      params: { ...params, learningRate: 0.05, heads: [{ target: 'profit', kind: 'regression' }] },
    });
    const { scalars } = await result.metrics();
    const [figure] = await result.figures();
    expect(scalars['validation.loss']).toBeGreaterThan((scalars['validation.constantLoss'] as number) * 0.97);
    if (figure?.kind !== 'line') throw new Error('no curves');
    expect(figure.series.map((series) => series.role)).toEqual(['this', 'other', 'baseline']);
    const actual = (await readParquet(result.path('predictions'))).rows.filter((row) => row['set'] === 'validation');
    const loss =
      actual.reduce((sum, r) => sum + ((r['actual'] as number) - (r['baseline'] as number)) ** 2, 0) / actual.length;
    const variance = loss / (scalars['validation.constantLoss'] as number);
    expect(Math.sqrt(variance)).toBeGreaterThan(270);
    expect(Math.sqrt(variance)).toBeLessThan(340);
  });

  it('draws a curve for each head, whose weighted sum is the curve of the whole', async () => {
    const result = await train();
    const { scalars } = await result.metrics();
    const [whole, heads] = await result.figures();
    if (whole?.kind !== 'line' || heads?.kind !== 'line') throw new Error('no curves');
    expect(heads.id).toBe('head-curves-fold-0');
    expect(heads.series.map(({ role }) => role)).toEqual([...heads.series.slice(1).map(() => 'other'), 'baseline']);
    expect(heads.series.length).toBeGreaterThan(2);
    // Where every head stands at its training mean, so does the whole: it lies between the best and the worst of them.
    const best = (scalars['bestEpoch'] as number) - 1;
    const ratios = heads.series.slice(0, -1).map(({ y }) => y[best] as number);
    const ratio = (scalars['validation.loss'] as number) / (scalars['validation.constantLoss'] as number);
    expect(ratio).toBeGreaterThanOrEqual(Math.min(...ratios) - 1e-6);
    expect(ratio).toBeLessThanOrEqual(Math.max(...ratios) + 1e-6);
    const learned = ratios.filter((value) => value < 1).length;
    expect(heads.title.startsWith(learned === 0 ? 'No head' : `${learned} of ${ratios.length} heads`)).toBe(true);
  });

  it('writes labelled held-out rows in order of target and row', async () => {
    const result = await train();
    const { rows } = await readParquet(result.path('predictions'));
    const keys = rows.map((row) => `${row['target']} ${String(row['row']).padStart(4, '0')}`);
    expect(keys).toEqual(keys.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(rows.map((row) => row['set']))).toEqual(new Set(['validation', 'test']));
    expect(rows.every((row) => row['actual'] !== null && (row['row'] as number) >= 400)).toBe(true);
    expect(rows.find((row) => row['row'] === 425)).toMatchObject({
      id: '0x0005',
      group: '0x0005',
      fold: 0,
      time: new Date(Date.UTC(2025, 0, 8)),
    });
    const crypto = rows.filter((row) => row['row'] === 425 && String(row['target']).startsWith('category='));
    const total = crypto.reduce((sum, row) => sum + (row['predicted'] as number), 0);
    expect(total).toBeCloseTo(1, 5);
  });

  it('gives the same bytes for a seed and others for another', async () => {
    const [first, again, other] = await Promise.all([train(), train(), train({ seed: 43 })]);
    expect(await filesOf(again)).toEqual(await filesOf(first));
    expect(await other.bytes('model')).not.toEqual(await first.bytes('model'));
  });

  it.each([1, 3, 37, 60])(
    'stopped after %i questions and run again gives the bytes of an undisturbed run',
    async (stop) => {
      const folder = await temporaryFolder();
      let asked = 0;
      const cancelled = () => ++asked > stop;
      await expect(train({ folder, cancelled })).rejects.toMatchObject({ code: 'interrupted' });
      const resumed = await train({ folder });
      expect(await filesOf(resumed)).toEqual(await filesOf(await train()));
    },
  );

  it('saves a model that predicts what the stage predicted', async () => {
    const result = await train();
    const model = decodeModel(await result.bytes('model'), 'model');
    const [file] = (await inputs())['features'] as [string];
    const predicted = predictFrame(model, await readFrame(file));
    const { rows } = await readParquet(result.path('predictions'));
    const profit = rows.filter((row) => row['target'] === 'profit');
    expect(profit.length).toBeGreaterThan(100);
    for (const row of profit) expect(row['predicted']).toBe(predicted[1]?.[row['row'] as number]);
  });

  it('takes the past value of a target as its baseline', async () => {
    const result = await train({ params: { ...params, baselineColumns: { styleB: 'winRate' } } });
    const { rows } = await readParquet(result.path('predictions'));
    expect(new Set(rows.filter((r) => r['target'] === 'styleB').map((r) => r['baselineLabel']))).toEqual(
      new Set(['past value (winRate)']),
    );
    expect(new Set(rows.filter((r) => r['target'] === 'styleA').map((r) => r['baselineLabel']))).toEqual(
      new Set(['training mean']),
    );
  });

  it('refits on training and validation rows for the mean number of best epochs', async () => {
    const parsed = definition.params.parse(params);
    const refitted = definition.refit?.(parsed, [{ scalars: { bestEpoch: 3 } }, { scalars: { bestEpoch: 6 } }]);
    expect(refitted).toMatchObject({ fitOn: 'train+validation', epochs: 5, earlyStopping: null });
    const result = await train({ params: refitted });
    const { scalars } = await result.metrics();
    expect(scalars).toMatchObject({ epochs: 5, bestEpoch: 5, 'validation.score': null, 'validation.loss': null });
    expect(scalars['trainRows']).toBeGreaterThan(450);
    expect(scalars['test.score']).toBeGreaterThan(0.7);
  });

  it('does not let held-out rows touch the model', async () => {
    const frame = walletFrame();
    const changed = walletFrame();
    for (const column of changed.columns)
      if (column.type === 'number' && (column.role === 'feature' || column.name === 'profit'))
        column.values.fill(7, 500);
    const models = await Promise.all(
      [frame, changed].map(async (f) => (await train({ inputs: await inputs(f) })).bytes('model')),
    );
    expect(models[1]).toEqual(models[0]);
  });
});

describe.skipIf(noOpenblas !== undefined)(`train.mtl with OpenBLAS (${noOpenblas ?? 'installed'})`, () => {
  const openblas = { engine: 'openblas' };

  it('learns what the kernels alone learn, and says whose products they were', async () => {
    const [ours, theirs] = await Promise.all([train(openblas), train()]);
    const { scalars, notes } = await ours.metrics();
    expect(scalars['test.score']).toBeGreaterThan(0.8);
    expect(scalars['validation.loss']).toBeCloseTo((await theirs.metrics()).scalars['validation.loss'] as number, 2);
    expect(notes?.[0]).toMatch(/^Matrix products by OpenBLAS \d+\.\d+.* with its kernels for \w+/);
    expect((await theirs.metrics()).notes?.join(' ')).not.toMatch(/OpenBLAS/);
  });

  it('gives the same bytes again, also where the search for cuts has been made before', async () => {
    const wide = { ...params, hidden: [128, 64], batchSize: 16 };
    const [first, again] = [await train({ ...openblas, params: wide }), await train({ ...openblas, params: wide })];
    expect(await filesOf(again)).toEqual(await filesOf(first));
  });

  it.each([3, 37])('stopped after %i questions and run again gives the bytes of an undisturbed run', async (stop) => {
    const folder = await temporaryFolder();
    let asked = 0;
    const cancelled = () => ++asked > stop;
    await expect(train({ ...openblas, folder, cancelled })).rejects.toMatchObject({ code: 'interrupted' });
    const resumed = await train({ ...openblas, folder });
    expect(await filesOf(resumed)).toEqual(await filesOf(await train(openblas)));
  });

  it.each(['wasm', 'openblas'])('reads the model that %s wrote with either, and predicts the same', async (engine) => {
    const bytes = await (await train({ engine })).bytes('model');
    const [file] = (await inputs())['features'] as [string];
    const frame = await readFrame(file);
    const [own, blas] = [undefined, blasProducts()].map((products) => {
      const model = decodeModel(bytes, 'model', products);
      expect(encodeModel(model)).toEqual(new Uint8Array(bytes));
      return predictFrame(model, frame)[1] as Float64Array;
    }) as [Float64Array, Float64Array];
    for (let row = 0; row < ROWS; row++)
      expect(Math.abs((own[row] as number) - (blas[row] as number))).toBeLessThan(0.01);
  });

  it('runs in a process of its own, unlike with the kernels alone', () => {
    const { isolation } = definition;
    if (typeof isolation !== 'function') throw new Error('isolation does not follow the engine');
    expect([isolation('openblas'), isolation('wasm')]).toEqual(['process', 'thread']);
    expect(definition.engines?.map(({ name }) => name)).toEqual(['cuda', 'openblas', 'wasm', 'tensorflow']);
  });
});

describe('train.mtl refuses', () => {
  const fails = async (message: RegExp, over: object, frame?: Frame, part?: (row: number) => number) =>
    expect(train({ params: { ...params, ...over }, inputs: await inputs(frame, part) })).rejects.toThrow(message);

  it('a label that is not there', () => fails(/no column "luck"/, { heads: [{ target: 'luck', kind: 'binary' }] }));
  it('a feature as a target', () =>
    fails(/"usd" has the role "feature"/, { heads: [{ target: 'usd', kind: 'regression' }] }));
  it('targets outside the range of the head', () =>
    fails(/"profit" is .* binary head needs 0 or 1/, { heads: [{ target: 'profit', kind: 'binary' }] }));
  it('the same target twice', () =>
    fails(/"profit" stands in two heads/, {
      heads: [
        { target: 'profit', kind: 'regression' },
        { target: ['profit'], kind: 'regression' },
      ],
    }));
  it('rates that do not fit the layers', () => fails(/2 hidden layers/, { dropout: [0.1] }));
  it('a weight for no head', () => fails(/lossWeights names "gain"/, { lossWeights: { gain: 1 } }));
  it('a split without training rows', () => fails(/no training rows/, {}, undefined, () => 3));
  it('a single labelled training row', () =>
    fails(/only 1 training row/, { heads: [{ target: 'styleA', kind: 'tanh' }] }, undefined, (row) =>
      row === 0 ? 1 : 3,
    ));
  it('labels that are all missing', () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.name === 'profit' && column.type === 'number') column.values.fill(NaN);
    return fails(/head "profit" has no label/, {}, frame);
  });
  it('an infinite feature, by name and row', () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.name === 'usd' && column.type === 'number') column.values[9] = Infinity;
    return fails(/feature "usd" is Infinity in row 9/, {}, frame);
  });
  it('fewer than two rows of a batch, which batch normalisation cannot take', () =>
    fails(/batchSize/, { batchSize: 1 }));
  it('a target with one class', () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.name === 'influence' && column.type === 'number') column.values.fill(0);
    return fails(
      /"influence" has 1 classes; multiclass needs two/,
      { heads: [{ target: 'influence', kind: 'multiclass' }] },
      frame,
    );
  });
  it('the number of a class that is none, by column and row', () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.name === 'influence' && column.type === 'number') column.values.fill(1).set([-2], 5);
    return fails(
      /"influence" is -2 in row 5, not the number of a class/,
      { heads: [{ target: 'influence', kind: 'multiclass' }] },
      frame,
    );
  });
  it('a label that is not finite, by column and row', () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.name === 'profit' && column.type === 'number') column.values[7] = -Infinity;
    return fails(/"profit" is -Infinity in row 7; a regression head needs finite numbers/, {}, frame);
  });
  it('a learning rate at which training diverges', () => {
    const frame = walletFrame();
    return fails(/diverged in epoch/, { learningRate: 10, decoupledDecay: true, weightDecay: 10 }, frame);
  });
});

describe('a model file', () => {
  it('that is cut in half, of another version, or lacks weights is refused by name', async () => {
    const bytes = await (await train({ params: { ...params, epochs: 1 } })).bytes('model');
    expect(() => decodeModel(bytes.subarray(0, bytes.length >> 1), 'mine.model')).toThrow(/^mine\.model: /);
    const { metadata, arrays } = decodeContainer(bytes, 'mine.model');
    const changed = (over: object, kept = arrays) =>
      encodeContainer({ metadata: { ...(metadata as object), ...over }, arrays: kept });
    expect(() => decodeModel(changed({ format: 'fathom.mtl/9' }), 'mine.model')).toThrow(
      /^mine\.model: a model of the format "fathom\.mtl\/9", expected "fathom\.mtl\/1"/,
    );
    expect(() => decodeModel(changed({}, arrays.slice(1)), 'mine.model')).toThrow(/is missing or of the wrong size/);
    expect(() => decodeModel(changed({ hidden: [16, 9] }), 'mine.model')).toThrow(/is missing or of the wrong size/);
  });

  it('predicts no frame of another schema', async () => {
    const model = decodeModel(await (await train({ params: { ...params, epochs: 1 } })).bytes('model'), 'model');
    const frame = walletFrame();
    const other = { ...frame, columns: frame.columns.filter(({ name }) => name !== 'winRate') };
    expect(() => predictFrame(model, other)).toThrow(/no column "winRate"/);
    for (const column of frame.columns)
      if (column.name === 'noise' && column.type === 'number') column.values[3] = Infinity;
    expect(() => predictFrame(model, frame)).toThrow(/feature "noise" is Infinity in row 3/);
  });
});

describe('train.mtl with little data', () => {
  it('trains without validation rows, and without test rows', async () => {
    const result = await train({ inputs: await inputs(undefined, () => 1) });
    const { scalars, metrics } = await result.metrics();
    expect(scalars).toMatchObject({ epochs: 8, 'validation.score': null, 'test.score': null });
    expect(metrics).toEqual([]);
  });

  it('joins a last batch of one row to the one before', async () => {
    const result = await train({
      inputs: await inputs(undefined, (row) => (row < 65 ? 1 : inTime(row))),
      params: { ...params, epochs: 2 },
    });
    expect((await result.metrics()).scalars['epochs']).toBe(2);
  });

  it('says which features are constant in training, and which heads have one class there', async () => {
    const frame = walletFrame();
    for (const { name, type, ...column } of frame.columns)
      if (type === 'number' && 'values' in column) {
        if (name === 'noise') column.values.fill(7, 0, 400);
        if (name === 'profitable') column.values.fill(0, 0, 400);
      }
    const { notes } = await (await train({ inputs: await inputs(frame) })).metrics();
    expect(notes).toContain('Constant in training and so without effect: noise.');
    expect(notes).toContain('Head "profitable" has one class in all training rows: it can learn nothing else.');
  });

  it('gives a feature that is constant in training no effect on rows where it varies', async () => {
    const predictions = async (later: number): Promise<unknown> => {
      const frame = walletFrame();
      for (const { name, type, ...column } of frame.columns)
        if (name === 'noise' && type === 'number' && 'values' in column) column.values.fill(7, 0, 400).fill(later, 400);
      const result = await train({ inputs: await inputs(frame), params: { ...params, epochs: 2 } });
      return (await readParquet(result.path('predictions'))).rows.map((row) => row['predicted']);
    };
    expect(await predictions(1e6)).toEqual(await predictions(7));
  });

  it('counts missing values of features and names the column that has most', async () => {
    const { scalars, notes } = await (await train()).metrics();
    expect(scalars['imputedValues']).toBeGreaterThan(0);
    expect(notes?.join(' ')).toMatch(/missing feature values in 1 features .* most in winRate \(\d+ of 600 rows\)/);
  });

  it('leaves a feature out that is never present in training', async () => {
    const frame = walletFrame();
    for (const column of frame.columns)
      if (column.name === 'noise' && column.type === 'number') column.values.fill(NaN, 0, 400);
    const result = await train({ inputs: await inputs(frame) });
    const { notes } = await result.metrics();
    expect(notes?.join(' ')).toMatch(/without effect: noise/);
  });
});
