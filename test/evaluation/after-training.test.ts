import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brierParts, fitCalibrator, groupsByPrediction } from '../../src/evaluation/calibration.ts';
import { conformalQuantile, fitConformal } from '../../src/evaluation/conformal.ts';
import { ensembleRows } from '../../src/evaluation/ensemble.ts';
import type { HeldOutRow } from '../../src/evaluation/held-out.ts';
import { samplingOf } from '../../src/evaluation/sampling.ts';
import { chooseThreshold, estimatesAt, valuesAt } from '../../src/evaluation/thresholds.ts';
import { makeRng } from '../../src/random/rng.ts';

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

describe('isotonic calibration', () => {
  it('pools what falls, and joins its steps by lines', () => {
    const calibrated = fitCalibrator('isotonic', [0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]);
    expect([0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 1].map(calibrated)).toEqual([
      0,
      0,
      expect.closeTo(0.25, 12),
      0.5,
      0.5,
      0.5,
      expect.closeTo(0.75, 12),
      1,
      1,
    ]);
    // Equal predictions are one point, whatever their order.
    expect(fitCalibrator('isotonic', [0.5, 0.5, 0.5, 0.9], [1, 0, 0, 1])(0.5)).toBeCloseTo(1 / 3, 12);
  });

  it('rises, keeps the mean, and fits no worse than any other rising function of the predictions', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1 })), {
      minLength: 4,
      maxLength: 40,
    });
    fc.assert(
      fc.property(rows, fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 21, maxLength: 21 }), (list, rises) => {
        const p = list.map(([a]) => a / 20);
        const y = list.map(([, b]) => b);
        fc.pre(y.includes(0) && y.includes(1));
        const calibrated = fitCalibrator('isotonic', p, y);
        const fitted = p.map(calibrated);
        const loss = (values: number[]): number => mean(values.map((v, i) => (v - (y[i] as number)) ** 2));
        expect(mean(fitted)).toBeCloseTo(mean(y), 10);
        for (let i = 0; i < 20; i++) expect(calibrated(i / 20)).toBeLessThanOrEqual(calibrated((i + 1) / 20) + 1e-12);
        let height = 0;
        const total = rises.reduce((sum, r) => sum + r, 1);
        const other = rises.map((r) => {
          height += r / total;
          return height;
        });
        expect(loss(fitted)).toBeLessThanOrEqual(loss(list.map(([a]) => other[a] as number)) + 1e-10);
      }),
    );
  });
});

describe("Platt's scaling", () => {
  it('undoes what was done to the log odds, and stays inside (0, 1) where classes are apart', () => {
    const rng = makeRng('platt');
    const truth = Array.from({ length: 20_000 }, () => rng.uniform());
    const y = truth.map((p) => Number(rng.uniform() < p));
    const distorted = truth.map((p) => 1 / (1 + ((1 - p) / p) ** 2.5 * Math.exp(0.8)));
    const calibrated = fitCalibrator('platt', distorted, y);
    for (const p of [0.1, 0.3, 0.5, 0.9])
      expect(calibrated(1 / (1 + ((1 - p) / p) ** 2.5 * Math.exp(0.8)))).toBeCloseTo(p, 1);
    const apart = fitCalibrator('platt', [0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1]);
    expect(apart(0.1)).toBeGreaterThan(0);
    expect(apart(0.9)).toBeLessThan(1);
    // Ranked backwards it does not turn the ranks round: one probability for all.
    const backwards = fitCalibrator('platt', [0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]);
    expect(backwards(0.1)).toBe(backwards(0.9));
  });

  it.each(['platt', 'isotonic'] as const)('%s refuses rows of one class', (method) => {
    expect(() => fitCalibrator(method, [0.1, 0.2], [1, 1])).toThrow(/one class/);
  });
});

