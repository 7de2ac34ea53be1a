import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { mapQuality } from '../../src/projections/quality.ts';
import { umap, umapDefaults } from '../../src/projections/umap.ts';
import { attraction, fitCurve, repulsion } from '../../src/projections/umap-curve.ts';
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

  it('has forces that the table meets to 2e-4, and is safe at both ends', () => {
    const { a, b } = fitCurve(0.1, 1);
    const pull = attraction({ a, b });
    const push = repulsion({ a, b });
    for (let d = 1e-6; d < 1e5; d *= 1.37) {
      const exactPull = (-2 * a * b * d ** (b - 1)) / (1 + a * d ** b);
      const exactPush = (2 * b) / ((0.001 + d) * (1 + a * d ** b));
      expect(Math.abs(pull.at(d) / exactPull - 1)).toBeLessThan(2e-4);
      expect(Math.abs(push.at(d) / exactPush - 1)).toBeLessThan(2e-4);
    }
    for (const d of [1e-300, 1e300]) {
      expect(Number.isFinite(pull.at(d))).toBe(true);
      expect(Number.isFinite(push.at(d))).toBe(true);
    }
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

  it('keeps blobs apart', () => {
    const matrix = blobs(300, 8, 4, 6);
    const map = layout(matrix, quick, makeRng(1));
    const nearest = nearestNeighbours({ rows: 300, columns: 2, values: map.points }, 1).indices;
    expect(nearest.filter((j, i) => j % 4 === i % 4).length).toBeGreaterThan(297);
    expect(mapQuality(matrix, map.points, 10, makeRng(1))?.trustworthiness).toBeGreaterThan(0.93);
    expect(map.notes).toEqual([]);
  });

  it('gives the same bytes for a seed', () => {
    const matrix = blobs(80, 4, 3, 3);
    expect(layout(matrix, quick, makeRng(1)).points).toEqual(layout(matrix, quick, makeRng(1)).points);
    expect(layout(matrix, quick, makeRng(1)).points).not.toEqual(layout(matrix, quick, makeRng(2)).points);
  });

  it('refuses NaN by column and row', () => {
    expect(() => layout(matrixOf([[1], [NaN], [3], [4]]), quick, makeRng(1))).toThrow('"column 0" is NaN in row 1');
  });

  it('defines equal rows, few rows and small neighbourhoods', () => {
    const equal = layout(matrixOf(Array.from({ length: 20 }, () => [3, 4])), quick, makeRng(1));
    expect([...equal.points].every((x) => x === 0)).toBe(true);
    expect(equal.notes).toEqual(['All 20 rows are equal: they have no layout and stand at one point.']);
    expect([...layout(matrixOf([[3, 4]]), quick, makeRng(1)).points]).toEqual([0, 0]);
    const two = layout(
      matrixOf([
        [0, 0],
        [3, 4],
      ]),
      quick,
      makeRng(1),
    ).points;
    expect(Math.abs((two[0] as number) - (two[2] as number))).toBeCloseTo(5, 10);
    for (const rows of [4, 6]) {
      const few = layout(blobs(rows, 3, 2, 2), quick, makeRng(1));
      expect(few.neighbours).toBe(rows - fewer);
      expect(few.notes).toEqual([
        `Neighbourhoods of 15 are too large for ${rows} rows: ${rows - fewer} were used instead.`,
      ]);
      expect(few.points.every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses a layout that ran away', () => {
    const wild = { ...quick, learningRate: 1e308 };
    expect(() => layout(blobs(50, 3, 2, 2), wild, makeRng(1))).toThrow('ran away');
  });

  it('lays out many duplicates', () => {
    const matrix = blobs(120, 3, 2, 4);
    matrix.values.fill(0, 0, 60 * 3);
    expect(layout(matrix, quick, makeRng(1)).points.every(Number.isFinite)).toBe(true);
  });
});

describe('our umap', () => {
  it('gives the same bytes on every machine', () => {
    const { points } = umap(blobs(100, 4, 3, 3), { ...umapDefaults, epochs: 100 }, makeRng(1));
    // Recorded; it changes only with the method.
    expect(createHash('sha256').update(new Uint8Array(points.buffer)).digest('hex').slice(0, 16)).toMatchInlineSnapshot(
      `"fc58b558465873ce"`,
    );
  });
});
