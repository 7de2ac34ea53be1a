import { describe, expect, it } from 'vitest';
import { clusteredErrors, fitLogistic, type LogisticRows } from '../../src/evaluation/logistic.ts';
import { logit, sigmoid } from '../../src/numeric/elementary.ts';
import { makeRng } from '../../src/random/rng.ts';

const none = (width: number) => ({ mean: new Array<number>(width).fill(0), strength: 0 });

function rowsOf(list: readonly (readonly [x: readonly number[], weight: number, happened: number])[]): LogisticRows {
  const width = list[0]?.[0].length ?? 0;
  return {
    x: Float64Array.from(list.flatMap(([x]) => x)),
    width,
    weight: Float64Array.from(list, ([, weight]) => weight),
    happened: Float64Array.from(list, ([, , happened]) => happened),
  };
}

describe('logistic regression', () => {
  it('of two groups has the logits of their shares', () => {
    const rows = rowsOf([
      [[1, 0], 50, 20],
      [[1, 1], 80, 60],
    ]);
    const beta = fitLogistic(rows, none(2));
    expect(beta[0]).toBeCloseTo(logit(0.4), 9);
    expect(beta[1]).toBeCloseTo(logit(0.75) - logit(0.4), 9);
  });

  it('finds the coefficients that made the data', () => {
    const rng = makeRng('logistic');
    const rows = rowsOf(
      Array.from({ length: 20_000 }, () => {
        const x = 4 * rng.uniform() - 2;
        return [[1, x], 1, Number(rng.uniform() < sigmoid(0.3 + 1.2 * x))] as const;
      }),
    );
    const beta = fitLogistic(rows, none(2));
    const errors = clusteredErrors(
      rows,
      beta,
      Int32Array.from({ length: 20_000 }, (_, i) => i),
      20_000,
    );
    expect(Math.abs((beta[0] as number) - 0.3)).toBeLessThan(3 * (errors[0] as number));
    expect(Math.abs((beta[1] as number) - 1.2)).toBeLessThan(3 * (errors[1] as number));
  });

  it('with a constant alone has the clustered error of a mean, on the scale of the logit', () => {
    const [won, n] = [
      [3, 1, 4, 0, 5],
      [5, 4, 6, 3, 5],
    ];
    const rows = rowsOf(won.map((w, i) => [[1], n[i] as number, w] as const));
    const beta = fitLogistic(rows, none(1));
    const total = n.reduce((a, b) => a + b, 0);
    const p = won.reduce((a, b) => a + b, 0) / total;
    const squares = won.reduce((sum, w, i) => sum + (w - p * (n[i] as number)) ** 2, 0);
    const errorOfMean = Math.sqrt((squares * 5) / 4) / total;
    const [error] = clusteredErrors(rows, beta, Int32Array.from([0, 1, 2, 3, 4]), 5);
    expect(error).toBeCloseTo(errorOfMean / (p * (1 - p)), 9);
  });

  it('does not change its clustered error when every row is doubled', () => {
    const rows = rowsOf([
      [[1, -1], 1, 0],
      [[1, 0.5], 1, 1],
      [[1, 1], 1, 0],
      [[1, 2], 1, 1],
      [[1, -2], 1, 0],
    ]);
    const doubled = { ...rows, weight: rows.weight.map((w) => 2 * w), happened: rows.happened.map((w) => 2 * w) };
    const clusters = Int32Array.from([0, 1, 2, 3, 4]);
    const beta = fitLogistic(rows, none(2));
    expect(fitLogistic(doubled, none(2))[1]).toBeCloseTo(beta[1] as number, 9);
    expect(clusteredErrors(doubled, beta, clusters, 5)[1]).toBeCloseTo(
      clusteredErrors(rows, beta, clusters, 5)[1] as number,
      9,
    );
  });

  it('stays at its prior where the data separate, and refuses without one', () => {
    const rows = rowsOf([
      [[1, -1], 1, 0],
      [[1, 1], 1, 1],
    ]);
    const [, slope] = fitLogistic(rows, { mean: [0, 1], strength: 1 });
    expect(slope).toBeGreaterThan(1);
    expect(slope).toBeLessThan(3);
    expect(() => fitLogistic(rows, none(2))).toThrow(/converge|unique/);
  });

  it('refuses columns that repeat each other', () => {
    const rows = rowsOf([
      [[1, 1], 1, 0],
      [[1, 1], 1, 1],
    ]);
    expect(() => fitLogistic(rows, none(2))).toThrow(/no unique answer/);
  });
});
