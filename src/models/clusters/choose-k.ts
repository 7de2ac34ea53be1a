/** How many clusters: inertia, silhouette and stability over a range of k. */
import type { Clusters } from '../../evaluation/bootstrap.ts';
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';
import { adjustedRandIndex } from './agreement.ts';
import { type Clustering, type KMeansOptions, kMeans, nearestCentres } from './k-means.ts';
import { KMeansFitter } from './k-means-fitter.ts';
import { silhouettes } from './silhouette.ts';

export interface Candidate {
  readonly clustering: Clustering;
  readonly silhouette: number;
  /** Mean adjusted Rand index between these clusters and those found without a fifth of the subjects; NaN unmeasured. */
  readonly stability: number;
}

/** Share of the subjects in a resample. */
const KEPT = 0.8;
/** Starts of k-means in a resample: fewer than of the fit itself, which only makes the clusters look less stable. */
const RESAMPLE_STARTS = 3;

export interface CandidateOptions extends KMeansOptions {
  /** 0 leaves stability unmeasured. */
  readonly resamples: number;
}

/**
 * Clusters the rows for every k.
 * @param subjects whose rows stay together in a resample
 * @param rngOf a stream for each purpose
 * @param onProgress steps done of all; may throw to stop
 * @param makeFitter who does the arithmetic; any gives the same clusters
 */
export function candidates(
  points: Points,
  ks: readonly number[],
  options: CandidateOptions,
  subjects: Clusters,
  rngOf: (purpose: string) => Rng,
  onProgress: (done: number, total: number) => void = () => undefined,
  makeFitter: () => KMeansFitter = () => new KMeansFitter(),
): Candidate[] {
  const total = ks.length * (options.resamples + 1) + 1;
  let done = 0;
  const step = (): void => onProgress(done, total);
  const [whole, resampled] = [makeFitter(), makeFitter()];
  const clusterings = ks.map((k) => {
    const clustering = kMeans(points, k, options, rngOf(`k-means ${k}`), step, whole);
    done++;
    return clustering;
  });
  const widths = silhouettes(
    points,
    clusterings.map(({ labels }) => labels),
    rngOf('silhouette'),
    step,
  );
  done++;
  return clusterings.map((clustering, i) => {
    const rng = rngOf(`stability ${ks[i]}`);
    let sum = 0;
    for (let r = 0; r < options.resamples; r++) {
      const part = withoutSome(points, subjects, rng);
      const again = kMeans(part, clustering.k, { ...options, starts: RESAMPLE_STARTS }, rng, step, resampled);
      sum += adjustedRandIndex(clustering.labels, nearestCentres(points, again.centres).labels);
      done++;
    }
    onProgress(done, total);
    return { clustering, silhouette: widths[i] as number, stability: sum / options.resamples };
  });
}

/** The candidate with the largest silhouette, the smallest k among equals; the first if none has one. */
export function widest(list: readonly Candidate[]): Candidate {
  let best = list[0] as Candidate;
  for (const one of list) if (one.silhouette > best.silhouette || Number.isNaN(best.silhouette)) best = one;
  return best;
}

/**
 * The same values with every column shuffled by itself: what silhouette do features reach that have nothing to do with
 * each other? k-means finds clusters in anything.
 */
export function shuffledColumns({ rows, columns, values }: Points, rng: Rng): Points {
  const out = new Float64Array(values.length);
  for (let c = 0; c < columns; c++) {
    const column = rng.shuffle(Float64Array.from({ length: rows }, (_, i) => values[i * columns + c] as number));
    for (let i = 0; i < rows; i++) out[i * columns + c] = column[i] as number;
  }
  return { rows, columns, values: out };
}

function withoutSome({ columns, values }: Points, subjects: Clusters, rng: Rng): Points {
  const order = rng.shuffle(Int32Array.from({ length: subjects.count }, (_, s) => s));
  const kept = new Set(order.subarray(0, Math.max(1, Math.round(KEPT * subjects.count))));
  const rows: number[] = [];
  for (const [row, subject] of subjects.of.entries()) if (kept.has(subject)) rows.push(row);
  const part = new Float64Array(rows.length * columns);
  for (const [i, row] of rows.entries()) part.set(values.subarray(row * columns, (row + 1) * columns), i * columns);
  return { rows: rows.length, columns, values: part };
}
