/** A target of a model as scores ready for the bootstrap: its own, those of its classes, and on rows shared with another. */
import { FathomError } from '../errors.ts';
import { clustersOf } from './bootstrap.ts';
import { type PreparedScore, prepareScores, rowsOf } from './measure.ts';
import { likeliestClass, type ModelRows, type ModelTarget, sameKeys } from './predictions.ts';
import { scoresOf } from './score-info.ts';
import { meanOf, prepareScore, type ScoredRows, type ScoreName, type Scorer } from './scores.ts';

/** Scores of each kind of target, the one that decides by default first. */
export const scoresOfTarget: Readonly<Record<ModelTarget['kind'], readonly ScoreName[]>> = {
  binary: scoresOf.binary,
  multiclass: ['auc', 'accuracy'],
  regression: scoresOf.regression,
};

/** The first class carries what all classes share: keys, folds, clusters. */
export function rowsOfModel({ classes }: ModelTarget): ModelRows {
  const rows = classes[0]?.rows;
  if (rows === undefined) throw new FathomError('internal', 'a target without rows');
  return rows;
}

export interface PreparedTarget {
  readonly scores: readonly PreparedScore[];
  readonly classes: readonly { readonly target: string; readonly scores: readonly PreparedScore[] }[];
}

/**
 * @param of unit of each row of the model, in a sampling that may hold more models
 * @param units number of units of all models together
 */
export function prepareTarget(
  { target, model, kind, classes }: ModelTarget,
  of: Int32Array,
  units: number,
  withinFolds: boolean,
): PreparedTarget {
  const prepare = (rows: ModelRows, as: 'binary' | 'regression'): PreparedScore[] => {
    const where = `${model}, ${rows.target}`;
    return prepareScores(
      as,
      rowsOf(as, where, rows.actual, rows.predicted, of),
      rowsOf(as, `${where}, ${rows.baselineLabel}`, rows.actual, rows.baseline, of),
      units,
      withinFolds ? clustersOf(rows.fold) : undefined,
    );
  };
  if (kind !== 'multiclass') return { scores: prepare((classes[0] as (typeof classes)[0]).rows, kind), classes: [] };
  const ofClasses = classes.map(({ rows }) => ({ target: rows.target, scores: prepare(rows, 'binary') }));
  const aucs = ofClasses.map(({ scores }) => scores.find(({ name }) => name === 'auc') as PreparedScore);
  const truth = likeliestClass(classes.map(({ rows }) => ({ values: rows.actual })));
  const right = (column: 'predicted' | 'baseline'): ScoredRows => {
    const chosen = likeliestClass(classes.map(({ rows }) => ({ values: rows[column] })));
    return {
      actual: Float64Array.from(chosen, (c, row) => (c === truth[row] ? 1 : 0)),
      predicted: new Float64Array(chosen.length).fill(1),
      cluster: of,
    };
  };
  const scores: PreparedScore[] = [
    { name: 'auc', model: meanOf(aucs.map((s) => s.model)), baseline: meanOf(aucs.map((s) => s.baseline)) },
    {
      name: 'accuracy',
      model: prepareScore('accuracy', right('predicted'), units),
      baseline: prepareScore('accuracy', right('baseline'), units),
    },
  ];
  for (const { rows } of classes) rowsOf('binary', `${target}, ${model}`, rows.actual, rows.predicted, of);
  return { scores, classes: ofClasses };
}

/** A model on one numbering of the units of all models. */
export interface Side extends PreparedTarget {
  readonly one: ModelTarget;
  readonly of: Int32Array;
}

/**
 * The scores of two models on the rows that both predict; undefined if they predict the same rows anyway, or none in
 * common.
 */
export function prepareCommonRows(
  sides: readonly [Side, Side],
  metric: ScoreName,
  units: number,
  withinFolds: boolean,
): { n: number; scorers: readonly [Scorer, Scorer] } | undefined {
  const [mine, other] = sides.map(({ one }) => rowsOfModel(one).key) as [Float64Array, Float64Array];
  if (sameKeys(mine, other)) return undefined;
  const theirs = new Set(other);
  const common = new Set(mine.filter((key) => theirs.has(key)));
  if (common.size === 0) return undefined;
  const scorers = sides.map(({ one, of }) => {
    const keep: number[] = [];
    rowsOfModel(one).key.forEach((key, i) => {
      if (common.has(key)) keep.push(i);
    });
    const pick = (values: Float64Array): Float64Array => Float64Array.from(keep, (i) => values[i] as number);
    const classes = one.classes.map(({ name, rows }) => ({
      name,
      rows: {
        ...rows,
        key: pick(rows.key),
        fold: Int32Array.from(keep, (i) => rows.fold[i] as number),
        cluster: keep.map((i) => rows.cluster[i] as string),
        actual: pick(rows.actual),
        predicted: pick(rows.predicted),
        baseline: pick(rows.baseline),
      },
    }));
    const ofKept = Int32Array.from(keep, (i) => of[i] as number);
    return scoreNamed(prepareTarget({ ...one, classes }, ofKept, units, withinFolds), metric).model;
  });
  return { n: common.size, scorers: scorers as [Scorer, Scorer] };
}

export function scoreNamed({ scores }: PreparedTarget, metric: ScoreName): PreparedScore {
  const found = scores.find(({ name }) => name === metric);
  if (found === undefined) throw new FathomError('internal', `no score ${metric} was prepared`);
  return found;
}
