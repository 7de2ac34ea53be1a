import { describe, expect, it } from 'vitest';
import type { Target } from '../../../src/models/boosting/fold.ts';
import {
  affordableRows,
  drawRows,
  permutationImportance,
  permutationLoss,
  summarise,
} from '../../../src/models/boosting/importance.ts';
import { readQueries } from '../../../src/models/boosting/queries.ts';
import { makeRng } from '../../../src/random/rng.ts';

const rng = (purpose: string) => makeRng('importance', purpose);

describe('importance by permutation', () => {
  const x = Float64Array.from({ length: 500 }, (_, i) => i % 2);
  const noise = Float64Array.from(x, (_, i) => (i * 37) % 100);
  /** A model that knows x and nothing else: its loss is the share of rows where it is wrong. */
  const lossOf = (columns: readonly ArrayLike<number>[]): number =>
    x.reduce((sum, value, i) => sum + Number(columns[0]?.[i] !== value), 0) / x.length;

  it('is what the loss rises by when a feature is shuffled, and 0 where the model does not look', () => {
    const { loss, rises } = permutationImportance([x, noise], ['x', 'noise'], lossOf, 20, rng);
    expect(loss).toBe(0);
    const found = rises.get('x') as number[];
    expect(found).toHaveLength(20);
    // Half of the shuffled values are right by chance: 0.5 with a standard error of 0.005 over 20 shuffles.
    expect(found.reduce((a, b) => a + b, 0) / 20).toBeCloseTo(0.5, 1);
    expect(new Set(found).size).toBeGreaterThan(3);
    expect(rises.get('noise')).toEqual(new Array(20).fill(0));
  });

  it('is the same for the same seed, whatever other features there are, and leaves the columns as they were', () => {
    const before = x.slice();
    const both = permutationImportance([x, noise], ['x', 'noise'], lossOf, 3, rng);
    const one = permutationImportance([x], ['x'], lossOf, 3, rng);
    expect(both.rises.get('x')).toEqual(one.rises.get('x'));
    expect(x).toEqual(before);
  });
});

describe('the loss that permutations raise', () => {
  const target = (objective: Target['objective'], values: number[], classes: string[] = []): Target => ({
    name: 't',
    objective,
    values: Float64Array.from(values),
    classes,
  });
  const rows = Uint32Array.of(2, 0);

  it('by hand', () => {
    expect(permutationLoss(target('binary', [1, 9, 0]), rows, Float32Array.of(0.5, 0.75))).toBe((0.25 + 0.0625) / 2);
    expect(permutationLoss(target('regression', [1, 9, 4]), rows, Float32Array.of(1, 5))).toBe(Math.sqrt(25 / 2));
    const classes = target('multiclass', [1, 0, 0], ['a', 'b']);
    expect(permutationLoss(classes, rows, Float32Array.of(0.5, 0.5, 1, 0))).toBe((0.5 + 2) / 2);
    const queries = readQueries(
      { rows: 3, columns: [{ name: 'q', role: 'info', type: 'number', values: new Float64Array(3) }] },
      'q',
    );
    const ranking = { queries, top: undefined };
    expect(permutationLoss(target('ranking', [1, 0, 0]), rows, Float32Array.of(1, 2), ranking)).toBe(0);
    expect(permutationLoss(target('ranking', [1, 0, 0]), rows, Float32Array.of(2, 1), ranking)).toBeCloseTo(
      1 - 1 / Math.log2(3),
      14,
    );
  });
});

describe('SHAP values', () => {
  it('are averaged without sign, over rows and classes, and must sum to the margin', () => {
    // One row, two outputs, two features and the bias.
    const values = Float32Array.of(1, -2, 0.5, -3, 0, 0.25);
    const found = summarise(['x', 'y'], values, Float32Array.of(-0.5, -2.75), 1);
    expect([...found.mean]).toEqual([
      ['x', 4],
      ['y', 2],
    ]);
    expect(found.error).toBe(0);
    expect(() => summarise(['x', 'y'], values, Float32Array.of(-0.5, -2.7), 1)).toThrow(/SHAP values of a row sum to/);
    expect(() => summarise(['x', 'y'], values, Float32Array.of(Number.NaN, -2.75), 1)).toThrow(/its margin is NaN/);
  });

  it('are measured on fewer rows where trees are large', () => {
    expect(affordableRows(2000, 4500, 4)).toBe(2000);
    expect(affordableRows(2000, 100_000, 20)).toBe(50);
    expect(affordableRows(2000, 1e12, 20)).toBe(1);
    expect(affordableRows(2000, 0, 4)).toBe(2000);
  });
});

describe('rows for importance', () => {
  const rows = Uint32Array.from({ length: 40 }, (_, i) => 3 * i);

  it('are all, or as many as asked for, in order', () => {
    expect(drawRows(rows, 40, rng('a'))).toBe(rows);
    const drawn = drawRows(rows, 10, rng('a'));
    expect(drawn).toEqual(drawRows(rows, 10, rng('a')));
    expect(new Set(drawn).size).toBe(10);
    expect([...drawn]).toEqual([...drawn].sort((a, b) => a - b));
    expect(rows).toContain(drawn[0]);
    expect(drawn).not.toEqual(rows.subarray(0, 10));
  });

  it('are whole queries where rows are ranked, at least one', () => {
    const values = Float64Array.from({ length: 120 }, (_, i) => i % 4);
    const queries = readQueries({ rows: 120, columns: [{ name: 'q', role: 'info', type: 'number', values }] }, 'q');
    const drawn = drawRows(rows, 25, rng('b'), queries);
    expect(drawn).toHaveLength(20);
    expect(new Set([...drawn].map((row) => row % 4)).size).toBe(2);
    expect(drawRows(rows, 3, rng('b'), queries)).toHaveLength(10);
  });
});
