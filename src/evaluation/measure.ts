/** Measures one model on one target and one set, beside its baseline, with intervals by cluster and time. */

import type { DataSet, Metric } from '../contract/metrics.ts';
import { FathomError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import { type Clusters, clustersOf, wholeSample } from './bootstrap.ts';
import { combine, type Draws, intervalOf, resample, type Sampling, samplingOf, timeBlocks } from './sampling.ts';
import { scoreInfo, scoresOf } from './score-info.ts';
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
  /** When each row is, and when its label was known (NaN: unknown), in one unit: rows of one time share its luck. */
  readonly time?: ArrayLike<number>;
  readonly labelEnd?: ArrayLike<number>;
  readonly rng: Rng;
  /** Bootstrap resamples of the clusters; 500 if left out. */
  readonly resamples?: number;
  /** Ranks are compared within a stratum only: the fold, where rows of several folds come from several models. */
  readonly strata?: ArrayLike<number>;
}

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
  readonly draws: Draws;
  readonly baseline: { readonly value: number; readonly draws: Draws };
  /** Positive where the model is better than its baseline. */
  readonly gain: { readonly value: number; readonly draws: Draws; readonly overChance: boolean };
}

/** What the metrics of a model have in common. */
export interface MeasuredRows {
  readonly target: string;
  readonly set: DataSet;
  readonly n: number;
  readonly clusters: number;
  /** Stretches of time; left out where rows carry no time. */
  readonly blocks?: number;
  readonly baselineLabel: string;
}

/** The scores of a kind for rows with unit numbers of a sampling that may hold more models. */
export function prepareScores(
  kind: TargetKind,
  model: ScoredRows,
  baseline: ScoredRows,
  units: number,
  strata?: Clusters,
): PreparedScore[] {
  const ranksNothing = constantWithin(baseline.predicted, strata);
  return scoresOf[kind].map((name) => ({
    name,
    model: scorerOf(name, model, units, strata),
    baseline: scorerOf(name, baseline, units, strata),
    ...((name === 'spearman' || name === 'gini') && ranksNothing ? { chance: 0 } : {}),
  }));
}

/** Values on the whole sample and on resamples, the same ones for all scores. */
export function drawScores(
  scores: readonly PreparedScore[],
  sampling: Sampling,
  rng: Rng,
  resamples: number,
): DrawnScore[] {
  const scorers = scores.flatMap(({ model, baseline }) => [model, baseline]);
  const whole = wholeSample(sampling.units);
  const values = scorers.map((scorer) => scorer.score(whole));
  const draws = resample(scorers, sampling, rng, resamples);
  return scores.map(({ name, chance }, i) => {
    const ours = { value: values[2 * i] as number, draws: draws[2 * i] as Draws };
    const theirs = { value: values[2 * i + 1] as number, draws: draws[2 * i + 1] as Draws };
    const sign = scoreInfo[name].goal === 'maximize' ? 1 : -1;
    const gain = (a: number, b: number): number => sign * (a - (chance ?? b));
    return {
      name,
      ...ours,
      baseline: theirs,
      gain: {
        value: gain(ours.value, theirs.value),
        draws: combine(ours.draws, theirs.draws, gain),
        overChance: chance !== undefined,
      },
    };
  });
}

/** Metrics with intervals: every score beside its baseline, then the gains over the baseline. */
export function metricsOf(scores: readonly DrawnScore[], rows: MeasuredRows): Metric[] {
  const { set, target, n, clusters, blocks } = rows;
  const shared = { set, target, n, clusters, ...(blocks === undefined ? {} : { blocks }) };
  const why = (name: ScoreName): string => (rows.n === 0 ? 'no rows' : scoreInfo[name].undefinedBecause);
  const metrics = scores.map(({ name, value, draws, baseline }): Metric => {
    const { label, goal, range } = scoreInfo[name];
    return {
      name,
      label,
      goal,
      ...shared,
      ...estimate(value, draws, why(name), range),
      baseline: { label: rows.baselineLabel, ...estimate(baseline.value, baseline.draws, why(name), range) },
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
        ...estimate(gain.value, gain.draws, why(name)),
      },
    ];
  });
  return [...metrics, ...gains];
}

/**
 * All scores of a kind, each with an interval by cluster and time (see sampling.ts) and its baseline on the same
 * resamples, followed by the gains over the baseline (`aucGain`, `brierGain`, `giniGain`, ...: positive is better).
 */
export function measureModel(options: MeasureOptions): Metric[] {
  const { kind, target, set, actual, predicted, baseline, time, labelEnd, rng, resamples = 500 } = options;
  for (const [what, values] of Object.entries({ clusters: options.clusters, times: time, 'label ends': labelEnd }))
    if (values !== undefined && values.length !== actual.length)
      throw new FathomError('internal', `${target}: ${values.length} ${what} for ${actual.length} rows`);
  const sampling = samplingOf(options.clusters, time === undefined ? undefined : timeBlocks(time, labelEnd));
  const { of, units, clusters, blocks } = sampling;
  const strata = options.strata === undefined ? undefined : clustersOf(options.strata);
  const model = rowsOf(kind, target, actual, predicted, of);
  const other = rowsOf(kind, `${target}, ${baseline.label}`, actual, baseline.predicted, of);
  const scores = drawScores(prepareScores(kind, model, other, units, strata), sampling, rng, resamples);
  return metricsOf(scores, {
    target,
    set,
    n: actual.length,
    clusters,
    ...(blocks === undefined ? {} : { blocks }),
    baselineLabel: baseline.label,
  });
}

/** A score of rows, within strata where ranks of different strata must not be compared. */
function scorerOf(name: ScoreName, rows: ScoredRows, units: number, strata?: Clusters): Scorer {
  if (strata === undefined || strata.count < 2 || !scoreInfo[name].ranks) return prepareScore(name, rows, units);
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
        units,
      ),
    );
  }
  return stratify(scorers);
}

/** A value with its interval; null with the reason where it is undefined. */
export function estimate(
  value: number,
  draws: Draws,
  why: string,
  range?: readonly [number, number],
): { value: number | null; low: number | null; high: number | null; why?: string } {
  if (!Number.isFinite(value)) return { value: null, low: null, high: null, why };
  return { value, ...intervalOf(value, draws, 0.95, range) };
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
