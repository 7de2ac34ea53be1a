/** What a trained model predicts for the held-out rows of a fold, measured beside its baseline. */

import type { DataSet, Metric } from '../../contract/metrics.ts';
import { measureModel, scoreOf } from '../../evaluation/measure.ts';
import { log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import type { RowNames, TargetPredictions } from '../predictions.ts';
import type { Baseline, Target } from './fold.ts';
import { measureNdcg } from './ndcg.ts';
import type { Queries } from './queries.ts';

/** Predictions for the rows of one set: a number a row, or one a row and class. */
export interface SetPredictions {
  readonly set: DataSet;
  readonly rows: Uint32Array;
  /** rows x classes, row-major; rows x 1 without classes. */
  readonly predicted: Float32Array;
}

export interface SetOutcome {
  /** AUC, its mean over classes, Spearman's correlation, or NDCG; null where undefined. */
  readonly score: number | null;
  /** Log loss (mean over rows), or RMSE; null without rows, and for ranking. */
  readonly loss: number | null;
  /** Part of the rows whose likeliest class is right; only with classes. */
  readonly accuracy: number | null;
  readonly metrics: readonly Metric[];
}

/** One table of predictions a target, or a class of it, over all sets, rows in the order of the frame. */
export function tabulate(target: Target, baseline: Baseline, sets: readonly SetPredictions[]): TargetPredictions[] {
  const width = Math.max(1, target.classes.length);
  const places = sets
    .flatMap(({ set, rows, predicted }) => [...rows].map((row, i) => ({ row, set, predicted, at: i * width })))
    .sort((a, b) => a.row - b.row);
  return Array.from({ length: width }, (_, klass) => ({
    target: target.objective === 'multiclass' ? `${target.name}=${target.classes[klass]}` : target.name,
    rows: Uint32Array.from(places, ({ row }) => row),
    sets: places.map(({ set }) => set),
    actual: Float64Array.from(places, ({ row }) => actualOf(target, row, klass)),
    predicted: Float64Array.from(places, ({ predicted, at }) => predicted[at + klass] as number),
    baseline: Float64Array.from(places, ({ row }) => baseline.predict(row, klass)),
    baselineLabel: baseline.label,
  }));
}

function actualOf(target: Target, row: number, klass: number): number {
  const value = target.values[row] as number;
  return target.objective === 'multiclass' ? Number(value === klass) : value;
}

/** Measures the rows of one set. */
export function measureSet(
  target: Target,
  tables: readonly TargetPredictions[],
  set: DataSet,
  names: RowNames,
  rng: (purpose: string) => Rng,
  resamples: number,
  ranking?: { readonly queries: Queries; readonly top?: number | undefined },
): SetOutcome {
  if (ranking !== undefined) return measureRanking(tables, set, rng, resamples, ranking);
  const kind = target.objective === 'regression' ? 'regression' : 'binary';
  const metrics: Metric[] = [];
  const scores: number[] = [];
  for (const table of tables) {
    const inSet = (_: unknown, i: number): boolean => table.sets[i] === set;
    const rows = [...table.rows].filter(inSet);
    if (rows.length === 0) continue;
    const actual = table.actual.filter(inSet);
    const predicted = table.predicted.filter(inSet);
    scores.push(scoreOf(kind, actual, predicted));
    metrics.push(
      ...measureModel({
        kind,
        target: table.target,
        set,
        actual,
        predicted,
        baseline: { label: table.baselineLabel, predicted: table.baseline.filter(inSet) },
        clusters: rows.map(names.group),
        time: rows.map((row) => names.time(row)?.getTime() ?? NaN),
        labelEnd: rows.map((row) => names.labelEnd(row)?.getTime() ?? NaN),
        rng: rng(`intervals ${set} ${table.target}`),
        resamples,
      }),
    );
  }
  const defined = scores.filter((score) => !Number.isNaN(score));
  const classes = target.objective === 'multiclass' ? classOutcome(target, tables, set) : undefined;
  const lossName = target.objective === 'regression' ? 'rmse' : 'logLoss';
  return {
    score: defined.length === 0 ? null : defined.reduce((sum, score) => sum + score, 0) / defined.length,
    loss: classes === undefined ? (metrics.find(({ name }) => name === lossName)?.value ?? null) : classes.loss,
    accuracy: classes?.accuracy ?? null,
    metrics,
  };
}

/** NDCG over the queries of a set. */
function measureRanking(
  [table]: readonly TargetPredictions[],
  set: DataSet,
  rng: (purpose: string) => Rng,
  resamples: number,
  { queries, top }: { readonly queries: Queries; readonly top?: number | undefined },
): SetOutcome {
  const inSet = (_: unknown, i: number): boolean => table?.sets[i] === set;
  if (table === undefined || !table.sets.includes(set)) return { score: null, loss: null, accuracy: null, metrics: [] };
  const { value, metrics } = measureNdcg({
    target: table.target,
    set,
    grades: table.actual.filter(inSet),
    scores: table.predicted.filter(inSet),
    baseline: { label: table.baselineLabel, predicted: table.baseline.filter(inSet) },
    queryOf: Array.from(table.rows.filter(inSet), (row) => queries.of[row] as number),
    top,
    rng: rng(`intervals ${set} ${table.target}`),
    resamples,
  });
  return { score: value, loss: null, accuracy: null, metrics };
}

/** Log loss of the true class and accuracy of the likeliest one, over all classes together. */
function classOutcome(
  target: Target,
  tables: readonly TargetPredictions[],
  set: DataSet,
): { loss: number | null; accuracy: number | null } {
  let rows = 0;
  let loss = 0;
  let right = 0;
  const [first] = tables;
  first?.rows.forEach((row, i) => {
    if (first.sets[i] !== set) return;
    const truth = target.values[row] as number;
    const probability = (klass: number): number => tables[klass]?.predicted[i] as number;
    rows++;
    loss -= log(Math.max(probability(truth), 1e-15));
    if (tables.every((_, klass) => klass === truth || probability(klass) < probability(truth))) right++;
  });
  return rows === 0 ? { loss: null, accuracy: null } : { loss: loss / rows, accuracy: right / rows };
}
