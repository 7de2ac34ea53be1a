import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Matrix } from '../../src/projections/matrix.ts';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { blasProducts } from '../../src/projections/openblas-products.ts';
import { makeRng } from '../../src/random/rng.ts';
import { buildKernels, noOpenblas, theOpenblas } from '../support/kernels.ts';
import { neighboursByOracle } from './neighbours-oracle.ts';

beforeAll(buildKernels);

function expectExact(matrix: Matrix, k: number): void {
  const found = nearestNeighbours(matrix, k);
  const expected = neighboursByOracle(matrix, k);
  expect(found.indices).toEqual(expected.indices);
  expect(found.squared).toEqual(expected.squared);
}

function generated(rows: number, columns: number, value: (row: number, column: number) => number): Matrix {
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let c = 0; c < columns; c++) values[i * columns + c] = value(i, c);
  return { rows, columns, values };
}

describe('neighbours and the plain search agree in every index and every bit of a distance', () => {
  const shape = fc.record({
    rows: fc.integer({ min: 2, max: 700 }),
    columns: fc.integer({ min: 1, max: 9 }),
    k: fc.nat(),
    seed: fc.nat(),
  });

  it('for numbers of any size side by side', () => {
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom(0, 3, 12, 60, 140),
        fc.constantFrom(0, 1e9),
        ({ rows, columns, k, seed }, spread, offset) => {
          const rng = makeRng('sizes', seed);
          const sizes = Array.from({ length: columns }, () => 10 ** (spread * (rng.uniform() - 0.5) * 2));
          const matrix = generated(rows, columns, (_, c) => offset + (sizes[c] as number) * rng.normal());
          expectExact(matrix, 1 + (k % Math.min(40, rows - 1)));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('where most distances tie, and where most rows are equal', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 4 }), ({ rows, columns, k, seed }, levels) => {
        const rng = makeRng('ties', seed);
        const matrix = generated(rows, columns, () => Math.floor(levels * rng.uniform()) / 3);
        expectExact(matrix, 1 + (k % Math.min(60, rows - 1)));
      }),
      { numRuns: 25 },
    );
  });

  it('where single precision cannot tell rows apart', () => {
    // One row far away sets the scale; the rest differ in the tenth digit, or by less than can be told.
    for (const size of [1e-5, 1e-10]) {
      const rng = makeRng('near', size);
      const near = generated(1500, 3, (row, c) => (row === 7 ? 1000 + c : 1 + size * rng.normal()));
      expectExact(near, 11);
      const two = generated(1000, 4, (row) => (row % 2) * 10 + size * Math.round(3 * rng.normal()));
      expectExact(two, 25);
    }
  });

  it('for numbers whose squares are at the ends of double precision', () => {
    for (const size of [1e-300, 1e-160, 1e-140, 1e140, 1e150]) {
      const rng = makeRng('ends', size);
      expectExact(
        generated(700, 3, () => size * rng.normal() * 0.1),
        9,
      );
    }
  });

  it('with one column, constant columns, all rows equal, and all other rows as neighbours', () => {
    const rng = makeRng('shapes');
    expectExact(
      generated(1200, 1, () => rng.normal()),
      30,
    );
    expectExact(
      generated(800, 4, (_, c) => (c === 2 ? rng.normal() : 5)),
      6,
    );
    expectExact(
      generated(900, 3, () => 0.1),
      12,
    );
    expectExact(
      generated(300, 60, () => rng.normal()),
      299,
    );
    expectExact(
      generated(400, 2, (row) => (row < 395 ? -0 : row)),
      3,
    );
    expectExact(
      generated(2, 1, (row) => row),
      1,
    );
  });

  it.skipIf(noOpenblas !== undefined)('when OpenBLAS does the products', () => {
    const rng = makeRng('products');
    const matrix = generated(1500, 20, (row) => (row % 3) * 4 + rng.normal());
    expect(nearestNeighbours(matrix, 15, undefined, blasProducts(theOpenblas()))).toEqual(
      nearestNeighbours(matrix, 15),
    );
  });

  it('in many columns and over many leaves', () => {
    const rng = makeRng('many');
    expectExact(
      generated(2000, 25, (row) => (row % 5) * 3 + rng.normal()),
      40,
    );
  });
});
