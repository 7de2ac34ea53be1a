import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/contract/metrics.ts';
import { percentileInterval, quantile, standardError } from '../../src/evaluation/bootstrap.ts';
import { type MeasureOptions, measureModel, scoreOf } from '../../src/evaluation/measure.ts';
import { makeRng } from '../../src/random/rng.ts';

const named = (metrics: Metric[], name: string): Metric => {
  const found = metrics.find((metric) => metric.name === name);
  if (found === undefined) throw new Error(`no metric ${name}`);
  return found;
};

/** Wallets with a hidden trait that moves all their rows, and a model that sees it with noise. */
function sample(wallets: number, each: number, seed: number): Omit<MeasureOptions, 'rng'> & { clusters: string[] } {
  const rng = makeRng(seed, 'sample');
  const n = wallets * each;
  const trait = Float64Array.from({ length: wallets }, () => rng.normal());
  const of = (i: number): number => trait[Math.floor(i / each)] as number;
  const actual = Float64Array.from({ length: n }, (_, i) => (of(i) + 0.5 * rng.normal() > 0 ? 1 : 0));
  const predicted = Float64Array.from({ length: n }, (_, i) => 1 / (1 + Math.exp(-of(i) - rng.normal())));
  return {
    kind: 'binary',
    target: 'wins',
    set: 'test',
    actual,
    predicted,
    baseline: { label: 'training mean', predicted: new Float64Array(n).fill(0.5) },
    clusters: Array.from({ length: n }, (_, i) => `w${Math.floor(i / each)}`),
  };
}

