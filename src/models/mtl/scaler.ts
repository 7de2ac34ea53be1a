/** Standardisation of features by the training rows: z = (x - mean) / standard deviation. */
import { FathomError } from '../../errors.ts';
import type { Frame } from '../../tables/frame.ts';
import { columnNamed, columnsOf, numbersOf } from '../../tables/frame.ts';

export interface ScaledFeature {
  readonly name: string;
  /**
   * Mean over the training rows where it is present; null if it never is, or is the same wherever it is: then it is 0
   * for every row, since weights that never saw it vary say nothing of other values.
   */
  readonly mean: number | null;
  /** Population standard deviation; 1 where it is 0. */
  readonly deviation: number;
}

/** Names of a frame's features; an error if there are none or one is not a number. */
export function featureNames(frame: Frame): string[] {
  const columns = columnsOf(frame, 'feature');
  if (columns.length === 0)
    throw new FathomError('data', 'the frame has no feature columns', { hint: 'give columns the role "feature"' });
  for (const column of columns)
    if (column.type !== 'number')
      throw new FathomError('data', `feature "${column.name}" holds categories, not numbers`, {
        hint: 'encode it before training, for instance as one column per category',
      });
  return columns.map((column) => column.name);
}

/** Features that have one value in all of these rows, from which nothing can be learned. */
export function constantFeatures(frame: Frame, names: readonly string[], rows: Uint32Array): string[] {
  return names.filter((name) => {
    const values = numbersOf(columnNamed(frame, name));
    const present = rows.filter((row) => !Number.isNaN(values[row] as number));
    const [first] = present;
    return first !== undefined && present.every((row) => values[row] === values[first]);
  });
}

/** The mean and deviation of each feature over these rows. */
export function fitScaler(frame: Frame, names: readonly string[], rows: Uint32Array): ScaledFeature[] {
  return names.map((name) => {
    const values = numbersOf(columnNamed(frame, name));
    refuseBoundless(name, values);
    return { name, ...momentsOf(values, rows) };
  });
}

/** Mean and population standard deviation (1 if 0) over the rows where the value is present. */
export function momentsOf(
  values: ArrayLike<number>,
  rows: Uint32Array,
): { readonly mean: number | null; readonly deviation: number } {
  let count = 0;
  let sum = 0;
  for (const row of rows) {
    const value = values[row] as number;
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
  }
  if (count === 0) return { mean: null, deviation: 1 };
  const mean = sum / count;
  let squares = 0;
  for (const row of rows) {
    const value = values[row] as number;
    if (!Number.isNaN(value)) squares += (value - mean) * (value - mean);
  }
  const deviation = Math.sqrt(squares / count);
  // Equal values can leave a rounding error of a few units in the last place instead of 0.
  return { mean, deviation: deviation > Math.abs(mean) * 1e-14 ? deviation : 1 };
}

export interface ScaledRows {
  /** rows x features, row-major. */
  readonly values: Float32Array;
  /** Values that were missing and stand at the training mean, by feature. */
  readonly imputed: readonly number[];
}

/** All rows of a frame, standardised; a missing value becomes the training mean, which is 0. */
export function applyScaler(frame: Frame, features: readonly ScaledFeature[]): ScaledRows {
  const width = features.length;
  const values = new Float32Array(frame.rows * width);
  const imputed = features.map(({ name, mean, deviation }, j) => {
    const column = numbersOf(columnNamed(frame, name));
    refuseBoundless(name, column);
    let missing = 0;
    for (let row = 0; row < frame.rows; row++) {
      const value = column[row] as number;
      if (Number.isNaN(value)) missing++;
      else if (mean !== null) {
        const z = (value - mean) / deviation;
        if (Math.abs(z) > LARGEST_FLOAT32)
          throw new FathomError(
            'data',
            `feature "${name}" is ${value} in row ${row}, ${z.toExponential(1)} deviations from its training mean: too far for float32`,
            { hint: 'clip it, or leave it missing' },
          );
        values[row * width + j] = z;
      }
    }
    return missing;
  });
  return { values, imputed };
}

/** Squares of larger values overflow, and with them the deviation. */
const LARGEST = 1e150;
const LARGEST_FLOAT32 = 2 ** 128 - 2 ** 104;

function refuseBoundless(name: string, values: Float32Array | Float64Array): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    if (Math.abs(value) > LARGEST)
      throw new FathomError('data', `feature "${name}" is ${value} in row ${row}`, {
        hint: 'a number without a limit is no feature: clip it, or leave it missing',
      });
  }
}
