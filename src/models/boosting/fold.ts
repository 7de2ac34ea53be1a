/** Takes from a frame what one fold trains on and predicts: features as float32, targets, weights, baselines. */

import type { DataSet } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { columnNamed, columnsOf, type Frame, type FrameColumn, numbersOf } from '../../tables/frame.ts';
import { categoricalOf, type Features, takeRows } from './features.ts';
import type { Rows } from './matrix.ts';
import { gradesOf, type Queries, weightsByQuery } from './queries.ts';

export type Objective = 'binary' | 'regression' | 'multiclass' | 'ranking';

/** Grades above this would overflow the gain 2^grade - 1 in XGBoost. */
const HIGHEST_GRADE = 31;

const MORE_ROWS = 'use fewer folds, a shorter purge, or more data';

/** Labels of all rows of a frame. */
export interface Target {
  readonly name: string;
  readonly objective: Objective;
  /** 0 or 1, a number, a grade, or the index in `classes`; NaN is missing. */
  readonly values: Float64Array;
  /** Names of the classes of a `multiclass` target. */
  readonly classes: readonly string[];
}

/** Row numbers of a frame by set, without rows that lack a label. */
export interface FoldRows {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** Rows left out for want of a label, in any of the three sets. */
  readonly unlabelled: number;
}

/** For `ranking`: which rows are ranked together, and into how many grades the target is cut (else it holds grades). */
export interface Ranking {
  readonly queries: Queries;
  readonly grades?: number | undefined;
}

/** Reads and checks the column to predict. */
export function readTarget(frame: Frame, name: string, objective: Objective, ranking?: Ranking): Target {
  const column = columnNamed(frame, name);
  if (column.role !== 'label')
    throw new FathomError('data', `column "${name}" has the role ${column.role}; a target has the role label`, {
      hint: 'name the label columns in the stage that makes the frame',
    });
  if (objective === 'multiclass') return readClasses(column, name);
  const values = Float64Array.from(numbersOf(column));
  const graded = objective === 'ranking' && ranking?.grades === undefined;
  values.forEach((value, row) => {
    if (Number.isNaN(value)) return;
    if (Math.abs(value) === Infinity)
      throw new FathomError('data', `target "${name}" is ${value} in row ${row}; a label is finite or missing`, {
        hint: 'write null where the label is not known, or bound it where it is made',
      });
    if (objective === 'binary' && value !== 0 && value !== 1)
      throw new FathomError('data', `target "${name}" is ${value} in row ${row}, but a binary target is 0 or 1`, {
        hint: 'choose `objective: regression` or `multiclass`, or derive a 0/1 column in the frame',
      });
    if (graded && !(Number.isInteger(value) && value >= 0 && value <= HIGHEST_GRADE))
      throw new FathomError(
        'data',
        `target "${name}" is ${value} in row ${row}, but a grade is a whole number from 0 to ${HIGHEST_GRADE}`,
        { hint: 'set `grades` to cut the target into that many grades within each query' },
      );
  });
  if (ranking?.grades !== undefined)
    return { name, objective, classes: [], values: gradesOf(values, ranking.queries, ranking.grades) };
  return { name, objective, values, classes: [] };
}

