import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleTrials } from '../../src/experiment/samplers.ts';
import { mostDimensions, sobolIntegers, sobolPoints } from '../../src/experiment/sobol.ts';
import { gridSize, gridValues, valueAt } from '../../src/experiment/space.ts';
import type { Distribution, SpaceAxis } from '../../src/experiment/types.ts';

describe('sobol', () => {
  // scipy 1.17.1: qmc.Sobol(64, scramble=False).random_base2(8), columns 0, 1, 2, 9, 39.
  test('gives the first points of Joe and Kuo', () => {
    const points = sobolIntegers(40, 8).map((axis) => Array.from(axis, (x) => x / 2 ** 32));
    expect(points[0]).toEqual([0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125]);
    expect(points[1]).toEqual([0, 0.5, 0.25, 0.75, 0.375, 0.875, 0.125, 0.625]);
    expect(points[2]).toEqual([0, 0.5, 0.25, 0.75, 0.625, 0.125, 0.875, 0.375]);
    expect(points[9]).toEqual([0, 0.5, 0.75, 0.25, 0.625, 0.125, 0.375, 0.875]);
    expect(points[39]).toEqual([0, 0.5, 0.25, 0.75, 0.875, 0.375, 0.625, 0.125]);
  });

  test('agrees with scipy on 256 points in 64 dimensions', () => {
    const hash = createHash('sha256');
    for (const axis of sobolIntegers(mostDimensions, 256)) hash.update(axis);
    expect(hash.digest('hex')).toBe('8611fa06b4d20c67b28b1b4f886daca05a38499ea97a17be3005b2c660c376e1');
  });

  test('scrambled: one point in each of 2^k intervals, in each dimension, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 10 }), (seed, k) => {
        const count = 2 ** k;
        for (const axis of sobolPoints(mostDimensions, count, seed)) {
          expect(new Set(Array.from(axis, (u) => Math.floor(u * count))).size).toBe(count);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('scrambled: the first two dimensions stay a (0, m, 2)-net', () => {
    const m = 8;
    for (let seed = 0; seed < 5; seed++) {
      const [x, y] = sobolPoints(2, 2 ** m, seed) as [Float64Array, Float64Array];
      for (let k = 0; k <= m; k++) {
        const cells = new Set(
          Array.from(x, (u, i) => Math.floor(u * 2 ** k) * 1000 + Math.floor((y[i] as number) * 2 ** (m - k))),
        );
        expect(cells.size).toBe(2 ** m);
      }
    }
  });

  test('the scramble depends on seed and dimension and stays inside the open interval', () => {
    const a = sobolPoints(8, 4, 1).map((axis) => axis[0]);
    expect(new Set(a).size).toBe(8);
    expect(sobolPoints(8, 4, 2).map((axis) => axis[0])).not.toEqual(a);
    for (const axis of sobolPoints(8, 4096, 3)) for (const u of axis) expect(u > 0 && u < 1).toBe(true);
  });

  test('the scrambled point is uniform over seeds', () => {
    // The second point of dimension 3 over 2000 seeds: mean 1/2 within 4 standard errors, variance 1/12 within 6 %.
    const us = Array.from({ length: 2000 }, (_, seed) => sobolPoints(4, 2, seed)[3]?.[1] as number);
    const mean = us.reduce((a, b) => a + b) / us.length;
    const variance = us.reduce((sum, u) => sum + (u - mean) ** 2, 0) / us.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan((4 * Math.sqrt(1 / 12)) / Math.sqrt(2000));
    expect(Math.abs(variance * 12 - 1)).toBeLessThan(0.06);
  });

  test('integrates a smooth function far better than independent draws', () => {
    const f = (p: readonly number[]) => p.reduce((product, u) => product * (1 + (u - 0.5) / 2), 1);
    const error = (use: 'random' | 'sobol') => {
      const space: SpaceAxis[] = Array.from({ length: 5 }, (_, i) => ({
        path: `p${i}`,
        distribution: { kind: 'uniform', low: 0, high: 1 },
      }));
      const squares = Array.from({ length: 8 }, (_, seed) => {
        const values = sampleTrials(space, { use, trials: 1024 }, seed).map((t) =>
          f(Object.values(t.params) as number[]),
        );
        return (values.reduce((a, b) => a + b) / values.length - 1) ** 2;
      });
      return Math.sqrt(squares.reduce((a, b) => a + b) / squares.length);
    };
    expect(error('sobol') * 10).toBeLessThan(error('random'));
  });
});

describe('valueAt', () => {
  const quantile = fc.double({ min: 0, max: 1 - 2 ** -53, noNaN: true });
  const range = fc
    .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0.125, 0.1, 1, 3))
    .map(([low, width, step]) => ({ low, high: low + width, ...(step <= width ? { step } : {}) }));

  test('stays in its range and rises with u', () => {
    fc.assert(
      fc.property(
        range,
        fc.constantFrom('uniform', 'loguniform', 'int', 'logint'),
        quantile,
        quantile,
        (r, kind, u, v) => {
          const isWhole = kind === 'int' || kind === 'logint';
          if (isWhole && r.step !== undefined && r.step < 1) return;
          const d: Distribution = { kind, ...r };
          const [a, b] = [Math.min(u, v), Math.max(u, v)].map((q) => valueAt(d, q) as number) as [number, number];
          expect(a).toBeGreaterThanOrEqual(d.low);
          expect(b).toBeLessThanOrEqual(d.high);
          expect(a).toBeLessThanOrEqual(b);
          if (isWhole) expect(Number.isInteger(a)).toBe(true);
          if (d.step !== undefined)
            expect(Math.abs(((a - d.low) / d.step) % 1)).toBeOneOf([0, expect.closeTo(0, 6), expect.closeTo(1, 6)]);
        },
      ),
    );
  });

  test('each whole number of int is equally likely, and so is each choice', () => {
    const counts = new Map<unknown, number>();
    for (let i = 0; i < 600; i++) {
      const value = valueAt({ kind: 'int', low: 2, high: 7 }, (i + 0.5) / 600);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts]).toEqual([2, 3, 4, 5, 6, 7].map((n) => [n, 100]));
    expect([0, 0.33, 0.34, 0.99].map((u) => valueAt({ kind: 'choice', values: ['a', 'b', [1]] }, u))).toEqual([
      'a',
      'a',
      'b',
      [1],
    ]);
  });

  test('loguniform is uniform in the logarithm', () => {
    const d: Distribution = { kind: 'loguniform', low: 1e-4, high: 1 };
    expect([0, 0.25, 0.5, 0.75].map((u) => valueAt(d, u))).toEqual(
      [1e-4, 1e-3, 1e-2, 1e-1].map((x) => expect.closeTo(x, 12)),
    );
    expect(valueAt(d, 0)).toBe(1e-4);
  });

  test('logint gives the ends their share', () => {
    const d: Distribution = { kind: 'logint', low: 1, high: 3 };
    const counts = new Uint32Array(4);
    for (let i = 0; i < 10_000; i++)
      counts[valueAt(d, i / 10_000) as number] = (counts[valueAt(d, i / 10_000) as number] ?? 0) + 1;
    // log((k + 1/2) / (k - 1/2)) / log(7)
    const shares = [1, 2, 3].map((k) => Math.log((k + 0.5) / (k - 0.5)) / Math.log(7));
    for (const [i, share] of shares.entries()) expect((counts[i + 1] as number) / 10_000).toBeCloseTo(share, 3);
  });

  test('steps are written as people write them', () => {
    const d: Distribution = { kind: 'uniform', low: 0.1, high: 0.5, step: 0.1 };
    expect(gridValues(d)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(valueAt(d, 0.5)).toBe(0.3);
  });
});

