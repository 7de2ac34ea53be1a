/** The cluster bootstrap: whole wallets or events are drawn with replacement, because rows of one wallet are not independent. */
import type { Rng } from '../random/rng.ts';
import type { Scorer } from './scores.ts';

/** Rows by cluster: `of[i]` is the cluster of row i, from 0 to `count - 1`, numbered in sorted order of the names. */
export interface Clusters {
  readonly of: Int32Array;
  readonly count: number;
}

/** Numbers clusters in the order of their names, so that the order of rows does not matter. */
export function clustersOf(names: ArrayLike<string> | ArrayLike<number>): Clusters {
  const list = Array.from(names as ArrayLike<string | number>);
  const sorted = [...new Set(list)].sort((a, b) => (a < b ? -1 : 1));
  const numberOf = new Map(sorted.map((name, i) => [name, i]));
  return { of: Int32Array.from(list, (name) => numberOf.get(name) as number), count: sorted.length };
}

/**
 * Values of all scores on the same resamples, so that differences between them are paired.
 * @returns one array of `resamples` values a score; NaN where the score is undefined in that resample
 */
export function bootstrap(
  scorers: readonly Scorer[],
  clusters: number,
  rng: Rng,
  resamples: number,
): readonly Float64Array[] {
  const draws = scorers.map(() => new Float64Array(resamples));
  const counts = new Int32Array(clusters);
  for (let b = 0; b < resamples; b++) {
    counts.fill(0);
    for (let k = 0; k < clusters; k++) {
      const drawn = rng.below(clusters);
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    for (let s = 0; s < scorers.length; s++) (draws[s] as Float64Array)[b] = (scorers[s] as Scorer).score(counts);
  }
  return draws;
}

/** Every cluster once: the sample as it is. */
export function wholeSample(clusters: number): Int32Array {
  return new Int32Array(clusters).fill(1);
}

/** Quantile of sorted values, linear between order statistics (Hyndman and Fan's type 7). NaN if there are none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  return low === undefined || high === undefined ? NaN : low + (high - low) * (at - Math.floor(at));
}

export type Interval =
  | { readonly low: number; readonly high: number }
  | { readonly low: null; readonly high: null; readonly why: string };

/**
 * Percentile interval of bootstrap draws. Undefined draws are left out while they are few; once more than one in
 * twenty is undefined, what is left no longer describes the sampling and there is no interval.
 */
export function percentileInterval(draws: Float64Array, clusters: number, confidence = 0.95): Interval {
  if (clusters < 2) return { low: null, high: null, why: 'one cluster: nothing to resample' };
  const defined = draws.filter((value) => !Number.isNaN(value)).sort();
  if (draws.length === 0 || defined.length < 0.95 * draws.length)
    return {
      low: null,
      high: null,
      why: `undefined in ${draws.length - defined.length} of ${draws.length} resamples`,
    };
  const tail = (1 - confidence) / 2;
  return { low: quantile(defined, tail), high: quantile(defined, 1 - tail) };
}

/** Standard deviation of the defined draws (ddof 1): the bootstrap's standard error. NaN below two. */
export function standardError(draws: Float64Array): number {
  let n = 0;
  let mean = 0;
  let squares = 0;
  for (const value of draws) {
    if (Number.isNaN(value)) continue;
    n++;
    const delta = value - mean;
    mean += delta / n;
    squares += delta * (value - mean);
  }
  return n < 2 ? NaN : Math.sqrt(squares / (n - 1));
}
