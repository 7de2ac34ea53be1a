/** An order of rows in which near rows stand near each other: what is fetched together lies together in memory. */
import type { Matrix, Plane } from './matrix.ts';

const LEAF = 64;

/** Rows by the leaves of a k-d tree: cut in halves on the widest column, by value and then by index. */
export function kdOrder({ rows, columns, values }: Matrix): Int32Array {
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  const keys = new Float64Array(rows);
  const cut = (from: number, to: number): void => {
    if (to - from <= LEAF) return;
    const column = widest(from, to);
    for (let p = from; p < to; p++)
      keys[order[p] as number] = values[(order[p] as number) * columns + column] as number;
    const middle = (from + to) >> 1;
    selectMiddle(order, keys, from, to, middle);
    cut(from, middle);
    cut(middle, to);
  };
  const widest = (from: number, to: number): number => {
    let best = 0;
    let width = -1;
    for (let c = 0; c < columns; c++) {
      let low = Infinity;
      let high = -Infinity;
      for (let p = from; p < to; p++) {
        const value = values[(order[p] as number) * columns + c] as number;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (high - low > width) {
        width = high - low;
        best = c;
      }
    }
    return best;
  };
  cut(0, rows);
  return order;
}

/** Hoare's selection: afterwards no row before `middle` comes after one from there on, by (key, index). */
function selectMiddle(order: Int32Array, keys: Float64Array, from: number, to: number, middle: number): void {
  const before = (i: number, j: number): boolean => {
    const a = keys[i] as number;
    const b = keys[j] as number;
    return a < b || (a === b && i < j);
  };
  let low = from;
  let high = to - 1;
  while (low < high) {
    const pivot = order[(low + high) >> 1] as number;
    let i = low;
    let j = high;
    while (i <= j) {
      while (before(order[i] as number, pivot)) i++;
      while (before(pivot, order[j] as number)) j--;
      if (i > j) break;
      const held = order[i] as number;
      order[i++] = order[j] as number;
      order[j--] = held;
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}

export function rowsInOrder({ rows, columns, values }: Matrix, order: Int32Array): Matrix {
  const sorted = new Float64Array(values.length);
  for (const [p, row] of order.entries())
    for (let c = 0; c < columns; c++) sorted[p * columns + c] = values[row * columns + c] as number;
  return { rows, columns, values: sorted };
}

export function planeInOrder(points: Plane, order: Int32Array): Plane {
  return rowsInOrder({ rows: order.length, columns: 2, values: points }, order).values;
}

/** Undoes `planeInOrder`. */
export function planeBack(sorted: Plane, order: Int32Array): Plane {
  const points = new Float64Array(sorted.length);
  for (const [p, row] of order.entries()) {
    points[2 * row] = sorted[2 * p] as number;
    points[2 * row + 1] = sorted[2 * p + 1] as number;
  }
  return points;
}
