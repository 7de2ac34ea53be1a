/**
 * UMAP (McInnes, Healy and Melville, arXiv 1802.03426) on typed arrays.
 *
 * One thread, doubles, our own exp, log and random numbers: a seed gives equal bytes on every machine.
 */
import { FathomError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import type { Graph } from './graph.ts';
import { degenerateReason, type Matrix, type Plane, requireFinite, requireLayout } from './matrix.ts';
import { nearestNeighbours } from './neighbours.ts';
import { pca2 } from './pca.ts';
import { attraction, type Curve, fitCurve, repulsion } from './umap-curve.ts';
import { fuzzyGraph, spectralStart } from './umap-graph.ts';

export interface UmapOptions {
  /** Size of a neighbourhood, the row itself included. Reduced to the number of rows where there are fewer. */
  readonly neighbours: number;
  /** How close points may come in the map. */
  readonly minDist: number;
  /** Scale of the map; `minDist` is relative to it. */
  readonly spread: number;
  /** Passes over the edges; `auto`: 500 up to 10,000 rows, 200 above. */
  readonly epochs: number | 'auto';
  readonly learningRate: number;
  /** Random points that a pull along an edge is balanced with. */
  readonly negativeSamples: number;
  readonly start: 'spectral' | 'pca';
}

export const umapDefaults: UmapOptions = {
  neighbours: 15,
  minDist: 0.1,
  spread: 1,
  epochs: 'auto',
  learningRate: 1,
  negativeSamples: 5,
  start: 'spectral',
};

export interface Umap {
  readonly points: Plane;
  /** As used, after any reduction; NaN where nothing was optimised. */
  readonly neighbours: number;
  /** What was done differently from what was asked, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * The same for every implementation: input that needs no layout, and neighbourhoods larger than the data.
 * @param wanted size of a neighbourhood, the row included
 * @param largest the largest that the implementation can do
 */
export function prepareUmap(
  matrix: Matrix,
  wanted: number,
  largest: number = matrix.rows,
): { map?: Umap; neighbours: number; notes: string[] } {
  requireFinite(matrix);
  if (!(Number.isInteger(wanted) && wanted >= 2))
    throw new FathomError('data', `neighbours ${wanted} is not a whole number from 2 up`);
  const { rows } = matrix;
  const reason = degenerateReason(matrix);
  if (reason !== undefined) {
    const points = reason === 'equal' ? new Float64Array(2 * rows) : pca2(matrix).points;
    const note =
      reason === 'equal'
        ? `All ${rows} rows are equal: they have no layout and stand at one point.`
        : `${rows} rows lie in a plane: the map is their exact principal components, not UMAP.`;
    return { map: { points, neighbours: NaN, notes: [note] }, neighbours: wanted, notes: [] };
  }
  if (largest >= wanted) return { neighbours: wanted, notes: [] };
  const note = `Neighbourhoods of ${wanted} are too large for ${rows} rows: ${largest} were used instead.`;
  return { neighbours: largest, notes: [note] };
}

export function defaultEpochs(rows: number): number {
  return rows <= 10_000 ? 500 : 200;
}

/**
 * Lays out rows in the plane.
 * @param onProgress called often, with the epochs done; may throw to stop
 */
export function umap(
  matrix: Matrix,
  options: UmapOptions,
  rng: Rng,
  onProgress?: (done: number, total: number) => void,
): Umap {
  const { map, neighbours, notes } = prepareUmap(matrix, options.neighbours);
  if (map !== undefined) return map;
  const epochs = options.epochs === 'auto' ? defaultEpochs(matrix.rows) : options.epochs;
  const nearest = nearestNeighbours(matrix, neighbours - 1, () => onProgress?.(0, epochs));
  const graph = fuzzyGraph(nearest);
  const components = pca2(matrix).points;
  const points = options.start === 'pca' ? components : spectralStart(graph, components);
  spreadOut(points, rng);
  optimise(graph, points, fitCurve(options.minDist, options.spread), { ...options, epochs }, rng, onProgress);
  requireLayout(points);
  return { points, neighbours, notes };
}

/** Scales the start to at most 10 on either axis, with noise that parts equal points. */
function spreadOut(points: Plane, rng: Rng): void {
  let largest = 0;
  for (const x of points) largest = Math.max(largest, Math.abs(x));
  const scale = largest > 0 ? 10 / largest : 0;
  for (let c = 0; c < points.length; c++) points[c] = (points[c] as number) * scale + 1e-4 * rng.normal();
}

interface OptimiserOptions {
  readonly epochs: number;
  readonly learningRate: number;
  readonly negativeSamples: number;
}

/** Stochastic gradient descent with negative sampling: an edge is drawn as often as its weight says. Moves `points`. */
function optimise(
  graph: Graph,
  points: Plane,
  curve: Curve,
  { epochs, learningRate, negativeSamples }: OptimiserOptions,
  rng: Rng,
  onProgress?: (done: number, total: number) => void,
): void {
  const edges = edgesToDraw(graph, epochs);
  const { heads, tails, periods } = edges;
  /** Epoch at which an edge is drawn next, and the number of negative samples it has had. */
  const due = periods.slice();
  const sampled = new Float64Array(heads.length);
  const pull = attraction(curve);
  const push = repulsion(curve);
  const randomRow = rowSampler(graph.rows, rng);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = learningRate * (1 - epoch / epochs);
    for (let edge = 0; edge < heads.length; edge++) {
      if ((due[edge] as number) > epoch) continue;
      const period = periods[edge] as number;
      due[edge] = (due[edge] as number) + period;
      const head = 2 * (heads[edge] as number);
      const tail = 2 * (tails[edge] as number);
      let x = points[head] as number;
      let y = points[head + 1] as number;
      let dx = x - (points[tail] as number);
      let dy = y - (points[tail + 1] as number);
      let squared = dx * dx + dy * dy;
      if (squared > 0) {
        const force = pull.at(squared);
        const moveX = rate * clip(force * dx);
        const moveY = rate * clip(force * dy);
        x += moveX;
        y += moveY;
        points[tail] = (points[tail] as number) - moveX;
        points[tail + 1] = (points[tail + 1] as number) - moveY;
      }
      const draws = Math.floor((epoch * negativeSamples) / period) - (sampled[edge] as number);
      sampled[edge] = (sampled[edge] as number) + draws;
      for (let draw = 0; draw < draws; draw++) {
        const other = 2 * randomRow();
        if (other === head) continue;
        dx = x - (points[other] as number);
        dy = y - (points[other + 1] as number);
        squared = dx * dx + dy * dy;
        if (squared > 0) {
          const force = push.at(squared);
          x += rate * clip(force * dx);
          y += rate * clip(force * dy);
        } else {
          x += rate * 4;
          y += rate * 4;
        }
      }
      points[head] = x;
      points[head + 1] = y;
    }
    onProgress?.(epoch + 1, epochs);
  }
}

/** No single force moves a point by more than 4 at rate 1. */
function clip(force: number): number {
  return Math.max(-4, Math.min(4, force));
}

/** Edges that are due at least once, both directions of a pair, with the epochs between two draws. */
function edgesToDraw(
  { rows, starts, targets, weights }: Graph,
  epochs: number,
): { heads: Int32Array; tails: Int32Array; periods: Float64Array } {
  let largest = 0;
  for (const weight of weights) largest = Math.max(largest, weight);
  const heads = new Int32Array(weights.length);
  const tails = new Int32Array(weights.length);
  const periods = new Float64Array(weights.length);
  let kept = 0;
  for (let i = 0; i < rows; i++)
    for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++) {
      const weight = weights[edge] as number;
      if (weight * epochs < largest) continue;
      heads[kept] = i;
      tails[kept] = targets[edge] as number;
      periods[kept++] = largest / weight;
    }
  return { heads: heads.subarray(0, kept), tails: tails.subarray(0, kept), periods: periods.subarray(0, kept) };
}

/**
 * Row numbers, hundreds of millions of them: xoshiro128** (Blackman and Vigna, ACM TOMS 2021), whose state comes from
 * `rng`. It costs a tenth of the counter-based stream, whose jumps are of no use here. Its bias is below rows / 2^32.
 */
function rowSampler(rows: number, rng: Rng): () => number {
  let a = rng.uint32();
  let b = rng.uint32();
  let c = rng.uint32();
  // A state of zeros would stay zero.
  let d = rng.uint32() | 1;
  return () => {
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return Math.floor((result * rows) / 4294967296);
  };
}
