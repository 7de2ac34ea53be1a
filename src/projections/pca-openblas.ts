/** Principal components by OpenBLAS: for hundreds of columns, where a product of matrices is most of the work. */
import type { OpenblasLapack } from '../native/blas.ts';
import { makePositive, symmetricEigen } from './eigen.ts';
import { columnMeans } from './matrix.ts';
import { type ComponentFinder, componentsOf } from './pca.ts';

/** Codes of CBLAS and LAPACKE. */
const [ROW_MAJOR, COLUMN_MAJOR, TRANSPOSED, UPPER] = [101, 102, 112, 121];
const code = (letter: string): number => letter.charCodeAt(0);

/** Rows that are centred and multiplied at a time: they stay in the cache. */
const BLOCK_ROWS = 256;

/** Bytes depend on the library and on the CPU's kernels; on one machine they are always the same. */
export function openblasComponents(openblas: OpenblasLapack): ComponentFinder {
  return (matrix, count) => {
    const { rows, columns } = matrix;
    const means = columnMeans(matrix);
    const products = new Float64Array(columns * columns);
    const centred = new Float64Array(Math.min(BLOCK_ROWS, rows) * columns);
    const ones = new Float64Array(Math.min(BLOCK_ROWS, rows)).fill(1);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const taken = Math.min(BLOCK_ROWS, rows - first);
      centred.set(matrix.values.subarray(first * columns, (first + taken) * columns));
      openblas.dger(ROW_MAJOR, taken, columns, -1, ones, 1, means, 1, centred, columns);
      openblas.dsyrk(ROW_MAJOR, UPPER, TRANSPOSED, columns, taken, 1, centred, columns, 1, products, columns);
    }
    let total = 0;
    for (let c = 0; c < columns; c++) total += products[c * columns + c] as number;
    const found = Math.min(count, columns);
    const { values, vectors } = largest(openblas, products, columns, found);
    return componentsOf(means, vectors, values, total);
  };
}

/** The largest eigenvalues first; only they are computed where LAPACK is there. */
function largest(
  { dsyevr }: OpenblasLapack,
  upper: Float64Array,
  size: number,
  count: number,
): { values: Float64Array; vectors: Float64Array } {
  if (dsyevr === undefined) {
    const all = symmetricEigen(mirrored(upper, size), size);
    return { values: all.values.slice(0, count), vectors: all.vectors.slice(0, count * size) };
  }
  const found = new Int32Array(1);
  const ascending = new Float64Array(size);
  const columns = new Float64Array(count * size);
  const support = new Int32Array(2 * size);
  // The upper triangle by rows is the lower one by columns.
  const [all, chosen, lower] = [code('V'), code('I'), code('L')];
  const from = size - count + 1;
  const failed = dsyevr(
    COLUMN_MAJOR,
    all,
    chosen,
    lower,
    size,
    upper,
    size,
    0,
    0,
    from,
    size,
    0,
    found,
    ascending,
    columns,
    size,
    support,
  );
  if (failed !== 0) throw new Error(`LAPACKE_dsyevr has failed with code ${failed}`);
  const vectors = new Float64Array(count * size);
  for (let e = 0; e < count; e++) {
    const vector = columns.subarray((count - 1 - e) * size, (count - e) * size);
    makePositive(vector);
    vectors.set(vector, e * size);
  }
  return { values: ascending.slice(0, count).reverse(), vectors };
}

function mirrored(upper: Float64Array, size: number): Float64Array {
  const whole = Float64Array.from(upper);
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) whole[i * size + j] = upper[j * size + i] as number;
  return whole;
}
