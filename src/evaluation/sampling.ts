/**
 * How sure a score is where rows depend on each other in two ways: rows of one wallet share its habits, and rows of one
 * stretch of time share the luck of its markets.
 *
 * The variance is that of clustering by both: by wallet, plus by time, minus by both together, which was counted twice.
 * Each of the three comes from a bootstrap that draws whole wallets, whole stretches, or whole wallet-stretches.
 * Source: Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, J. Business & Econ. Statistics 29.
 */
import { studentQuantile, studentTail } from '../numeric/student.ts';
import type { Rng } from '../random/rng.ts';
import {
  bootstrap,
  type Clusters,
  clustersOf,
  type Interval,
  percentileInterval,
  quantile,
  standardError,
} from './bootstrap.ts';
import type { Scorer } from './scores.ts';

/** With fewer stretches of time than this, nothing can be said of what differs from one to the next. */
export const FEWEST_BLOCKS = 5;

/** Part of the rows whose label spans set the length of a stretch; the few longest would join all dates into one. */
const SPAN_QUANTILE = 0.95;

/**
 * Stretches of time: each begins at the first date after the one before it, and holds the dates up to a label span
 * later. Rows of one stretch look at the same outcomes; those of different ones hardly do (Carlstein 1986).
 * Undefined as soon as one row has no time.
 * @param time of each row, any unit
 * @param labelEnd when its label was known; NaN for unknown. The dates alone count where it is left out.
 */
export function timeBlocks(time: ArrayLike<number>, labelEnd?: ArrayLike<number>): Clusters | undefined {
  const dates = [...new Set(Array.from(time))].sort((a, b) => a - b);
  if (dates.length === 0 || dates.some(Number.isNaN)) return undefined;
  const spans: number[] = [];
  for (let i = 0; i < time.length; i++) {
    const span = (labelEnd?.[i] ?? NaN) - (time[i] as number);
    spans.push(Number.isNaN(span) ? 0 : span);
  }
  const length = quantile(
    spans.sort((a, b) => a - b),
    SPAN_QUANTILE,
  );
  const blockOf = new Map<number, number>();
  let count = 0;
  let until = -Infinity;
  for (const date of dates) {
    if (date > until) {
      count++;
      until = date + length;
    }
    blockOf.set(date, count - 1);
  }
  return { of: Int32Array.from(time, (t) => blockOf.get(t) as number), count };
}

/** What resamples draw. Scorers count by `unit`: the cluster, or the cluster in one stretch of time. */
export interface Sampling {
  /** Unit of each row. */
  readonly of: Int32Array;
  readonly units: number;
  readonly clusters: number;
  /** Stretches of time that the rows lie in; undefined where rows carry no time. */
  readonly blocks?: number;
  /** Cluster and stretch of each unit, where there are stretches enough to draw. */
  readonly cells?: { readonly cluster: Int32Array; readonly block: Int32Array };
}

/** Rows by cluster, and by stretch of time where there are at least `FEWEST_BLOCKS` of them. */
export function samplingOf(names: ArrayLike<string> | ArrayLike<number>, blocks?: Clusters): Sampling {
  const { of, count } = clustersOf(names);
  const one = { of, units: count, clusters: count };
  if (blocks === undefined) return one;
  if (blocks.count < FEWEST_BLOCKS || count < 2) return { ...one, blocks: blocks.count };
  const cells = clustersOf(Array.from(of, (cluster, row) => cluster * blocks.count + (blocks.of[row] as number)));
  const cluster = new Int32Array(cells.count);
  const block = new Int32Array(cells.count);
  cells.of.forEach((cell, row) => {
    cluster[cell] = of[row] as number;
    block[cell] = blocks.of[row] as number;
  });
  return { of: cells.of, units: cells.count, clusters: count, blocks: blocks.count, cells: { cluster, block } };
}

/** Values of one score on resamples of clusters and, where time is resampled, of stretches and of both together. */
export interface Draws {
  readonly clusters: number;
  readonly byCluster: Float64Array;
  readonly inTime?: { readonly blocks: number; readonly byBlock: Float64Array; readonly byBoth: Float64Array };
}

