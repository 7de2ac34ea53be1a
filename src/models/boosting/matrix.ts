/** XGBoost's own copy of rows, labels and weights. */
import { FathomError } from '../../errors.ts';
import { arrayInterface, type Handle, outOf, type Xgboost } from './xgboost-c.ts';

/** Rows to train on or to predict. */
export interface Rows {
  /** Row-major, rows x features; NaN is missing. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly featureNames: readonly string[];
  /** One a row: 0 or 1, a number, or the index of a class. */
  readonly labels?: Float32Array;
  /** One a row, not negative. */
  readonly weights?: Float32Array;
}

/** A DMatrix. `free` it: its memory is outside of JavaScript. */
export interface Matrix {
  readonly handle: Handle;
  readonly rows: number;
  readonly featureNames: readonly string[];
  free(): void;
}

/** Copies rows into the library. `threads` does not change what is copied. */
export function makeMatrix(xgboost: Xgboost, data: Rows, threads: number): Matrix {
  const { c, check } = xgboost;
  const { values, rows, featureNames, labels, weights } = data;
  if (values.length !== rows * featureNames.length)
    throw new FathomError('internal', `${values.length} values for ${rows} rows of ${featureNames.length} features`);
  const out: [Handle | null] = [null];
  // JSON has no NaN, but XGBoost's own reader takes it.
  const config = `{"missing": NaN, "nthread": ${threads}}`;
  check(c.matrixFromDense(arrayInterface(values, [rows, featureNames.length]), config, out), 'to read the rows');
  const handle = outOf(out);
  try {
    for (const [field, numbers] of [
      ['label', labels],
      ['weight', weights],
    ] as const) {
      if (numbers === undefined) continue;
      if (numbers.length !== rows)
        throw new FathomError('internal', `${numbers.length} numbers of ${field} for ${rows} rows`);
      check(c.matrixSetInfo(handle, field, arrayInterface(numbers)), `to read the ${field}s`);
    }
    check(c.matrixSetNames(handle, 'feature_name', featureNames, featureNames.length), 'to take the feature names');
  } catch (error) {
    c.matrixFree(handle);
    throw error;
  }
  let freed = false;
  return {
    handle,
    rows,
    featureNames,
    free: () => {
      if (!freed) c.matrixFree(handle);
      freed = true;
    },
  };
}
