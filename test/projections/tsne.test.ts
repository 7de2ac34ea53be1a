import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { conditionalAffinities, jointAffinities } from '../../src/projections/affinities.ts';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { mapQuality } from '../../src/projections/quality.ts';
import { tsne, tsneDefaults } from '../../src/projections/tsne.ts';
import { BarnesHutTsne } from '../../src/projections/tsne-barnes-hut.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs, matrixOf } from './support.ts';

const quick = { ...tsneDefaults, iterations: 300, exaggerationIterations: 100 };

/** The gradient without its factor 4 and the divergence, over all pairs, as in the paper. */
function byDefinition(p: (i: number, j: number) => number, y: Float64Array, exaggeration: number) {
  const rows = y.length / 2;
  const q = (i: number, j: number): number =>
    1 /
    (1 +
      ((y[2 * i] as number) - (y[2 * j] as number)) ** 2 +
      ((y[2 * i + 1] as number) - (y[2 * j + 1] as number)) ** 2);
  let z = 0;
  for (let i = 0; i < rows; i++) for (let j = 0; j < rows; j++) if (i !== j) z += q(i, j);
  const gradient = new Float64Array(y.length);
  let divergence = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) {
      if (i === j) continue;
      const force = (exaggeration * p(i, j) - q(i, j) / z) * q(i, j);
      for (const axis of [0, 1])
        gradient[2 * i + axis] =
          (gradient[2 * i + axis] as number) + force * ((y[2 * i + axis] as number) - (y[2 * j + axis] as number));
      if (p(i, j) > 0) divergence += p(i, j) * Math.log((p(i, j) * z) / q(i, j));
    }
  return { gradient, divergence };
}

describe('the gradient of t-SNE', () => {
  const matrix = blobs(120, 5, 3, 2);
  const neighbours = nearestNeighbours(matrix, 30);
  const graph = jointAffinities(neighbours, conditionalAffinities(neighbours, 10).conditional);
  const dense = new Float64Array(120 * 120);
  for (let i = 0; i < 120; i++)
    for (let edge = graph.starts[i] as number; edge < (graph.starts[i + 1] as number); edge++)
      dense[i * 120 + (graph.targets[edge] as number)] = graph.weights[edge] as number;
  const rng = makeRng(3);
  const points = Float64Array.from({ length: 240 }, () => 4 * rng.normal());
  const exact = byDefinition((i, j) => dense[i * 120 + j] as number, points, 12);
  const largest = Math.max(...exact.gradient.map(Math.abs));

  it('is exact with theta 0', () => {
    const optimiser = new BarnesHutTsne(graph, points.slice(), { ...tsneDefaults, theta: 0 });
    const gradient = optimiser.gradient(12);
    for (const [c, expected] of exact.gradient.entries())
      expect(Math.abs((gradient[c] as number) - expected)).toBeLessThan(1e-13 * largest);
    expect(optimiser.divergence()).toBeCloseTo(exact.divergence, 12);
  });

  it('is near with theta 0.5, and not equal', () => {
    const gradient = new BarnesHutTsne(graph, points.slice(), tsneDefaults).gradient(12);
    const errors = gradient.map((g, c) => Math.abs(g - (exact.gradient[c] as number)));
    expect(Math.max(...errors)).toBeLessThan(0.02 * largest);
    expect(Math.max(...errors)).toBeGreaterThan(1e-9 * largest);
  });

  it('is the derivative of the divergence', () => {
    const shifted = points.slice();
    const step = 1e-6;
    const at = (delta: number): number => {
      shifted[17] = (points[17] as number) + delta;
      return byDefinition((i, j) => dense[i * 120 + j] as number, shifted, 1).divergence;
    };
    const slope = (at(step) - at(-step)) / (2 * step);
    const optimiser = new BarnesHutTsne(graph, points.slice(), { ...tsneDefaults, theta: 0 });
    expect(4 * (optimiser.gradient(1)[17] as number)).toBeCloseTo(slope, 6);
  });
});

