/** k-means in plain loops and double precision: what the kernels are tested against. */
import { log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';
import { nearestCentres, squaredDistance } from './centres.ts';

/** What one run of iterations ends with; clusters in the order of their starts. */
export interface Run {
  readonly k: number;
  /** `centres[cluster * columns + column]`. */
  readonly centres: Float64Array;
  readonly labels: Int32Array;
  /** Squared distance of each row to its centre. */
  readonly squared: Float64Array;
  /** Sum of the squared distances. */
  readonly inertia: number;
  readonly iterations: number;
}

/**
 * Rows far from each other: each next centre is drawn with a chance proportional to the squared distance from those
 * there are; of 2 + ln k such draws the one that leaves the least inertia is kept. Ends early where every row is a
 * centre already.
 */
export function spreadStarts({ rows, columns, values }: Points, k: number, rng: Rng): Float64Array {
  const centres: number[] = [];
  const take = (row: number): void => {
    for (let c = 0; c < columns; c++) centres.push(values[row * columns + c] as number);
  };
  const distances = (row: number, held: Float64Array | undefined): Float64Array =>
    Float64Array.from({ length: rows }, (_, i) =>
      Math.min(held?.[i] ?? Infinity, squaredDistance(values, i * columns, values, row * columns, columns)),
    );
  const first = rng.below(rows);
  take(first);
  let held = distances(first, undefined);
  const draws = drawsFor(k);
  while (centres.length < k * columns) {
    let total = 0;
    for (const d of held) total += d;
    if (!(total > 0)) break;
    let best: { row: number; held: Float64Array; inertia: number } | undefined;
    for (let draw = 0; draw < draws; draw++) {
      const row = drawn(held, rng.uniform() * total);
      const left = distances(row, held);
      let inertia = 0;
      for (const d of left) inertia += d;
      if (best === undefined || inertia < best.inertia) best = { row, held: left, inertia };
    }
    if (best === undefined) break;
    take(best.row);
    held = best.held;
  }
  return Float64Array.from(centres);
}

/** The first row at which the running sum of the weights passes `at`; never one of weight 0. */
function drawn(weights: Float64Array, at: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    if (weight === 0) continue;
    sum += weight;
    last = i;
    if (sum > at) return i;
  }
  return last;
}

/** How many rows k-means++ draws for each next centre. */
export function drawsFor(k: number): number {
  return 2 + Math.floor(log(k));
}

/** Lloyd's iterations from given centres until no row changes its cluster. */
export function plainLloyd(points: Points, start: Float64Array, maxIterations: number, onStep?: () => void): Run {
  const { rows, columns, values } = points;
  const k = start.length / columns;
  let centres = start;
  let { labels, squared } = nearestCentres(points, centres);
  let iterations = 0;
  while (iterations < maxIterations) {
    onStep?.();
    iterations++;
    const sizes = new Int32Array(k);
    for (const label of labels) sizes[label] = (sizes[label] as number) + 1;
    refill(sizes, labels, squared);
    centres = new Float64Array(k * columns);
    for (let i = 0; i < rows; i++) {
      const at = (labels[i] as number) * columns;
      for (let c = 0; c < columns; c++)
        centres[at + c] = (centres[at + c] as number) + (values[i * columns + c] as number);
    }
    for (let at = 0; at < centres.length; at++)
      centres[at] = (centres[at] as number) / (sizes[Math.floor(at / columns)] as number);
    const next = nearestCentres(points, centres);
    const settled = next.labels.every((label, i) => label === labels[i]);
    ({ labels, squared } = next);
    if (settled) break;
  }
  let inertia = 0;
  for (const d of squared) inertia += d;
  return { k, centres, labels, squared, inertia, iterations };
}

/** Gives each empty cluster the row that lies farthest from its centre, from clusters that keep another row. */
function refill(sizes: Int32Array, labels: Int32Array, squared: Float64Array): void {
  for (let empty = 0; empty < sizes.length; empty++) {
    if (sizes[empty] !== 0) continue;
    const farthest = farthestRow(sizes, labels, squared);
    if (farthest < 0) return;
    const from = labels[farthest] as number;
    sizes[from] = (sizes[from] as number) - 1;
    sizes[empty] = 1;
    labels[farthest] = empty;
    squared[farthest] = 0;
  }
}

/** The row farthest from its centre in a cluster that keeps another row; -1 if there is none. */
export function farthestRow(sizes: Int32Array, labels: Int32Array, squared: Float64Array): number {
  let farthest = -1;
  for (let i = 0; i < labels.length; i++)
    if ((sizes[labels[i] as number] as number) > 1)
      if (farthest < 0 || (squared[i] as number) > (squared[farthest] as number)) farthest = i;
  return farthest;
}
