/**
 * Compares models on their pooled test predictions: each with its baseline, and each with the best of the others, on
 * the same resamples of clusters and stretches of time; intervals corrected for the number of questions asked.
 */

import type { Metric } from '../contract/metrics.ts';
import type { Rng } from '../random/rng.ts';
import { type Clusters, clustersOf, wholeSample } from './bootstrap.ts';
import { type DrawnScore, drawScores, estimate, metricsOf } from './measure.ts';
import { holm, holmLevels } from './multiple.ts';
import { type ModelRows, type ModelTarget, sameKeys } from './predictions.ts';
import { prepareCommonRows, prepareTarget, rowsOfModel, type Side, scoreNamed, scoresOfTarget } from './prepare.ts';
import { combine, type Draws, errorOf, intervalOf, pOf, samplingOf } from './sampling.ts';
import { scoreInfo } from './score-info.ts';
import type { ScoreName } from './scores.ts';

export const ALPHA = 0.05;

export interface CompareOptions {
  /** Score that decides, where a target has it; else AUC or, for regression, Spearman. */
  readonly metric: ScoreName | undefined;
  readonly resamples: number;
  /** Ranks are compared within folds, since each fold has a model of its own. */
  readonly withinFolds: boolean;
  /** A stream a target. */
  readonly rng: (target: string) => Rng;
  readonly progress?: (done: number, total: number) => void;
}

/** A number with its 95 % interval; null where undefined. */
interface Range {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly why?: string;
}

export interface ModelComparison {
  readonly model: string;
  readonly n: number;
  readonly clusters: number;
  /** Stretches of time that its rows lie in; undefined where rows carry no time. */
  readonly blocks?: number;
  readonly baselineLabel: string;
  /** The deciding score. */
  readonly score: Range;
  readonly baseline: Range;
  /** Over the baseline; positive is better. */
  readonly gain: Range & {
    readonly overChance: boolean;
    readonly standardError: number | null;
    readonly p: number | null;
    readonly adjustedP: number | null;
    /** The interval at Holm's level. */
    readonly correctedLow: number | null;
    readonly correctedHigh: number | null;
    readonly level: number;
  };
  /** Against the best other model on the rows that both predict; positive is better. */
  readonly versus?: Range & { readonly model: string; readonly n: number; readonly p: number | null };
  readonly metrics: readonly Metric[];
  readonly source: ModelTarget;
}

export interface TargetComparison {
  readonly target: string;
  readonly kind: ModelTarget['kind'];
  readonly metric: ScoreName;
  /** Best first; undefined scores last. */
  readonly models: readonly ModelComparison[];
  readonly best: ModelComparison;
  /** Comparisons with a baseline over all targets: what the correction corrects for. */
  readonly comparisons: number;
}

interface Drawn {
  readonly source: ModelTarget;
  readonly clusters: number;
  readonly blocks?: number;
  readonly scores: readonly DrawnScore[];
  readonly primary: DrawnScore;
  readonly classes: readonly { readonly target: string; readonly scores: readonly DrawnScore[] }[];
  readonly versus?: {
    readonly model: string;
    readonly n: number;
    readonly gain: { value: number; draws: Draws };
  };
}

export function compareModels(
  targets: ReadonlyMap<string, readonly ModelTarget[]>,
  options: CompareOptions,
): TargetComparison[] {
  const drawn: { target: string; kind: ModelTarget['kind']; metric: ScoreName; models: Drawn[] }[] = [];
  for (const [target, models] of targets) {
    const kind = models[0]?.kind ?? 'regression';
    const metric = metricFor(kind, options.metric);
    drawn.push({ target, kind, metric, models: drawTarget(models, metric, options, options.rng(target)) });
    options.progress?.(drawn.length, targets.size);
  }
  const all = drawn.flatMap(({ models }) => models);
  const ps = all.map(({ primary }) => pOf(primary.gain.value, primary.gain.draws));
  const asked = ps.flatMap((p, i) => (p === null ? [] : [i]));
  const family = asked.map((i) => ps[i] as number);
  const adjusted = holm(family);
  const levels = holmLevels(family, ALPHA);
  const at = new Map(asked.map((i, k) => [all[i] as Drawn, k]));
  return drawn.map(({ target, kind, metric, models }) => {
    const compared = models.map((one) => {
      const k = at.get(one);
      return summarise(
        one,
        k === undefined
          ? undefined
          : { p: family[k] as number, adjusted: adjusted[k] as number, level: levels[k] as number },
      );
    });
    const sign = scoreInfo[metric].goal === 'maximize' ? 1 : -1;
    const rank = (one: ModelComparison): number => (one.score.value === null ? -Infinity : sign * one.score.value);
    compared.sort((a, b) => (rank(b) === rank(a) ? 0 : rank(b) - rank(a)));
    return { target, kind, metric, models: compared, best: compared[0] as ModelComparison, comparisons: family.length };
  });
}

function metricFor(kind: ModelTarget['kind'], wanted: ScoreName | undefined): ScoreName {
  const names = scoresOfTarget[kind];
  return wanted !== undefined && names.includes(wanted) ? wanted : (names[0] as ScoreName);
}

