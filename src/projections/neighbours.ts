/**
 * Nearest neighbours by Euclidean distance, ties by row: exact, the same as sorting the double-precision distances of
 * all pairs, whoever does the products; or approximate, where only the nearest leaves of a k-d tree are looked at. Both
 * repeat on every machine.
 */
import { FathomError } from '../errors.ts';
import type { Products } from '../kernels/kernels.ts';
import { firstEqualRows } from './distinct-rows.ts';
import { LeafSearch } from './leaf-search.ts';
import type { Matrix } from './matrix.ts';

/** The k nearest other rows of every row, nearest first, ties by index: entry `row * k + rank`. */
export interface Neighbours {
  readonly rows: number;
  readonly k: number;
  readonly indices: Int32Array;
  /** Squared distances. */
  readonly squared: Float64Array;
}

/**
 * @param k neighbours a row, from 1 to rows - 1; the row itself is never among them
 * @param onProgress called after every leaf; may throw to stop
 * @param products who does the matrix products; changes no result
 * @param mostLeaves leaves of up to 256 rows that are looked at for the rows of one; undefined: as many as it takes. The
 *   distances that are given are true ones, but nearer rows may have been missed.
 */
export function nearestNeighbours(
  matrix: Matrix,
  k: number,
  onProgress?: (done: number, total: number) => void,
  products?: Products,
  mostLeaves?: number,
): Neighbours {
  const { rows } = matrix;
  if (!Number.isInteger(k) || k < 1 || k >= rows)
    throw new FathomError('data', `${rows} rows do not have ${k} neighbours each`, {
      hint: `ask for 1 to ${rows - 1}`,
    });
  const indices = new Int32Array(rows * k);
  const squared = new Float64Array(rows * k);
  const { searched, crowded } = setCrowdsApart(matrix, k);
  const search = new LeafSearch(matrix, searched, k, products, mostLeaves);
  for (let leaf = 0; leaf < search.leaves.count; leaf++) {
    search.searchLeaf(leaf, (row, neighbours, distances) => {
      indices.set(neighbours, row * k);
      squared.set(distances, row * k);
    });
    onProgress?.(leaf + 1, search.leaves.count);
  }
  for (const { row, neighbours } of crowded) indices.set(neighbours, row * k);
  return { rows, k, indices, squared };
}

/** A row whose neighbours are known: as many equal ones stand before it. */
interface Crowded {
  readonly row: number;
  readonly neighbours: Int32Array;
}

/**
 * Of more than k + 1 equal rows those after the first k + 1 have the first k as their neighbours, at no distance, and
 * are nobody's neighbour, since ties go by index. So only the others need a search.
 */
function setCrowdsApart(matrix: Matrix, k: number): { searched: Int32Array; crowded: Crowded[] } {
  const first = firstEqualRows(matrix);
  const sizes = new Int32Array(matrix.rows);
  const members = new Map<number, Int32Array>();
  const searched = new Int32Array(matrix.rows);
  const crowded: Crowded[] = [];
  let count = 0;
  for (const group of first) sizes[group] = (sizes[group] as number) + 1;
  const seen = new Int32Array(matrix.rows);
  for (let row = 0; row < matrix.rows; row++) {
    const group = first[row] as number;
    const before = seen[group] as number;
    seen[group] = before + 1;
    if ((sizes[group] as number) > k + 1) {
      const list = members.get(group) ?? new Int32Array(k);
      members.set(group, list);
      if (before < k) list[before] = row;
      if (before > k) {
        crowded.push({ row, neighbours: list });
        continue;
      }
    }
    searched[count++] = row;
  }
  return { searched: searched.subarray(0, count), crowded };
}

/**
 * Squared distances of row `row` to the rows from `first` on, as many as `out` holds. Each is summed column by column;
 * four rows go side by side, so that one sum need not wait for another.
 */
export function squaredDistances(
  values: Float64Array,
  columns: number,
  row: number,
  first: number,
  out: Float64Array,
): void {
  const base = row * columns;
  let q = 0;
  for (; q + 4 <= out.length; q += 4) {
    const at0 = (first + q) * columns;
    const at1 = at0 + columns;
    const at2 = at1 + columns;
    const at3 = at2 + columns;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let c = 0; c < columns; c++) {
      const x = values[base + c] as number;
      const d0 = x - (values[at0 + c] as number);
      const d1 = x - (values[at1 + c] as number);
      const d2 = x - (values[at2 + c] as number);
      const d3 = x - (values[at3 + c] as number);
      sum0 += d0 * d0;
      sum1 += d1 * d1;
      sum2 += d2 * d2;
      sum3 += d3 * d3;
    }
    out[q] = sum0;
    out[q + 1] = sum1;
    out[q + 2] = sum2;
    out[q + 3] = sum3;
  }
  for (; q < out.length; q++) {
    let sum = 0;
    for (let c = 0; c < columns; c++) {
      const d = (values[base + c] as number) - (values[(first + q) * columns + c] as number);
      sum += d * d;
    }
    out[q] = sum;
  }
}
