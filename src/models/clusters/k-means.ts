/**
 * k-means: Lloyd's iterations (IEEE Trans. Inf. Theory 28, 1982) from k-means++ starts (Arthur, Vassilvitskii 2007), or
 * mini-batches (Sculley 2010) from such starts.
 */
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';
import { KMeansFitter } from './k-means-fitter.ts';
import { miniBatchCentres } from './k-means-mini-batch.ts';
import type { Run } from './k-means-plain.ts';

export { nearestCentres, squaredDistance } from './centres.ts';

export interface KMeansOptions {
  /** Runs from different starts; the one with the least inertia is taken. */
  readonly starts: number;
  /** Most iterations of a run; with mini-batches, most passes' worth of batches. */
  readonly maxIterations: number;
  /** Rows of a mini-batch; undefined: every iteration goes through all rows. */
  readonly batchRows?: number | undefined;
}

/**
 * Clusters are numbered by size, the largest first. `k` is the number found: as many as asked, or as many as there are
 * different rows.
 */
export type Clustering = Run;

/**
 * @param onStep called every iteration; may throw to stop
 * @param fitter to use again from fit to fit, which saves memory
 */
export function kMeans(
  points: Points,
  k: number,
  options: KMeansOptions,
  rng: Rng,
  onStep?: () => void,
  fitter: KMeansFitter = new KMeansFitter(),
): Clustering {
  fitter.load(points);
  let best: Run | undefined;
  for (let start = 0; start < options.starts; start++) {
    const run = runOnce(fitter, points, k, options, rng, onStep);
    if (best === undefined || run.inertia < best.inertia) best = run;
  }
  return bySize(best as Run, points.columns);
}

function runOnce(
  fitter: KMeansFitter,
  points: Points,
  k: number,
  { maxIterations, batchRows }: KMeansOptions,
  rng: Rng,
  onStep?: () => void,
): Run {
  const starts = fitter.starts(k, rng);
  if (batchRows === undefined || batchRows >= points.rows) return fitter.lloyd(starts, maxIterations, onStep);
  const { centres, batches } = miniBatchCentres(points, starts, { batchRows, maxIterations }, rng, onStep);
  return { ...fitter.lloyd(centres, 0), iterations: batches };
}

/** Numbers the clusters by size, then by their centres: the order of the starts means nothing. Leaves out empty ones. */
function bySize(run: Run, columns: number): Clustering {
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