function drawTarget(models: readonly ModelTarget[], metric: ScoreName, options: CompareOptions, rng: Rng): Drawn[] {
  const { withinFolds, resamples } = options;
  // One numbering of clusters and stretches of time for all models, so that all are drawn together.
  const rows = models.map(rowsOfModel);
  const sampling = samplingOf(
    rows.flatMap(({ cluster }) => [...cluster]),
    blocksOf(rows),
  );
  let offset = 0;
  const sides = models.map((one): Side => {
    const { length } = rowsOfModel(one).key;
    const of = sampling.of.subarray(offset, offset + length);
    offset += length;
    return { one, of, ...prepareTarget(one, of, sampling.units, withinFolds) };
  });
  const rivals = bestOthers(sides, metric, sampling.units);
  const common = sides.map((side, i) => {
    const rival = sides[rivals[i] ?? -1];
    return rival === undefined ? undefined : prepareCommonRows([side, rival], metric, sampling.units, withinFolds);
  });
  const drawn = drawScores(
    [
      ...sides.flatMap(({ scores, classes }) => [...scores, ...classes.flatMap((one) => one.scores)]),
      ...common.flatMap((pair) =>
        pair === undefined ? [] : [{ name: metric, model: pair.scorers[0], baseline: pair.scorers[1] }],
      ),
    ],
    sampling,
    rng,
    resamples,
  );
  let next = 0;
  const take = (count: number): DrawnScore[] => {
    next += count;
    return drawn.slice(next - count, next);
  };
  const own = sides.map(({ one, scores, classes }) => {
    const mine = take(scores.length);
    const { cluster, block } = rowsOfModel(one);
    return {
      source: one,
      clusters: new Set(cluster).size,
      ...(block === undefined ? {} : { blocks: new Set(block).size }),
      scores: mine,
      primary: mine.find(({ name }) => name === metric) as DrawnScore,
      classes: classes.map(({ target, scores: ofClass }) => ({ target, scores: take(ofClass.length) })),
    };
  });
  const sign = scoreInfo[metric].goal === 'maximize' ? 1 : -1;
  return own.map((mine, i): Drawn => {
    const rival = own[rivals[i] ?? -1];
    if (rival === undefined) return mine;
    const pair = common[i];
    const model = rival.source.model;
    if (pair !== undefined) return { ...mine, versus: { model, n: pair.n, gain: (take(1)[0] as DrawnScore).gain } };
    const keys = rowsOfModel(mine.source).key;
    if (!sameKeys(keys, rowsOfModel(rival.source).key)) return mine;
    const over = (a: number, b: number): number => sign * (a - b);
    const gain = {
      value: over(mine.primary.value, rival.primary.value),
      draws: combine(mine.primary.draws, rival.primary.draws, over),
    };
    return { ...mine, versus: { model, n: keys.length, gain } };
  });
}

/** Stretches of time of all rows, numbered from 0 without gaps; undefined unless every row has one. */
function blocksOf(rows: readonly ModelRows[]): Clusters | undefined {
  const numbers: number[] = [];
  for (const { block } of rows) {
    if (block === undefined) return undefined;
    for (const number of block) numbers.push(number);
  }
  return clustersOf(numbers);
}

/** For each model the number of the best of the others. */
function bestOthers(sides: readonly Side[], metric: ScoreName, units: number): (number | undefined)[] {
  const whole = wholeSample(units);
  const sign = scoreInfo[metric].goal === 'maximize' ? 1 : -1;
  const values = sides.map((side) => sign * scoreNamed(side, metric).model.score(whole));
  return values.map((_, i) => {
    let best: number | undefined;
    values.forEach((value, j) => {
      if (j !== i && !Number.isNaN(value) && (best === undefined || value > (values[best] as number))) best = j;
    });
    return best;
  });
}

function summarise(one: Drawn, tested: { p: number; adjusted: number; level: number } | undefined): ModelComparison {
  const { source, primary, versus } = one;
  const rows = rowsOfModel(source);
  const { undefinedBecause: why, range } = scoreInfo[primary.name];
  const level = tested?.level ?? ALPHA;
  const corrected = intervalOf(primary.gain.value, primary.gain.draws, 1 - level);
  const error = errorOf(primary.gain.draws);
  const gain = estimate(primary.gain.value, primary.gain.draws, why);
  const counts = {
    n: rows.key.length,
    clusters: one.clusters,
    ...(one.blocks === undefined ? {} : { blocks: one.blocks }),
  };
  const measured = { set: 'test', ...counts, baselineLabel: rows.baselineLabel } as const;
  return {
    model: source.model,
    ...counts,
    baselineLabel: rows.baselineLabel,
    score: estimate(primary.value, primary.draws, why, range),
    baseline: estimate(primary.baseline.value, primary.baseline.draws, why, range),
    gain: {
      ...gain,
      overChance: primary.gain.overChance,
      standardError: Number.isFinite(error) ? error : null,
      p: tested?.p ?? null,
      adjustedP: tested?.adjusted ?? null,
      correctedLow: gain.value === null ? null : corrected.low,
      correctedHigh: gain.value === null ? null : corrected.high,
      level,
    },
    ...(versus === undefined
      ? {}
      : {
          versus: {
            model: versus.model,
            n: versus.n,
            p: pOf(versus.gain.value, versus.gain.draws),
            ...estimate(versus.gain.value, versus.gain.draws, why),
          },
        }),
    metrics: [
      ...metricsOf(one.scores, { ...measured, target: source.target }),
      ...one.classes.flatMap(({ target, scores }) => metricsOf(scores, { ...measured, target })),
    ],
    source,
  };
}
