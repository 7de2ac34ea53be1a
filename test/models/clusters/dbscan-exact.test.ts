import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { dbscan } from '../../../src/models/clusters/dbscan.ts';
import { dbscanModel, predictDbscan } from '../../../src/models/clusters/dbscan-model.ts';
import { squaredDistance } from '../../../src/models/clusters/k-means.ts';
import { fitSpace, type Points } from '../../../src/models/feature-space.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { columnsOf } from '../../../src/tables/frame.ts';
import { buildKernels } from '../../support/kernels.ts';
import { frameOf } from '../blobs.ts';
import { dbscanByOracle } from './dbscan-oracle.ts';

beforeAll(buildKernels);

function generated(rows: number, columns: number, value: (row: number, column: number) => number): Points {
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let c = 0; c < columns; c++) values[i * columns + c] = value(i, c);
  return { rows, columns, values };
}

/** The distance of two rows, so that rounding decides whether they are within eps; or a little more or less. */
function epsFrom({ rows, columns, values }: Points, pick: number, factor: number): number {
  const [i, j] = [pick % rows, (pick * 7 + 1) % rows];
  return Math.sqrt(squaredDistance(values, i * columns, values, j * columns, columns)) * factor;
}

function expectExact(points: Points, eps: number, minPoints: number): void {
  expect(dbscan(points, eps, minPoints)).toEqual(dbscanByOracle(points, eps, minPoints));
}

describe('DBSCAN and the plain search agree in every label and every core row', () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 600 }),
    columns: fc.integer({ min: 1, max: 5 }),
    minPoints: fc.integer({ min: 1, max: 12 }),
    pick: fc.nat({ max: 10_000 }),
    factor: fc.constantFrom(0.05, 0.2, 1, 1 - 1e-15, 1 + 1e-15, 1.0000001),
    seed: fc.nat(),
  });

  it('for rows in heaps of several densities, eps a distance that occurs', () => {
    fc.assert(
      fc.property(shape, fc.constantFrom(0, 1e7), ({ rows, columns, minPoints, pick, factor, seed }, offset) => {
        const rng = makeRng('heaps', seed);
        const points = generated(rows, columns, (row) => offset + (row % 6) * 4 + (1 + (row % 3)) * 0.4 * rng.normal());
        expectExact(points, epsFrom(points, pick, factor), minPoints);
      }),
      { numRuns: 30 },
    );
  });

  it('on lattices, where most distances are exactly eps', () => {
    fc.assert(
      fc.property(shape, ({ rows, columns, minPoints, pick, factor, seed }) => {
        const rng = makeRng('lattice', seed);
        const points = generated(rows, columns, () => Math.floor(9 * rng.uniform()) * 0.1);
        expectExact(points, epsFrom(points, pick, factor), minPoints);
      }),
      { numRuns: 30 },
    );
  });

  it('for chains through many leaves, numbers at the ends of double precision, and eps from 0 to everything', () => {
    const chain = generated(1500, 2, (row, c) => (c === 0 ? ((row * 7919) % 1500) * 1.0001 : Math.floor(row / 750)));
    for (const eps of [0, 0.99, 1.0001, 1.1, 50, 1e9, 1e200]) expectExact(chain, eps, 3);
    const rng = makeRng('ends');
    for (const size of [1e-300, 1e-120, 1e120, 1e149]) {
      const points = generated(600, 3, () => Math.round(4 * rng.normal()) * size * 0.1);
      for (const eps of [0, size * 0.1, size * 0.3, 1]) expectExact(points, eps, 4);
    }
    const far = generated(900, 3, (row, c) => (row === 5 ? 1e12 + c : rng.normal()));
    for (const eps of [0.1, 0.5, 2]) expectExact(far, eps, 5);
    expectExact(
      generated(700, 2, () => 3),
      0,
      700,
    );
    expectExact(
      generated(700, 2, () => 3),
      0,
      701,
    );
  });

  it('refuses values without distances by column and row, and takes no rows as no clusters', () => {
    const points = generated(3, 2, (row, c) => (row === 1 && c === 1 ? NaN : row));
    expect(() => dbscan(points, 1, 2)).toThrow('column 1 is NaN in row 1');
    expect(
      dbscan(
        generated(0, 2, () => 0),
        1,
        2,
      ).clusters,
    ).toBe(0);
  });

  it('places new rows by the first cluster with a core row within eps', () => {
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom(0, 1e-3, 1, 1e18),
        ({ rows, columns, minPoints, pick, factor, seed }, move) => {
          const rng = makeRng('new rows', seed);
          const points = generated(rows, columns, (row) => (row % 4) + 0.2 * rng.normal());
          const eps = epsFrom(points, pick, factor);
          const density = dbscan(points, eps, minPoints);
          const space = fitSpace(columnsOf(frameOf(points, undefined), 'feature'), points, false);
          const model = dbscanModel(space, points, density, { eps, minPoints });
          const others = generated(
            100,
            columns,
            (row, c) => (points.values[(row % rows) * columns + c] as number) + move * rng.normal(),
          );
          const cores = [...density.core.keys()].filter((row) => density.core[row] === 1);
          const expected = Int32Array.from({ length: 100 }, (_, i) => {
            let label = -1;
            for (const [c, cluster] of model.clusters.entries())
              if (label < 0 || cluster < label)
                if (
                  squaredDistance(others.values, i * columns, points.values, (cores[c] as number) * columns, columns) <=
                  eps * eps
                )
                  label = cluster;
            return label;
          });
          expect(predictDbscan(model, frameOf(others, undefined))).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });
});
