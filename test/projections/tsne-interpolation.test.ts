import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Team } from '../../src/kernels/team.ts';
import { conditionalAffinities, jointAffinities } from '../../src/projections/affinities.ts';
import type { Graph } from '../../src/projections/graph.ts';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { mapQuality } from '../../src/projections/quality.ts';
import { tsne, tsneDefaults } from '../../src/projections/tsne.ts';
import { BarnesHutTsne } from '../../src/projections/tsne-barnes-hut.ts';
import { makeTransforms } from '../../src/projections/tsne-grid.ts';
import { InterpolatedTsne } from '../../src/projections/tsne-interpolation.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs } from './support.ts';

let alone: Team;
let pair: Team;
beforeAll(async () => {
  alone = await Team.open(1);
  pair = await Team.open(2);
});
afterAll(() => Promise.all([alone.close(), pair.close()]));

const options = { ...tsneDefaults, repulsion: 'interpolation', iterations: 120, exaggerationIterations: 50 } as const;

function graphOf(rows: number): Graph {
  const neighbours = nearestNeighbours(blobs(rows, 5, 3, 2), 30);
  return jointAffinities(neighbours, conditionalAffinities(neighbours, 10).conditional);
}

function scattered(rows: number, spread: number): Float64Array {
  const rng = makeRng(3, rows);
  return Float64Array.from({ length: 2 * rows }, () => spread * rng.normal());
}

describe('the Fourier transform', () => {
  // Every radix, alone and together.
  it.each([2, 3, 4, 5, 12, 30, 90, 240])('of %i values is that of the definition, and its inverse undoes it', (n) => {
    const { arena, kernels } = alone;
    const { forward, inverse } = makeTransforms(arena, n);
    const [from, other] = [arena.take(16 * n), arena.take(16 * n)];
    const rng = makeRng(n);
    const input = Float32Array.from({ length: 4 * n }, () => rng.normal());
    arena.floats(from, 4 * n).set(input);
    const result = kernels.transform(from, other, forward);
    const output = arena.floats(result, 4 * n).slice();
    for (const lane of [0, 2])
      for (let k = 0; k < n; k++) {
        let [re, im] = [0, 0];
        for (let i = 0; i < n; i++) {
          const angle = (-2 * Math.PI * i * k) / n;
          const [a, b] = [input[4 * i + lane] as number, input[4 * i + lane + 1] as number];
          re += a * Math.cos(angle) - b * Math.sin(angle);
          im += a * Math.sin(angle) + b * Math.cos(angle);
        }
        expect(Math.abs((output[4 * k + lane] as number) - re)).toBeLessThan(1e-5 * n);
        expect(Math.abs((output[4 * k + lane + 1] as number) - im)).toBeLessThan(1e-5 * n);
      }
    const back = arena.floats(kernels.transform(result, result === from ? other : from, inverse), 4 * n);
    for (const [c, x] of input.entries()) expect(Math.abs((back[c] as number) / n - x)).toBeLessThan(1e-5);
  });
});

describe('the forces by interpolation', () => {
  it.each([0.01, 1, 12])('are those of all pairs, for a map of width %d', (spread) => {
    const rows = 700;
    const graph = graphOf(rows);
    const points = scattered(rows, spread);
    const exact = new BarnesHutTsne(graph, points.slice(), { ...options, theta: 0 });
    const near = new InterpolatedTsne(alone, graph, points, options);
    const { pull, push, z } = near.forces();
    const gradient = exact.gradient(12);
    const largest = Math.max(...gradient.map(Math.abs));
    let squares = 0;
    for (const [c, expected] of gradient.entries()) {
      const error = 12 * (pull[c] as number) - (push[c] as number) / z - expected;
      expect(Math.abs(error)).toBeLessThan(0.01 * largest);
      squares += error * error;
    }
    expect(Math.sqrt(squares / gradient.length)).toBeLessThan(0.002 * largest);
    expect(near.divergence()).toBeCloseTo(exact.divergence(), 1);
  });
});

describe('t-SNE by interpolation', () => {
  const hash = (points: Float64Array): string =>
    createHash('sha256').update(new Uint8Array(points.buffer)).digest('hex').slice(0, 16);

  it('gives the same bytes on every machine, with any number of threads, in one go or resumed', async () => {
    const graph = graphOf(1500);
    const start = scattered(1500, 1e-4);
    const run = (team: Team, stopAt?: number): string => {
      let optimiser = new InterpolatedTsne(team, graph, start, options);
      while (optimiser.iteration < options.iterations) {
        if (optimiser.iteration === stopAt) {
          const snapshot = optimiser.snapshot();
          optimiser = new InterpolatedTsne(team, graph, start, options);
          optimiser.restore(snapshot);
          optimiser.restore(new Uint8Array(5));
        }
        optimiser.step();
      }
      return hash(optimiser.points);
    };
    const once = run(alone);
    expect(run(pair)).toBe(once);
    expect(run(pair, 77)).toBe(once);
    // Recorded; it changes only with the method.
    expect(once).toMatchInlineSnapshot(`"9735c72accf87220"`);
  });

  it('keeps blobs apart as well as the tree does', async () => {
    const matrix = blobs(900, 8, 4, 5);
    const map = await tsne(matrix, { ...options, iterations: 400, exaggerationIterations: 150 }, makeRng(1));
    const tree = await tsne(
      matrix,
      { ...options, repulsion: 'barnes-hut', iterations: 400, exaggerationIterations: 150 },
      makeRng(1),
    );
    expect([map.repulsion, tree.repulsion]).toEqual(['interpolation', 'barnes-hut']);
    expect(Math.abs(map.divergence - tree.divergence)).toBeLessThan(0.05);
    const quality = (points: Float64Array) => mapQuality(matrix, points, 10, makeRng(1))?.trustworthiness as number;
    expect(quality(map.points)).toBeGreaterThan(quality(tree.points) - 0.01);
  });

  it('refuses a layout that ran away', async () => {
    await expect(tsne(blobs(60, 3, 2, 2), { ...options, learningRate: 1e300 }, makeRng(1))).rejects.toThrow('ran away');
  });
});
