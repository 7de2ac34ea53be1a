/** The rows that a projection lays out: numbers in row order, with the names that messages need. */
import { FathomError } from '../errors.ts';

/** `values[row * columns + column]`, all finite. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Points in the plane: `values[2 * row]` is x, `values[2 * row + 1]` is y. */
export type Plane = Float64Array;

/** Squares of larger values overflow, and so would distances. */
const LARGEST = 1e150;

/**
 * Refuses NaN, infinities and values beyond 1e150, which would silently spread to every coordinate.
 * @param columnName name of a column, for the message
 * @param rowName name of a row, for the message
 */
export function requireFinite(
  matrix: Matrix,
  columnName: (column: number) => string = (column) => `column ${column}`,
  rowName: (row: number) => string = (row) => `row ${row}`,
): void {
  const { columns, values } = matrix;
  if (values.length !== matrix.rows * columns)
    throw new FathomError('internal', `${values.length} values are not ${matrix.rows} rows of ${columns} columns`);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Math.abs(value) <= LARGEST) continue;
    const row = Math.floor(i / columns);
    throw new FathomError('data', `column "${columnName(i - row * columns)}" is ${value} in ${rowName(row)}`, {
      hint: 'distances to such a row are undefined: fix the value at its source, leave the row out, or leave the column out',
    });
  }
}

/** Mean of every column, summed in row order. */
export function columnMeans({ rows, columns, values }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < columns; c++) means[c] = (means[c] as number) + (values[i * columns + c] as number);
  for (let c = 0; c < columns; c++) means[c] = (means[c] as number) / rows;
  return means;
}

/** Every column with mean 0 and standard deviation 1 (population formula); a constant column becomes 0. */
export function standardized(matrix: Matrix): Matrix {
  const { rows, columns, values } = matrix;
  const means = columnMeans(matrix);
  const out = new Float64Array(values.length);
  for (let c = 0; c < columns; c++) {
    const mean = means[c] as number;
    let squares = 0;
    let largest = 0;
    for (let i = 0; i < rows; i++) {
      const value = values[i * columns + c] as number;
      squares += (value - mean) * (value - mean);
      largest = Math.max(largest, Math.abs(value));
    }
    const deviation = Math.sqrt(squares / rows);
    // The mean of equal numbers is off by rounding; such a column must not be blown up to unit size.
    if (!(deviation > largest * 1e-14)) continue;
    for (let i = 0; i < rows; i++) out[i * columns + c] = ((values[i * columns + c] as number) - mean) / deviation;
  }
  return { rows, columns, values: out };
}

/** True if every row equals the first. */
export function allRowsEqual({ rows, columns, values }: Matrix): boolean {
  for (let i = columns; i < rows * columns; i++) if (values[i] !== values[i % columns]) return false;
  return true;
}

/**
 * What both methods do with input that leaves nothing to optimise. Up to three points lie in a plane, so their
 * principal components are an exact map; equal rows have no layout, so all of them are put at the origin.
 * @returns the reason, or undefined if the input is fit for a layout
 */
export function degenerateReason(matrix: Matrix): 'rows' | 'equal' | undefined {
  if (allRowsEqual(matrix)) return 'equal';
  return matrix.rows <= 3 ? 'rows' : undefined;
}

/** Refuses a layout that ran away, as with a learning rate far too large. */
export function requireLayout(points: Plane): void {
  // Sound layouts span some hundreds.
  if (!points.every((x) => Math.abs(x) < 1e9)) throw ranAway();
}

export function ranAway(): FathomError {
  return new FathomError('data', 'the layout ran away to infinity', { hint: 'choose a smaller learningRate' });
}
