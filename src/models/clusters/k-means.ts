/** k-means: Lloyd's iterations (IEEE Trans. Inf. Theory 28, 1982) from k-means++ starts (Arthur, Vassilvitskii 2007). */
import { log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';

export interface KMeansOptions {
  /** Runs from different starts; the one with the least inertia is taken. */
  readonly starts: number;
  readonly maxIterations: number;
}

/** Clusters are numbered by size, the largest first. */
export interface Clustering {
  /** Clusters found: as many as asked, or as many as there are different rows. */
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

/** @param onStep called every iteration; may throw to stop */
export function kMeans(points: Points, k: number, options: KMeansOptions, rng: Rng, onStep?: () => void): Clustering {
  let best: Clustering | undefined;
  for (let start = 0; start < options.starts; start++) {
    const run = lloyd(points, spreadStarts(points, k, rng), options.maxIterations, onStep);
    if (best === undefined || run.inertia < best.inertia) best = run;
  }
  return bySize(best as Clustering, points.columns);
}

/** The nearest centre of every row, the first of equally near ones, and the squared distance to it. */
export function nearestCentres(
  { rows, columns, values }: Points,
  centres: Float64Array,
): { labels: Int32Array; squared: Float64Array } {
  const k = centres.length / columns;
  const labels = new Int32Array(rows);
  const squared = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let nearest = 0;
    let least = Infinity;
    for (let c = 0; c < k; c++) {
      const d = squaredDistance(values, i * columns, centres, c * columns, columns);
      if (d >= least) continue;
      least = d;
      nearest = c;
    }
    labels[i] = nearest;
    squared[i] = least;
  }
  return { labels, squared };
}

/** Squared Euclidean distance of the vectors that begin at `a[i]` and `b[j]`. */
export function squaredDistance(a: Float64Array, i: number, b: Float64Array, j: number, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const d = (a[i + c] as number) - (b[j + c] as number);
    sum += d * d;
  }
  return sum;
}

/**
 * Rows far from each other: each next centre is drawn with a chance proportional to the squared distance from those
 * there are; of 2 + ln k such draws the one that leaves the least inertia is kept. Ends early where every row is a
 * centre already.
 */
function spreadStarts({ rows, columns, values }: Points, k: number, rng: Rng): Float64Array {
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
  const draws = 2 + Math.floor(log(k));
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

function lloyd(points: Points, start: Float64Array, maxIterations: number, onStep?: () => void): Clustering {
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
    let farthest = -1;
    for (let i = 0; i < labels.length; i++)
      if ((sizes[labels[i] as number] as number) > 1)
        if (farthest < 0 || (squared[i] as number) > (squared[farthest] as number)) farthest = i;
    if (farthest < 0) return;
    const from = labels[farthest] as number;
    sizes[from] = (sizes[from] as number) - 1;
    sizes[empty] = 1;
    labels[farthest] = empty;
    squared[farthest] = 0;
  }
}

/** Numbers the clusters by size, then by their centres: the order of the starts means nothing. Leaves out empty ones. */
function bySize(run: Clustering, columns: number): Clustering {
  const sizes = new Int32Array(run.k);
  for (const label of run.labels) sizes[label] = (sizes[label] as number) + 1;
  const compareCentres = (a: number, b: number): number => {
    for (let c = 0; c < columns; c++) {
      const d = (run.centres[a * columns + c] as number) - (run.centres[b * columns + c] as number);
      if (d !== 0) return d;
    }
    return 0;
  };
  const order = Array.from({ length: run.k }, (_, c) => c)
    .filter((c) => (sizes[c] as number) > 0)
    .sort((a, b) => (sizes[b] as number) - (sizes[a] as number) || compareCentres(a, b));
  const numberOf = new Int32Array(run.k);
  for (const [number, c] of order.entries()) numberOf[c] = number;
  const centres = new Float64Array(order.length * columns);
  for (const [number, c] of order.entries())
    centres.set(run.centres.subarray(c * columns, (c + 1) * columns), number * columns);
  return { ...run, k: order.length, centres, labels: run.labels.map((label) => numberOf[label] as number) };
}
