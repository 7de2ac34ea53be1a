import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../src/projections/eigen.ts';
import { standardized } from '../../src/projections/matrix.ts';
import { pca2 } from '../../src/projections/pca.ts';
import { mapQuality, neighbourAgreement } from '../../src/projections/quality.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs, matrixOf, tiedMatrix } from './support.ts';

/** Both measures with full sorted lists. */
function byDefinition(matrix: ReturnType<typeof matrixOf>, points: Float64Array, k: number) {
  const order = (rows: number, columns: number, values: Float64Array, i: number): number[] =>
    Array.from({ length: rows }, (_, j) => j)
      .filter((j) => j !== i)
      .map((j) => {
        let d = 0;
        for (let c = 0; c < columns; c++)
          d += ((values[i * columns + c] as number) - (values[j * columns + c] as number)) ** 2;
        return { j, d };
      })
      .sort((a, b) => a.d - b.d || a.j - b.j)
      .map(({ j }) => j);
  let penalty = 0;
  let kept = 0;
  const n = matrix.rows;
  for (let i = 0; i < n; i++) {
    const high = order(n, matrix.columns, matrix.values, i);
    for (const j of order(n, 2, points, i).slice(0, k)) {
      penalty += Math.max(0, high.indexOf(j) + 1 - k);
      if (high.indexOf(j) < k) kept++;
    }
  }
  return {
    trustworthiness: 1 - (2 / (n * k * (2 * n - 3 * k - 1))) * penalty,
    neighbourPreservation: kept / (n * k),
  };
}

describe('mapQuality', () => {
  it('agrees with the definitions, ties and duplicates included', () => {
    fc.assert(
      fc.property(tiedMatrix, fc.integer({ min: 1, max: 2 }), fc.integer(), (matrix, k, seed) => {
        const rng = makeRng(seed);
        const points = Float64Array.from({ length: 2 * matrix.rows }, () => rng.below(6));
        const expected = byDefinition(matrix, points, k);
        const found = mapQuality(matrix, points, k, makeRng(1));
        expect(found?.trustworthiness).toBeCloseTo(expected.trustworthiness, 12);
        expect(found?.neighbourPreservation).toBeCloseTo(expected.neighbourPreservation, 12);
      }),
      { numRuns: 40 },
    );
  });

  it('is 1 for the plane itself, about a half for random points, undefined for too few rows', () => {
    const plane = blobs(400, 2, 1, 0);
    expect(mapQuality(plane, plane.values, 10, makeRng(1))).toMatchObject({
      trustworthiness: 1,
      neighbourPreservation: 1,
    });
    const rng = makeRng(9);
    const random = Float64Array.from({ length: 800 }, () => rng.normal());
    expect(mapQuality(plane, random, 10, makeRng(1))?.trustworthiness).toBeCloseTo(0.5, 1);
    expect(mapQuality(blobs(20, 2, 1, 0), new Float64Array(40), 10, makeRng(1))).toBeUndefined();
  });

  it('estimates on a seeded sample above 5,000 rows', () => {
    const matrix = blobs(5200, 3, 3, 2);
    const points = pca2(matrix).points;
    const some = mapQuality(matrix, points, 10, makeRng(1));
    expect(some?.measured).toBe(2000);
    expect(mapQuality(matrix, points, 10, makeRng(1))).toEqual(some);
    expect(mapQuality(matrix, points, 10, makeRng(2))?.trustworthiness).toBeCloseTo(some?.trustworthiness as number, 2);
  });
});

describe('neighbourAgreement', () => {
  it('counts pairs of known category beside chance', () => {
    // Rows 0, 1 of category 0; 2, 3 of category 1; 4 unknown.
    const nearest = Int32Array.from([1, 0, 3, 4, 0]);
    expect(neighbourAgreement(nearest, 1, Int32Array.from([0, 0, 1, 1, -1]))).toEqual({
      share: 1,
      chance: 4 / 12,
      pairs: 3,
    });
    expect(neighbourAgreement(nearest, 1, new Int32Array(5).fill(-1))).toBeUndefined();
  });
});

describe('principal components', () => {
  it('diagonalise a symmetric matrix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer(), (size, seed) => {
        const rng = makeRng(seed);
        const m = new Float64Array(size * size);
        for (let i = 0; i < size; i++)
          for (let j = i; j < size; j++) {
            m[i * size + j] = rng.normal();
            m[j * size + i] = m[i * size + j] as number;
          }
        const { values, vectors } = symmetricEigen(m, size);
        for (let e = 0; e < size; e++)
          for (let i = 0; i < size; i++) {
            let product = 0;
            for (let j = 0; j < size; j++) product += (m[i * size + j] as number) * (vectors[e * size + j] as number);
            expect(product).toBeCloseTo((values[e] as number) * (vectors[e * size + i] as number), 10);
          }
        expect([...values]).toEqual([...values].sort((a, b) => b - a));
      }),
      { numRuns: 50 },
    );
  });

  it('find a stretched axis, and its share of the variance', () => {
    const rows = Array.from({ length: 50 }, (_, i) => [3 * (i - 24.5), 4 * (i - 24.5), 0.001 * (i % 2)]);
    const { points, explained } = pca2(matrixOf(rows));
    expect((points[2 * 49] as number) - (points[0] as number)).toBeCloseTo(5 * 49, 4);
    expect(explained[0]).toBeCloseTo(1, 6);
    expect(pca2(matrixOf([[5]])).explained).toEqual([0, 0]);
  });
});

describe('standardized', () => {
  it('gives mean 0 and deviation 1, and 0 for a column that only rounding makes vary', () => {
    const { values } = standardized(matrixOf(Array.from({ length: 30 }, (_, i) => [i * i, 0.1])));
    const first = values.filter((_, i) => i % 2 === 0);
    expect(first.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 10);
    expect(first.reduce((a, b) => a + b * b, 0) / 30).toBeCloseTo(1, 10);
    expect(values.filter((_, i) => i % 2 === 1).every((x) => x === 0)).toBe(true);
  });
});
