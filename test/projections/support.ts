import fc from 'fast-check';
import type { Matrix } from '../../src/projections/matrix.ts';
import { makeRng } from '../../src/random/rng.ts';

/** A matrix from rows of numbers. */
export function matrixOf(rows: readonly (readonly number[])[]): Matrix {
  return { rows: rows.length, columns: rows[0]?.length ?? 0, values: Float64Array.from(rows.flat()) };
}

/** Gaussian blobs a distance of `gap` apart; row i belongs to blob i % blobs. */
export function blobs(rows: number, columns: number, count: number, gap: number, seed = 1): Matrix {
  const rng = makeRng(seed, 'blobs');
  const centres = Float64Array.from({ length: count * columns }, () => gap * rng.normal());
  const values = Float64Array.from({ length: rows * columns }, (_, i) => {
    const blob = Math.floor(i / columns) % count;
    return (centres[blob * columns + (i % columns)] as number) + rng.normal();
  });
  return { rows, columns, values };
}

/** Matrices of whole numbers in few values, so that equal distances and equal rows occur often. */
export const tiedMatrix = fc
  .tuple(fc.integer({ min: 5, max: 200 }), fc.integer({ min: 1, max: 4 }), fc.integer())
  .map(([rows, columns, seed]): Matrix => {
    const rng = makeRng(seed);
    return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => rng.below(5)) };
  });

export function rowsOf({ rows, columns, values }: Matrix, order: ArrayLike<number>): Matrix {
  const out = new Float64Array(values.length);
  for (let i = 0; i < rows; i++)
    out.set(values.subarray((order[i] as number) * columns, ((order[i] as number) + 1) * columns), i * columns);
  return { rows, columns, values: out };
}