function readClasses(column: FrameColumn, name: string): Target {
  if (column.type === 'category')
    return {
      name,
      objective: 'multiclass',
      classes: column.labels,
      values: Float64Array.from(column.codes, (code) => (code < 0 ? Number.NaN : code)),
    };
  const distinct = [...new Set(column.values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (distinct.length > 1000)
    throw new FathomError('data', `target "${name}" has ${distinct.length} different values: too many for classes`);
  const codes = new Map(distinct.map((value, code) => [value, code]));
  return {
    name,
    objective: 'multiclass',
    classes: distinct.map(String),
    values: Float64Array.from(column.values, (value) => codes.get(value) ?? Number.NaN),
  };
}

/** The rows of fold number `fold`, in the order of the frame. */
export function rowsOfFold(splits: Frame, fold: number, target: Target): FoldRows {
  const column = columnNamed(splits, `fold${fold}`);
  if (column.type !== 'category')
    throw new FathomError('data', `column "fold${fold}" of the splits holds no set names`);
  if (splits.rows !== target.values.length)
    throw new FathomError('data', `the splits have ${splits.rows} rows, the features ${target.values.length}`, {
      hint: 'connect the splitter to the same frame as this stage',
    });
  const rows: Record<DataSet, number[]> = { train: [], validation: [], test: [] };
  let unlabelled = 0;
  for (let row = 0; row < splits.rows; row++) {
    const set = column.labels[column.codes[row] as number];
    if (set !== 'train' && set !== 'validation' && set !== 'test') continue;
    if (Number.isNaN(target.values[row])) unlabelled++;
    else rows[set].push(row);
  }
  return {
    train: Uint32Array.from(rows.train),
    validation: Uint32Array.from(rows.validation),
    test: Uint32Array.from(rows.test),
    unlabelled,
  };
}

/** Refuses rows from which nothing can be learned. */
export function checkTrainable(target: Target, rows: Uint32Array, fold: number): void {
  if (rows.length === 0)
    throw new FathomError('data', `fold ${fold} has no training row with a label "${target.name}"`, {
      hint: MORE_ROWS,
    });
  if (rows.length === 1)
    throw new FathomError(
      'data',
      `fold ${fold} has one training row with a label "${target.name}": nothing to compare`,
      { hint: MORE_ROWS },
    );
  if (target.objective === 'regression') return;
  const first = target.values[rows[0] as number] as number;
  if (rows.every((row) => target.values[row] === first))
    throw new FathomError(
      'data',
      `all ${rows.length} training rows of fold ${fold} have ${target.name} = ${target.classes[first] ?? first}: there is nothing to tell apart`,
      { hint: 'choose another target, or a longer training window' },
    );
}

/** What `takeData` takes beside features. */
export interface DataOptions {
  /** Column of weights; the one with the role weight if left out. */
  readonly weightColumn?: string | undefined;
  /** For `ranking`: the rows are ordered by query. */
  readonly queries?: Queries | undefined;
  /** A label a class and row, 1 or 0, rather than one a row: see `forestParameters`. */
  readonly oneHot?: boolean;
}

/** Features, labels and weights of the given rows as XGBoost takes them, and how many values are missing. */
export function takeData(
  frame: Frame,
  features: Features,
  target: Target,
  rows: Uint32Array,
  options: DataOptions = {},
): { data: Rows; missing: number } {
  const { columns, missing } = takeRows(features, rows);
  const { queries, oneHot } = options;
  const weights = weightsOf(frame, rows, options.weightColumn);
  const classes = oneHot === true ? target.classes.length : 0;
  const labels = Float32Array.from(rows, (row) => target.values[row] as number);
  const data: Rows = {
    columns,
    rows: rows.length,
    featureNames: features.names,
    categorical: categoricalOf(features),
    labels: classes === 0 ? labels : oneHotOf(labels, classes),
    ...(weights === undefined
      ? {}
      : { weights: queries === undefined ? weights : weightsByQuery(weights, rows, queries) }),
    ...(queries === undefined ? {} : { queries: Uint32Array.from(rows, (row) => queries.of[row] as number) }),
  };
  return { data, missing };
}

function oneHotOf(labels: Float32Array, classes: number): Float32Array {
  const values = new Float32Array(labels.length * classes);
  labels.forEach((klass, i) => {
    values[i * classes + klass] = 1;
  });
  return values;
}

function weightsOf(frame: Frame, rows: Uint32Array, name: string | undefined): Float32Array | undefined {
  const [column, second] = name === undefined ? columnsOf(frame, 'weight') : [columnNamed(frame, name)];
  if (column === undefined) return undefined;
  if (second !== undefined)
    throw new FathomError('data', `columns "${column.name}" and "${second.name}" both have the role weight`, {
      hint: 'name one with `weight`',
    });
  const values = numbersOf(column);
  return Float32Array.from(rows, (row) => {
    const weight = values[row] as number;
    if (!(weight >= 0 && weight < Infinity))
      throw new FathomError('data', `weight "${column.name}" is ${weight} in row ${row}; a weight is 0 or more`);
    return weight;
  });
}

/** What a model without features predicts. */
export interface Baseline {
  readonly label: string;
  /** The baseline's prediction for a row of the frame and a class (0 where there are none). */
  predict(row: number, klass: number): number;
}

/**
 * The mean or the class frequencies of the training rows; or a column of the frame, such as a market's price, that
 * predicts the target by itself.
 */
export function baselineOf(frame: Frame, target: Target, trainRows: Uint32Array, column: string | undefined): Baseline {
  if (column !== undefined) {
    if (target.objective === 'multiclass')
      throw new FathomError('experiment', '`baselineColumn` predicts one number; it does not fit a multiclass target');
    const values = numbersOf(columnNamed(frame, column));
    return {
      label: column,
      predict: (row) => {
        const value = values[row] as number;
        if (!Number.isFinite(value))
          throw new FathomError('data', `the baseline "${column}" is missing in row ${row}`, {
            hint: 'keep only rows where it is known, or leave out `baselineColumn`',
          });
        return value;
      },
    };
  }
  const count = Math.max(1, target.classes.length);
  const sums = new Float64Array(count);
  for (const row of trainRows) {
    const value = target.values[row] as number;
    if (target.objective === 'multiclass') sums[value] = (sums[value] as number) + 1;
    else sums[0] = (sums[0] as number) + value;
  }
  const labels = {
    binary: 'training base rate',
    regression: 'training mean',
    multiclass: 'training class rates',
    // The same number for every row: it ranks nothing, and is worth what a random order is worth.
    ranking: 'no order',
  };
  return { label: labels[target.objective], predict: (_, klass) => (sums[klass] as number) / trainRows.length };
}
