/**
 * t-SNE (van der Maaten and Hinton, JMLR 2008) with Barnes-Hut repulsion (van der Maaten, JMLR 2014).
 *
 * All arithmetic is in doubles, in a fixed order, with our own exp and log: a seed gives equal bytes on every machine.
 */
import { FathomError } from '../errors.ts';
import { log } from '../numeric/elementary.ts';
import type { Rng } from '../random/rng.ts';
import { conditionalAffinities, jointAffinities } from './affinities.ts';
import type { Graph } from './graph.ts';
import { degenerateReason, type Matrix, type Plane, requireFinite, requireLayout } from './matrix.ts';
import { nearestNeighbours } from './neighbours.ts';
import { pca2 } from './pca.ts';
import { Quadtree } from './quadtree.ts';

export interface TsneOptions {
  /** Effective number of neighbours of a row. Reduced to (rows - 1) / 3 where there are too few rows. */
  readonly perplexity: number;
  readonly iterations: number;
  /** `auto`: max(200, rows / 12), in the units of the original program, whose gradient leaves out the factor 4. */
  readonly learningRate: number | 'auto';
  /** Barnes-Hut accuracy; 0 is exact. */
  readonly theta: number;
  /** Affinities are multiplied by this for the first `exaggerationIterations`, which pulls clusters apart. */
  readonly exaggeration: number;
  readonly exaggerationIterations: number;
}

export const tsneDefaults: TsneOptions = {
  perplexity: 30,
  iterations: 1000,
  learningRate: 'auto',
  theta: 0.5,
  exaggeration: 12,
  exaggerationIterations: 250,
};

export interface Tsne {
  readonly points: Plane;
  /** Kullback-Leibler divergence of the map from the affinities, in nats; NaN where nothing was optimised. */
  readonly divergence: number;
  /** As used, after any reduction; NaN where nothing was optimised. */
  readonly perplexity: number;
  /** What was done differently from what was asked, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Lays out rows in the plane.
 * @param onProgress called often, with the iterations done; may throw to stop. Its `snapshot` gives the state then.
 * @param resume a snapshot of the same matrix, options and seed, from which to go on; the result is the same
 */
export function tsne(
  matrix: Matrix,
  options: TsneOptions,
  rng: Rng,
  onProgress?: (done: number, total: number, snapshot?: () => Uint8Array) => void,
  resume?: Uint8Array,
): Tsne {
  requireFinite(matrix);
  if (!(options.perplexity >= 1)) throw new FathomError('data', `perplexity ${options.perplexity} is below 1`);
  const reason = degenerateReason(matrix);
  if (reason !== undefined)
    return {
      points: pca2(matrix).points.map((x) => (reason === 'equal' ? 0 : x)),
      divergence: NaN,
      perplexity: NaN,
      notes: [
        reason === 'equal'
          ? `All ${matrix.rows} rows are equal: they have no layout and stand at one point.`
          : `${matrix.rows} rows lie in a plane: the map is their exact principal components, not t-SNE.`,
      ],
    };
  const notes: string[] = [];
  // Three times the perplexity is where the Gaussian weights have died away.
  const largest = Math.max(1.5, (matrix.rows - 1) / 3);
  const perplexity = Math.min(options.perplexity, largest);
  if (perplexity < options.perplexity)
    notes.push(
      `Perplexity ${options.perplexity} needs more than ${matrix.rows} rows: ${round2(perplexity)} was used instead.`,
    );
  const k = Math.min(matrix.rows - 1, Math.max(3, Math.floor(3 * perplexity)));
  const neighbours = nearestNeighbours(matrix, k, () => onProgress?.(0, options.iterations));
  const { conditional, unreachable } = conditionalAffinities(neighbours, perplexity);
  if (unreachable > 0)
    notes.push(
      `${unreachable} of ${matrix.rows} rows have more equally near neighbours than the perplexity: those share the weight evenly.`,
    );
  const graph = jointAffinities(neighbours, conditional);
  const points = startFromPca(matrix, rng);
  const optimiser = new TsneOptimiser(graph, points, options);
  if (resume !== undefined) optimiser.restore(resume);
  while (optimiser.iteration < options.iterations) {
    optimiser.step();
    onProgress?.(optimiser.iteration, options.iterations, () => optimiser.snapshot());
  }
  requireLayout(points);
  return { points, divergence: optimiser.divergence(), perplexity, notes };
}

function round2(x: number): number {
  return Math.round(x * 100) / 100;
}

/** Principal components with the first at a standard deviation of 1e-4, and noise of a hundredth that parts equal rows. */
function startFromPca(matrix: Matrix, rng: Rng): Plane {
  const { points } = pca2(matrix);
  let squares = 0;
  for (let i = 0; i < matrix.rows; i++) squares += (points[2 * i] as number) * (points[2 * i] as number);
  const scale = 1e-4 / Math.sqrt(squares / matrix.rows);
  return points.map((x) => x * scale + 1e-6 * rng.normal());
}

/** Gradient descent with momentum and a gain per coordinate that grows while its direction holds. */
export class TsneOptimiser {
  readonly #graph: Graph;
  readonly #points: Plane;
  readonly #options: TsneOptions;
  readonly #learningRate: number;
  readonly #tree: Quadtree;
  readonly #gradient: Plane;
  readonly #repulsion: Plane;
  readonly #update: Plane;
  readonly #gains: Plane;
  #iteration = 0;

