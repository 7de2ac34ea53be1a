/** The kernels behind principal components beside plain loops, and both ways to eigenvalues. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../src/projections/eigen.ts';
import type { Matrix } from '../../src/projections/matrix.ts';
import { pca2, principalComponents, scoresOn, sumsOfProducts } from '../../src/projections/pca.ts';
import { makeRng } from '../../src/random/rng.ts';
import { recorded } from '../models/recorded.ts';
import { shared, whyNoShared } from '../support/shared.ts';

function noise(rows: number, columns: number, mean = 0): Matrix {
  const rng = makeRng('noise', rows, columns);
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => mean + rng.normal()) };
}

function plainProducts({ rows, columns, values }: Matrix): { means: number[]; products: number[] } {
  const at = (i: number, c: number): number => values[i * columns + c] as number;
  const all = Array.from({ length: rows }, (_, i) => i);
  const means = Array.from({ length: columns }, (_, c) => all.reduce((sum, i) => sum + at(i, c), 0) / rows);
  const products = Array.from({ length: columns * columns }, (_, p) => {
    const [b, c] = [Math.floor(p / columns), p % columns];
    return all.reduce((sum, i) => sum + (at(i, b) - (means[b] as number)) * (at(i, c) - (means[c] as number)), 0);
  });
  return { means, products };
}

describe('sums of products', () => {
  it.each([
    [1, 1, 0],
    [2, 3, 0],
    [255, 4, 0],
    [257, 5, 1e6],
    [1000, 13, -50],
  ])('%i rows, %i columns around %d: those of plain loops', (rows, columns, mean) => {
    const matrix = noise(rows, columns, mean);
    const { means, products } = sumsOfProducts(matrix);
    const expected = plainProducts(matrix);
    for (const [c, value] of expected.means.entries()) expect(means[c]).toBeCloseTo(value, 8);
    for (const [p, value] of expected.products.entries())
      expect(Math.abs((products[p] as number) - value)).toBeLessThan(1e-11 * rows * (1 + Math.abs(mean) * 1e-4));
  });

  it('holds for any rows', () => {
    const row = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 600 }), (rows) => {
        const matrix = { rows: rows.length, columns: 3, values: Float64Array.from(rows.flat()) };
        const { products } = sumsOfProducts(matrix);
        const expected = plainProducts(matrix).products;
        for (const [p, value] of expected.entries())
          expect(Math.abs((products[p] as number) - value)).toBeLessThan(1e-4);
      }),
      { numRuns: 40 },
    );
  });
});

describe('eigenvectors of wide matrices', () => {
  it.each([65, 66, 120])('of size %i: A v = lambda v, orthonormal, in order', (size) => {
    const { products } = sumsOfProducts(noise(2 * size, size));
    const { values, vectors } = symmetricEigen(products, size);
    const vector = (e: number): Float64Array => vectors.subarray(e * size, (e + 1) * size);
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      Array.from({ length: size }, (_, i) => (a[i] as number) * (b[i] as number)).reduce((sum, x) => sum + x, 0);
    for (const e of [0, 1, 7, size - 1]) {
      const image = Array.from({ length: size }, (_, i) => dot(products.subarray(i * size, (i + 1) * size), vector(e)));
      for (const [i, x] of image.entries()) expect(x).toBeCloseTo((values[e] as number) * (vector(e)[i] as number), 7);
      expect(dot(vector(e), vector(e))).toBeCloseTo(1, 12);
      expect(dot(vector(e), vector((e + 1) % size))).toBeCloseTo(0, 10);
    }
    for (let e = 1; e < size; e++) expect(values[e]).toBeLessThanOrEqual(values[e - 1] as number);
    const trace = Array.from({ length: size }, (_, i) => products[i * size + i] as number).reduce((a, b) => a + b);
    expect(values.reduce((a, b) => a + b)).toBeCloseTo(trace, 7);
  });

  it('of a diagonal matrix and of zeros', () => {
    const size = 70;
    const diagonal = new Float64Array(size * size);
    for (let i = 0; i < size; i++) diagonal[i * size + i] = (i * 7) % 13;
    expect([...symmetricEigen(diagonal, size).values]).toEqual(
      Array.from({ length: size }, (_, i) => (i * 7) % 13).toSorted((a, b) => b - a),
    );
    expect(symmetricEigen(new Float64Array(size * size), size).values.every((value) => value === 0)).toBe(true);
  });
});

describe('principal components', () => {
  it('hold the variance of their scores, which are not correlated', () => {
    const matrix = noise(500, 6, 3);
    for (let i = 0; i < 500; i++) matrix.values[6 * i + 2] = 5 * (matrix.values[6 * i] as number);
    const components = principalComponents(matrix, 3);
    const scores = scoresOn(components, matrix);
    const sum = (a: number, b: number): number => {
      let total = 0;
      for (let i = 0; i < 500; i++) total += (scores[3 * i + a] as number) * (scores[3 * i + b] as number);
      return total;
    };
    for (const c of [0, 1, 2]) expect(sum(c, c) / (components.squares[c] as number)).toBeCloseTo(1, 9);
    expect(Math.abs(sum(0, 1))).toBeLessThan(1e-7);
    expect(principalComponents(matrix, 6).shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const map = pca2(matrix);
    expect(map.points[2 * 7]).toBe(scores[3 * 7]);
    expect(map.points[2 * 7 + 1]).toBe(scores[3 * 7 + 1]);
  });

  it('are the same for equal columns and one row: no variance, no share', () => {
    const { shares } = principalComponents({ rows: 1, columns: 3, values: Float64Array.of(1, 2, 3) }, 2);
    expect([...shares]).toEqual([0, 0]);
  });
});

describe.skipIf(!shared)(`digits (${shared === undefined ? whyNoShared : '1,797 rows of 64'})`, () => {
  it('hold the variance that scikit-learn finds; 29 components reach 95 %', () => {
    const { shares } = principalComponents(recorded('digits.csv.gz').points, 64);
    for (const [c, share] of [0.148906, 0.136188, 0.117946, 0.0841, 0.057824].entries())
      expect(shares[c]).toBeCloseTo(share, 6);
    const upTo = (count: number): number => shares.subarray(0, count).reduce((sum, share) => sum + share, 0);
    expect(upTo(28)).toBeLessThan(0.95);
    expect(upTo(29)).toBeGreaterThan(0.95);
  });
});
