import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ForestFigure } from '../../src/contract/figure.ts';
import { makeRng } from '../../src/random/rng.ts';
import definition from '../../src/stages/evaluation-compare.ts';
import run from '../../src/stages/run/evaluation-compare.ts';
import { readParquet, writeParquet } from '../../src/tables/parquet.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

interface Row {
  row: number;
  group: string;
  fold: number;
  set?: string;
  target: string;
  actual: number | null;
  predicted: number | null;
  baseline: number;
  /** UTC day. */
  day?: number;
}

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

/** The stage name of a test run is the file name up to its first dot. */
async function write(name: string, rows: readonly Row[]): Promise<string> {
  const file = path.join(folder, `${name}.parquet`);
  const role = 'info' as const;
  await writeParquet(file, [
    { name: 'row', role, type: 'INT32', values: rows.map((r) => r.row) },
    { name: 'id', role: 'id', type: 'STRING', values: rows.map((r) => r.group) },
    {
      name: 'time',
      role: 'time',
      type: 'TIMESTAMP',
      values: rows.map((r) => (r.day === undefined ? null : new Date(r.day * 86_400_000))),
    },
    { name: 'group', role: 'group', type: 'STRING', values: rows.map((r) => r.group) },
    { name: 'fold', role, type: 'INT32', values: rows.map((r) => r.fold) },
    { name: 'set', role, type: 'STRING', values: rows.map((r) => r.set ?? 'test') },
    { name: 'target', role, type: 'STRING', values: rows.map((r) => r.target) },
    { name: 'actual', role, type: 'DOUBLE', values: rows.map((r) => r.actual) },
    { name: 'predicted', role, type: 'DOUBLE', values: rows.map((r) => r.predicted) },
    { name: 'baseline', role, type: 'DOUBLE', values: rows.map((r) => r.baseline) },
    { name: 'baselineLabel', role, type: 'STRING', values: rows.map(() => 'training mean') },
  ]);
  return file;
}

const wallets = 80;
const each = 6;

/** Signal seen with more or less noise: 0 is no skill. The truth is the same for every model. */
function predictionsOf(skill: number, seed: string, only?: (row: number) => boolean): Row[] {
  const truth = makeRng('truth');
  const noise = makeRng('noise', seed);
  const rows: Row[] = [];
  for (let row = 0; row < wallets * each; row++) {
    const signal = truth.normal();
    const seen = skill * signal + noise.normal();
    const outcome = signal + truth.normal();
    const shared = { row, group: `w${row % wallets}`, fold: Math.floor(row / (wallets * 2)) };
    const probability = 1 / (1 + Math.exp(-seen));
    const classes = ['bot', 'human', 'whale'];
    const actualClass = outcome < -0.5 ? 0 : outcome < 0.5 ? 1 : 2;
    const likely = seen < -0.5 ? 0 : seen < 0.5 ? 1 : 2;
    if (only !== undefined && !only(row)) continue;
    rows.push(
      { ...shared, target: 'profitable', actual: outcome > 0 ? 1 : 0, predicted: probability, baseline: 0.5 },
      { ...shared, target: 'profitable', set: 'validation', actual: 1, predicted: 0.99, baseline: 0.5 },
      { ...shared, target: 'edge', actual: outcome, predicted: seen, baseline: 0.01 * shared.fold },
      ...classes.map((name, c) => ({
        ...shared,
        target: `archetype=${name}`,
        actual: c === actualClass ? 1 : 0,
        predicted: c === likely ? 0.6 : 0.2,
        baseline: [0.3, 0.4, 0.3][c] as number,
      })),
    );
  }
  return rows;
}

const compare = (predictions: string[], params: object = {}): Promise<StageResult> =>
  runStage(definition, run, { params: { clusters: 'wallets', resamples: 300, ...params }, inputs: { predictions } });

