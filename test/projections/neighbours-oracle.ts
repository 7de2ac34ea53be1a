/**
 * Exact nearest neighbours by Euclidean distance, in plain TypeScript and double precision throughout.
 *
 * Rows are sorted into the leaves of a k-d tree (median cut on the widest dimension). A leaf of queries looks at the
 * other leaves in order of the distance between their boxes and stops as soon as that exceeds the worst neighbour any
 * of its rows still holds. In few dimensions most leaves are skipped; in many this is a blocked exhaustive search.
 */
import type { Matrix } from '../../src/projections/matrix.ts';
import { type Neighbours, squaredDistances } from '../../src/projections/neighbours.ts';

const LEAF = 64;

interface Leaves {
  /** Rows in leaf order. */
  readonly order: Int32Array;
  /** Leaf l holds `order[starts[l]] .. order[starts[l + 1] - 1]`. */
  readonly starts: Int32Array;
  /** Values in leaf order. */
  readonly values: Float64Array;
  /** Smallest and largest value per leaf and column. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export function neighboursByOracle(matrix: Matrix, k: number): Neighbours {
  const { rows, columns } = matrix;
  const leaves = cutIntoLeaves(matrix);
  const { order, starts } = leaves;
  const leafCount = starts.length - 1;
  const best = new NeighbourLists(rows, k);
  const gaps = new Float64Array(leafCount);
  for (let a = 0; a < leafCount; a++) {
    for (let b = 0; b < leafCount; b++) gaps[b] = boxGap(leaves, columns, a, b);
    const visits = Int32Array.from({ length: leafCount }, (_, b) => b).sort(
      (b, c) => (gaps[b] as number) - (gaps[c] as number) || b - c,
    );
    for (const b of visits) {
      // Rounding is monotone, so a box's gap never exceeds the computed distance of two rows: equality must be visited.
      if ((gaps[b] as number) > best.worstOf(order, starts[a] as number, starts[a + 1] as number)) break;
      compareLeaves(leaves, columns, a, b, best);
    }
  }
  return { rows, k, indices: best.indices, squared: best.squared };
}

/** Sorted lists of the k best so far, one a row. */
class NeighbourLists {
  readonly k: number;
  readonly indices: Int32Array;
  readonly squared: Float64Array;

  constructor(rows: number, k: number) {
    this.k = k;
    this.indices = new Int32Array(rows * k).fill(2147483647);
    this.squared = new Float64Array(rows * k).fill(Infinity);
  }

  /** Offers row `j` at squared distance `d` to the list of row `i`. */
  offer(i: number, j: number, d: number): void {
    const { k, indices, squared } = this;
    const first = i * k;
    let place = first + k - 1;
    if (d > (squared[place] as number) || (d === squared[place] && j > (indices[place] as number))) return;
    while (place > first) {
      const held = squared[place - 1] as number;
      if (held < d || (held === d && (indices[place - 1] as number) < j)) break;
      squared[place] = held;
      indices[place] = indices[place - 1] as number;
      place--;
    }
    squared[place] = d;
    indices[place] = j;
  }

  /** The largest distance still held by any of the rows `order[from..to)`. */
  worstOf(order: Int32Array, from: number, to: number): number {
    let worst = 0;
    for (let p = from; p < to; p++)
      worst = Math.max(worst, this.squared[((order[p] as number) + 1) * this.k - 1] as number);
    return worst;
  }
}

function compareLeaves(leaves: Leaves, columns: number, a: number, b: number, best: NeighbourLists): void {
  const { order, starts, values } = leaves;
  const { k, squared } = best;
  const from = starts[b] as number;
  const to = starts[b + 1] as number;
  const distances = new Float64Array(to - from);
  for (let p = starts[a] as number; p < (starts[a + 1] as number); p++) {
    const i = order[p] as number;
    const last = (i + 1) * k - 1;
    squaredDistances(values, columns, p, from, distances);
    for (let q = from; q < to; q++) {
      const d = distances[q - from] as number;
      if (d <= (squared[last] as number) && p !== q) best.offer(i, order[q] as number, d);
    }
  }
}

/** Squared distance between the boxes of two leaves, summed in the order of `squaredDistances`. */
function boxGap({ low, high }: Leaves, columns: number, a: number, b: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const up = (low[b * columns + c] as number) - (high[a * columns + c] as number);
    const down = (low[a * columns + c] as number) - (high[b * columns + c] as number);
    const gap = Math.max(up, down);
    if (gap > 0) sum += gap * gap;
  }
  return sum;
}

function cutIntoLeaves({ rows, columns, values }: Matrix): Leaves {
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  const starts: number[] = [];
  const cut = (from: number, to: number): void => {
    if (to - from <= LEAF) {
      starts.push(from);
      return;
    }
    const widest = widestColumn(values, columns, order, from, to);
    order
      .subarray(from, to)
      .sort((i, j) => (values[i * columns + widest] as number) - (values[j * columns + widest] as number) || i - j);
    const middle = (from + to) >> 1;
    cut(from, middle);
    cut(middle, to);
  };
  cut(0, rows);
  starts.push(rows);
  const sorted = new Float64Array(rows * columns);
  const low = new Float64Array((starts.length - 1) * columns).fill(Infinity);
  const high = new Float64Array((starts.length - 1) * columns).fill(-Infinity);
  for (let leaf = 0; leaf + 1 < starts.length; leaf++)
    for (let p = starts[leaf] as number; p < (starts[leaf + 1] as number); p++)
      for (let c = 0; c < columns; c++) {
        const value = values[(order[p] as number) * columns + c] as number;
        sorted[p * columns + c] = value;
        low[leaf * columns + c] = Math.min(low[leaf * columns + c] as number, value);
        high[leaf * columns + c] = Math.max(high[leaf * columns + c] as number, value);
      }
  return { order, starts: Int32Array.from(starts), values: sorted, low, high };
}

function widestColumn(values: Float64Array, columns: number, order: Int32Array, from: number, to: number): number {
  let widest = 0;
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
      widest = c;
    }
  }
  return widest;
}
