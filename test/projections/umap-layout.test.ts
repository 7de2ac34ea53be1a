import { describe, expect, it } from 'vitest';
import { Team } from '../../src/kernels/team.ts';
import type { Graph } from '../../src/projections/graph.ts';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { fuzzyGraph } from '../../src/projections/umap-graph.ts';
import { layOut } from '../../src/projections/umap-layout.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs } from './support.ts';

const curve = { a: 1.57694346, b: 0.89506088 };
const TURNS = 16;

/** Draw `draw` of a row, as kernels/umap.ts makes it. */
function draw(seed: number, row: number, number: number, population: number): number {
  let h = (Math.imul(number, 0x85ebca77) + Math.imul(row, 0x9e3779b1)) ^ seed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return Math.floor((((h ^ (h >>> 16)) >>> 0) * population) / 2 ** 32);
}

/**
 * The second and last pass in doubles, by the formulas: its rate is 1/2, and edges of the largest weight pull. In the
 * first none is due yet.
 */
function secondPass(graph: Graph, points: Float64Array, seed: number, draws: number, moving: number): void {
  const { a, b } = curve;
  const first = points.length / 2 - moving;
  const clip = (force: number): number => Math.max(-4, Math.min(4, force));
  const largest = Math.max(...graph.weights);
  for (let turn = 0; turn < TURNS; turn++) {
    const before = points.slice();
    for (let i = turn; i < moving; i += TURNS) {
      const row = first + i;
      const place = [before[2 * row] as number, before[2 * row + 1] as number] as [number, number];
      const due: number[] = [];
      for (let edge = graph.starts[i] as number; edge < (graph.starts[i + 1] as number); edge++)
        if (graph.weights[edge] === largest) due.push(graph.targets[edge] as number);
      const population = first === 0 ? moving : first;
      const act = (other: number, factor: (squared: number) => number, weight: number): void => {
        if (other === row) return;
        const [dx, dy] = [place[0] - (before[2 * other] as number), place[1] - (before[2 * other + 1] as number)];
        const force = factor(dx * dx + dy * dy);
        place[0] += (weight * clip(force * dx)) / 2;
        place[1] += (weight * clip(force * dy)) / 2;
      };
      const pull = (d: number): number => (-2 * a * b * d ** (b - 1)) / (1 + a * d ** b);
      const push = (d: number): number => (2 * b) / ((0.001 + d) * (1 + a * d ** b));
      for (const [q, other] of due.entries()) {
        act(other, pull, first === 0 ? 2 : 1);
        for (let n = q * draws; n < (q + 1) * draws; n++) act(draw(seed, row, n, population), push, 1);
      }
      points.set(place, 2 * row);
    }
  }
}

describe('a pass of UMAP', () => {
  const graph = fuzzyGraph(nearestNeighbours(blobs(300, 4, 3, 3), 6));

  it.each([
    ['all rows move', 0],
    ['those before stand still', 40],
  ])('moves points as the formulas say: %s', async (_, still) => {
    const rng = makeRng(5);
    const points = Float64Array.from({ length: 2 * (still + 300) }, () => Math.fround(3 * rng.normal()));
    const fixed = { ...graph, targets: still === 0 ? graph.targets : graph.targets.map((j) => j % still) };
    const expected = points.slice();
    const seeds = makeRng(9);
    seeds.uint32();
    secondPass(fixed, expected, seeds.uint32(), 5, 300);
    const moved = points.slice();
    const team = await Team.open(1);
    const options = { passes: 2, learningRate: 1, negativeSamples: 5 };
    layOut(team, fixed, moved, curve, options, makeRng(9));
    await team.close();
    for (const [c, x] of moved.entries()) expect(Math.abs(x - (expected[c] as number))).toBeLessThan(2e-3);
    if (still > 0) expect(moved.slice(0, 2 * still)).toEqual(points.slice(0, 2 * still));
    expect(moved).not.toEqual(points);
  });
});
