import { describe, expect, it } from 'vitest';
import { type SelectionOptions, select } from '../../src/projections/selection.ts';
import { makeRng } from '../../src/random/rng.ts';
import type { Frame } from '../../src/tables/frame.ts';

const day = (n: number): number => Date.UTC(2025, 0, n);

/** Wallets a, b, c on 1 and 5 January. */
function frameOf(edge: number[], trades: number[] = [1, 2, 3, 4, 5, 6]): Frame {
  return {
    rows: 6,
    columns: [
      {
        name: 'wallet',
        role: 'id',
        type: 'category',
        labels: ['a', 'b', 'c'],
        codes: Int32Array.from([0, 1, 2, 0, 1, 2]),
      },
      {
        name: 'asOf',
        role: 'time',
        type: 'number',
        values: Float64Array.from([day(1), day(1), day(1), day(5), day(5), day(5)]),
      },
      { name: 'edge', role: 'feature', type: 'number', values: Float64Array.from(edge) },
      { name: 'trades', role: 'feature', type: 'number', values: Float32Array.from(trades) },
      { name: 'kind', role: 'info', type: 'category', labels: ['x'], codes: new Int32Array(6) },
    ],
  };
}

const frame = frameOf([1, 2, 3, 4, 5, 9]);
const options: SelectionOptions = { asOf: 'last', maxRows: 100, features: undefined, standardize: false };
const chosen = (change: Partial<SelectionOptions>, from = frame) => select(from, { ...options, ...change }, makeRng(1));

describe('select', () => {
  it('takes the rows of the last time, of all, or the newest known at a time', () => {
    expect([...chosen({}).rows]).toEqual([3, 4, 5]);
    expect(chosen({}).moment).toBe(day(5));
    expect([...chosen({ asOf: 'all' }).rows]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(chosen({ asOf: 'all' }).moment).toBeUndefined();
    expect([...chosen({ asOf: '2025-01-01' }).rows]).toEqual([0, 1, 2]);
    expect(chosen({ asOf: '2025-01-01' }).notes.join()).not.toContain('newest');
    const between = chosen({ asOf: '2025-01-04T12:00:00Z' });
    expect([...between.rows]).toEqual([0, 1, 2]);
    expect(between.notes).toContain('The newest rows known at 2025-01-04T12:00:00Z are those of 2025-01-01.');
    expect(() => chosen({ asOf: '2024-12-31' })).toThrow('no row was known by then');
  });

  it('says when the last time has hardly any rows', () => {
    expect(chosen({}).notes).toContain('Only 3 of 6 rows are of 2025-01-05; `asOf: all` takes every row.');
  });

  it('fills gaps with the mean of the rows shown and counts them', () => {
    const gaps = chosen({}, frameOf([1, 2, 3, 4, NaN, 9]));
    expect([...gaps.matrix.values]).toEqual([4, 4, 6.5, 5, 9, 6]);
    expect(gaps.imputed).toBe(1);
    expect(gaps.notes).toContain('1 missing values (of 6) stand at the mean of their column over these rows: edge 1.');
    expect(chosen({}).imputed).toBe(0);
  });

  it('leaves out a column without any value, and refuses if none is left', () => {
    const empty = chosen({}, frameOf([1, 2, 3, NaN, NaN, NaN]));
    expect(empty.features).toEqual(['trades']);
    expect(empty.notes).toContain('Left out, as no row has a value: edge.');
    expect(() => chosen({ features: ['edge'] }, frameOf([1, 2, 3, NaN, NaN, NaN]))).toThrow('no feature has a value');
  });

  it('refuses infinities by column, row and time', () => {
    expect(() => chosen({}, frameOf([1, 2, 3, 4, -Infinity, 6]))).toThrow(
      'column "edge" is -Infinity in the row of wallet "b" at 2025-01-05',
    );
    // Rows that are not shown do no harm.
    expect(chosen({}, frameOf([Infinity, 2, 3, 4, 5, 6])).rows.length).toBe(3);
  });

  it('refuses categories and unknown names', () => {
    expect(() => chosen({ features: ['kind'] })).toThrow('feature "kind" holds categories');
    expect(() => chosen({ features: ['egde'] })).toThrow('no column "egde"');
  });

  it('draws a seeded sample, in order, and says so', () => {
    const sample = chosen({ asOf: 'all', maxRows: 4 });
    expect(sample.rows.length).toBe(4);
    expect([...sample.rows]).toEqual([...sample.rows].sort((a, b) => a - b));
    expect(chosen({ asOf: 'all', maxRows: 4 }).rows).toEqual(sample.rows);
    const others = new Set(
      Array.from({ length: 20 }, (_, seed) =>
        select(frame, { ...options, asOf: 'all', maxRows: 4 }, makeRng(seed)).rows.join(),
      ),
    );
    expect(others.size).toBeGreaterThan(5);
    expect(sample.notes).toContain('A random sample of 4 of 6 rows is shown (`maxRows`).');
  });

  it('standardises over the rows shown', () => {
    const { matrix } = chosen({ standardize: true, features: ['trades'] });
    expect(matrix.values[1]).toBeCloseTo(0, 12);
    expect(matrix.values[2]).toBeCloseTo(Math.sqrt(1.5), 12);
  });

  it('does without a time column for last and all only', () => {
    const timeless: Frame = { rows: 6, columns: frame.columns.filter(({ role }) => role !== 'time') };
    expect(chosen({}, timeless).rows.length).toBe(6);
    expect(() => chosen({ asOf: '2025-01-01' }, timeless)).toThrow('no column of role time');
    expect(() => chosen({}, { rows: 0, columns: timeless.columns })).toThrow('no rows');
  });
});
