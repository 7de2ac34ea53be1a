import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrationCurve, confusion, rocCurve } from '../../src/evaluation/curves.ts';
import { scoreOf } from '../../src/evaluation/measure.ts';
import { makeRng } from '../../src/random/rng.ts';

const area = ({ x, y }: { x: readonly number[]; y: readonly (number | null)[] }): number => {
  let sum = 0;
  for (let i = 1; i < x.length; i++)
    sum += ((x[i] as number) - (x[i - 1] as number)) * (((y[i] as number) + (y[i - 1] as number)) / 2);
  return sum;
};

describe('the ROC curve', () => {
  it('is the diagonal for a constant, and a corner for a perfect order', () => {
    const constant = rocCurve(Float64Array.of(0, 1, 0, 1), new Float64Array(4).fill(0.3));
    constant?.x.forEach((x, i) => {
      expect(constant.y[i]).toBeCloseTo(x, 12);
    });
    const perfect = rocCurve(Float64Array.of(0, 0, 1, 1), Float64Array.of(0.1, 0.2, 0.3, 0.4));
    expect(perfect?.y.slice(1).every((y) => y === 1)).toBe(true);
    expect(rocCurve(Float64Array.of(1, 1), Float64Array.of(0.1, 0.2))).toBeNull();
  });

  it('rises, and its area is the AUC but for the grid', () => {
    const rows = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 30 })), { minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(rows, (list) => {
        const actual = Float64Array.from(list, ([y]) => (y ? 1 : 0));
        const predicted = Float64Array.from(list, ([, p]) => p / 30);
        const curve = rocCurve(actual, predicted);
        if (curve === null) return;
        curve.y.forEach((y, i) => {
          expect(y).toBeGreaterThanOrEqual(curve.y[i - 1] ?? 0);
        });
        expect(Math.abs(area(curve) - scoreOf('binary', actual, predicted))).toBeLessThan(0.011);
      }),
    );
  });

  it('averages folds by their pairs', () => {
    // The order is perfect in both folds, though not across them.
    const curve = rocCurve(Float64Array.of(0, 1, 0, 1), Float64Array.of(0.8, 0.9, 0.1, 0.2), [0, 0, 1, 1]);
    expect(curve === null ? 0 : area(curve)).toBe(1);
  });
});

describe('the calibration curve', () => {
  const rng = makeRng('calibration');
  const n = 2000;
  const predicted = Float64Array.from({ length: n }, () => rng.uniform());
  const actual = predicted.map((p) => (rng.uniform() < p ? 1 : 0));
  const cluster = Array.from({ length: n }, (_, i) => `w${i % 500}`);

  it('lies on the diagonal for honest probabilities, and off it for inflated ones', () => {
    const off = (p: Float64Array): number => {
      const { x, low, high } = calibrationCurve({ actual, predicted: p, cluster }, 10, makeRng(1), 300);
      return x.filter((value, i) => value < (low?.[i] as number) || value > (high?.[i] as number)).length;
    };
    expect(off(predicted)).toBeLessThanOrEqual(2);
    expect(off(predicted.map((p) => Math.sqrt(p)))).toBeGreaterThanOrEqual(6);
  });

  it('keeps equal predictions together and counts every row once', () => {
    const lumpy = predicted.map((p) => (p < 0.35 ? 0.2 : p));
    const { x, counts } = calibrationCurve({ actual, predicted: lumpy, cluster }, 10, makeRng(1), 100);
    expect(x[0]).toBe(0.2);
    expect(counts[0]).toBe(lumpy.filter((p) => p === 0.2).length);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(n);
  });
});

it('counts confusions by actual row and predicted column', () => {
  expect(confusion(Int32Array.of(0, 0, 1, 2), Int32Array.of(0, 1, 1, 0), 3)).toEqual([
    [1, 1, 0],
    [0, 1, 0],
    [1, 0, 0],
  ]);
});
