import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjustedRandIndex } from '../../../src/models/clusters/agreement.ts';
import { dbscan, kneeOf } from '../../../src/models/clusters/dbscan.ts';
import { dbscanModel, parseDbscan, predictDbscan } from '../../../src/models/clusters/dbscan-model.ts';
import { fitSpace, type Points, toSpace } from '../../../src/models/feature-space.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { columnsOf } from '../../../src/tables/frame.ts';
import { blobs, frameOf, reordered } from '../blobs.ts';

const line = (...values: number[]): Points => ({ rows: values.length, columns: 1, values: Float64Array.from(values) });

/** The definition, by looking at all pairs: components of core rows, then borders to the first of them. */
function byDefinition({ rows, columns, values }: Points, eps: number, minPoints: number): number[] {
  const near = (i: number, j: number): boolean => {
    let sum = 0;
    for (let c = 0; c < columns; c++)
      sum += ((values[i * columns + c] as number) - (values[j * columns + c] as number)) ** 2;
    return sum <= eps * eps;
  };
  const all = Array.from({ length: rows }, (_, i) => i);
  const core = all.map((i) => all.filter((j) => near(i, j)).length >= minPoints);
  const labels = all.map(() => -1);
  let clusters = 0;
  for (const i of all) {
    if (!core[i] || labels[i] !== -1) continue;
    const label = clusters++;
    labels[i] = label;
    for (let grown = true; grown; ) {
      grown = false;
      for (const a of all)
        for (const b of all)
          if (core[a] && labels[a] === label && core[b] && labels[b] === -1 && near(a, b)) {
            labels[b] = label;
            grown = true;
          }
    }
  }
  return all.map((i) => {
    if (labels[i] !== -1) return labels[i] as number;
    const around = all.filter((j) => core[j] && near(i, j)).map((j) => labels[j] as number);
    return around.length === 0 ? -1 : Math.min(...around);
  });
}

describe('DBSCAN', () => {
  it('finds the clusters of a line that can be told by hand; eps is inclusive', () => {
    const { labels, core, clusters } = dbscan(line(0, 1, 2, 3.5, 10, 11, 12, 50), 1, 3);
    expect([...labels]).toEqual([0, 0, 0, -1, 1, 1, 1, -1]);
    expect([...core]).toEqual([0, 1, 0, 0, 0, 1, 0, 0]);
    expect(clusters).toBe(2);
  });

  it('gives a row between two clusters to the first', () => {
    // 2 lies within 1 of the cores 1 and 3, and has itself too few neighbours for 4.
    const points = line(0, 0.5, 1, 2, 3, 3.5, 4, 0.7, 3.2);
    const { labels, core } = dbscan(points, 1, 4);
    expect(core[3]).toBe(0);
    expect(labels[3]).toBe(0);
    const back = reordered(points, [8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(dbscan(back, 1, 4).labels[5]).toBe(0);
  });

  it('is what the definition says', () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 1, 1.5, 2),
        fc.integer({ min: 1, max: 5 }),
        (rows, eps, minPoints) => {
          const points = { rows: rows.length, columns: 2, values: Float64Array.from(rows.flat()) };
          expect([...dbscan(points, eps, minPoints).labels]).toEqual(byDefinition(points, eps, minPoints));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds three blobs and the same partition in any order of rows', () => {
    const points = blobs(
      [
        [0, 0],
        [12, 0],
        [0, 12],
      ],
      240,
    );
    const { labels, clusters } = dbscan(points, 1.2, 5);
    expect(clusters).toBe(3);
    const order = makeRng(2).shuffle(Array.from({ length: 240 }, (_, i) => i));
    const again = dbscan(reordered(points, order), 1.2, 5).labels;
    expect(
      adjustedRandIndex(
        order.map((row) => labels[row] as number),
        again,
      ),
    ).toBe(1);
  });

  it('stops when asked', () => {
    const stop = (): void => {
      throw new Error('stopped');
    };
    expect(() => dbscan(line(1, 2), 1, 2, stop)).toThrow('stopped');
  });

  it('finds the bend of a curve', () => {
    expect(kneeOf(Float64Array.of(1, 1.1, 1.2, 1.3, 5, 9))).toBe(3);
    expect(kneeOf(Float64Array.of(2, 2, 2))).toBe(2);
    expect(kneeOf(Float64Array.of(4))).toBe(0);
  });

  it('writes a model that places the rows as the fit did, and refuses other columns', () => {
    const points = blobs(
      [
        [0, 0],
        [5, 5],
      ],
      120,
    );
    const frame = frameOf(points, undefined);
    const space = fitSpace(columnsOf(frame, 'feature'), points, true);
    const scaled = toSpace(space, points);
    const density = dbscan(scaled, 0.25, 6);
    const text = JSON.stringify(dbscanModel(space, scaled, density, { eps: 0.25, minPoints: 6 }));
    const model = parseDbscan(text);
    expect(density.labels.includes(-1)).toBe(true);
    expect(predictDbscan(model, frame)).toEqual(density.labels);
    const fewer = { rows: frame.rows, columns: frame.columns.filter(({ name }) => name !== 'f1') };
    expect(() => predictDbscan(model, fewer)).toThrow('the frame lacks f1');
    expect(() => parseDbscan(JSON.stringify({ ...model, clusters: [0] }))).toThrow('or no cluster');
    expect(() => parseDbscan('{}')).toThrow('no DBSCAN model: schema');
  });
});
