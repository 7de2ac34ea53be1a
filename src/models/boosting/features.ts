/** The features of a frame as XGBoost reads them: Arrow columns in place where rows follow each other. */
import { FathomError } from '../../errors.ts';
import { columnsOf, type Frame } from '../../tables/frame.ts';
import type { Numbers } from './xgboost-c.ts';

/** All features of a frame, none copied. */
export interface Features {
  readonly names: readonly string[];
  readonly units: readonly (string | undefined)[];
  /** Labels of categories by feature; undefined where it holds numbers. */
  readonly labels: readonly (readonly string[] | undefined)[];
  /** Numbers (NaN missing), or codes of categories (negative: missing). */
  readonly columns: readonly (Float32Array | Float64Array | Int32Array)[];
}

/** The columns with the role feature, in order. */
export function readFeatures(frame: Frame): Features {
  const found = columnsOf(frame, 'feature');
  if (found.length === 0)
    throw new FathomError('data', 'the frame has no column with the role feature', {
      hint: 'name columns in `features` of the stage that makes the frame',
    });
  return {
    names: found.map(({ name }) => name),
    units: found.map(({ unit }) => unit),
    labels: found.map((column) => (column.type === 'category' ? column.labels : undefined)),
    columns: found.map((column) => (column.type === 'category' ? column.codes : column.values)),
  };
}

/** True for features that hold categories. */
export function categoricalOf(features: Features): boolean[] {
  return features.labels.map((labels) => labels !== undefined);
}

/** Features with one value in all of these rows, or with none in any: nothing there can be split. */
export function constantFeatures(features: Features, rows: Uint32Array): string[] {
  const isMissing = (value: number, coded: boolean): boolean => (coded ? value < 0 : Number.isNaN(value));
  return features.names.filter((_, f) => {
    const column = features.columns[f] as Features['columns'][number];
    const coded = column instanceof Int32Array;
    const first = column[rows[0] as number] as number;
    return rows.every((row) => {
      const value = column[row] as number;
      return value === first || (isMissing(value, coded) && isMissing(first, coded));
    });
  });
}

export interface TakenRows {
  readonly columns: readonly Numbers[];
  /** Values that are missing, of all features together. */
  readonly missing: number;
}

/**
 * The given rows of every feature, in the given order. Numbers of rows that follow each other stay where they are;
 * other rows are gathered, column by column. Missing values become NaN. Infinity is refused, also what float32 would
 * make infinite: XGBoost computes in float32.
 */
export function takeRows(features: Features, rows: Uint32Array): TakenRows {
  const first = rows[0] ?? 0;
  const inPlace = rows.every((row, i) => row === first + i);
  let missing = 0;
  const columns = features.columns.map((column, f): Numbers => {
    if (column instanceof Int32Array) {
      const codes = new Float32Array(rows.length);
      for (let i = 0; i < rows.length; i++) {
        const code = column[rows[i] as number] as number;
        codes[i] = code < 0 ? Number.NaN : code;
        if (code < 0) missing++;
      }
      return codes;
    }
    const taken = inPlace ? column.subarray(first, first + rows.length) : gather(column, rows);
    for (let i = 0; i < taken.length; i++) {
      const value = taken[i] as number;
      if (value - value === 0 && Math.abs(value) < FLOAT32_END) continue;
      if (!Number.isNaN(value))
        throw new FathomError(
          'data',
          `feature "${features.names[f]}" is ${value} in row ${rows[i]}: ${Number.isFinite(value) ? 'too large for float32' : 'infinite'}`,
          { hint: 'a value that is not known is null in the table, which trees can split on' },
        );
      missing++;
    }
    return taken;
  });
  return { columns, missing };
}

/** The least double that rounds to infinity as a float32: halfway between the largest float32 and 2^128. */
const FLOAT32_END = 2 ** 128 - 2 ** 103;

function gather<T extends Float32Array | Float64Array>(column: T, rows: Uint32Array): T {
  const taken = (column instanceof Float32Array ? new Float32Array(rows.length) : new Float64Array(rows.length)) as T;
  for (let i = 0; i < rows.length; i++) taken[i] = column[rows[i] as number] as number;
  return taken;
}