describe('the Brier score in parts', () => {
  it('adds up, and knows its two ends', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 1 })), {
          minLength: 1,
          maxLength: 60,
        }),
        (rows) => {
          const p = rows.map(([a]) => a);
          const y = rows.map(([, b]) => b);
          const parts = brierParts(y, p, 5);
          expect(parts.reliability - parts.resolution + parts.uncertainty + parts.within).toBeCloseTo(parts.brier, 12);
          expect(parts.brier).toBeCloseTo(mean(p.map((v, i) => (v - (y[i] as number)) ** 2)), 12);
          expect(parts.expectedError ** 2).toBeLessThanOrEqual(parts.reliability + 1e-12);
          expect(
            groupsByPrediction(p, 5)
              .flat()
              .toSorted((a, b) => a - b),
          ).toEqual([...p.keys()]);
        },
      ),
    );
    // By hand: two groups, honest in the first, off by 0.5 in the second.
    expect(brierParts([0, 1, 0, 0], [0.5, 0.5, 0.6, 0.6], 2)).toMatchObject({
      reliability: expect.closeTo(0.18, 12),
      resolution: expect.closeTo(0.0625, 12),
      uncertainty: 0.1875,
      within: expect.closeTo(0, 12),
      expectedError: expect.closeTo(0.3, 12),
    });
  });
});

describe('conformal intervals', () => {
  it('take the rank of the finite sample, and promise nothing with too few rows', () => {
    const errors = Array.from({ length: 9 }, (_, i) => i + 1);
    expect(conformalQuantile(errors, 0.9)).toBe(9);
    expect(conformalQuantile(errors, 0.8)).toBe(8);
    expect(conformalQuantile(errors, 0.5)).toBe(5);
    expect(conformalQuantile(errors, 0.91)).toBe(Infinity);
    expect(conformalQuantile([], 0.5)).toBe(Infinity);
  });

  it.each([false, true])('hold what they promise where rows are exchangeable (scaled: %s)', (scaled) => {
    // Half of the rows are five times as noisy, and the ensemble sees it.
    let [held, noisyHeld, rows] = [0, 0, 0];
    for (let run = 0; run < 60; run++) {
      const rng = makeRng(run, 'conformal');
      const draw = () => {
        const spread = rng.below(2) === 1 ? 5 : 1;
        return { predicted: 0, actual: spread * rng.normal(), spread };
      };
      const half = fitConformal(Array.from({ length: 99 }, draw), 0.8, scaled);
      for (let i = 0; i < 100; i++, rows++) {
        const test = draw();
        if (Math.abs(test.actual) <= half(test)) {
          held++;
          if (test.spread === 5) noisyHeld++;
        }
      }
    }
    expect(held / rows).toBeGreaterThan(0.78);
    expect(held / rows).toBeLessThan(0.83);
    // Unscaled, the noisy half pays for the quiet one.
    if (scaled) expect((2 * noisyHeld) / rows).toBeGreaterThan(0.72);
    else expect((2 * noisyHeld) / rows).toBeLessThan(0.66);
  });
});

describe('an ensemble', () => {
  const row = (model: string, predicted: number, change: Partial<HeldOutRow> = {}): HeldOutRow => ({
    model,
    row: 1,
    fold: 0,
    set: 'test',
    id: 'w',
    group: 'w',
    time: 5,
    labelEnd: null,
    target: 't',
    actual: 1,
    predicted,
    baseline: 0.5,
    baselineLabel: 'mean',
    spread: null,
    ...change,
  });

  it('is the mean, with the disagreement beside it', () => {
    const { rows, members } = ensembleRows([row('a', 1), row('b', 2), row('c', 6)]);
    expect(members).toEqual(['a', 'b', 'c']);
    expect(rows).toEqual([row('ensemble', 3, { spread: Math.sqrt(7) })]);
  });

  it.each([
    [[row('a', 1)], /two models or more/],
    [[row('a', 1), row('b', 1), row('a', 2, { row: 2 })], /b does not predict row 2 of fold 0/],
    [[row('a', 1), row('a', 1), row('b', 2)], /a predicts row 1 of fold 0, t twice/],
    [[row('a', 1), row('b', 1, { actual: 0 })], /different outcomes/],
    [[row('a', 1), row('b', 1, { set: 'validation' })], /different outcomes or sets/],
  ])('refuses members that are not of one kind (%#)', (rows, message) => {
    expect(() => ensembleRows(rows)).toThrow(message);
  });
});

