/** New rows on a map that UMAP has laid out before; the map stands still. */
import { FathomError } from '../errors.ts';
import { Team } from '../kernels/team.ts';
import type { Rng } from '../random/rng.ts';
import { type Matrix, type Plane, requireFinite, requireLayout } from './matrix.ts';
import { type Neighbours, squaredDistances } from './neighbours.ts';
import type { UmapOptions, UmapRun } from './umap.ts';
import { fitCurve } from './umap-curve.ts';
import { memberships } from './umap-graph.ts';
import { layOut } from './umap-layout.ts';

/** What was laid out, and where it came to lie. */
export interface UmapMap {
  readonly matrix: Matrix;
  readonly points: Plane;
}

/** Maps of more rows need fewer passes, as in the reference implementation. */
const PASSES = { small: 100, large: 30, largeRows: 10_000 };

/**
 * Places rows among their nearest neighbours of the map, then lets those pull and random rows of the map push. New rows
 * do not see each other.
 * @param rows in the scale of the map's matrix
 * @param options those that the map was made with; a number of `epochs` becomes a third of it
 */
export async function transformUmap(
  map: UmapMap,
  rows: Matrix,
  options: UmapOptions,
  rng: Rng,
  { threads = 1, onProgress }: UmapRun = {},
): Promise<Plane> {
  if (rows.columns !== map.matrix.columns)
    throw new FathomError('data', `${rows.columns} columns do not fit a map of ${map.matrix.columns}`);
  requireFinite(rows);
  if (rows.rows === 0) return new Float64Array(0);
  const size = map.matrix.rows;
  const k = Math.min(options.neighbours, size);
  const standard = size <= PASSES.largeRows ? PASSES.small : PASSES.large;
  const passes = options.epochs === 'auto' ? standard : Math.ceil(options.epochs / 3);
  const nearest = nearestInMap(map.matrix, rows, k, () => onProgress?.(0, passes));
  const weights = memberships(nearest);
  const points = new Float64Array(2 * (size + rows.rows));
  points.set(map.points);
  for (let i = 0; i < rows.rows; i++) {
    let [x, y, sum] = [0, 0, 0];
    for (let entry = i * k; entry < (i + 1) * k; entry++) {
      const weight = weights[entry] as number;
      const j = nearest.indices[entry] as number;
      x += weight * (map.points[2 * j] as number);
      y += weight * (map.points[2 * j + 1] as number);
      sum += weight;
    }
    points[2 * (size + i)] = x / sum;
    points[2 * (size + i) + 1] = y / sum;
  }
  const starts = Int32Array.from({ length: rows.rows + 1 }, (_, i) => i * k);
  const graph = { rows: rows.rows, starts, targets: nearest.indices, weights };
  const team = await Team.open(threads);
  try {
    // A quarter of the step size: the places to start from are good already.
    const settings = { passes, learningRate: options.learningRate / 4, negativeSamples: options.negativeSamples };
    layOut(team, graph, points, fitCurve(options.minDist, options.spread), settings, rng, onProgress);
  } finally {
    await team.close();
  }
  const placed = points.slice(2 * size);
  requireLayout(placed);
  return placed;
}

/** The k nearest rows of the map, by (distance, index), for every new row. */
function nearestInMap(map: Matrix, rows: Matrix, k: number, onRow: () => void): Neighbours {
  const indices = new Int32Array(rows.rows * k);
  const squared = new Float64Array(rows.rows * k);
  const { columns } = map;
  // The new row stands behind those of the map, where distances can be taken from.
  const together = new Float64Array(map.values.length + columns);
  together.set(map.values);
  const distances = new Float64Array(map.rows);
  for (let i = 0; i < rows.rows; i++) {
    together.set(rows.values.subarray(i * columns, (i + 1) * columns), map.values.length);
    squaredDistances(together, columns, map.rows, 0, distances);
    let held = 0;
    const first = i * k;
    for (let j = 0; j < map.rows; j++) {
      const d = distances[j] as number;
      if (held === k && d >= (squared[first + k - 1] as number)) continue;
      let place = held < k ? held++ : k - 1;
      for (; place > 0 && (squared[first + place - 1] as number) > d; place--) {
        squared[first + place] = squared[first + place - 1] as number;
        indices[first + place] = indices[first + place - 1] as number;
      }
      squared[first + place] = d;
      indices[first + place] = j;
    }
    onRow();
  }
  return { rows: rows.rows, k, indices, squared };
}
