import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjustedRandIndex, adjustedRandScorer } from '../../../src/models/clusters/agreement.ts';
import { candidates, shuffledColumns, widest } from '../../../src/models/clusters/choose-k.ts';
import { kMeans, nearestCentres } from '../../../src/models/clusters/k-means.ts';
import { kMeansModel, parseKMeans, scoreKMeans } from '../../../src/models/clusters/k-means-model.ts';
import { silhouettes } from '../../../src/models/clusters/silhouette.ts';
import { fitSpace, type Points, toSpace } from '../../../src/models/feature-space.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { columnsOf } from '../../../src/tables/frame.ts';
import { shared, whyNoShared } from '../../support/shared.ts';
import { blobs, frameOf, reordered } from '../blobs.ts';
import { recorded } from '../recorded.ts';

const options = { starts: 10, maxIterations: 300 };
const line = (...values: number[]): Points => ({ rows: values.length, columns: 1, values: Float64Array.from(values) });
const squares = [
  [0, 0],
  [10, 0],
  [0, 10],
];
const standardized = (points: Points): Points =>
  toSpace(fitSpace(columnsOf(frameOf(points, undefined), 'feature'), points, true), points);

describe('k-means', () => {
  it('finds the clusters of a line that can be told by hand', () => {
    const fit = kMeans(line(0, 1, 2, 10, 11), 2, options, makeRng(1));
    expect([...fit.labels]).toEqual([0, 0, 0, 1, 1]);
    expect([...fit.centres]).toEqual([1, 10.5]);
    expect(fit.inertia).toBe(2.5);
    expect([...fit.squared]).toEqual([1, 0, 1, 0.25, 0.25]);
  });

  it('gives the same for the same seed, and the same partition in any order of rows', () => {
    const points = blobs(squares, 150);
    const a = kMeans(points, 3, options, makeRng(1));
    expect(kMeans(points, 3, options, makeRng(1))).toEqual(a);
    const order = makeRng(5).shuffle(Array.from({ length: 150 }, (_, i) => i));
    const b = kMeans(reordered(points, order), 3, options, makeRng(1));
    expect(b.inertia).toBeCloseTo(a.inertia, 8);
    expect(
      adjustedRandIndex(
        order.map((row) => a.labels[row] as number),
        b.labels,
      ),
    ).toBe(1);
  });

  it('has every row at its nearest centre and every centre at the mean of its rows', () => {
    const point = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 25 }), fc.integer({ min: 1, max: 6 }), (rows, k) => {
        const points = { rows: rows.length, columns: 2, values: Float64Array.from(rows.flat()) };
        const fit = kMeans(points, k, options, makeRng(k));
        const distinct = new Set(rows.map(String)).size;
        expect(fit.k).toBeGreaterThanOrEqual(1);
        expect(fit.k).toBeLessThanOrEqual(Math.min(k, distinct));
        expect(nearestCentres(points, fit.centres).squared).toEqual(fit.squared);
        for (let c = 0; c < fit.k; c++) {
          const mine = rows.filter((_, i) => fit.labels[i] === c);
          expect(mine.length).toBeGreaterThan(0);
          for (const axis of [0, 1]) {
            const mean = mine.reduce((sum, row) => sum + (row[axis] as number), 0) / mine.length;
            expect(fit.centres[2 * c + axis]).toBeCloseTo(mean, 9);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('makes no more clusters than there are different rows', () => {
    expect(kMeans(line(3, 3, 3, 3), 3, options, makeRng(1)).k).toBe(1);
    const fit = kMeans(line(1, 2, 1, 2, 2), 5, options, makeRng(1));
    expect([fit.k, fit.inertia, [...fit.labels]]).toEqual([2, 0, [1, 0, 1, 0, 0]]);
  });

  it('stops when asked', () => {
    const stop = (): void => {
      throw new Error('stopped');
    };
    expect(() => kMeans(blobs(squares, 30), 3, options, makeRng(1), stop)).toThrow('stopped');
  });
});

describe('the adjusted Rand index', () => {
  it('is that of the example that can be told by hand', () => {
    // Pairs: 2 in common, 2 + 1 and 1 + 1 + 1... by the contingency table [[2, 0], [1, 1]].
    const [cells, rowsOf, columnsOfTable, total] = [1, 2, 3, 6];
    const expected = (rowsOf * columnsOfTable) / total;
    const byHand = (cells - expected) / ((rowsOf + columnsOfTable) / 2 - expected);
    expect(adjustedRandIndex([0, 0, 1, 1], [0, 0, 0, 1])).toBeCloseTo(byHand, 14);
    expect(adjustedRandIndex([0, 0, 1, 1], [0, 1, 0, 1])).toBeCloseTo(-0.5, 14);
  });

  it('is symmetric, at most 1, and 1 for renamed clusters', () => {
    const labels = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(labels, (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const value = adjustedRandIndex(a, b);
        expect(value).toBeCloseTo(adjustedRandIndex(b, a), 12);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
        expect(value).toBeGreaterThanOrEqual(-1);
        const renamed = a.map((x) => 7 - x);
        expect(adjustedRandIndex(a, renamed)).toBeCloseTo(1, 12);
        expect(adjustedRandIndex(renamed, b)).toBeCloseTo(value, 12);
      }),
      { numRuns: 200 },
    );
  });

  it('is about 0 by chance, and not raised by rows that a resample draws twice', () => {
    const rng = makeRng(3);
    const [a, b] = [0, 1].map(() => Array.from({ length: 60 }, () => rng.below(20)));
    const cluster = Int32Array.from({ length: 60 }, (_, i) => i);
    const scorer = adjustedRandScorer(a as number[], b as number[], cluster);
    let sum = 0;
    for (let r = 0; r < 300; r++) {
      const counts = new Int32Array(60);
      for (let i = 0; i < 60; i++) {
        const drawn = rng.below(60);
        counts[drawn] = (counts[drawn] as number) + 1;
      }
      sum += scorer.score(counts);
    }
    expect(Math.abs(adjustedRandIndex(a as number[], b as number[]))).toBeLessThan(0.1);
    expect(Math.abs(sum / 300 - adjustedRandIndex(a as number[], b as number[]))).toBeLessThan(0.02);
  });

  it('is unknown of one row', () => {
    expect(adjustedRandIndex([0], [0])).toBeNaN();
  });
});

describe('the silhouette', () => {
  it('is that told by hand, 0 for a row alone', () => {
    // Rows 0, 1 | 5: (5 - 1) / 5, (4 - 1) / 4, 0.
    const [value] = silhouettes(line(0, 1, 5), [Int32Array.of(0, 0, 1)], makeRng(1));
    expect(value).toBeCloseTo((0.8 + 0.75) / 3, 14);
  });

  it('is unknown for one cluster and leaves out noise', () => {
    const points = line(0, 1, 5, 6, 100);
    const [one, noisy, clean] = silhouettes(
      points,
      [Int32Array.of(0, 0, 0, 0, 0), Int32Array.of(0, 0, 1, 1, -1), Int32Array.of(0, 0, 1, 1, 1)],
      makeRng(1),
    );
    expect(one).toBeNaN();
    expect(noisy).toBeCloseTo((2 * (1 - 1 / 5.5) + 2 * (1 - 1 / 4.5)) / 4, 12);
    expect(clean).toBeLessThan(noisy as number);
  });

  it('is estimated from a sample above 5,000 rows', () => {
    const points = blobs(squares, 5400);
    const labels = Int32Array.from({ length: 5400 }, (_, i) => i % 3);
    const [sampled] = silhouettes(points, [labels], makeRng(1));
    const [part] = silhouettes(blobs(squares, 900), [labels.subarray(0, 900)], makeRng(1));
    expect(Math.abs((sampled as number) - (part as number))).toBeLessThan(0.02);
  });
});

describe('the choice of k', () => {
  const rngOf = (purpose: string) => makeRng(9, purpose);
  const subjects = { of: Int32Array.from({ length: 150 }, (_, i) => i), count: 150 };

  it('finds three blobs, and that they are stable', () => {
    const points = blobs(squares, 150);
    const list = candidates(points, [2, 3, 4, 5], { ...options, resamples: 5 }, subjects, rngOf);
    const chosen = widest(list);
    expect(chosen.clustering.k).toBe(3);
    expect(chosen.stability).toBeGreaterThan(0.95);
    expect(list[3]?.stability).toBeLessThan(0.9);
    const inertias = list.map(({ clustering }) => clustering.inertia);
    expect([...inertias].sort((a, b) => b - a)).toEqual(inertias);
  });

  it('sees less in shuffled columns', () => {
    const points = blobs(
      [
        [0, 0],
        [6, 6],
      ],
      150,
    );
    const shuffled = shuffledColumns(points, makeRng(1));
    const width = (rows: Points): number =>
      silhouettes(rows, [kMeans(rows, 2, options, makeRng(1)).labels], makeRng(1))[0] as number;
    expect(width(points)).toBeGreaterThan(width(shuffled) + 0.2);
    expect(Float64Array.from(shuffled.values).sort()).toEqual(Float64Array.from(points.values).sort());
    expect(shuffled.values).not.toEqual(points.values);
  });
});

describe('the model file', () => {
  const points = blobs(squares, 90);
  const frame = frameOf(points, undefined);
  const space = fitSpace(columnsOf(frame, 'feature'), points, true);
  const fit = kMeans(toSpace(space, points), 3, options, makeRng(1));
  const model = parseKMeans(JSON.stringify(kMeansModel(space, fit)));

  it('scores the rows it was fitted to as the fit did', () => {
    const { labels, distances } = scoreKMeans(model, frame);
    expect(labels).toEqual(fit.labels);
    expect(distances).toEqual(fit.squared.map(Math.sqrt));
  });

  it('puts missing values at the mean it has learned, and finds columns by name', () => {
    const columns = frame.columns.map((column) =>
      column.name === 'f1' && column.type === 'number'
        ? { ...column, values: column.values.slice().fill(NaN) }
        : column,
    );
    const { labels } = scoreKMeans(model, { rows: frame.rows, columns: columns.toReversed() });
    expect(labels.some((label) => label !== labels[0])).toBe(true);
    expect(scoreKMeans(model, { rows: frame.rows, columns: frame.columns.toReversed() }).labels).toEqual(fit.labels);
  });

  it('refuses other columns and units, and says which', () => {
    const renamed = frame.columns.map((column) => (column.name === 'f1' ? { ...column, name: 'volume' } : column));
    expect(() => scoreKMeans(model, { rows: frame.rows, columns: renamed })).toThrow(
      'the model was fitted to other columns: the frame lacks f1; it has volume, which the model lacks',
    );
    const cents = frame.columns.map((column) => (column.name === 'f0' ? { ...column, unit: 'cents' } : column));
    expect(() => scoreKMeans(model, { rows: frame.rows, columns: cents })).toThrow('f0 is in cents, and was in USD');
  });

  it('refuses files that are none', () => {
    expect(() => parseKMeans('k=3')).toThrow('no k-means model: the file is not JSON');
    expect(() => parseKMeans(JSON.stringify({ ...model, version: 2 }))).toThrow('no k-means model: version');
    expect(() => parseKMeans(JSON.stringify({ ...model, centres: [[1]] }))).toThrow('one number a feature');
    const short = { ...model, space: { ...model.space, means: [0] } };
    expect(() => parseKMeans(JSON.stringify(short))).toThrow('no k-means model: space: features, units, means');
  });
});

describe.skipIf(!shared)(
  `recorded sets (${shared === undefined ? whyNoShared : 'iris, wine, tumours, digits'})`,
  () => {
    const fitOf = (points: Points, k: number) => kMeans(points, k, options, makeRng(1));

    it.each([
      ['iris.csv', 3, 0.73, 0.62],
      ['wine_data.csv', 3, 0.371, 0.898],
    ])('%s: agree with the classes as far as scikit-learn finds', (file, k, raw, scaled) => {
      const { points, classes } = recorded(file);
      expect(adjustedRandIndex(classes, fitOf(points, k).labels)).toBeCloseTo(raw, 2);
      expect(adjustedRandIndex(classes, fitOf(standardized(points), k).labels)).toBeCloseTo(scaled, 2);
    });

    it('tumours: the same as scikit-learn, or less inertia', () => {
      const { points, classes } = recorded('breast_cancer.csv');
      expect(adjustedRandIndex(classes, fitOf(points, 2).labels)).toBeCloseTo(0.491, 3);
      // scikit-learn's .654 belongs to an optimum of inertia 11,595.527; there are three within 0.3 of each other.
      const scaled = fitOf(standardized(points), 2);
      expect(scaled.inertia).toBeLessThan(11_595.53);
      expect(Math.abs(adjustedRandIndex(classes, scaled.labels) - 0.654)).toBeLessThan(0.03);
    });

    it('digits: agree about as far as scikit-learn finds', () => {
      const { points, classes } = recorded('digits.csv.gz');
      const raw = fitOf(points, 10);
      expect(raw.inertia).toBeLessThan(1_165_400);
      expect(Math.abs(adjustedRandIndex(classes, raw.labels) - 0.666)).toBeLessThan(0.01);
      // Scaled, the best of ten starts may end at an agreement of .55; scikit-learn's .468 has an inertia of 69,405.
      const scaled = kMeans(standardized(points), 10, { starts: 60, maxIterations: 300 }, makeRng(1));
      expect(scaled.inertia).toBeLessThan(69_420);
      expect(Math.abs(adjustedRandIndex(classes, scaled.labels) - 0.468)).toBeLessThan(0.005);
    });
  },
);
