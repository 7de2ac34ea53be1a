import { beforeAll, describe, expect, it } from 'vitest';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { makeRng } from '../../src/random/rng.ts';
import { buildKernels } from '../support/kernels.ts';

beforeAll(buildKernels);

/** Rows in many columns, where an exact search looks at nearly all leaves. */
const matrix = (() => {
  const [rows, columns] = [3000, 30];
  const rng = makeRng('approximate');
  const centres = Array.from({ length: 12 * columns }, () => 2 * rng.normal());
  const values = Float64Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    return (centres[(row % 12) * columns + (i % columns)] as number) + rng.normal();
  });
  return { rows, columns, values };
})();
const K = 10;
const exact = nearestNeighbours(matrix, K);

const searched = (mostLeaves: number, k = K) => nearestNeighbours(matrix, k, undefined, undefined, mostLeaves);

/** Share of the true neighbours that were found. */
function recall(found: Int32Array): number {
  let hits = 0;
  for (let row = 0; row < matrix.rows; row++) {
    const truth = new Set(exact.indices.subarray(row * K, (row + 1) * K));
    for (const one of found.subarray(row * K, (row + 1) * K)) if (truth.has(one)) hits++;
  }
  return hits / (matrix.rows * K);
}

describe('an approximate search', () => {
  it('finds more the more leaves it looks at, and with all of them everything', () => {
    const shares = [1, 4, 8].map((leaves) => recall(searched(leaves).indices));
    expect(shares[0]).toBeGreaterThan(0.2);
    expect(shares[1]).toBeGreaterThan(shares[0] as number);
    expect(shares[2]).toBeGreaterThan(shares[1] as number);
    expect(searched(1000)).toEqual(exact);
  });

  it('repeats, gives true distances in order, and never the row itself', () => {
    const found = searched(3);
    expect(searched(3)).toEqual(found);
    for (let row = 0; row < matrix.rows; row += 37)
      for (let rank = 0; rank < K; rank++) {
        const at = row * K + rank;
        const other = found.indices[at] as number;
        expect(other).not.toBe(row);
        let squared = 0;
        for (let c = 0; c < matrix.columns; c++)
          squared +=
            ((matrix.values[row * matrix.columns + c] as number) -
              (matrix.values[other * matrix.columns + c] as number)) **
            2;
        expect(found.squared[at]).toBeCloseTo(squared, 9);
        if (rank > 0) expect(found.squared[at]).toBeGreaterThanOrEqual(found.squared[at - 1] as number);
      }
  });

  it('looks at leaves enough for many neighbours', () => {
    const { indices } = searched(1, 700);
    expect(indices.every((index) => index >= 0 && index < matrix.rows)).toBe(true);
    expect(new Set(indices.subarray(0, 700)).size).toBe(700);
  });
});