describe('measureModel', () => {
  it('puts each score beside its baseline, and adds the gains', () => {
    const metrics = measureModel({ ...sample(60, 5, 1), rng: makeRng(1) });
    expect(metrics.map(({ name }) => name)).toEqual([
      'auc',
      'averagePrecision',
      'logLoss',
      'brier',
      'accuracy',
      'aucGain',
      'brierGain',
    ]);
    const auc = named(metrics, 'auc');
    expect(auc).toMatchObject({ n: 300, clusters: 60, set: 'test', target: 'wins', goal: 'maximize' });
    expect(auc.baseline).toMatchObject({ label: 'training mean', value: 0.5, low: 0.5, high: 0.5 });
    expect(auc.low).toBeLessThan(auc.value as number);
    expect(auc.high).toBeGreaterThan(auc.value as number);
    expect(named(metrics, 'aucGain').value).toBeCloseTo((auc.value as number) - 0.5, 12);
    expect(named(metrics, 'brierGain').value).toBeCloseTo(0.25 - (named(metrics, 'brier').value as number), 12);
    expect(named(metrics, 'aucGain').label).toContain('training mean');
  });

  it('gives the same numbers whatever the order of rows', () => {
    const { actual, predicted, clusters, ...rest } = sample(30, 4, 2);
    const order = makeRng('order').shuffle(Array.from({ length: actual.length }, (_, i) => i));
    const shuffled = measureModel({
      ...rest,
      actual: order.map((i) => actual[i] as number),
      predicted: order.map((i) => predicted[i] as number),
      clusters: order.map((i) => clusters[i] as string),
      rng: makeRng(7),
    });
    measureModel({ ...rest, actual, predicted, clusters, rng: makeRng(7) }).forEach((metric, i) => {
      for (const part of ['value', 'low', 'high'] as const)
        expect(shuffled[i]?.[part]).toBeCloseTo(metric[part] as number, 10);
    });
  });

  it('pairs the model with its baseline: the gain over itself is exactly 0', () => {
    const options = sample(30, 4, 3);
    const metrics = measureModel({
      ...options,
      baseline: { label: 'itself', predicted: options.predicted },
      rng: makeRng(1),
    });
    expect(named(metrics, 'aucGain')).toMatchObject({ value: 0, low: 0, high: 0 });
  });

  it('ranks within strata where asked', () => {
    // In each fold the order is right; the second fold's model predicts lower throughout.
    const options = {
      kind: 'binary',
      target: 't',
      set: 'test',
      actual: [0, 1, 0, 1],
      predicted: [0.8, 0.9, 0.1, 0.2],
      baseline: { label: 'b', predicted: [0.5, 0.5, 0.4, 0.4] },
      clusters: ['a', 'b', 'c', 'd'],
    } as const;
    expect(named(measureModel({ ...options, rng: makeRng(1) }), 'auc').value).toBe(0.75);
    const within = named(measureModel({ ...options, strata: [0, 0, 1, 1], rng: makeRng(1) }), 'auc');
    expect(within.value).toBe(1);
    expect(within.baseline?.value).toBe(0.5);
  });

  it('does not let a baseline of training means rank against the truth, which would flatter every model', () => {
    // A fold with many positives leaves few for training: across folds the baseline is high where the outcome is low.
    const n = 120;
    const fold = Array.from({ length: n }, (_, i) => i % 3);
    const rng = makeRng('folds');
    const actual = fold.map((f) => (rng.uniform() < ([0.2, 0.5, 0.8][f] as number) ? 1 : 0));
    const mean = (f: number): number => {
      const others = actual.filter((_, i) => fold[i] !== f);
      return others.reduce<number>((sum, y) => sum + y, 0) / others.length;
    };
    const predicted = fold.map(mean);
    const options = { kind: 'binary', target: 't', set: 'test', actual, predicted, resamples: 50 } as const;
    const measured = (strata?: number[]): number | null | undefined =>
      named(
        measureModel({
          ...options,
          baseline: { label: 'training mean', predicted },
          clusters: Int32Array.from(actual.keys()),
          rng: makeRng(1),
          ...(strata === undefined ? {} : { strata }),
        }),
        'auc',
      ).baseline?.value;
    expect(measured()).toBeLessThan(0.35);
    expect(measured(fold)).toBe(0.5);
  });

  it('says why a number is unknown instead of writing 0', () => {
    const n = 40;
    const clusters = Array.from({ length: n }, (_, i) => `w${i}`);
    const half = { label: 'mean', predicted: new Float64Array(n).fill(0.5) };
    const common = { target: 't', set: 'test', clusters, baseline: half, resamples: 50 } as const;
    const values = Float64Array.from({ length: n }, (_, i) => i / n);
    const oneClass = measureModel({
      ...common,
      kind: 'binary',
      actual: new Float64Array(n),
      predicted: values,
      rng: makeRng(1),
    });
    expect(named(oneClass, 'auc')).toMatchObject({
      value: null,
      low: null,
      high: null,
      why: 'all rows are of one class',
    });
    expect(named(oneClass, 'brier').value).not.toBeNull();
    const constant = measureModel({
      ...common,
      kind: 'regression',
      actual: values,
      predicted: half.predicted,
      rng: makeRng(1),
    });
    expect(named(constant, 'spearman')).toMatchObject({ value: null, why: expect.stringContaining('constant') });
    const oneCluster = measureModel({
      ...common,
      clusters: clusters.map(() => 'w'),
      kind: 'regression',
      actual: values,
      predicted: values,
      rng: makeRng(1),
    });
    expect(named(oneCluster, 'spearman')).toMatchObject({
      value: 1,
      low: null,
      why: expect.stringContaining('one cluster'),
    });
    // A single positive is missing from a third of the resamples: the AUC has a value there but no interval.
    const rare = measureModel({
      ...common,
      kind: 'binary',
      actual: values.map((v) => (v === 0 ? 1 : 0)),
      predicted: values,
      rng: makeRng(1),
    });
    expect(named(rare, 'auc')).toMatchObject({
      value: 0,
      low: null,
      why: expect.stringMatching(/undefined in \d+ of 50/),
    });
    const none = { label: 'mean', predicted: [] };
    const empty = measureModel({
      ...common,
      clusters: [],
      baseline: none,
      kind: 'binary',
      actual: [],
      predicted: [],
      rng: makeRng(1),
    });
    expect(named(empty, 'brier')).toMatchObject({ value: null, why: 'no rows', n: 0 });
  });

  it('compares a rank correlation with chance where the baseline is constant', () => {
    const n = 60;
    const values = Float64Array.from({ length: n }, (_, i) => i);
    const metrics = measureModel({
      kind: 'regression',
      target: 't',
      set: 'test',
      actual: values,
      predicted: values,
      baseline: { label: 'mean', predicted: new Float64Array(n).fill(29.5) },
      clusters: Int32Array.from({ length: n }, (_, i) => i),
      rng: makeRng(1),
    });
    expect(named(metrics, 'spearman').baseline).toMatchObject({
      value: null,
      why: expect.stringContaining('constant'),
    });
    expect(named(metrics, 'spearmanGain')).toMatchObject({
      value: 1,
      low: 1,
      label: expect.stringContaining('chance'),
    });
  });

  it.each([
    [{ predicted: [0.1, NaN] }, /row 1 has predicted NaN/],
    [{ actual: [0, NaN] }, /row 1 has actual NaN/],
    [{ predicted: [0.1, Infinity] }, /row 1 has predicted Infinity/],
    [{ actual: [0, 2] }, /row 1 has actual 2, but a binary target is 0 or 1/],
    [{ predicted: [-0.1, 0.5] }, /row 0 has predicted -0.1, but a probability/],
    [{ baseline: { label: 'mean', predicted: [0.5, NaN] } }, /mean: row 1/],
    [{ predicted: [0.1] }, /1 predictions for 2 rows/],
    [{ clusters: ['a'] }, /1 clusters for 2 rows/],
  ])('refuses %j', (change, message) => {
    const options = {
      kind: 'binary',
      target: 't',
      set: 'test',
      actual: [0, 1],
      predicted: [0.2, 0.7],
      baseline: { label: 'b', predicted: [0.5, 0.5] },
      clusters: ['a', 'b'],
      rng: makeRng(1),
      ...change,
    } as MeasureOptions;
    expect(() => measureModel(options)).toThrow(message);
  });
});

