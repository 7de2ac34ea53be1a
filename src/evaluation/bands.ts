/** ROC and precision-recall curves with an interval at each point, by the same resamples as the scores. */
import type { Rng } from '../random/rng.ts';
import { clustersOf, wholeSample } from './bootstrap.ts';
import type { Curve } from './curves.ts';
import type { ModelRows } from './predictions.ts';
import { type Draws, intervalOf, resample, samplingOf } from './sampling.ts';
import type { Scorer } from './scores.ts';

/** Points at which a curve is given: twentieths of its axis. */
const POINTS = 20;

type Rows = Pick<ModelRows, 'actual' | 'cluster' | 'block'>;

/** One sorted list of rows: those of a fold, or all. */
interface Ranking {
  /** Rows from the highest prediction to the lowest. */
  readonly order: Int32Array;
  /** 1 where a row's prediction equals that of the next one in order. */
  readonly tied: Uint8Array;
}

function rankings(predicted: Float64Array, strata?: ArrayLike<number>): Ranking[] {
  const lists = new Map<number, number[]>();
  for (let row = 0; row < predicted.length; row++) {
    const stratum = strata?.[row] ?? 0;
    const list = lists.get(stratum);
    if (list === undefined) lists.set(stratum, [row]);
    else list.push(row);
  }
  return [...lists.values()].map((rows) => {
    rows.sort((a, b) => (predicted[b] as number) - (predicted[a] as number));
    return {
      order: Int32Array.from(rows),
      tied: Uint8Array.from(rows, (row, i) => Number(predicted[row] === predicted[rows[i + 1] ?? -1])),
    };
  });
}

/**
 * True positive rates at twentieths of the false positive rate: the mean of the rankings' curves, weighted by their
 * pairs. NaN where no ranking has both classes.
 */
function rocAt(all: readonly Ranking[], actual: Float64Array, weight: (row: number) => number): Float64Array {
  const mean = new Float64Array(POINTS + 1);
  let pairs = 0;
  for (const { order, tied } of all) {
    let positives = 0;
    let negatives = 0;
    for (const row of order) {
      if (actual[row] === 1) positives += weight(row);
      else negatives += weight(row);
    }
    if (positives === 0 || negatives === 0) continue;
    pairs += positives * negatives;
    let [tp, fp, tpBefore, fpBefore, point] = [0, 0, 0, 0, 0];
    for (let i = 0; i < order.length; i++) {
      const row = order[i] as number;
      if (actual[row] === 1) tp += weight(row);
      else fp += weight(row);
      if (tied[i] === 1) continue;
      // Along a run of ties the curve is a straight line; where it climbs without a false positive the top counts.
      for (; point < POINTS && (point / POINTS) * negatives < fp; point++) {
        const share = ((point / POINTS) * negatives - fpBefore) / (fp - fpBefore);
        mean[point] = (mean[point] as number) + negatives * (tpBefore + share * (tp - tpBefore));
      }
      [tpBefore, fpBefore] = [tp, fp];
    }
    for (; point <= POINTS; point++) mean[point] = (mean[point] as number) + negatives * positives;
  }
  return mean.map((value) => (pairs === 0 ? Number.NaN : value / pairs));
}

/**
 * Precision at twentieths of recall, from the first one on: that of the highest threshold that finds as many. Rows of
 * equal predictions are taken together; nothing is interpolated (Davis and Goadrich 2006).
 */
function precisionAt(
  [ranking]: readonly Ranking[],
  actual: Float64Array,
  weight: (row: number) => number,
): Float64Array {
  const result = new Float64Array(POINTS).fill(Number.NaN);
  if (ranking === undefined) return result;
  let positives = 0;
  for (const row of ranking.order) if (actual[row] === 1) positives += weight(row);
  if (positives === 0) return result;
  let [tp, taken, point] = [0, 0, 0];
  for (let i = 0; i < ranking.order.length && point < POINTS; i++) {
    const row = ranking.order[i] as number;
    taken += weight(row);
    if (actual[row] === 1) tp += weight(row);
    if (ranking.tied[i] === 1) continue;
    for (; point < POINTS && tp > 0 && tp / positives >= (point + 1) / POINTS - 1e-12; point++)
      result[point] = tp / taken;
  }
  return result;
}

function banded(
  rows: Rows,
  x: readonly number[],
  curve: (weight: (row: number) => number) => Float64Array,
  rng: Rng,
  resamples: number,
): Curve | null {
  const sampling = samplingOf(rows.cluster, rows.block === undefined ? undefined : clustersOf(rows.block));
  let now = new Float64Array(x.length);
  const scorers = x.map(
    (_, point): Scorer => ({
      score: (counts) => {
        // All points of one resample see the same counts, so the curve is made once.
        if (point === 0) now = Float64Array.from(curve((row) => counts[sampling.of[row] as number] as number));
        return now[point] as number;
      },
      weight: () => 1,
    }),
  );
  const whole = wholeSample(sampling.units);
  const y = scorers.map((scorer) => scorer.score(whole));
  if (y.every(Number.isNaN)) return null;
  const ranges = resample(scorers, sampling, rng, resamples).map((draws: Draws, i) =>
    intervalOf(y[i] as number, draws, 0.95, [0, 1]),
  );
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return { x, y: y.map(known), low: ranges.map(({ low }) => low), high: ranges.map(({ high }) => high) };
}

/**
 * The ROC curve with an interval at each twentieth of the false positive rate. With strata (folds) it is the mean of
 * their curves weighted by their pairs. Null if no stratum has both classes.
 */
export function rocBand(
  rows: Rows & { readonly predicted: Float64Array },
  strata: ArrayLike<number> | undefined,
  rng: Rng,
  resamples: number,
): Curve | null {
  const all = rankings(rows.predicted, strata);
  const x = Array.from({ length: POINTS + 1 }, (_, k) => k / POINTS);
  return banded(rows, x, (weight) => rocAt(all, rows.actual, weight), rng, resamples);
}

/** Precision against recall with intervals, all rows in one ranking. Null without a positive row. */
export function precisionRecallBand(
  rows: Rows & { readonly predicted: Float64Array },
  rng: Rng,
  resamples: number,
): Curve | null {
  const all = rankings(rows.predicted);
  const x = Array.from({ length: POINTS }, (_, k) => (k + 1) / POINTS);
  return banded(rows, x, (weight) => precisionAt(all, rows.actual, weight), rng, resamples);
}
