/** Puts rows into the leaves of a k-d tree in kernel memory; see kernels/leaves.ts. */
import { FathomError } from '../errors.ts';
import type { Kernels, Pointer } from './kernels.ts';

/** `values[row * columns + column]`, none beyond 1e150, since squares of larger ones overflow. */
export interface RowValues {
  readonly columns: number;
  readonly values: Float64Array;
}

export interface Leaves {
  /** For the kernels. */
  readonly pointer: Pointer;
  readonly count: number;
  /** Slots of a leaf: row i of leaf l is in slot l * pitch + i. */
  readonly pitch: number;
  readonly slots: number;
  /** Addresses of rows and lanes in single precision. */
  readonly rows: Pointer;
  readonly lanes: Pointer;
  /** Number of the row in each slot, -1 where there is none: a copy. */
  readonly rowOf: Int32Array;
  /** Single precision holds (value - mean of the column) * scale, a power of two. */
  readonly means: Float64Array;
  readonly scale: number;
  /** Per slot |row|^2 of those values, in double precision; 0 where there is no row. */
  readonly norms: Float64Array;
}

/**
 * Half the distance of two neighbouring single-precision numbers at 1: the largest relative error of one rounding.
 */
export const HALF_ULP = 2 ** -24;

/** Scaled values stay below 2^41: squares cannot overflow, and those that vanish do not count. */
const TOP_EXPONENT = 40;
const LARGEST_EXPONENT = 400;

/**
 * @param chosen numbers of the rows to take, not empty
 * @param leafRows most rows of a leaf
 * @param factor what the row-major copy is multiplied by, a power of two
 */
export function layOutLeaves(
  kernels: Kernels,
  data: RowValues,
  chosen: Int32Array,
  leafRows: number,
  factor: number,
): Leaves {
  const { columns } = data;
  const rows = chosen.length;
  requireNumbers(data, chosen);
  const { means, scale } = centreAndScale(data, chosen);
  const flat = kernels.allocate(rows * columns * 4);
  const places = kernels.allocate(rows * 4);
  const scratch = kernels.allocate(rows * 4);
  const sizes = kernels.allocate((2 * Math.ceil(rows / leafRows) + 2) * 4);
  writeCentred(new Float32Array(kernels.memory.buffer, flat, rows * columns), data, chosen, means, scale);
  const order = new Int32Array(kernels.memory.buffer, places, rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  const count = kernels.cutLeaves(flat, rows, columns, leafRows, places, scratch, sizes);
  const pitch = Math.ceil(Math.max(...new Int32Array(kernels.memory.buffer, sizes, count)) / 16) * 16;
  const slots = count * pitch;
  const rowOf = kernels.allocate(slots * 4);
  const byRow = kernels.allocate(slots * columns * 4);
  const lanes = kernels.allocate(slots * columns * 4);
  const exact = kernels.allocate(slots * columns * 8);
  const boxes = kernels.allocate(count * columns * 8);
  const pointer = kernels.makeLeaves(count, columns, pitch, sizes, rowOf, byRow, lanes, exact, boxes);
  kernels.layLeaves(pointer, flat, places, factor);
  const { buffer } = kernels.memory;
  const numbers = new Int32Array(buffer, rowOf, slots);
  const norms = new Float64Array(slots);
  const exactly = new Float64Array(buffer, exact, slots * columns);
  for (let slot = 0; slot < slots; slot++) {
    const place = numbers[slot] as number;
    if (place < 0) continue;
    const row = chosen[place] as number;
    numbers[slot] = row;
    let norm = 0;
    for (let c = 0; c < columns; c++) {
      const value = data.values[row * columns + c] as number;
      exactly[slot * columns + c] = value;
      const centred = (value - (means[c] as number)) * scale;
      norm += centred * centred;
    }
    norms[slot] = norm;
  }
  return { pointer, count, pitch, slots, rows: byRow, lanes, rowOf: numbers.slice(), means, scale, norms };
}

/** A NaN would be nobody's neighbour, silently. Callers who know names of columns and rows have looked before. */
function requireNumbers({ columns, values }: RowValues, chosen: Int32Array): void {
  for (const row of chosen)
    for (let c = 0; c < columns; c++) {
      const value = values[row * columns + c] as number;
      if (!(Math.abs(value) <= 1e150))
        throw new FathomError('data', `column ${c} is ${value} in row ${row}: distances to it are undefined`, {
          hint: 'fix the value at its source, leave the row out, or leave the column out',
        });
    }
}

/** Means of the columns, and the power of two that brings the largest centred value to about 2^40. */
function centreAndScale({ columns, values }: RowValues, chosen: Int32Array): { means: Float64Array; scale: number } {
  const means = new Float64Array(columns);
  for (const row of chosen)
    for (let c = 0; c < columns; c++) means[c] = (means[c] as number) + (values[row * columns + c] as number);
  for (let c = 0; c < columns; c++) means[c] = (means[c] as number) / chosen.length;
  let largest = 0;
  for (const row of chosen)
    for (let c = 0; c < columns; c++)
      largest = Math.max(largest, Math.abs((values[row * columns + c] as number) - (means[c] as number)));
  let exponent = 0;
  if (largest > 0) {
    exponent = Math.max(-LARGEST_EXPONENT * 2, Math.min(LARGEST_EXPONENT, TOP_EXPONENT - exponentOf(largest)));
  }
  return { means, scale: 2 ** exponent };
}

/** e with 2^e <= x < 2^(e + 1), from the bits of a normal number. */
function exponentOf(x: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, x);
  return ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function writeCentred(
  target: Float32Array,
  { columns, values }: RowValues,
  chosen: Int32Array,
  means: Float64Array,
  scale: number,
): void {
  let at = 0;
  for (const row of chosen)
    for (let c = 0; c < columns; c++)
      target[at++] = ((values[row * columns + c] as number) - (means[c] as number)) * scale;
}
