/** Takes from a frame what one fold trains on and predicts: features as float32, targets, weights, baselines. */

import type { DataSet } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { columnNamed, columnsOf, type Frame, type FrameColumn, numbersOf } from '../../tables/frame.ts';
import type { Rows } from './matrix.ts';

export type Objective = 'binary' | 'regression' | 'multiclass';

/** Labels of all rows of a frame. */
export interface Target {
  readonly name: string;
  readonly objective: Objective;
  /** 0 or 1, a number, or the index in `classes`; NaN is missing. */
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

/** Reads and checks the column to predict. */
export function readTarget(frame: Frame, name: string, objective: Objective): Target {
  const column = columnNamed(frame, name);
  if (column.role !== 'label')
    throw new FathomError('data', `column "${name}" has the role ${column.role}; a target has the role label`, {
      hint: 'name the label columns in the stage that makes the frame',
    });
  if (objective === 'multiclass') return readClasses(column, name);
  const values = Float64Array.from(numbersOf(column));
  if (objective === 'binary')
    values.forEach((value, row) => {
      if (value !== 0 && value !== 1 && !Number.isNaN(value))
        throw new FathomError('data', `target "${name}" is ${value} in row ${row}, but a binary target is 0 or 1`, {
          hint: 'choose `objective: regression` or `multiclass`, or derive a 0/1 column in the frame',
        });
    });
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
    throw new FathomError('data', `fold ${fold} has no training row with a label "${target.name}"`);
  if (target.objective === 'regression') return;
  const first = target.values[rows[0] as number] as number;
  if (rows.every((row) => target.values[row] === first))
    throw new FathomError(
      'data',
      `all ${rows.length} training rows of fold ${fold} have ${target.name} = ${target.classes[first] ?? first}: there is nothing to tell apart`,
    );
}

/** Features, labels and weights of the given rows, as XGBoost takes them. */
export function selectRows(frame: Frame, target: Target, rows: Uint32Array): Rows {
  const features = columnsOf(frame, 'feature');
  if (features.length === 0) throw new FathomError('data', 'the frame has no column with the role feature');
  const width = features.length;
  const values = new Float32Array(rows.length * width);
  for (const [f, column] of features.entries()) {
    if (column.type === 'category')
      throw new FathomError('data', `feature "${column.name}" holds categories, but trees split numbers`, {
        hint: 'turn it into one column a category (one-hot) in features.frame',
      });
    for (let i = 0; i < rows.length; i++) {
      const value = column.values[rows[i] as number] as number;
      values[i * width + f] = value;
      if (Math.abs(values[i * width + f] as number) === Infinity)
        throw new FathomError('data', `feature "${column.name}" is ${value} in row ${rows[i]}: too large for float32`);
    }
  }
  const weights = weightsOf(frame, rows);
  return {
    values,
    rows: rows.length,
    featureNames: features.map((column) => column.name),
    labels: Float32Array.from(rows, (row) => target.values[row] as number),
    ...(weights === undefined ? {} : { weights }),
  };
}

function weightsOf(frame: Frame, rows: Uint32Array): Float32Array | undefined {
  const [column, second] = columnsOf(frame, 'weight');
  if (column === undefined) return undefined;
  if (second !== undefined)
    throw new FathomError('data', `columns "${column.name}" and "${second.name}" both have the role weight`);
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
  const labels = { binary: 'training base rate', regression: 'training mean', multiclass: 'training class rates' };
  return { label: labels[target.objective], predict: (_, klass) => (sums[klass] as number) / trainRows.length };
}
