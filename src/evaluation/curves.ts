/** Curves behind a score: ROC, and what was observed where a model predicted what. */
import type { Rng } from '../random/rng.ts';
import { clustersOf, wholeSample } from './bootstrap.ts';
import { groupsByPrediction } from './calibration.ts';
import type { ModelRows } from './predictions.ts';
import { type Draws, intervalOf, resample, samplingOf } from './sampling.ts';
import { meanOfValues } from './scores.ts';

export interface Curve {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
}

const GRID = 100;

/**
 * The ROC curve on a grid of false positive rates. With strata (folds) it is the mean of their curves weighted by their
 * pairs, so that the area under it is the AUC within strata. Null if no stratum has both classes.
 */
export function rocCurve(actual: Float64Array, predicted: Float64Array, strata?: ArrayLike<number>): Curve | null {
  const sum = new Float64Array(GRID + 1);
  let total = 0;
  for (const rows of rowsByStratum(actual.length, strata)) {
    const { curve, pairs } = rocOf(rows, actual, predicted);
    if (pairs === 0) continue;
    total += pairs;
    for (let k = 0; k <= GRID; k++) sum[k] = (sum[k] as number) + pairs * (curve[k] as number);
  }
  if (total === 0) return null;
  const x = Array.from(sum, (_, k) => k / GRID);
  // The curve starts in the corner, and rises at once by what is found without a false positive.
  return { x: [0, ...x], y: [0, ...Array.from(sum, (value) => value / total)] };
}

function rowsByStratum(count: number, strata?: ArrayLike<number>): number[][] {
  const groups = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const stratum = strata?.[row] ?? 0;
    const list = groups.get(stratum);
    if (list === undefined) groups.set(stratum, [row]);
    else list.push(row);
  }
  return [...groups.values()];
}

function rocOf(rows: number[], actual: Float64Array, predicted: Float64Array): { curve: Float64Array; pairs: number } {
  const order = rows.toSorted((a, b) => (predicted[b] as number) - (predicted[a] as number));
  let positives = 0;
  for (const row of rows) positives += actual[row] as number;
  const negatives = rows.length - positives;
  const curve = new Float64Array(GRID + 1);
  if (positives === 0 || negatives === 0) return { curve, pairs: 0 };
  let tp = 0;
  let fp = 0;
  let grid = 0;
  for (let k = 0; k < order.length; ) {
    const level = predicted[order[k] as number];
    const [tpBefore, fpBefore] = [tp, fp];
    for (; k < order.length && predicted[order[k] as number] === level; k++) {
      if (actual[order[k] as number] === 1) tp++;
      else fp++;
    }
    // Along a run of ties the curve is a straight line; where it climbs without a false positive the top counts.
    for (; grid <= GRID && (grid / GRID) * negatives < fp; grid++) {
      const share = ((grid / GRID) * negatives - fpBefore) / (fp - fpBefore);
      curve[grid] = (tpBefore + share * (tp - tpBefore)) / positives;
    }
  }
  for (; grid <= GRID; grid++) curve[grid] = 1;
  return { curve, pairs: positives * negatives };
}

/**
 * Mean actual value against mean predicted value in `bins` groups of about equally many rows by prediction, each with
 * an interval by cluster and, where rows say their stretch of time, by time (see sampling.ts). Equal predictions stay in one group.
 */
export function calibrationCurve(
  rows: Pick<ModelRows, 'actual' | 'predicted' | 'cluster' | 'block'>,
  bins: number,
  rng: Rng,
  resamples: number,
): Curve & { readonly counts: readonly number[] } {
  const { actual, predicted } = rows;
  const groups = groupsByPrediction(predicted, bins);
  const sampling = samplingOf(rows.cluster, rows.block === undefined ? undefined : clustersOf(rows.block));
  const scorers = groups.map((group) =>
    meanOfValues(
      Float64Array.from(group, (row) => actual[row] as number),
      Int32Array.from(group, (row) => sampling.of[row] as number),
      sampling.units,
    ),
  );
  const draws = resample(scorers, sampling, rng, resamples);
  const whole = wholeSample(sampling.units);
  const means = scorers.map((scorer) => scorer.score(whole));
  const ranges = means.map((mean, g) => intervalOf(mean, draws[g] as Draws));
  return {
    x: groups.map((group) => {
      // Around the first value, so that the mean of equal predictions is that prediction to the last bit.
      const first = predicted[group[0] as number] as number;
      return first + group.reduce((sum, row) => sum + (predicted[row] as number) - first, 0) / group.length;
    }),
    y: means,
    low: ranges.map((range) => range.low),
    high: ranges.map((range) => range.high),
    counts: groups.map((group) => group.length),
  };
}

/** Counts of (actual class, likeliest class). */
export function confusion(truth: Int32Array, chosen: Int32Array, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  truth.forEach((actual, row) => {
    const line = counts[actual] as number[];
    const at = chosen[row] as number;
    line[at] = (line[at] as number) + 1;
  });
  return counts;
}
