/** Acting on predictions above a threshold: what is caught, how often rightly, and what it earns. */

import type { Rng } from '../random/rng.ts';
import { wholeSample } from './bootstrap.ts';
import { type Draws, intervalOf, resample, type Sampling } from './sampling.ts';
import type { Scorer } from './scores.ts';

/** Rows to act on or not. `profit`: USD per USD staked if acted on; NaN where unknown. */
export interface ActionRows {
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly profit?: Float64Array;
}

export type ThresholdScore = 'precision' | 'recall' | 'coverage' | 'profit';

/** Values of one threshold; NaN where undefined (no row above it, no positive row, no known profit). */
export type ThresholdValues = Readonly<Record<ThresholdScore, number>>;

const scoreNames: readonly ThresholdScore[] = ['precision', 'recall', 'coverage', 'profit'];

/** A row is acted on if its prediction is above the threshold, not at it. */
export function isActed(predicted: number, threshold: number): boolean {
  return predicted > threshold;
}

/**
 * precision: share of acted rows that are positive. recall: share of positive rows that are acted on. coverage: share
 * of rows acted on. profit: mean profit of acted rows whose profit is known.
 */
export function valuesAt(rows: ActionRows, threshold: number): ThresholdValues {
  const cluster = new Int32Array(rows.actual.length);
  const scorers = scorersOf(rows, () => threshold, cluster, 1);
  return Object.fromEntries(scoreNames.map((name, i) => [name, scorers[i]?.score(wholeSample(1)) ?? NaN])) as never;
}

/** Each value with its 95 % interval. `thresholdOf` may differ by row: folds choose their own. */
export function estimatesAt(
  rows: ActionRows,
  thresholdOf: (row: number) => number,
  sampling: Sampling,
  rng: Rng,
  resamples: number,
): Record<ThresholdScore, { value: number | null; low: number | null; high: number | null }> {
  const scorers = scorersOf(rows, thresholdOf, sampling.of, sampling.units);
  const draws = resample(scorers, sampling, rng, resamples);
  const whole = wholeSample(sampling.units);
  return Object.fromEntries(
    scoreNames.map((name, i) => {
      const value = (scorers[i] as Scorer).score(whole);
      if (Number.isNaN(value)) return [name, { value: null, low: null, high: null }];
      const { low, high } = intervalOf(value, draws[i] as Draws, 0.95, name === 'profit' ? undefined : [0, 1]);
      return [name, { value, low, high }];
    }),
  ) as never;
}

function scorersOf(
  { actual, predicted, profit }: ActionRows,
  thresholdOf: (row: number) => number,
  cluster: Int32Array,
  units: number,
): Scorer[] {
  const acted = predicted.map((p, row) => Number(isActed(p, thresholdOf(row))));
  const earned = acted.map((a, row) => (a === 1 ? knownOr0(profit?.[row]) : 0));
  const judged = acted.map((a, row) => (a === 1 && !Number.isNaN(profit?.[row] ?? NaN) ? 1 : 0));
  return [
    ratio(
      acted.map((a, row) => a * (actual[row] as number)),
      acted,
      cluster,
      units,
    ),
    ratio(
      acted.map((a, row) => a * (actual[row] as number)),
      actual,
      cluster,
      units,
    ),
    ratio(acted, new Float64Array(acted.length).fill(1), cluster, units),
    ratio(earned, judged, cluster, units),
  ];
}

function knownOr0(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}

/** The ratio of two sums over the drawn rows; NaN where the lower one is 0. */
function ratio(above: Float64Array, below: Float64Array, cluster: Int32Array, units: number): Scorer {
  const sums = new Float64Array(2 * units);
  for (let row = 0; row < cluster.length; row++) {
    const at = 2 * (cluster[row] as number);
    sums[at] = (sums[at] as number) + (above[row] as number);
    sums[at + 1] = (sums[at + 1] as number) + (below[row] as number);
  }
  let weight = 0;
  return {
    score(counts) {
      let total = 0;
      weight = 0;
      for (let unit = 0; unit < units; unit++) {
        total += (counts[unit] as number) * (sums[2 * unit] as number);
        weight += (counts[unit] as number) * (sums[2 * unit + 1] as number);
      }
      return weight > 0 ? total / weight : NaN;
    },
    weight: () => weight,
  };
}

/** What a threshold is chosen for: the most profit in all, or the best F1 (harmonic mean of precision and recall). */
export type ThresholdGoal = 'totalProfit' | 'f1';

/**
 * The threshold, among the predictions themselves and one below all of them, that does best on the given rows while at
 * least `leastCoverage` of them are acted on; the highest one of equals. Undefined if none qualifies.
 */
export function chooseThreshold(rows: ActionRows, goal: ThresholdGoal, leastCoverage: number): number | undefined {
  const { actual, predicted, profit } = rows;
  const order = Array.from(predicted, (_, row) => row).sort(
    (a, b) => (predicted[b] as number) - (predicted[a] as number),
  );
  const positives = actual.reduce((sum, y) => sum + y, 0);
  let best: { threshold: number; value: number } | undefined;
  let right = 0;
  let earned = 0;
  order.forEach((row, k) => {
    right += actual[row] as number;
    earned += knownOr0(profit?.[row]);
    const next = order[k + 1];
    // Rows of one prediction are acted on together: the threshold is the next lower prediction, or below all.
    if (next !== undefined && predicted[next] === predicted[row]) return;
    const threshold = next === undefined ? -Infinity : (predicted[next] as number);
    if ((k + 1) / order.length < leastCoverage) return;
    const value = goal === 'totalProfit' ? earned : positives === 0 ? NaN : (2 * right) / (k + 1 + positives);
    if (!Number.isNaN(value) && (best === undefined || value > best.value)) best = { threshold, value };
  });
  return best?.threshold;
}