describe('grid', () => {
  test('takes every combination, the last axis fastest', () => {
    const space: SpaceAxis[] = [
      { path: 'a', distribution: { kind: 'choice', values: ['x', 'y'] } },
      { path: 'b', distribution: { kind: 'int', low: 1, high: 3 } },
    ];
    expect(
      sampleTrials(space, { use: 'grid' }, 1).map(({ index, params }) => [index, params['a'], params['b']]),
    ).toEqual([
      [0, 'x', 1],
      [1, 'x', 2],
      [2, 'x', 3],
      [3, 'y', 1],
      [4, 'y', 2],
      [5, 'y', 3],
    ]);
  });

  test('takes even points of a range, in the logarithm where it is one', () => {
    expect(gridValues({ kind: 'uniform', low: 0, high: 1, steps: 5 })).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(gridValues({ kind: 'loguniform', low: 1e-4, high: 1e-2, steps: 3 })).toEqual([1e-4, 1e-3, 1e-2]);
    expect(gridValues({ kind: 'logint', low: 1, high: 64, steps: 4 })).toEqual([1, 4, 16, 64]);
    expect(gridValues({ kind: 'int', low: 1, high: 3, steps: 9 })).toEqual([1, 2, 3]);
    expect(gridValues({ kind: 'uniform', low: 0, high: 1 })).toBeUndefined();
  });

  test('gridSize counts what gridValues gives', () => {
    const range = fc.record({
      kind: fc.constantFrom('uniform' as const, 'loguniform' as const, 'int' as const, 'logint' as const),
      low: fc.integer({ min: 1, max: 10 }),
      high: fc.integer({ min: 11, max: 40 }),
      steps: fc.integer({ min: 2, max: 12 }),
    });
    fc.assert(
      fc.property(range, (d) => {
        expect(gridSize(d)).toBe(gridValues(d)?.length);
      }),
    );
    expect(gridSize({ kind: 'int', low: 1, high: 9, step: 2 })).toBe(5);
  });
});

describe('sampleTrials', () => {
  const space: SpaceAxis[] = [
    { path: 'learningRate', distribution: { kind: 'loguniform', low: 1e-4, high: 1e-2 } },
    { path: 'hidden', distribution: { kind: 'choice', values: [[8], [16, 8]] } },
    { path: 'epochs', distribution: { kind: 'int', low: 1, high: 50 } },
  ];

  test.each(['random', 'sobol'] as const)('%s: equal seeds give equal trials, and more trials extend them', (use) => {
    const few = sampleTrials(space, { use, trials: 8 }, 42);
    expect(sampleTrials(space, { use, trials: 8 }, 42)).toEqual(few);
    expect(sampleTrials(space, { use, trials: 32 }, 42).slice(0, 8)).toEqual(few);
    expect(sampleTrials(space, { use, trials: 8 }, 43)).not.toEqual(few);
    expect(few.map((trial) => trial.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(Object.keys(few[0]?.params ?? {})).toEqual(['learningRate', 'hidden', 'epochs']);
  });

  test('random: an axis more changes no other axis', () => {
    const some = sampleTrials(space.slice(0, 2), { use: 'random', trials: 5 }, 1);
    const more = sampleTrials([space[2] as SpaceAxis, ...space.slice(0, 2)], { use: 'random', trials: 5 }, 1);
    expect(more.map((trial) => trial.params['learningRate'])).toEqual(
      some.map((trial) => trial.params['learningRate']),
    );
  });

  test('is the same on every machine', () => {
    const text = JSON.stringify(sampleTrials(space, { use: 'sobol', trials: 64 }, 42));
    expect(createHash('sha256').update(text).digest('hex')).toBe(
      '77119aeac23715e81724d22a1845354163580b5b2720362e2e50116d72260ac8',
    );
  });
});
