import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combinations, countCombinations, pathsOf } from '../../src/evaluation/combinatorial.ts';
import { SET } from '../../src/evaluation/hold-out.ts';
import { checkSplits } from '../../src/evaluation/leaks.ts';
import { equalBlocks, type SplitOptions, splitRows } from '../../src/evaluation/split.ts';
import { makeRng } from '../../src/random/rng.ts';
import { shared, vectors, whyNoShared } from '../support/shared.ts';

const options = (folds: number, testBlocks: number, embargo = 0): SplitOptions => ({
  scheme: 'combinatorial-purged',
  folds,
  testBlocks,
  validationFraction: 0,
  purge: true,
  embargo,
  disjointGroups: false,
  minTrainRows: 1,
  minTestRows: 1,
});

/** Training rows and the tested blocks of every fold, for one row a moment whose label takes `horizon` moments. */
function split(count: number, blocks: number, testBlocks: number, horizon: number, embargo: number): unknown {
  const time = Array.from({ length: count }, (_, i) => i);
  const rows = { count, time, labelEnd: time.map((t) => t + horizon) };
  const folds = splitRows(rows, options(blocks, testBlocks, embargo), makeRng('unused'));
  const from = equalBlocks(time, blocks);
  return folds.map((fold, f) => [
    time.filter((row) => fold[row] === SET.train),
    (combinations(blocks, testBlocks)[f] as number[]).map((b) =>
      time.filter((row) => fold[row] === SET.test && row >= (from[b] as number) && row < (from[b + 1] as number)),
    ),
  ]);
}

describe('combinatorial purged cross-validation', () => {
  it('tests every choice of blocks, purged on both sides of each', () => {
    // Label spans of one step take one row before and one after each block.
    expect(split(12, 3, 2, 1, 0)).toEqual([
      [
        [9, 10, 11],
        [
          [0, 1, 2, 3],
          [4, 5, 6, 7],
        ],
      ],
      [
        [5, 6],
        [
          [0, 1, 2, 3],
          [8, 9, 10, 11],
        ],
      ],
      [
        [0, 1, 2],
        [
          [4, 5, 6, 7],
          [8, 9, 10, 11],
        ],
      ],
    ]);
  });

  // skfolio purges by a number of rows: a label span of as many steps is the same rule.
  it.skipIf(shared === undefined)(`agrees with skfolio's indices (${whyNoShared})`, () => {
    const found = vectors('cv_walkforward').filter(({ id }) => id.startsWith('skf_cpcv'));
    expect(found.length).toBeGreaterThanOrEqual(2);
    for (const { input, expected } of found) {
      const { n, n_folds, n_test_folds, purged_size, embargo_size } = input as Record<string, number>;
      expect(
        split(n as number, n_folds as number, n_test_folds as number, purged_size as number, embargo_size as number),
      ).toEqual(expected);
    }
  });

  it('keeps what it promises on any panel, and the checks agree', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 6 }),
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        (blocks, testBlocks, horizon, embargo) => {
          const dates = 24 * blocks;
          const time = Array.from({ length: 2 * dates }, (_, i) => i >> 1);
          const rows = { count: time.length, time, labelEnd: time.map((t) => t + horizon) };
          const folds = splitRows(
            rows,
            { ...options(blocks, testBlocks, embargo), validationFraction: 0.2 },
            makeRng(1),
          );
          expect(folds).toHaveLength(countCombinations(blocks, testBlocks));
          const checks = checkSplits(rows, folds, { ...options(blocks, testBlocks), validationFraction: 0.2 });
          expect(checks.find(({ name }) => name === 'Label overlap')?.verdict).toBe('pass');
          let met = 0;
          for (const fold of folds)
            for (let a = 0; a < time.length; a++)
              for (let b = 0; b < time.length && fold[a] === SET.train; b++) {
                const [s, t] = [time[a] as number, time[b] as number];
                if (fold[b] === SET.test && s + horizon >= t && s <= t + horizon) met++;
              }
          expect(met).toBe(0);
          // Every row is tested as often as its block is chosen.
          time.forEach((_, row) => {
            expect(folds.filter((fold) => fold[row] === SET.test)).toHaveLength(
              countCombinations(blocks - 1, testBlocks - 1),
            );
          });
          // A longer horizon or embargo never adds a training row.
          const more = splitRows(
            { ...rows, labelEnd: time.map((t) => t + horizon + 1) },
            options(blocks, testBlocks, embargo + 1),
            makeRng(1),
          );
          const less = splitRows(rows, options(blocks, testBlocks, embargo), makeRng(1));
          const added = more.map((fold, f) =>
            fold.reduce((sum, set, row) => sum + Number(set === SET.train && less[f]?.[row] !== SET.train), 0),
          );
          expect(added).toEqual(more.map(() => 0));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('strings the tests together into paths that use each tested block once', () => {
    // Lopez de Prado's example: 6 blocks, 2 tested: 15 folds, 5 paths.
    const paths = pathsOf(6, 2);
    expect(combinations(6, 2)).toHaveLength(15);
    expect(paths).toHaveLength(5);
    expect(paths[0]).toEqual([0, 0, 1, 2, 3, 4]);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 4 }), (n, k) => {
        fc.pre(k < n);
        const folds = combinations(n, k);
        const used = new Set<string>();
        for (const path of pathsOf(n, k))
          path.forEach((fold, block) => {
            expect(folds[fold]).toContain(block);
            expect(used.has(`${fold} ${block}`)).toBe(false);
            used.add(`${fold} ${block}`);
          });
        expect(used.size).toBe(folds.length * k);
      }),
    );
  });

  it.each([
    [3, 3],
    [3, 0],
  ])('refuses %i blocks of which %i test', (n, k) => {
    expect(() => combinations(n, k)).toThrow(/at least one block must test and one must train/);
  });
});