  /** @param points the start; moved in place */
  constructor(graph: Graph, points: Plane, options: TsneOptions) {
    this.#graph = graph;
    this.#points = points;
    this.#options = options;
    this.#learningRate = options.learningRate === 'auto' ? Math.max(200, graph.rows / 12) : options.learningRate;
    this.#tree = new Quadtree(graph.rows, options.theta);
    this.#gradient = new Float64Array(points.length);
    this.#repulsion = new Float64Array(points.length);
    this.#update = new Float64Array(points.length);
    this.#gains = new Float64Array(points.length).fill(1);
  }

  /** Iterations done. */
  get iteration(): number {
    return this.#iteration;
  }

  /** All that changes from iteration to iteration. */
  snapshot(): Uint8Array {
    const state = [Float64Array.of(this.#iteration), this.#points, this.#update, this.#gains];
    return Buffer.concat(state.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
  }

  /** Goes back to a snapshot; one of another size is ignored, as it belongs to other data. */
  restore(snapshot: Uint8Array): void {
    const size = this.#points.length;
    if (snapshot.byteLength !== 8 * (1 + 3 * size)) return;
    const state = new Float64Array(snapshot.slice().buffer);
    this.#iteration = state[0] as number;
    this.#points.set(state.subarray(1, 1 + size));
    this.#update.set(state.subarray(1 + size, 1 + 2 * size));
    this.#gains.set(state.subarray(1 + 2 * size));
  }

  /** One iteration; the map stays centred at the origin. */
  step(): void {
    const early = this.#iteration++ < this.#options.exaggerationIterations;
    const momentum = early ? 0.5 : 0.8;
    const gradient = this.gradient(early ? this.#options.exaggeration : 1);
    const points = this.#points;
    for (let c = 0; c < points.length; c++) {
      const slope = gradient[c] as number;
      const before = this.#update[c] as number;
      const turned = slope > 0 === before > 0;
      const gain = Math.max(0.01, turned ? (this.#gains[c] as number) * 0.8 : (this.#gains[c] as number) + 0.2);
      const update = momentum * before - this.#learningRate * gain * slope;
      this.#gains[c] = gain;
      this.#update[c] = update;
      points[c] = (points[c] as number) + update;
    }
    centre(points);
  }

  /** A quarter of the gradient of the divergence: sum over j of (exaggeration p - q / Z) q (y_i - y_j). */
  gradient(exaggeration: number): Plane {
    const { starts, targets, weights, rows } = this.#graph;
    const points = this.#points;
    const perZ = 1 / this.#tree.repulsion(points, this.#repulsion);
    for (let i = 0; i < rows; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      let pullX = 0;
      let pullY = 0;
      const end = starts[i + 1] as number;
      for (let edge = starts[i] as number; edge < end; edge++) {
        const j = 2 * (targets[edge] as number);
        const dx = x - (points[j] as number);
        const dy = y - (points[j + 1] as number);
        const pull = (weights[edge] as number) / (1 + dx * dx + dy * dy);
        pullX += pull * dx;
        pullY += pull * dy;
      }
      this.#gradient[2 * i] = exaggeration * pullX - (this.#repulsion[2 * i] as number) * perZ;
      this.#gradient[2 * i + 1] = exaggeration * pullY - (this.#repulsion[2 * i + 1] as number) * perZ;
    }
    return this.#gradient;
  }

  /** Sum of p log(p / q), in nats, with Z as accurate as `theta`. */
  divergence(): number {
    const { starts, targets, weights, rows } = this.#graph;
    const points = this.#points;
    const z = this.#tree.repulsion(points, this.#repulsion);
    let sum = 0;
    for (let i = 0; i < rows; i++)
      for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++) {
        const p = weights[edge] as number;
        if (!(p > 0)) continue;
        const j = targets[edge] as number;
        const dx = (points[2 * i] as number) - (points[2 * j] as number);
        const dy = (points[2 * i + 1] as number) - (points[2 * j + 1] as number);
        sum += p * log(p * z * (1 + dx * dx + dy * dy));
      }
    return sum;
  }
}

/** Moves the mean of the points to the origin. */
function centre(points: Plane): void {
  const rows = points.length / 2;
  let x = 0;
  let y = 0;
  for (let i = 0; i < rows; i++) {
    x += points[2 * i] as number;
    y += points[2 * i + 1] as number;
  }
  x /= rows;
  y /= rows;
  for (let i = 0; i < rows; i++) {
    points[2 * i] = (points[2 * i] as number) - x;
    points[2 * i + 1] = (points[2 * i + 1] as number) - y;
  }
}
