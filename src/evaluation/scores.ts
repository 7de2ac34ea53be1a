/**
 * Scores of predictions, each prepared once and then evaluated for many resamples of whole clusters.
 *
 * A resample is a count per cluster: how often that wallet or event was drawn. Sums are kept per cluster, orders are
 * sorted once, so one evaluation costs O(clusters) for mean losses and O(rows) for rank scores.
 */
import { log } from '../numeric/elementary.ts';
import { areaUnderRoc, averagePrecision, giniCorrelation, rankCorrelation } from './rank-scores.ts';

/** Rows to be scored: parallel arrays. `cluster[i]` indexes the counts of a resample. */
export interface ScoredRows {
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly cluster: Int32Array;
}

/** One score of fixed rows as a function of the cluster counts. NaN where it is undefined. */
export interface Scorer {
  score(counts: Int32Array): number;
  /** How much the last score weighs when scores of several strata are averaged: pairs, positives or rows. */
  weight(): number;
}

export type ScoreName =
  | 'auc'
  | 'averagePrecision'
  | 'logLoss'
  | 'brier'
  | 'accuracy'
  | 'rmse'
  | 'mae'
  | 'r2'
  | 'spearman'
  | 'gini';

/** Probabilities are kept this far from 0 and 1 in the log loss, so that one sure mistake costs 34.5, not infinity. */
const LOG_LOSS_CLIP = 1e-15;

/** Prepares a score. `clusters` is the length of the counts. */
export function prepareScore(name: ScoreName, rows: ScoredRows, clusters: number): Scorer {
  switch (name) {
    case 'auc':
      return areaUnderRoc(rows);
    case 'averagePrecision':
      return averagePrecision(rows);
    case 'spearman':
      return rankCorrelation(rows);
    case 'gini':
      return giniCorrelation(rows);
    case 'r2':
      return explainedVariance(rows, clusters);
    case 'rmse':
      return meanLoss(rows, clusters, squaredError, Math.sqrt);
    case 'mae':
      return meanLoss(rows, clusters, (y, p) => Math.abs(y - p));
    case 'brier':
      return meanLoss(rows, clusters, squaredError);
    case 'logLoss':
      return meanLoss(rows, clusters, logLossOf);
    case 'accuracy':
      return meanLoss(rows, clusters, (y, p) => (p > 0.5 === (y === 1) ? 1 : 0));
  }
}

/** Mean of the scores of strata (folds), each weighted as it says; strata in which the score is undefined weigh nothing. */
export function stratify(scorers: readonly Scorer[]): Scorer {
  const only = scorers[0];
  if (scorers.length === 1 && only !== undefined) return only;
  let total = 0;
  return {
    score(counts) {
      let sum = 0;
      total = 0;
      for (const scorer of scorers) {
        const value = scorer.score(counts);
        if (Number.isNaN(value)) continue;
        const weight = scorer.weight();
        sum += weight * value;
        total += weight;
      }
      return total > 0 ? sum / total : NaN;
    },
    weight: () => total,
  };
}

/** Plain mean of several scores, undefined if one of them is: the macro average over classes. */
export function meanOf(scorers: readonly Scorer[]): Scorer {
  return {
    score(counts) {
      let sum = 0;
      for (const scorer of scorers) sum += scorer.score(counts);
      return scorers.length === 0 ? NaN : sum / scorers.length;
    },
    weight: () => 1,
  };
}

/** Mean of any values over the drawn rows. */
export function meanOfValues(values: Float64Array, cluster: Int32Array, clusters: number): Scorer {
  return meanLoss({ actual: values, predicted: values, cluster }, clusters, (value) => value);
}

function squaredError(actual: number, predicted: number): number {
  return (actual - predicted) * (actual - predicted);
}

function logLossOf(actual: number, predicted: number): number {
  const p = Math.min(1 - LOG_LOSS_CLIP, Math.max(LOG_LOSS_CLIP, predicted));
  return -log(actual === 1 ? p : 1 - p);
}

/** `finish` of the mean of a loss over the drawn rows. */
function meanLoss(
  { actual, predicted, cluster }: ScoredRows,
  clusters: number,
  loss: (actual: number, predicted: number) => number,
  finish: (mean: number) => number = (mean) => mean,
): Scorer {
  const sums = new Float64Array(clusters);
  const sizes = new Float64Array(clusters);
  for (let i = 0; i < actual.length; i++) {
    const c = cluster[i] as number;
    sums[c] = (sums[c] as number) + loss(actual[i] as number, predicted[i] as number);
    sizes[c] = (sizes[c] as number) + 1;
  }
  let rows = 0;
  return {
    score(counts) {
      let sum = 0;
      rows = 0;
      for (let c = 0; c < clusters; c++) {
        const count = counts[c] as number;
        sum += count * (sums[c] as number);
        rows += count * (sizes[c] as number);
      }
      return rows > 0 ? finish(sum / rows) : NaN;
    },
    weight: () => rows,
  };
}

/** R squared: 1 - squared error / squared deviation from the mean of the drawn rows. */
function explainedVariance({ actual, predicted, cluster }: ScoredRows, clusters: number): Scorer {
  const n = actual.length;
  let shift = 0;
  for (let i = 0; i < n; i++) shift += (actual[i] as number) / n;
  const sums = new Float64Array(4 * clusters);
  for (let i = 0; i < n; i++) {
    const at = 4 * (cluster[i] as number);
    const y = (actual[i] as number) - shift;
    sums[at] = (sums[at] as number) + 1;
    sums[at + 1] = (sums[at + 1] as number) + y;
    sums[at + 2] = (sums[at + 2] as number) + y * y;
    sums[at + 3] = (sums[at + 3] as number) + squaredError(actual[i] as number, predicted[i] as number);
  }
  let rows = 0;
  return {
    score(counts) {
      rows = 0;
      let sum = 0;
      let squares = 0;
      let errors = 0;
      for (let c = 0; c < clusters; c++) {
        const count = counts[c] as number;
        rows += count * (sums[4 * c] as number);
        sum += count * (sums[4 * c + 1] as number);
        squares += count * (sums[4 * c + 2] as number);
        errors += count * (sums[4 * c + 3] as number);
      }
      const spread = squares - (sum * sum) / rows;
      // What is left of a constant after rounding is not spread.
      return rows > 1 && spread > 1e-12 * squares ? 1 - errors / spread : NaN;
    },
    weight: () => rows,
  };
}
