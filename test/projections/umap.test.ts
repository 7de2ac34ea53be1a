import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { mapQuality } from '../../src/projections/quality.ts';
import { umap, umapDefaults } from '../../src/projections/umap.ts';
import { fitCurve } from '../../src/projections/umap-curve.ts';
import { fuzzyGraph } from '../../src/projections/umap-graph.ts';
import { umapJs } from '../../src/projections/umap-js.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs, matrixOf } from './support.ts';

describe('the curve of UMAP', () => {
  it('is that of the reference implementation', () => {
    // umap-learn's find_ab_params(spread, min_dist).
    for (const [minDist, spread, a, b] of [
      [0.1, 1, 1.57694346, 0.89506088],
      [0.5, 1, 0.58303, 1.33417],
    ] as const) {
      const curve = fitCurve(minDist, spread);
      expect(curve.a).toBeCloseTo(a, 5);
      expect(curve.b).toBeCloseTo(b, 5);
    }
  });

  it('is refused where it is none', () => {
    expect(() => fitCurve(4, 1)).toThrow('describe no curve');
    expect(() => fitCurve(0.1, 0)).toThrow('describe no curve');
  });
});

describe('the fuzzy graph', () => {
  it('gives the nearest weight 1 and rows the wanted sum before both directions are joined', () => {
    const matrix = blobs(80, 3, 1, 0);
    const k = 9;
    const neighbours = nearestNeighbours(matrix, k);
    const graph = fuzzyGraph(neighbours);
    for (let i = 0; i < 80; i++) {
      const edges = Array.from({ length: (graph.starts[i + 1] as number) - (graph.starts[i] as number) }, (_, e) => ({
        j: graph.targets[(graph.starts[i] as number) + e] as number,
        w: graph.weights[(graph.starts[i] as number) + e] as number,
      }));
      expect(edges.find(({ j }) => j === neighbours.indices[i * k])?.w).toBe(1);
      // a + b - ab is at least either: the sum over own neighbours is at least log2(k + 1).
      const own = new Set(neighbours.indices.subarray(i * k, (i + 1) * k));
      const sum = edges.filter(({ j }) => own.has(j)).reduce((total, { w }) => total + w, 0);
      expect(sum).toBeGreaterThan(Math.log2(k + 1) - 1e-4);
      for (const { j, w } of edges) {
        expect(w).toBeGreaterThanOrEqual(0);
        expect(w).toBeLessThanOrEqual(1);
        const back = Array.from(graph.targets.subarray(graph.starts[j], graph.starts[j + 1])).indexOf(i);
        expect(graph.weights[(graph.starts[j] as number) + back]).toBe(w);
      }
    }
  });
});

describe.each([
  ['fathom', umap, 0],
  ['umap-js', umapJs, 1],
] as const)('umap: %s', (_, layout, fewer) => {
  const quick = { ...umapDefaults, epochs: 150 };

  it('keeps blobs apart', async () => {
    const matrix = blobs(300, 8, 4, 6);
    const map = await layout(matrix, quick, makeRng(1));
    const nearest = nearestNeighbours({ rows: 300, columns: 2, values: map.points }, 1).indices;
    expect(nearest.filter((j, i) => j % 4 === i % 4).length).toBeGreaterThan(297);
    expect(mapQuality(matrix, map.points, 10, makeRng(1))?.trustworthiness).toBeGreaterThan(0.93);
    expect(map.notes).toEqual([]);
  });

  it('gives the same bytes for a seed', async () => {
    const matrix = blobs(80, 4, 3, 3);
    const points = async (seed: number) => (await layout(matrix, quick, makeRng(seed))).points;
    expect(await points(1)).toEqual(await points(1));
    expect(await points(1)).not.toEqual(await points(2));
  });

  it('refuses NaN by column and row', async () => {
    await expect(layout(matrixOf([[1], [NaN], [3], [4]]), quick, makeRng(1))).rejects.toThrow(
      '"column 0" is NaN in row 1',
    );
  });

  it('defines equal rows, few rows and small neighbourhoods', async () => {
    const equal = await layout(matrixOf(Array.from({ length: 20 }, () => [3, 4])), quick, makeRng(1));
    expect([...equal.points].every((x) => x === 0)).toBe(true);
    expect(equal.notes).toEqual(['All 20 rows are equal: they have no layout and stand at one point.']);
    expect([...(await layout(matrixOf([[3, 4]]), quick, makeRng(1))).points]).toEqual([0, 0]);
    const { points: two } = await layout(
      matrixOf([
        [0, 0],
        [3, 4],
      ]),
      quick,
      makeRng(1),
    );
    expect(Math.abs((two[0] as number) - (two[2] as number))).toBeCloseTo(5, 10);
    for (const rows of [4, 6]) {
      const few = await layout(blobs(rows, 3, 2, 2), quick, makeRng(1));
      expect(few.neighbours).toBe(rows - fewer);
      expect(few.notes).toEqual([
        `Neighbourhoods of 15 are too large for ${rows} rows: ${rows - fewer} were used instead.`,
      ]);
      expect(few.points.every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses a layout that ran away', async () => {
    const wild = { ...quick, learningRate: 1e308 };
    await expect(layout(blobs(50, 3, 2, 2), wild, makeRng(1))).rejects.toThrow('ran away');
  });

  it('lays out many duplicates', async () => {
    const matrix = blobs(120, 3, 2, 4);
    matrix.values.fill(0, 0, 60 * 3);
    const { points } = await layout(matrix, quick, makeRng(1));
    expect(points.every(Number.isFinite)).toBe(true);
  });
});

describe('our umap', () => {
  it('gives the same bytes on every machine, with any number of threads', async () => {
    const matrix = blobs(2500, 4, 3, 3);
    const options = { ...umapDefaults, epochs: 30 };
    const { points } = await umap(matrix, options, makeRng(1));
    expect((await umap(matrix, options, makeRng(1), { threads: 2 })).points).toEqual(points);
    // Recorded; it changes only with the method.
    expect(createHash('sha256').update(new Uint8Array(points.buffer)).digest('hex').slice(0, 16)).toMatchInlineSnapshot(
      `"23787a1cf9ce783b"`,
    );
  });
});
