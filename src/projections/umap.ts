/**
 * UMAP (McInnes, Healy and Melville, arXiv 1802.03426) on typed arrays.
 *
 * Our own exp, log and random numbers, in a fixed order: a seed gives equal bytes on every machine, with any number of
 * threads.
 */
import { FathomError } from '../errors.ts';
import type { Products } from '../kernels/kernels.ts';
import { Team } from '../kernels/team.ts';
import type { Rng } from '../random/rng.ts';
import { kdOrder, planeBack, rowsInOrder } from './kd-order.ts';
import { degenerateReason, type Matrix, type Plane, requireFinite, requireLayout } from './matrix.ts';
import { nearestNeighbours } from './neighbours.ts';
import { pca2 } from './pca.ts';
import { fitCurve } from './umap-curve.ts';
import { fuzzyGraph, spectralStart } from './umap-graph.ts';
import { layOut } from './umap-layout.ts';

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
  /** Leaves of up to 256 rows in which the neighbours of one are looked for; null: as many as an exact search takes. */
  readonly mostLeaves: number | null;
}

export const umapDefaults: UmapOptions = {
  neighbours: 15,
  minDist: 0.1,
  spread: 1,
  epochs: 'auto',
  learningRate: 1,
  negativeSamples: 5,
  start: 'spectral',
  mostLeaves: null,
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

/** How the work is done; none of it changes the map. */
export interface UmapRun {
  /** Threads to work with; 1 unless said. */
  readonly threads?: number;
  /** Called often, with the epochs done; may throw to stop. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Who does the matrix products of `umap`'s search for neighbours; the kernels unless said. */
  readonly products?: Products | undefined;
}

/** Lays out rows in the plane. */
export async function umap(
  matrix: Matrix,
  options: UmapOptions,
  rng: Rng,
  { threads = 1, onProgress, products }: UmapRun = {},
): Promise<Umap> {
  const { map, neighbours, notes } = prepareUmap(matrix, options.neighbours);
  if (map !== undefined) return map;
  const epochs = options.epochs === 'auto' ? defaultEpochs(matrix.rows) : options.epochs;
  const order = kdOrder(matrix);
  const sorted = rowsInOrder(matrix, order);
  const graph = fuzzyGraph(
    nearestNeighbours(sorted, neighbours - 1, () => onProgress?.(0, epochs), products, options.mostLeaves ?? undefined),
  );
  const components = pca2(sorted).points;
  const points = options.start === 'pca' ? components : spectralStart(graph, components);
  spreadOut(points, rng);
  const curve = fitCurve(options.minDist, options.spread);
  const team = await Team.open(threads);
  try {
    layOut(team, graph, points, curve, { ...options, passes: epochs }, rng, onProgress);
  } finally {
    await team.close();
  }
  requireLayout(points);
  return { points: planeBack(points, order), neighbours, notes };
}

/** Scales the start to at most 10 on either axis, with noise that parts equal points. */
function spreadOut(points: Plane, rng: Rng): void {
  let largest = 0;
  for (const x of points) largest = Math.max(largest, Math.abs(x));
  const scale = largest > 0 ? 10 / largest : 0;
  for (let c = 0; c < points.length; c++) points[c] = (points[c] as number) * scale + 1e-4 * rng.normal();
}
