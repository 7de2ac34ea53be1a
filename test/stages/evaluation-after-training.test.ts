/** Calibration, thresholds, ensembles and conformal intervals: all read held-out predictions as models write them. */
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HeldOutRow, heldOutColumns } from '../../src/evaluation/held-out.ts';
import { makeRng } from '../../src/random/rng.ts';
import calibrate from '../../src/stages/evaluation-calibrate.ts';
import compare from '../../src/stages/evaluation-compare.ts';
import conformal from '../../src/stages/evaluation-conformal.ts';
import ensemble from '../../src/stages/evaluation-ensemble.ts';
import thresholds from '../../src/stages/evaluation-thresholds.ts';
import runCalibrate from '../../src/stages/run/evaluation-calibrate.ts';
import runCompare from '../../src/stages/run/evaluation-compare.ts';
import runConformal from '../../src/stages/run/evaluation-conformal.ts';
import runEnsemble from '../../src/stages/run/evaluation-ensemble.ts';
import runThresholds from '../../src/stages/run/evaluation-thresholds.ts';
import { writeFrame } from '../../src/tables/frame.ts';
import { readParquet, writeParquet } from '../../src/tables/parquet.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const day = 86_400_000;
const count = 1600;
let folder: string;
const outcome = new Float64Array(count);
const signal = new Float64Array(count);

beforeAll(async () => {
  folder = await temporaryFolder();
  const rng = makeRng('after training');
  for (let row = 0; row < count; row++) {
    signal[row] = rng.normal();
    outcome[row] = (signal[row] as number) + rng.normal();
  }
});

/** Two folds of 800 rows, half validation and half test; a model that is too sure of itself. */
function rowsOf(noise: string): HeldOutRow[] {
  const rng = makeRng('member', noise);
  return Array.from({ length: count }, (_, row): HeldOutRow[] => {
    const seen = (signal[row] as number) + 0.4 * rng.normal();
    const shared = {
      model: 'm',
      row,
      fold: Math.floor(row / 800),
      set: row % 800 < 400 ? ('validation' as const) : ('test' as const),
      id: `w${row % 50}`,
      group: `w${row % 50}`,
      time: Math.floor(row / 40) * day,
      labelEnd: Math.floor(row / 40) * day,
      baselineLabel: 'training mean',
      spread: null,
    };
    const y = outcome[row] as number;
    return [
      { ...shared, target: 'wins', actual: y > 0 ? 1 : 0, predicted: 1 / (1 + Math.exp(-4 * seen)), baseline: 0.5 },
      { ...shared, target: 'edge', actual: y, predicted: seen, baseline: 0 },
    ];
  }).flat();
}

async function write(name: string, rows: readonly HeldOutRow[]): Promise<string> {
  const file = path.join(folder, `${name}.parquet`);
  await writeParquet(file, heldOutColumns(rows));
  return file;
}

describe('evaluation.calibrate', () => {
  it.each(['isotonic', 'platt'])(
    'makes sure probabilities honest (%s), and other stages read what it writes',
    async (method) => {
      const predictions = [await write('sure', rowsOf('a'))];
      const result = await runStage(calibrate, runCalibrate, {
        params: { target: 'wins', method, resamples: 100 },
        inputs: { predictions },
      });
      const { scalars } = await result.metrics();
      expect(scalars['before.expectedError']).toBeGreaterThan(0.1);
      expect(scalars['after.expectedError']).toBeLessThan(0.06);
      expect(scalars['after.brier']).toBeLessThan((scalars['before.brier'] as number) - 0.01);
      const { rows } = await readParquet(result.path('predictions'));
      expect(rows).toHaveLength(800);
      expect(new Set(rows.map((row) => row['set']))).toEqual(new Set(['test']));
      const compared = await runStage(compare, runCompare, {
        params: { resamples: 100 },
        inputs: { predictions: [result.path('predictions')] },
      });
      expect((await compared.metrics()).findings?.[0]?.sentence).toContain('of 50 groups in 20 stretches of time');
      expect((await result.figures())[0]?.title).toMatch(/^Calibration lowers the Brier score of wins/);
    },
  );

  it('lets no test row calibrate itself', async () => {
    const rows = rowsOf('a');
    const turned = rows.map((r) =>
      r.set === 'test' && r.target === 'wins' ? { ...r, actual: 1 - (r.actual as number) } : r,
    );
    const predicted = async (name: string, list: HeldOutRow[]): Promise<unknown[]> => {
      const result = await runStage(calibrate, runCalibrate, {
        params: { target: 'wins', resamples: 100 },
        inputs: { predictions: [await write(name, list)] },
      });
      return (await readParquet(result.path('predictions'))).rows.map((row) => row['predicted']);
    };
    expect(await predicted('turned', turned)).toEqual(await predicted('straight', rows));
  });

  it.each([
    ['a target that is not there', { target: 'wolf' }, rowsOf, /no row of "wolf".*|targets are/],
    ['numbers that are no probabilities', { target: 'edge' }, rowsOf, /only probabilities of 0 or 1 are calibrated/],
    [
      'a fold without validation rows',
      { target: 'wins' },
      (noise: string) => rowsOf(noise).filter((row) => row.set === 'test'),
      /fold 0 has no validation rows of "wins"/,
    ],
  ])('refuses %s', async (_, params, make, message) => {
    const predictions = [await write('refused', make('a'))];
    await expect(runStage(calibrate, runCalibrate, { params, inputs: { predictions } })).rejects.toThrow(message);
  });
});