describe('evaluation.compare', () => {
  let good: string;
  let better: string;
  let noise: string;
  beforeAll(async () => {
    good = await write('good', predictionsOf(0.5, 'good'));
    better = await write('better', predictionsOf(1.5, 'better'));
    noise = await write('noise', predictionsOf(0, 'noise'));
  });

  it('answers for the first target with the best model, and with the numbers of the forest', async () => {
    const result = await compare([good, better, noise]);
    const { findings = [], metrics = [], scalars } = await result.metrics();
    expect(findings).toHaveLength(3);
    const [first] = findings;
    expect(first).toMatchObject({
      verdict: 'yes',
      headline: 'Yes.',
      metric: 'Area under the ROC curve',
      n: wallets * each,
      baseline: { label: 'training mean', value: 0.5 },
    });
    expect(first?.sentence).toMatch(/^better ranks profitable better than the baseline \(training mean\)\./);
    expect(first?.sentence).toContain('480 test rows of 80 wallets');
    expect(first?.sentence).toContain("Holm's correction for 9 comparisons");
    expect(first?.sentence).toMatch(/best of 3 models here, \+0\.\d+ \(.*\) from good\./);
    expect(first?.decides).toBeUndefined();

    const figures = await result.figures();
    const forest = figures.find((figure) => figure.section === 'answer') as ForestFigure;
    expect(forest.title).toBe('better ranks profitable better than the baseline (training mean)');
    expect(forest.rows.map(({ label, role }) => [label, role])).toEqual([
      ['better', 'this'],
      ['good', 'other'],
      ['noise', 'other'],
      ['training mean', 'baseline'],
    ]);
    expect(forest.rows[0]).toMatchObject({
      value: first?.estimate.value as number,
      low: first?.estimate.low as number,
      high: first?.estimate.high as number,
    });
    expect(first?.sentence).toContain(String(first?.estimate.value?.toPrecision(3)));
    expect(scalars['test.score']).toBe(first?.estimate.value);
    expect(metrics.find((m) => m.name === 'auc' && m.target === 'profitable')?.value).toBe(first?.estimate.value);
    // Validation rows, which carry a planted perfect score, are no part of it.
    expect(metrics.every((metric) => metric.set === 'test')).toBe(true);
  });

  it('draws what belongs to each kind of target', async () => {
    const figures = await (await compare([good, better])).figures();
    expect(figures.map(({ id }) => id)).toEqual([
      'scores-profitable',
      'scores-edge',
      'scores-archetype',
      'gains',
      'roc-profitable',
      'precision-recall-profitable',
      'reliability-profitable',
      'brier-profitable',
      'deciles-edge',
      'confusion-archetype-better',
      'confusion-archetype-good',
    ]);
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    const deciles = figures.find(({ id }) => id === 'deciles-edge');
    if (deciles?.kind !== 'line') throw new Error('no deciles');
    const ours = deciles.series[0];
    expect(ours?.x).toHaveLength(10);
    ours?.y.forEach((y, i) => {
      expect(ours.low?.[i]).toBeLessThanOrEqual(y as number);
      expect(ours.high?.[i]).toBeGreaterThanOrEqual(y as number);
    });
    // The baseline is one constant a fold: three groups, not ten.
    expect(deciles.series.at(-1)).toMatchObject({ role: 'baseline', dots: true, x: [0, 0.01, 0.02] });
    const confusion = figures.find(({ id }) => id === 'confusion-archetype-better');
    if (confusion?.kind !== 'heatmap') throw new Error('no confusion');
    expect(confusion.rows).toEqual(['bot', 'human', 'whale']);
    expect(confusion.values.flat().reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(wallets * each);
  });

  it('measures rank correlation against chance where the baseline is constant within folds', async () => {
    const { findings = [] } = await (await compare([good], { target: 'edge' })).metrics();
    expect(findings[0]?.baseline).toEqual({ value: 0, label: 'chance' });
    expect(findings[0]?.sentence).toMatch(/^good ranks edge better than chance\./);
  });

  it('does not call noise skill', async () => {
    const result = await compare([noise]);
    const { findings = [] } = await result.metrics();
    for (const finding of findings) expect(['undecided', 'no']).toContain(finding.verdict);
    expect(findings[0]?.headline).toBe('Not shown.');
    expect(findings[0]?.sentence).toMatch(/^noise is not shown to rank profitable/);
    expect(findings[0]?.decides).toMatch(/^About [\d,]+ more wallets \(now 80\) would (show it|rule out)/);
    const table = (await result.figures()).find(({ id }) => id === 'gains');
    expect(table?.title).toBe('0 of 3 comparisons with a baseline hold after correction');
  });

  it('says no where even the best case would not matter', async () => {
    const { findings = [] } = await (await compare([noise], { smallestGain: 0.4 })).metrics();
    expect(findings[0]).toMatchObject({ verdict: 'no', headline: 'No.' });
    expect(findings[0]?.sentence).toMatch(/no better than the baseline.*below the 0.400 that would matter/);
  });

  it('trusts no interval of a handful of wallets', async () => {
    const few = await write(
      'few',
      predictionsOf(3, 'few', (row) => row % wallets < 5),
    );
    const { findings = [] } = await (await compare([few])).metrics();
    expect(findings[0]).toMatchObject({
      verdict: 'undecided',
      decides: 'At least 10 wallets: with 5 no interval can be trusted.',
    });
  });

  it('compares two models on the rows that both predict', async () => {
    const half = await write(
      'half',
      predictionsOf(1.5, 'better', (row) => row % 2 === 0),
    );
    const table = await readParquet((await compare([better, half, noise], { target: 'profitable' })).path('table'));
    const row = (model: string) =>
      table.rows.find((r) => r['model'] === model && r['metric'] === 'auc' && r['target'] === 'profitable');
    expect(row('half')?.['rows']).toBe((wallets * each) / 2);
    // On common rows the half model is the better model itself; over all rows their scores differ.
    expect(row('half')).toMatchObject({ bestOther: 'better', difference: 0, differenceLow: 0, differenceHigh: 0 });
    expect(row('half')?.['value']).not.toBe(row('better')?.['value']);
  });

  it('writes one row a target, model and score, in order', async () => {
    const result = await compare([good, better]);
    const { rows, columns } = await readParquet(result.path('table'));
    const keys = rows.map((r) => `${r['target']} ${r['model']} ${r['metric']}`);
    expect(keys).toEqual(keys.toSorted());
    expect(new Set(keys).size).toBe(keys.length);
    expect(columns?.find(({ name }) => name === 'model')?.role).toBe('id');
    const decided = rows.filter((r) => r['pHolm'] !== null);
    expect(decided).toHaveLength(6);
    // All but the last of Holm's steps test at a stricter level than 5 %.
    const wider = decided.filter((r) => (r['gainLowHolm'] as number) < (r['gainLow'] as number));
    expect(wider.length).toBeGreaterThanOrEqual(5);
    for (const r of decided) {
      expect(r['pHolm']).toBeGreaterThanOrEqual(r['p'] as number);
      expect(r['gainLowHolm']).toBeLessThanOrEqual(r['gainLow'] as number);
      expect(r['gainHighHolm']).toBeGreaterThanOrEqual(r['gainHigh'] as number);
    }
  });

  it('repeats byte for byte', async () => {
    const [a, b] = await Promise.all([compare([good, noise]), compare([good, noise])]);
    for (const port of ['table', 'metrics', 'figures']) expect(await a?.bytes(port)).toEqual(await b?.bytes(port));
  });

  it('resamples stretches of time where the rows carry it, and concludes nothing from fewer than five', async () => {
    const inDays = async (name: string, days: number): Promise<StageResult> => {
      const rows = predictionsOf(1.5, 'better').map((r) => ({
        ...r,
        day: Math.floor((r.row * days) / (wallets * each)),
      }));
      return compare([await write(name, rows)], { target: 'profitable' });
    };
    const many = await inDays('many', 6);
    const [found] = (await many.metrics()).findings ?? [];
    expect(found).toMatchObject({ verdict: 'yes' });
    expect(found?.sentence).toContain('480 test rows of 80 wallets in 6 stretches of time');
    const forest = (await many.figures()).find(({ section }) => section === 'answer');
    expect(forest?.method).toBe('Intervals by wallet and time');
    expect(forest?.caption).toContain('by wallets and by 6 stretches of time');
    // The wallets alone give the same numbers as without times, but no answer.
    const one = await inDays('one', 1);
    const [open] = (await one.metrics()).findings ?? [];
    expect(open).toMatchObject({ verdict: 'undecided', headline: 'Not shown.' });
    expect(open?.sentence).toContain('in 1 stretch of time');
    expect(open?.decides).toMatch(/^At least 5 stretches of time.*this one stretch of time could have gone otherwise/);
    const [timeless] = (await (await compare([better], { target: 'profitable' })).metrics()).findings ?? [];
    expect(open?.estimate).toEqual(timeless?.estimate);
    expect(found?.estimate.value).toBe(timeless?.estimate.value);
    expect(found?.estimate.low).not.toBe(timeless?.estimate.low);
  });

  it('scores each path where every row is tested by several folds', async () => {
    // Each row is tested by two folds; the second time by a better model.
    const sharp = new Map(predictionsOf(3, 'sharp').map((r) => [`${r.row} ${r.target} ${r.set}`, r.predicted]));
    const twice = predictionsOf(0.5, 'good').flatMap((r) => [
      r,
      { ...r, fold: r.fold + 3, predicted: sharp.get(`${r.row} ${r.target} ${r.set}`) ?? null },
    ]);
    const figures = await (await compare([await write('twice', twice)], { target: 'profitable' })).figures();
    const paths = figures.find(({ id }) => id === 'paths-profitable');
    if (paths?.kind !== 'table') throw new Error('no paths');
    expect(paths.rows).toHaveLength(2);
    const [[, weak], [, strong]] = paths.rows as [[number, number], [number, number]];
    expect(strong).toBeGreaterThan(weak);
    const alone = await (await compare([await write('alone', predictionsOf(0.5, 'good'))])).metrics();
    expect(weak).toBeCloseTo(alone.metrics?.find((m) => m.name === 'auc')?.value as number, 12);
  });

  it('decides by the Gini correlation where asked', async () => {
    const { findings = [] } = await (await compare([good], { target: 'edge', metric: 'gini' })).metrics();
    expect(findings[0]).toMatchObject({ metric: 'Correlation with rank (Gini)', verdict: 'yes' });
    expect(findings[0]?.sentence).toContain('correlation with rank (Gini) of good');
  });

  it('leaves out rows whose outcome is unknown, and says so', async () => {
    const rows = predictionsOf(1, 'open').map((r) => (r.row < 10 && r.set === undefined ? { ...r, actual: null } : r));
    const { notes = [], findings = [] } = await (await compare([await write('open', rows)])).metrics();
    expect(notes).toContain('50 test rows without a known outcome were left out.');
    expect(findings[0]?.n).toBe(wallets * each - 10);
  });

  it.each([
    [
      'a prediction that is not a number',
      (rows: Row[]) => rows.map((r) => (r.row === 3 ? { ...r, predicted: null } : r)),
      {},
      /bad\.parquet: row 18 has predicted null/,
    ],
    [
      'two predictions of one row',
      (rows: Row[]) => [...rows, ...rows.slice(0, 1)],
      {},
      /bad predicts profitable twice for row 0 of fold 0/,
    ],
    ['no test rows', (rows: Row[]) => rows.filter((r) => r.set === 'validation'), {}, /no test row/],
    ['an unknown target', (rows: Row[]) => rows, { target: 'wolf' }, /no test predictions of "wolf"/],
    [
      'a score of another kind',
      (rows: Row[]) => rows,
      { metric: 'rmse' },
      /rmse is no score of "profitable", which is binary/,
    ],
  ])('refuses %s', async (_, change, params, message) => {
    const bad = await write('bad', change(predictionsOf(1, 'bad')));
    await expect(compare([bad], params)).rejects.toThrow(message);
  });
});