describe('thresholds', () => {
  const rows = {
    actual: Float64Array.of(1, 0, 1, 0, 1),
    predicted: Float64Array.of(0.9, 0.8, 0.8, 0.3, 0.1),
    profit: Float64Array.of(0.5, -1, 0.2, -0.4, NaN),
  };

  it('act above, not at', () => {
    expect(valuesAt(rows, 0.8)).toEqual({
      precision: 1,
      recall: expect.closeTo(1 / 3, 12),
      coverage: 0.2,
      profit: 0.5,
    });
    expect(valuesAt(rows, 0.5)).toMatchObject({
      precision: 2 / 3,
      recall: 2 / 3,
      coverage: 0.6,
      profit: expect.closeTo(-0.1, 12),
    });
    expect(valuesAt(rows, 0.9)).toEqual({ precision: NaN, recall: 0, coverage: 0, profit: NaN });
    // A profit that is not known counts neither way.
    expect(valuesAt(rows, -Infinity).profit).toBeCloseTo(-0.7 / 4, 12);
  });

  it('are chosen as by trying all of them', () => {
    expect(chooseThreshold(rows, 'totalProfit', 0)).toBe(0.8);
    expect(chooseThreshold(rows, 'totalProfit', 0.5)).toBe(0.3);
    const some = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: -5, max: 5 })),
      { minLength: 1, maxLength: 25 },
    );
    fc.assert(
      fc.property(some, fc.constantFrom('f1', 'totalProfit'), fc.constantFrom(0, 0.3), (list, goal, least) => {
        const actual = Float64Array.from(list, ([y]) => y);
        const predicted = Float64Array.from(list, ([, p]) => p);
        const profit = Float64Array.from(list, ([, , e]) => e);
        const worth = (threshold: number): number => {
          const { precision, recall, coverage } = valuesAt({ actual, predicted, profit }, threshold);
          if (coverage === 0 || coverage < least) return NaN;
          const acted = list.filter(([, p]) => p > threshold);
          if (goal === 'totalProfit') return acted.reduce((sum, [, , e]) => sum + e, 0);
          return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : recall;
        };
        const chosen = chooseThreshold({ actual, predicted, profit }, goal as 'f1', least);
        const best = Math.max(...[-Infinity, ...new Set(predicted)].map(worth).filter((value) => !Number.isNaN(value)));
        if (chosen === undefined) expect(best).toBe(-Infinity);
        else expect(worth(chosen)).toBeCloseTo(best, 10);
      }),
    );
  });

  it('carry intervals, and none where nothing is acted on', () => {
    const rng = makeRng('actions');
    const predicted = Float64Array.from({ length: 300 }, () => rng.uniform());
    const actual = predicted.map((p) => Number(rng.uniform() < p));
    const sampling = samplingOf(Int32Array.from(predicted, (_, i) => i % 60));
    const found = estimatesAt({ actual, predicted }, () => 0.6, sampling, makeRng(1), 200);
    expect(found.precision.value).toBeCloseTo(valuesAt({ actual, predicted }, 0.6).precision, 12);
    expect(found.precision.low).toBeLessThan(found.precision.value as number);
    expect(found.precision.high).toBeGreaterThan(found.precision.value as number);
    expect(found.profit).toEqual({ value: null, low: null, high: null });
    expect(estimatesAt({ actual, predicted }, () => 2, sampling, makeRng(1), 50).precision.value).toBeNull();
  });
});
