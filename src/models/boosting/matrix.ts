/** XGBoost's own copy of rows, labels and weights. */
import { FathomError } from '../../errors.ts';
import { arrayInterface, columnsInterface, type Handle, type Numbers, outOf, type Xgboost } from './xgboost-c.ts';

/** Rows to train on or to predict; NaN is missing everywhere. */
export interface Rows {
  /** One array a feature, read where they lie: views of a frame's Arrow columns are not copied before XGBoost does. */
  readonly columns: readonly Numbers[];
  readonly rows: number;
  readonly featureNames: readonly string[];
  /** Features whose values are codes of categories, 0, 1, ..., not numbers. None if left out. */
  readonly categorical?: readonly boolean[];
  /** 0 or 1, a number, a grade, or the index of a class a row; or rows x targets, row-major. */
  readonly labels?: Float32Array;
  /** One a row, or one a query where there are queries; not negative. */
  readonly weights?: Float32Array;
  /** Query of each row, ascending: rows are ranked within their query. */
  readonly queries?: Uint32Array;
}

/** A DMatrix. `free` it: its memory is outside of JavaScript. */
export interface Matrix {
  readonly handle: Handle;
  readonly rows: number;
  readonly featureNames: readonly string[];
  /** `c` for categories, `q` for quantities, as XGBoost writes them into models. Undefined if all are quantities. */
  readonly featureTypes: readonly string[] | undefined;
  free(): void;
}

/**
 * Arrays whose addresses the library holds during a call. The address is a number in a JSON text: nothing else would
 * keep the garbage collector from freeing what it points to.
 */
let held: unknown;

function holding<T>(values: unknown, call: () => T): T {
  held = values;
  try {
    return call();
  } finally {
    if (held === values) held = undefined;
  }
}

/**
 * Copies rows into the library. `threads` does not change what is copied.
 *
 * @param layout how the rows are handed over. `columns` reads each column in place; `rows` puts them into one row-major
 *   array first, for libraries before 2.1. Both give the same matrix.
 */
export function makeMatrix(
  xgboost: Xgboost,
  data: Rows,
  threads: number,
  layout: 'columns' | 'rows' = xgboost.c.matrixFromColumns === undefined ? 'rows' : 'columns',
): Matrix {
  const { c, check } = xgboost;
  const { columns, rows, featureNames, categorical, labels, weights, queries } = data;
  if (columns.length !== featureNames.length || columns.some((column) => column.length !== rows))
    throw new FathomError('internal', `the ${featureNames.length} features do not all have ${rows} values`);
  const out: [Handle | null] = [null];
  // JSON has no NaN, but XGBoost's own reader takes it.
  const config = `{"missing": NaN, "nthread": ${threads}}`;
  const { matrixFromColumns } = c;
  const status =
    layout === 'columns' && matrixFromColumns !== undefined
      ? holding(columns, () => matrixFromColumns(columnsInterface(columns), config, out))
      : fromRows(c, columns, rows, config, out);
  check(status, 'to read the rows');
  const handle = outOf(out);
  const featureTypes = categorical?.includes(true) ? categorical.map((is) => (is ? 'c' : 'q')) : undefined;
  try {
    const set = (field: string, numbers: Numbers | undefined, shape?: readonly number[]): void => {
      if (numbers !== undefined)
        check(
          holding(numbers, () => c.matrixSetInfo(handle, field, arrayInterface(numbers, shape))),
          `to read the ${field}s`,
        );
    };
    if (labels !== undefined && labels.length % rows !== 0)
      throw new FathomError('internal', `${labels.length} numbers of label for ${rows} rows`);
    if (queries !== undefined && queries.length !== rows)
      throw new FathomError('internal', `${queries.length} queries for ${rows} rows`);
    if (weights !== undefined && queries === undefined && weights.length !== rows)
      throw new FathomError('internal', `${weights.length} numbers of weight for ${rows} rows`);
    set('label', labels, labels === undefined || labels.length === rows ? undefined : [rows, labels.length / rows]);
    set('qid', queries);
    set('weight', weights);
    const name = (field: string, texts: readonly string[]): void =>
      check(c.matrixSetNames(handle, field, texts, texts.length), `to take the ${field}s`);
    name('feature_name', featureNames);
    if (featureTypes !== undefined) name('feature_type', featureTypes);
  } catch (error) {
    c.matrixFree(handle);
    throw error;
  }
  let freed = false;
  return {
    handle,
    rows,
    featureNames,
    featureTypes,
    free: () => {
      if (!freed) c.matrixFree(handle);
      freed = true;
    },
  };
}

function fromRows(
  c: Xgboost['c'],
  columns: readonly Numbers[],
  rows: number,
  config: string,
  out: [Handle | null],
): number {
  const width = columns.length;
  const values = new Float32Array(rows * width);
  for (const [f, column] of columns.entries())
    for (let row = 0; row < rows; row++) values[row * width + f] = column[row] as number;
  return holding(values, () => c.matrixFromDense(arrayInterface(values, [rows, width]), config, out));
}
