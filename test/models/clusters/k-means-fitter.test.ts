/** The kernels beside the plain loops: the same labels, centres and distances from the same starts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownProducts } from '../../../src/kernels/kernels.ts';
import { nearestCentres } from '../../../src/models/clusters/centres.ts';
import { kMeans } from '../../../src/models/clusters/k-means.ts';
import { KMeansFitter } from '../../../src/models/clusters/k-means-fitter.ts';
import { plainLloyd, spreadStarts } from '../../../src/models/clusters/k-means-plain.ts';
import { drawn } from '../../../src/models/clusters/k-means-scale.ts';
import type { Points } from '../../../src/models/feature-space.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { blobs } from '../blobs.ts';

const fitter = new KMeansFitter();
const multiplying = new KMeansFitter(ownProducts);
const around = (columns: number, rows: number, seed: number): Points => {
  const rng = makeRng('centres', seed);
  const centres = Array.from({ length: 7 }, () => Array.from({ length: columns }, () => 2 * rng.normal()));
  return blobs(centres, rows, seed);
};
const first = ({ columns, values }: Points, k: number): Float64Array => values.slice(0, k * columns);

describe('k-means on the kernels', () => {
  it.each([
    [3, 40, 2],
    [13, 2000, 8],
    [5, 700, 17],
    [33, 300, 4],
    [1, 257, 3],
  ])('%i columns, %i rows, %i clusters: ends where plain iterations end', (columns, rows, k) => {
    const points = around(columns, rows, columns);
    const start = first(points, k);
    const expected = plainLloyd(points, start, 300);
    for (const one of [fitter, multiplying]) {
      one.load(points);
      const run = one.lloyd(start, 300);
      expect(run.labels).toEqual(expected.labels);
      expect(run.centres).toEqual(expected.centres);
      expect(run.squared).toEqual(expected.squared);
      expect(run.inertia).toBe(expected.inertia);
    }
  });

  it('has every row at its nearest centre however early it stops', () => {
    const points = around(4, 900, 2);
    fitter.load(points);
    for (const iterations of [0, 1, 2, 5]) {
      const run = fitter.lloyd(first(points, 6), iterations);
      expect(run.iterations).toBeLessThanOrEqual(iterations);
      expect(run.labels).toEqual(nearestCentres(points, run.centres).labels);
      expect(run.inertia).toBeCloseTo(plainLloyd(points, first(points, 6), iterations).inertia, 3);
    }
  });

  it('ends in a fixed point of plain iterations for rows with ties, far means and wild scales', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: 1e9, max: 1e9 + 5 }),
      fc.double({ min: -1e-9, max: 1e-9, noNaN: true }),
      fc.constantFrom(1e140, -1e100, 0),
    );
    const row = fc.array(value, { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 3, maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (rows, k) => {
        const points = { rows: rows.length, columns: 3, values: Float64Array.from(rows.flat()) };
        fitter.load(points);
        const run = fitter.lloyd(first(points, k), 300);
        const again = plainLloyd(points, run.centres, 1);
        if (run.iterations < 300 && new Set(run.labels).size === k) expect(again.labels).toEqual(run.labels);
        expect(nearestCentres(points, run.centres).squared).toEqual(run.squared);
      }),
      { numRuns: 150 },
    );
  });

  it('chooses starts that are rows, each once, as far apart as the plain way does', () => {
    const points = around(6, 1500, 3);
    fitter.load(points);
    const inertia = (starts: Float64Array): number =>
      nearestCentres(points, starts).squared.reduce((sum, x) => sum + x, 0);
    let [ours, plain] = [0, 0];
    for (let seed = 0; seed < 12; seed++) {
      const starts = fitter.starts(7, makeRng(seed));
      const rows = new Set(Array.from({ length: 7 }, (_, c) => starts.slice(6 * c, 6 * c + 6).join()));
      expect(rows.size).toBe(7);
      ours += inertia(starts);
      plain += inertia(spreadStarts(points, 7, makeRng(seed)));
    }
    expect(Math.abs(ours / plain - 1)).toBeLessThan(0.1);
  });

  it('draws by weight, and never a row without one', () => {
    const weights = new Float32Array(600);
    weights.set([1, 2], 3);
    weights[400] = 5;
    const sums = Float64Array.of(3, 5, 0);
    expect([0, 0.99, 1, 2.99, 3, 7.9, 8, 9].map((at) => drawn(weights, sums, at))).toEqual([
      3, 3, 4, 4, 400, 400, 400, 400,
    ]);
  });

  it('comes near to it by mini-batches, the same for a seed', () => {
    const points = around(5, 4000, 5);
    const whole = kMeans(points, 7, { starts: 3, maxIterations: 300 }, makeRng(1));
    const options = { starts: 3, maxIterations: 300, batchRows: 256 };
    const some = kMeans(points, 7, options, makeRng(1));
    expect(some.inertia).toBeLessThan(1.1 * whole.inertia);
    expect(some.inertia).toBeGreaterThan(whole.inertia);
    expect(kMeans(points, 7, options, makeRng(1))).toEqual(some);
    expect(some.labels).toEqual(nearestCentres(points, some.centres).labels);
  });
});
