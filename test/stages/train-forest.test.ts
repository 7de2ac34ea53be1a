import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadXgboost } from '../../src/models/boosting/xgboost-c.ts';
import runForest from '../../src/stages/run/train-forest.ts';
import forest from '../../src/stages/train-forest.ts';
import { encodeFrame, type Frame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { whyNoXgboost, xgboostPath } from '../models/boosting/peer.ts';
import { makeFrame, makeSplits } from '../support/boosting.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const ROWS = 300;

async function train(params: Record<string, unknown>, frame: Frame = makeFrame(ROWS)): Promise<StageResult> {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('features.arrow'), encodeFrame(frame));
  await writeFile(file('splits.arrow'), encodeFrame(makeSplits(ROWS, 5)));
  return runStage(forest, runForest, {
    params: { objective: 'binary', target: 'good', trees: 50, resamples: 20, ...params },
    inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
    coordinates: { fold: 0 },
  });
}

describe.skipIf(xgboostPath === undefined)(`train.forest (${xgboostPath ?? whyNoXgboost})`, () => {
  it('predicts shares of votes that come true about as often', async () => {
    const result = await train({});
    const { rows } = await readParquet(result.path('predictions'));
    expect(rows).toHaveLength(120);
    let [sum, positive] = [0, 0];
    for (const row of rows) {
      const share = row['predicted'] as number;
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
      sum += share;
      positive += row['actual'] as number;
    }
    expect(Math.abs(sum - positive) / 120).toBeLessThan(0.1);
    const { scalars } = await result.metrics();
    expect(scalars['test.score']).toBeGreaterThan(0.8);
    expect(scalars['rounds']).toBe(1);
  });

  it('predicts the mean label of the training rows where no split is allowed', async () => {
    const result = await train({ subsample: 1, minLeafWeight: 1000, trees: 3 });
    const { rows } = await readParquet(result.path('predictions'));
    for (const row of rows) expect(row['predicted']).toBeCloseTo(row['baseline'] as number, 6);
  });

  it('predicts shares of several classes that sum to 1', async () => {
    const result = await train({ objective: 'multiclass', target: 'kind' });
    const { rows } = await readParquet(result.path('predictions'));
    const sums = new Map<unknown, number>();
    for (const row of rows) sums.set(row['row'], (sums.get(row['row']) ?? 0) + (row['predicted'] as number));
    expect(sums.size).toBe(120);
    for (const sum of sums.values()) expect(sum).toBeCloseTo(1, 5);
    expect((await result.metrics()).scalars['test.accuracy']).toBeGreaterThan(0.5);
  });

  it('predicts numbers better than their mean', async () => {
    const { metrics } = await (await train({ objective: 'regression', target: 'gain' })).metrics();
    const rmse = metrics?.find((m) => m.set === 'test' && m.name === 'rmse');
    expect(rmse?.value).toBeLessThan(0.8 * (rmse?.baseline?.value as number));
  });

  it('shows the importance of features and no learning curve, and gives the same files twice', async () => {
    const [first, second] = [await train({}), await train({})];
    for (const port of ['model', 'predictions', 'metrics', 'figures'])
      expect(await first.bytes(port)).toEqual(await second.bytes(port));
    expect((await first.figures()).map(({ id }) => id)).toEqual([
      'importance',
      'importance-permutation',
      'importance-shap',
      'importance-table',
    ]);
  });

  it('is refitted on the validation rows too', () => {
    const params = forest.params.parse({ target: 'good', objective: 'binary' });
    expect(forest.refit?.(params, [])).toEqual({ ...params, fitOn: 'train+validation' });
  });

  const filled = (name: string, value: number, from = 0, to = ROWS): Frame => {
    const frame = makeFrame(ROWS);
    return {
      ...frame,
      columns: frame.columns.map((column) =>
        column.name === name && column.type === 'number'
          ? { ...column, values: column.values.slice().fill(value, from, to) }
          : column,
      ),
    };
  };
  const gain = { objective: 'regression', target: 'gain' };
  it.each([
    ['one class', {}, filled('good', 0), /all 180 training rows of fold 0 have good = 0/],
    ['one row', gain, filled('gain', Number.NaN, 3), /one training row with a label "gain"/],
    ['a label outside its range', {}, filled('good', 2, 5, 6), /target "good" is 2 in row 5/],
    ['an infinite feature', {}, filled('a', Infinity, 8, 9), /feature "a" is Infinity in row 8/],
  ])('refuses %s', async (_name, params, frame, message) => {
    await expect(train(params, frame)).rejects.toThrow(message);
  });

  it('never splits on a constant feature, and says so', async () => {
    const result = await train({}, filled('a', 7));
    const { notes } = await result.metrics();
    expect(notes).toContain('Constant in training and so never split on: a.');
    expect((await (await train({})).metrics()).notes?.join(' ')).not.toContain('Constant');
  });

  it.skipIf(xgboostPath !== undefined && loadXgboost(xgboostPath).hasCuda)('refuses cuda on a library without it', () =>
    expect(train({ device: 'cuda' })).rejects.toThrow(/was built without CUDA/),
  );
});
