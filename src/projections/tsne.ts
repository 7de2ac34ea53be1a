/**
 * t-SNE (van der Maaten and Hinton, JMLR 2008): small maps by Barnes-Hut, large ones by interpolation.
 *
 * All arithmetic is in a fixed order, with our own exp and log: a seed gives equal bytes on every machine, with any
 * number of threads.
 */
import { FathomError } from '../errors.ts';
import type { Products } from '../kernels/kernels.ts';
import { Team } from '../kernels/team.ts';
import type { Rng } from '../random/rng.ts';
import { conditionalAffinities, jointAffinities } from './affinities.ts';
import { kdOrder, planeBack, planeInOrder, rowsInOrder } from './kd-order.ts';
import { degenerateReason, type Matrix, type Plane, requireFinite, requireLayout } from './matrix.ts';
import { nearestNeighbours } from './neighbours.ts';
import { pca2 } from './pca.ts';
import { BarnesHutTsne } from './tsne-barnes-hut.ts';
import { InterpolatedTsne } from './tsne-interpolation.ts';
import { repulsionFor, type TsneOptimiser, type TsneOptions } from './tsne-options.ts';

export { type TsneOptions, tsneDefaults } from './tsne-options.ts';

export interface Tsne {
  readonly points: Plane;
  /** Kullback-Leibler divergence of the map from the affinities, in nats; NaN where nothing was optimised. */
  readonly divergence: number;
  /** As used, after any reduction; NaN where nothing was optimised. */
  readonly perplexity: number;
  /** How the push of all points was summed. */
  readonly repulsion: 'barnes-hut' | 'interpolation' | 'none';
  /** What was done differently from what was asked, one sentence each. */
  readonly notes: readonly string[];
}

/** How the work is done; none of it changes the map. */
export interface TsneRun {
  /** Threads to work with; 1 unless said. */
  readonly threads?: number;
  /** Called often, with the iterations done; may throw to stop. Its `snapshot` gives the state then. */
  readonly onProgress?: (done: number, total: number, snapshot?: () => Uint8Array) => void;
  /** A snapshot of the same matrix, options and seed, from which to go on. */
  readonly resume?: Uint8Array | undefined;
  /** Who does the matrix products of the search for neighbours; the kernels unless said. */
  readonly products?: Products | undefined;
}

/** Lays out rows in the plane. */
export async function tsne(
  matrix: Matrix,
  options: TsneOptions,
  rng: Rng,
  { threads = 1, onProgress, resume, products }: TsneRun = {},
): Promise<Tsne> {
  requireFinite(matrix);
  if (!(options.perplexity >= 1)) throw new FathomError('data', `perplexity ${options.perplexity} is below 1`);
  const reason = degenerateReason(matrix);
  if (reason !== undefined)
    return {
      points: pca2(matrix).points.map((x) => (reason === 'equal' ? 0 : x)),
      divergence: NaN,
      perplexity: NaN,
      repulsion: 'none',
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
  const start = startFromPca(matrix, rng);
  const order = kdOrder(matrix);
  const watch = (): void => onProgress?.(0, options.iterations);
  const neighbours = nearestNeighbours(rowsInOrder(matrix, order), k, watch, products);
  const { conditional, unreachable } = conditionalAffinities(neighbours, perplexity);
  if (unreachable > 0)
    notes.push(
      `${unreachable} of ${matrix.rows} rows have more equally near neighbours than the perplexity: those share the weight evenly.`,
    );
  const graph = jointAffinities(neighbours, conditional);
  const repulsion = repulsionFor(matrix.rows, options);
  const team = repulsion === 'interpolation' ? await Team.open(threads) : undefined;
  try {
    const points = planeInOrder(start, order);
    const optimiser: TsneOptimiser =
      team === undefined
        ? new BarnesHutTsne(graph, points, options)
        : new InterpolatedTsne(team, graph, points, options);
    if (resume !== undefined) optimiser.restore(resume);
    while (optimiser.iteration < options.iterations) {
      optimiser.step();
      onProgress?.(optimiser.iteration, options.iterations, () => optimiser.snapshot());
    }
    const map = planeBack(optimiser.points, order);
    requireLayout(map);
    return { points: map, divergence: optimiser.divergence(), perplexity, repulsion, notes };
  } finally {
    await team?.close();
  }
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
