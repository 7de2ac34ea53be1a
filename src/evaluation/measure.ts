/** Measures one model on one target and one set, beside its baseline, with intervals that resample whole clusters. */

import type { DataSet, Metric } from '../contract/metrics.ts';
import { FathomError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import { bootstrap, type Clusters, clustersOf, percentileInterval, wholeSample } from './bootstrap.ts';
import { prepareScore, type ScoredRows, type ScoreName, type Scorer, stratify } from './scores.ts';

export type TargetKind = 'binary' | 'regression';

export interface MeasureOptions {
  /** `binary`: actual is 0 or 1, predicted a probability. `regression`: any finite numbers. */
  readonly kind: TargetKind;
  readonly target: string;
  readonly set: DataSet;
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  /** What a model without skill would have predicted for the same rows. */
  readonly baseline: { readonly label: string; readonly predicted: ArrayLike<number> };
  /** What is independent of what: one wallet or event a row. */
  readonly clusters: readonly string[] | Int32Array;
  readonly rng: Rng;
  /** Bootstrap resamples of the clusters; 500 if left out. */
  readonly resamples?: number;
  /** Ranks are compared within a stratum only: the fold, where rows of several folds come from several models. */
  readonly strata?: ArrayLike<number>;
}

interface ScoreInfo {
  readonly label: string;
  readonly goal: 'maximize' | 'minimize';
  /** Ranks are comparable only among predictions of one model. */
  readonly ranks: boolean;
  /** Also reported as a gain over the baseline. */
  readonly gain?: string;
  readonly undefinedBecause: string;
}

const oneClass = 'all rows are of one class';

export const scoreInfo: Readonly<Record<ScoreName, ScoreInfo>> = {
  auc: {
    label: 'Area under the ROC curve',
    goal: 'maximize',
    ranks: true,
    gain: 'Gain in area under the ROC curve',
    undefinedBecause: oneClass,
  },
  averagePrecision: { label: 'Average precision', goal: 'maximize', ranks: true, undefinedBecause: oneClass },
  logLoss: { label: 'Log loss', goal: 'minimize', ranks: false, undefinedBecause: 'no rows' },
  brier: {
    label: 'Brier score',
    goal: 'minimize',
    ranks: false,
    gain: 'Reduction of the Brier score',
    undefinedBecause: 'no rows',
  },
  accuracy: { label: 'Accuracy at 0.5', goal: 'maximize', ranks: false, undefinedBecause: 'no rows' },
  rmse: {
    label: 'Root mean squared error',
    goal: 'minimize',
    ranks: false,
    gain: 'Reduction of the root mean squared error',
    undefinedBecause: 'no rows',
  },
  mae: { label: 'Mean absolute error', goal: 'minimize', ranks: false, undefinedBecause: 'no rows' },
  r2: { label: 'Explained variance (R²)', goal: 'maximize', ranks: false, undefinedBecause: 'the target is constant' },
  spearman: {
    label: 'Rank correlation (Spearman)',
    goal: 'maximize',
    ranks: true,
    gain: 'Gain in rank correlation (Spearman)',
    undefinedBecause: 'predictions or targets are constant',
  },
};

/** Scores of each kind, the leading one first. */
export const scoresOf: Readonly<Record<TargetKind, readonly ScoreName[]>> = {
  binary: ['auc', 'averagePrecision', 'logLoss', 'brier', 'accuracy'],
  regression: ['spearman', 'rmse', 'mae', 'r2'],
};

/** AUC for binary targets, Spearman's rank correlation for regression; NaN where it is undefined (one class, constants). */
export function scoreOf(kind: TargetKind, actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const rows = rowsOf('regression', 'the target', actual, predicted, new Int32Array(actual.length));
  if (kind === 'binary') checkClasses('the target', actual);
  return prepareScore(kind === 'binary' ? 'auc' : 'spearman', rows, 1).score(wholeSample(1));
}

/** One score of one model on one target beside its baseline, ready to be resampled. */
export interface PreparedScore {
  readonly name: ScoreName;
  readonly model: Scorer;
  readonly baseline: Scorer;
  /** What chance scores, where the baseline ranks nothing and so has no score of its own. */
  readonly chance?: number;
}

/** A score with its bootstrap draws; draws of all scores of one bootstrap are paired. */
export interface DrawnScore {
  readonly name: ScoreName;
  readonly value: number;
  readonly draws: Float64Array;
  readonly baseline: { readonly value: number; readonly draws: Float64Array };
  /** Positive where the model is better than its baseline. */
  readonly gain: { readonly value: number; readonly draws: Float64Array; readonly overChance: boolean };
}

/** What the metrics of a model have in common. */
export interface MeasuredRows {
  readonly target: string;
  readonly set: DataSet;
  readonly n: number;
  readonly clusters: number;
  readonly baselineLabel: string;
}

/** The scores of a kind for rows with cluster numbers of a bootstrap that may hold more models. */
export function prepareScores(
  kind: TargetKind,
  model: ScoredRows,
  baseline: ScoredRows,
  clusters: number,
  strata?: Clusters,
): PreparedScore[] {
  const ranksNothing = constantWithin(baseline.predicted, strata);
  return scoresOf[kind].map((name) => ({
    name,
    model: scorerOf(name, model, clusters, strata),
    baseline: scorerOf(name, baseline, clusters, strata),
    ...(name === 'spearman' && ranksNothing ? { chance: 0 } : {}),
  }));
}

/** Values on the whole sample and on `resamples` resamples of the clusters, the same ones for all scores. */
export function drawScores(
  scores: readonly PreparedScore[],
  clusters: number,
  rng: Rng,
  resamples: number,
): DrawnScore[] {
  const scorers = scores.flatMap(({ model, baseline }) => [model, baseline]);
  const whole = wholeSample(clusters);
  const values = scorers.map((scorer) => scorer.score(whole));
  const draws = clusters < 2 ? [] : bootstrap(scorers, clusters, rng, resamples);
  const empty = new Float64Array(0);
  return scores.map(({ name, chance }, i) => {
    const ours = { value: values[2 * i] as number, draws: draws[2 * i] ?? empty };
    const theirs = { value: values[2 * i + 1] as number, draws: draws[2 * i + 1] ?? empty };
    const sign = scoreInfo[name].goal === 'maximize' ? 1 : -1;
    return {
      name,
      ...ours,
      baseline: theirs,
      gain: {
        value: sign * (ours.value - (chance ?? theirs.value)),
        draws: ours.draws.map((value, b) => sign * (value - (chance ?? (theirs.draws[b] as number)))),
        overChance: chance !== undefined,
      },
    };
  });
}

/** Metrics with intervals: every score beside its baseline, then the gains over the baseline. */
export function metricsOf(scores: readonly DrawnScore[], rows: MeasuredRows): Metric[] {
  const shared = { set: rows.set, target: rows.target, n: rows.n, clusters: rows.clusters };
  const why = (name: ScoreName): string => (rows.n === 0 ? 'no rows' : scoreInfo[name].undefinedBecause);
  const metrics = scores.map(({ name, value, draws, baseline }): Metric => {
    const { label, goal } = scoreInfo[name];
    return {
      name,
      label,
      goal,
      ...shared,
      ...estimate(value, draws, rows.clusters, why(name)),
      baseline: { label: rows.baselineLabel, ...estimate(baseline.value, baseline.draws, rows.clusters, why(name)) },
    };
  });
  const gains = scores.flatMap(({ name, gain }): Metric[] => {
    const label = scoreInfo[name].gain;
    if (label === undefined) return [];
    // A baseline that predicts one value for everybody has no rank correlation; chance, which is 0, stands in for it.
    const against = gain.overChance ? `chance (${rows.baselineLabel} ranks nothing)` : rows.baselineLabel;
    return [
      {
        name: `${name}Gain`,
        label: `${label} over ${against}`,
        goal: 'maximize',
        ...shared,
        ...estimate(gain.value, gain.draws, rows.clusters, why(name)),
      },
    ];
  });
  return [...metrics, ...gains];
}

/**
 * All scores of a kind, each with a percentile bootstrap interval over clusters and its baseline on the same resamples,
 * followed by the gains over the baseline (`aucGain`, `brierGain`, `spearmanGain`, `rmseGain`: positive is better).
 */
export function measureModel(options: MeasureOptions): Metric[] {
  const { kind, target, set, actual, predicted, baseline, rng, resamples = 500 } = options;
  if (options.clusters.length !== actual.length)
    throw new FathomError('internal', `${target}: ${options.clusters.length} clusters for ${actual.length} rows`);
  const clusters = clustersOf(options.clusters);
  const strata = options.strata === undefined ? undefined : clustersOf(options.strata);
  const model = rowsOf(kind, target, actual, predicted, clusters.of);
  const other = rowsOf(kind, `${target}, ${baseline.label}`, actual, baseline.predicted, clusters.of);
  const scores = drawScores(prepareScores(kind, model, other, clusters.count, strata), clusters.count, rng, resamples);
  return metricsOf(scores, {
    target,
    set,
    n: actual.length,
    clusters: clusters.count,
    baselineLabel: baseline.label,
  });
}

/** A score of rows, within strata where ranks of different strata must not be compared. */
function scorerOf(name: ScoreName, rows: ScoredRows, clusters: number, strata?: Clusters): Scorer {
  if (strata === undefined || strata.count < 2 || !scoreInfo[name].ranks) return prepareScore(name, rows, clusters);
  const scorers: Scorer[] = [];
  for (let s = 0; s < strata.count; s++) {
    const mine = (_: number, i: number): boolean => strata.of[i] === s;
    scorers.push(
      prepareScore(
        name,
        {
          actual: rows.actual.filter(mine),
          predicted: rows.predicted.filter(mine),
          cluster: rows.cluster.filter(mine),
        },
        clusters,
      ),
    );
  }
  return stratify(scorers);
}

/** A value with its interval; null with the reason where it is undefined. */
export function estimate(
  value: number,
  draws: Float64Array,
  clusters: number,
  why: string,
): { value: number | null; low: number | null; high: number | null; why?: string } {
  if (!Number.isFinite(value)) return { value: null, low: null, high: null, why };
  return { value, ...percentileInterval(draws, clusters) };
}

/** True if predictions are one constant in every stratum: such predictions rank nothing. */
function constantWithin(predicted: ArrayLike<number>, strata?: Clusters): boolean {
  const first = new Map<number, number>();
  for (let i = 0; i < predicted.length; i++) {
    const stratum = strata?.of[i] ?? 0;
    const value = predicted[i] as number;
    if (!first.has(stratum)) first.set(stratum, value);
    else if (first.get(stratum) !== value) return false;
  }
  return predicted.length > 0;
}

/** Checked copies as doubles: a NaN would pass every comparison unseen. */
export function rowsOf(
  kind: TargetKind,
  target: string,
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  cluster: Int32Array,
): ScoredRows {
  if (actual.length !== predicted.length)
    throw new FathomError('internal', `${target}: ${predicted.length} predictions for ${actual.length} rows`);
  for (let i = 0; i < actual.length; i++) {
    const y = actual[i] as number;
    const p = predicted[i] as number;
    if (!Number.isFinite(y) || !Number.isFinite(p))
      throw new FathomError(
        'data',
        `${target}: row ${i} has ${Number.isFinite(y) ? 'predicted' : 'actual'} ${Number.isFinite(y) ? p : y}`,
        {
          hint: 'leave out rows without a label before measuring; a prediction that is not a number means the model diverged',
        },
      );
    if (kind === 'binary' && !(p >= 0 && p <= 1))
      throw new FathomError('data', `${target}: row ${i} has predicted ${p}, but a probability lies in [0, 1]`);
  }
  if (kind === 'binary') checkClasses(target, actual);
  return { actual: Float64Array.from(actual), predicted: Float64Array.from(predicted), cluster };
}

function checkClasses(target: string, actual: ArrayLike<number>): void {
  for (let i = 0; i < actual.length; i++)
    if (actual[i] !== 0 && actual[i] !== 1)
      throw new FathomError('data', `${target}: row ${i} has actual ${actual[i]}, but a binary target is 0 or 1`);
}