describe('scoreOf', () => {
  it('is AUC for classes and Spearman for numbers', () => {
    expect(scoreOf('binary', [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).toBe(0.75);
    expect(scoreOf('regression', Float32Array.of(1, 2, 3), Float64Array.of(10, 20, 15))).toBeCloseTo(0.5, 12);
    expect(scoreOf('binary', [1, 1], [0.1, 0.4])).toBeNaN();
    expect(() => scoreOf('regression', [1, 2], [NaN, 1])).toThrow(/diverged|predicted NaN/);
  });
});

describe('the bootstrap', () => {
  it('takes quantiles between order statistics', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.1)).toBeCloseTo(1.3, 12);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('cuts the same share off both ends', () => {
    const draws = Float64Array.from({ length: 1001 }, (_, i) => 1000 - i);
    expect(percentileInterval(draws, 9)).toEqual({ low: expect.closeTo(25, 9), high: expect.closeTo(975, 9) });
    expect(percentileInterval(draws, 9, 0.9)).toEqual({ low: expect.closeTo(50, 9), high: expect.closeTo(950, 9) });
  });

  it('has no interval once many resamples are undefined', () => {
    const draws = Float64Array.from({ length: 100 }, (_, i) => (i < 4 ? NaN : i));
    expect(percentileInterval(draws, 9).low).not.toBeNull();
    expect(percentileInterval(draws.fill(NaN, 0, 6), 9)).toMatchObject({
      low: null,
      why: 'undefined in 6 of 100 resamples',
    });
  });

  it('has the standard error of a mean', () => {
    expect(standardError(Float64Array.of(1, 2, 3, NaN))).toBe(1);
    expect(standardError(Float64Array.of(1))).toBeNaN();
  });

  it('covers the truth with clusters, and fails to when rows of one wallet pass for independent', () => {
    // Each wallet's rows are all right or all wrong with probability one half: the true accuracy is 0.5.
    const covered = (byWallet: boolean): number => {
      let hits = 0;
      for (let run = 0; run < 100; run++) {
        const rng = makeRng(run, 'coverage');
        const right = Array.from({ length: 40 }, () => rng.below(2));
        const actual = Array.from({ length: 320 }, (_, i) => right[i % 40] as number);
        const ones = new Float64Array(320).fill(1);
        const metrics = measureModel({
          kind: 'binary',
          target: 't',
          set: 'test',
          actual,
          predicted: ones,
          baseline: { label: 'ones', predicted: ones },
          clusters: Int32Array.from({ length: 320 }, (_, i) => (byWallet ? i % 40 : i)),
          rng,
          resamples: 120,
        });
        const { low, high } = named(metrics, 'accuracy');
        if ((low as number) <= 0.5 && 0.5 <= (high as number)) hits++;
      }
      return hits / 100;
    };
    expect(covered(true)).toBeGreaterThan(0.88);
    expect(covered(false)).toBeLessThan(0.7);
  });
});