describe('tsne', () => {
  it('keeps blobs apart and beats the start', async () => {
    const matrix = blobs(400, 8, 4, 6);
    const map = await tsne(matrix, { ...quick, perplexity: 20 }, makeRng(1));
    const quality = mapQuality(matrix, map.points, 1, makeRng(1));
    expect(quality?.trustworthiness).toBeGreaterThan(0.97);
    const nearest = nearestNeighbours({ rows: 400, columns: 2, values: map.points }, 1).indices;
    expect(nearest.filter((j, i) => j % 4 === i % 4).length).toBe(400);
    expect(map.divergence).toBeLessThan(1);
    expect(map.notes).toEqual([]);
  });

  it('gives the same bytes for a seed, on every machine', async () => {
    const matrix = blobs(150, 4, 3, 3);
    const hash = async (seed: number): Promise<string> =>
      createHash('sha256')
        .update(new Uint8Array((await tsne(matrix, quick, makeRng(seed))).points.buffer))
        .digest('hex')
        .slice(0, 16);
    expect(await hash(1)).toBe(await hash(1));
    expect(await hash(1)).not.toBe(await hash(2));
    // Recorded; it changes only with the method.
    expect(await hash(1)).toMatchInlineSnapshot(`"d62c66c5d18949ad"`);
  });

  it('refuses NaN and infinities by column and row', async () => {
    await expect(
      tsne(
        matrixOf([
          [1, 2],
          [3, NaN],
          [5, 6],
          [7, 8],
        ]),
        quick,
        makeRng(1),
      ),
    ).rejects.toThrow('column "column 1" is NaN in row 1');
    await expect(
      tsne(
        matrixOf([
          [1, 2],
          [3, 4],
          [-Infinity, 6],
          [7, 8],
        ]),
        quick,
        makeRng(1),
      ),
    ).rejects.toThrow('column "column 0" is -Infinity in row 2');
  });

  it('puts equal rows at one point and says so', async () => {
    const map = await tsne(matrixOf(Array.from({ length: 50 }, () => [3, 4])), quick, makeRng(1));
    expect([...map.points].every((x) => x === 0)).toBe(true);
    expect(map.divergence).toBeNaN();
    expect(map.notes).toEqual(['All 50 rows are equal: they have no layout and stand at one point.']);
  });

  it('shows one, two and three rows as they lie', async () => {
    expect([...(await tsne(matrixOf([[3, 4]]), quick, makeRng(1))).points]).toEqual([0, 0]);
    const two = await tsne(
      matrixOf([
        [0, 0, 0],
        [2, 3, 6],
      ]),
      quick,
      makeRng(1),
    );
    expect(Math.abs((two.points[0] as number) - (two.points[2] as number))).toBeCloseTo(7, 10);
    expect(two.notes[0]).toContain('2 rows lie in a plane');
    const { points: three } = await tsne(
      matrixOf([
        [0, 0, 0],
        [3, 0, 0],
        [0, 0, 4],
      ]),
      quick,
      makeRng(1),
    );
    const between = (i: number, j: number): number =>
      Math.hypot(
        (three[2 * i] as number) - (three[2 * j] as number),
        (three[2 * i + 1] as number) - (three[2 * j + 1] as number),
      );
    expect([between(0, 1), between(0, 2), between(1, 2)].map((d) => Math.round(d * 1e9) / 1e9)).toEqual([3, 4, 5]);
  });

  it('reduces the perplexity for few rows, with a note, down to four rows', async () => {
    const ten = await tsne(blobs(10, 3, 2, 2), quick, makeRng(1));
    expect(ten.perplexity).toBe(3);
    expect(ten.notes).toEqual(['Perplexity 30 needs more than 10 rows: 3 was used instead.']);
    const four = await tsne(
      matrixOf([
        [0, 0],
        [0, 1],
        [5, 0],
        [5, 1],
      ]),
      quick,
      makeRng(1),
    );
    expect(four.perplexity).toBe(1.5);
    expect(four.points.every(Number.isFinite)).toBe(true);
  });

  it('lays out many duplicates without infinities', async () => {
    const half = blobs(100, 3, 2, 4);
    const values = new Float64Array(400 * 3);
    for (let i = 0; i < 400; i++) values.set(half.values.subarray((i % 100) * 3, (i % 100) * 3 + 3), i * 3);
    values.fill(0, 0, 150 * 3);
    const map = await tsne({ rows: 400, columns: 3, values }, { ...quick, perplexity: 20 }, makeRng(1));
    expect(map.points.every(Number.isFinite)).toBe(true);
    expect(map.notes.join()).toContain('150 of 400 rows have more equally near neighbours than the perplexity');
    // Equal rows may come to lie on each other, others not.
    const rowAt = new Map<string, string>();
    for (let i = 0; i < 400; i++) {
      const place = `${map.points[2 * i]} ${map.points[2 * i + 1]}`;
      const row = values.subarray(3 * i, 3 * i + 3).join();
      expect(rowAt.get(place) ?? row).toBe(row);
      rowAt.set(place, row);
    }
    expect(rowAt.size).toBeGreaterThan(100);
  });

  it('refuses a layout that ran away', async () => {
    await expect(tsne(blobs(50, 3, 2, 2), { ...quick, learningRate: 1e300 }, makeRng(1))).rejects.toThrow('ran away');
  });

  it('stops when progress throws', async () => {
    let seen = 0;
    const onProgress = (done: number): void => {
      seen = done;
      if (done === 5) throw new Error('stop');
    };
    await expect(tsne(blobs(50, 3, 2, 2), quick, makeRng(1), { onProgress })).rejects.toThrow('stop');
    expect(seen).toBe(5);
  });
});