describe('evaluation.thresholds', () => {
  let features: string;
  beforeAll(async () => {
    features = path.join(folder, 'features.arrow');
    await writeFrame(features, {
      rows: count,
      columns: [
        { name: 'gain', role: 'label', type: 'number', values: outcome.map((y, row) => (row === 401 ? NaN : y - 0.5)) },
        { name: 'price', role: 'feature', type: 'number', values: outcome.map(() => 0.5) },
      ],
    });
  });
  const swept = async (params: object, rows = rowsOf('a')) =>
    runStage(thresholds, runThresholds, {
      params: { target: 'wins', resamples: 100, ...params },
      inputs: { predictions: [await write('swept', rows)], features: [features] },
    });

  it('acts where that earned on validation rows, and says what it earns on test rows', async () => {
    const result = await swept({ profit: 'gain' });
    const { scalars } = await result.metrics();
    expect(scalars['test.profit']).toBeGreaterThan(0.2);
    expect(scalars['test.precision']).toBeGreaterThan(0.7);
    expect(scalars['test.coverage']).toBeLessThan(0.6);
    const figures = await result.figures();
    expect(figures.map(({ id }) => id)).toEqual(['thresholds', 'threshold-profit', 'thresholds-chosen']);
    const table = figures[2];
    if (table?.kind !== 'table') throw new Error('no table');
    expect(table.rows).toHaveLength(3);
    expect(table.rows.every((row) => row.length === table.columns.length)).toBe(true);
  });

  it('chooses by validation rows alone', async () => {
    const chosen = async (rows: HeldOutRow[]): Promise<unknown[]> => {
      const table = (await (await swept({}, rows)).figures()).at(-1);
      return table?.kind === 'table' ? table.rows.map((row) => row[1]) : [];
    };
    const turned = rowsOf('a').map((r) =>
      r.set === 'test' && r.target === 'wins' ? { ...r, actual: 1 - (r.actual as number) } : r,
    );
    expect(await chosen(turned)).toEqual(await chosen(rowsOf('a')));
  });

  it('prices a bet, after costs', async () => {
    const free = (await (await swept({ price: 'price', goal: 'f1' })).metrics()).scalars;
    const dear = (await (await swept({ price: 'price', goal: 'f1', cost: 0.1 })).metrics()).scalars;
    // A share at 0.5 doubles the stake where it wins.
    expect(free['test.profit']).toBeCloseTo(2 * (free['test.precision'] as number) - 1, 12);
    expect(dear['test.profit']).toBeCloseTo((free['test.profit'] as number) - 0.1, 12);
  });

  it.each([
    [{ target: 'edge' }, /neither 0 nor 1/],
    [{ profit: 'gain', price: 'price' }, /one suffices/],
    [{ goal: 'totalProfit' }, /needs `profit` or `price`/],
    [{ profit: 'nothing' }, /no column "nothing"/],
  ])('refuses %j', async (params, message) => {
    await expect(swept(params)).rejects.toThrow(message);
  });
});

describe('evaluation.ensemble and evaluation.conformal', () => {
  it('average members, and hold what they promise beside what is measured', async () => {
    const predictions = await Promise.all(['a', 'b', 'c'].map((noise) => write(`member-${noise}`, rowsOf(noise))));
    const mean = await runStage(ensemble, runEnsemble, { params: {}, inputs: { predictions } });
    expect((await mean.metrics()).scalars).toMatchObject({ members: 3 });
    const { rows } = await readParquet(mean.path('predictions'));
    expect(rows).toHaveLength(2 * count);
    expect(rows.every((row) => (row['spread'] as number) > 0)).toBe(true);
    const covered = await runStage(conformal, runConformal, {
      params: { target: 'edge', confidence: 0.8, resamples: 100 },
      inputs: { predictions: [mean.path('predictions')] },
    });
    const { scalars, notes } = await covered.metrics();
    expect(scalars['promised']).toBe(0.8);
    expect(Math.abs((scalars['coverage'] as number) - 0.8)).toBeLessThan(0.06);
    expect(scalars).toHaveProperty('coverage.fold 1');
    expect(notes?.join(' ')).toContain('exchangeable');
    const held = (await readParquet(covered.path('intervals'))).rows;
    expect(held).toHaveLength(800);
    const widths = new Set(held.map((r) => ((r['high'] as number) - (r['low'] as number)).toFixed(6)));
    expect(widths.size).toBeGreaterThan(100);
    expect((await covered.figures()).map(({ id }) => id)).toEqual(['coverage', 'coverage-by-promise']);
  });

  it('give one width a fold to a single model, and refuse to scale by a spread that is not there', async () => {
    const predictions = [await write('single', rowsOf('a'))];
    const params = { target: 'edge', resamples: 100 };
    const result = await runStage(conformal, runConformal, { params, inputs: { predictions } });
    const held = (await readParquet(result.path('intervals'))).rows;
    expect(new Set(held.map((r) => ((r['high'] as number) - (r['low'] as number)).toFixed(6))).size).toBe(2);
    await expect(
      runStage(conformal, runConformal, { params: { ...params, scale: 'spread' }, inputs: { predictions } }),
    ).rejects.toThrow(/carry no spread/);
  });

  it('leave an interval open where the rows are too few to promise it', async () => {
    const few = rowsOf('a').filter((row) => row.set === 'test' || row.row % 400 < 5);
    const result = await runStage(conformal, runConformal, {
      params: { target: 'edge', confidence: 0.95, resamples: 100 },
      inputs: { predictions: [await write('few', few)] },
    });
    const { rows } = await readParquet(result.path('intervals'));
    expect(rows.every((row) => row['low'] === null && row['held'] === 1)).toBe(true);
    expect((await result.metrics()).notes?.join(' ')).toContain('too few validation rows');
  });
});
