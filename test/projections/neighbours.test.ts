import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs, matrixOf, rowsOf, tiedMatrix } from './support.ts';

/** Sorts all pairs: the definition. */
function byDefinition(matrix: ReturnType<typeof matrixOf>, k: number): number[] {
  const { rows, columns, values } = matrix;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: rows }, (_, j) => {
      let d = 0;
      for (let c = 0; c < columns; c++)
        d += ((values[i * columns + c] as number) - (values[j * columns + c] as number)) ** 2;
      return { j, d };
    })
      .filter(({ j }) => j !== i)
      .sort((a, b) => a.d - b.d || a.j - b.j)
      .slice(0, k)
      .map(({ j }) => j),
  ).flat();
}

describe('nearestNeighbours', () => {
  it('agrees with sorting all pairs, ties by index, duplicates included', () => {
    fc.assert(
      fc.property(tiedMatrix, fc.nat(), (matrix, pick) => {
        const k = 1 + (pick % (matrix.rows - 1));
        expect([...nearestNeighbours(matrix, k).indices]).toEqual(byDefinition(matrix, k));
      }),
      { numRuns: 60 },
    );
  });

  it('agrees in many dimensions and over many leaves', () => {
    const matrix = blobs(700, 12, 5, 3);
    const { indices, squared } = nearestNeighbours(matrix, 20);
    expect([...indices]).toEqual(byDefinition(matrix, 20));
    for (let i = 0; i < 700; i++)
      for (let r = 1; r < 20; r++)
        expect(squared[i * 20 + r] as number).toBeGreaterThanOrEqual(squared[i * 20 + r - 1] as number);
  });

  it('looks at leaves whose boxes are exactly as far as the worst neighbour', () => {
    // On a lattice most distances tie, also across leaves; the lowest index must win wherever it lies.
    const order = makeRng(4).shuffle(Int32Array.from({ length: 900 }, (_, i) => i));
    const lattice = matrixOf(Array.from(order, (place) => [place % 30, Math.floor(place / 30)]));
    for (const k of [3, 6, 14]) expect([...nearestNeighbours(lattice, k).indices]).toEqual(byDefinition(lattice, k));
  });

  it('does not depend on the order of the rows', () => {
    const matrix = blobs(300, 4, 3, 2);
    const plain = nearestNeighbours(matrix, 10);
    const order = makeRng(5).shuffle(Int32Array.from({ length: 300 }, (_, i) => i));
    const shuffled = nearestNeighbours(rowsOf(matrix, order), 10);
    for (let i = 0; i < 300; i++) {
      const own = order[i] as number;
      const found = Array.from(shuffled.indices.subarray(i * 10, i * 10 + 10), (j) => order[j]);
      expect(found).toEqual([...plain.indices.subarray(own * 10, own * 10 + 10)]);
      expect(shuffled.squared.subarray(i * 10, i * 10 + 10)).toEqual(plain.squared.subarray(own * 10, own * 10 + 10));
    }
  });

  it('refuses more neighbours than there are other rows', () => {
    const matrix = matrixOf([[0], [1], [2]]);
    expect(() => nearestNeighbours(matrix, 3)).toThrow('3 rows do not have 3 neighbours each');
    expect(() => nearestNeighbours(matrix, 0)).toThrow('do not have 0');
    expect([...nearestNeighbours(matrix, 2).indices]).toEqual([1, 2, 0, 2, 1, 0]);
    expect(() => nearestNeighbours(matrixOf([[5]]), 1)).toThrow('1 rows do not have 1 neighbours each');
  });

  it('refuses values without distances by column and row', () => {
    for (const bad of [NaN, Infinity, -1e151])
      expect(() =>
        nearestNeighbours(
          matrixOf([
            [0, 1],
            [1, 2],
            [3, bad],
          ]),
          1,
        ),
      ).toThrow(`column 1 is ${bad} in row 2`);
  });
});