/** Values of all scores on the same resamples, so that differences between them are paired. */
export function resample(scorers: readonly Scorer[], sampling: Sampling, rng: Rng, resamples: number): Draws[] {
  const { clusters, units, blocks = 0, cells } = sampling;
  if (clusters < 2) return scorers.map(() => ({ clusters, byCluster: new Float64Array(0) }));
  if (cells === undefined)
    return bootstrap(scorers, clusters, rng, resamples).map((byCluster) => ({ clusters, byCluster }));
  const by = (of: Int32Array, count: number): readonly Float64Array[] => {
    const spread = new Int32Array(units);
    const spreading = scorers.map(
      (scorer, s): Scorer => ({
        ...scorer,
        score: (counts) => {
          // All scorers of one resample see the same counts, so they are spread over the units once.
          if (s === 0) for (let unit = 0; unit < units; unit++) spread[unit] = counts[of[unit] as number] as number;
          return scorer.score(spread);
        },
      }),
    );
    return bootstrap(spreading, count, rng, resamples);
  };
  const byCluster = by(cells.cluster, clusters);
  const byBlock = by(cells.block, blocks);
  const byBoth = bootstrap(scorers, units, rng, resamples);
  return scorers.map((_, s) => ({
    clusters,
    byCluster: byCluster[s] as Float64Array,
    inTime: { blocks, byBlock: byBlock[s] as Float64Array, byBoth: byBoth[s] as Float64Array },
  }));
}

/** A function of paired scores, draw by draw: the difference of two models. */
export function combine(draws: Draws, other: Draws, of: (a: number, b: number) => number): Draws {
  const pairs = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => of(value, b[i] as number));
  const byCluster = pairs(draws.byCluster, other.byCluster);
  const [mine, theirs] = [draws.inTime, other.inTime];
  if (mine === undefined || theirs === undefined) return { clusters: draws.clusters, byCluster };
  return {
    clusters: draws.clusters,
    byCluster,
    inTime: {
      blocks: mine.blocks,
      byBlock: pairs(mine.byBlock, theirs.byBlock),
      byBoth: pairs(mine.byBoth, theirs.byBoth),
    },
  };
}

/**
 * Standard error: with stretches of time the root of V(cluster) + V(time) − V(both), each V the variance of the draws
 * times G / (G − 1) for its G units, and never less than the larger of the first two. NaN if unknown.
 */
export function errorOf({ clusters, byCluster, inTime }: Draws): number {
  if (inTime === undefined) return standardError(byCluster);
  const variance = (draws: Float64Array, count: number): number => (standardError(draws) ** 2 * count) / (count - 1);
  const cluster = variance(byCluster, clusters);
  const time = variance(inTime.byBlock, inTime.blocks);
  return Math.sqrt(Math.max(cluster + time - standardError(inTime.byBoth) ** 2, cluster, time));
}

/**
 * Interval of a value: percentiles of the draws of clusters; where time is resampled too, the value plus and minus its
 * standard error times the quantile of Student's t with one degree of freedom fewer than there are clusters or
 * stretches, whichever are fewer, within the range that the score can take.
 */
export function intervalOf(
  value: number,
  draws: Draws,
  confidence = 0.95,
  [least, most]: readonly [number, number] = [-Infinity, Infinity],
): Interval {
  const { clusters, byCluster, inTime } = draws;
  if (inTime === undefined) return percentileInterval(byCluster, clusters, confidence);
  for (const [part, count] of [
    [byCluster, clusters],
    [inTime.byBlock, inTime.blocks],
    [inTime.byBoth, clusters],
  ] as const) {
    const percentile = percentileInterval(part, count);
    if (percentile.low === null) return percentile;
  }
  const half = studentQuantile((1 + confidence) / 2, Math.min(clusters, inTime.blocks) - 1) * errorOf(draws);
  return { low: Math.max(least, value - half), high: Math.min(most, value + half) };
}

/**
 * Two-sided p-value of "the value is 0", by the distribution that makes the interval. Null where there is no interval.
 */
export function pOf(value: number, draws: Draws): number | null {
  const { clusters, byCluster, inTime } = draws;
  if (inTime === undefined) return bootstrapP(byCluster);
  if (Number.isNaN(value) || intervalOf(value, draws).low === null) return null;
  const error = errorOf(draws);
  if (error === 0) return value === 0 ? 1 : 0;
  return Math.min(1, 2 * studentTail(Math.abs(value) / error, Math.min(clusters, inTime.blocks) - 1));
}

/**
 * Two-sided bootstrap p-value of "no difference": twice the smaller share of draws on either side of 0, counting one
 * more draw than there are, so that it is never 0. Null while there are no draws, or too many undefined ones.
 */
export function bootstrapP(draws: Float64Array): number | null {
  let low = 0;
  let high = 0;
  let defined = 0;
  for (const value of draws) {
    if (Number.isNaN(value)) continue;
    defined++;
    if (value <= 0) low++;
    if (value >= 0) high++;
  }
  if (defined === 0 || defined < 0.95 * draws.length) return null;
  return Math.min(1, (2 * (1 + Math.min(low, high))) / (defined + 1));
}
