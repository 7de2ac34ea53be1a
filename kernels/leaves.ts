/**
 * Rows of numbers sorted into the leaves of a k-d tree: each cut is at the median of the widest column, so rows of a
 * leaf lie near each other (Friedman, Bentley, Finkel 1977).
 *
 * All leaves have room for the same number of rows, `pitch`, a multiple of 16. A *slot* is a place for a row: row i of
 * leaf l is in slot `l * pitch + i`. Slots without a row stand so far away that nothing finds them.
 */
import { allocate } from './memory';

/** Values of a slot without a row; others are below 2^41. */
const NOWHERE: f32 = <f32>(1 << 30) * <f32>(1 << 30);

// @ts-ignore: decorator
@unmanaged
export class Leaves {
  count: i32;
  columns: i32;
  pitch: i32;
  /** Rows in each leaf. */
  sizes: usize;
  /** Number of the row in each slot; -1 where there is none. */
  rowOf: usize;
  /** Values in single precision, a slot after the other. */
  rows: usize;
  /** The same, leaf by leaf and column by column: `pitch` values of the first column, of the second and so on. */
  lanes: usize;
  /** Values in double precision as they were given, a slot after the other. */
  exact: usize;
  /** Per leaf the smallest value of each column, then the largest of each. */
  boxes: usize;
}

export function makeLeaves(
  count: i32, columns: i32, pitch: i32, sizes: usize, rowOf: usize, rows: usize, lanes: usize, exact: usize, boxes: usize,
): Leaves {
  const leaves = changetype<Leaves>(allocate(offsetof<Leaves>()));
  leaves.count = count;
  leaves.columns = columns;
  leaves.pitch = pitch;
  leaves.sizes = sizes;
  leaves.rowOf = rowOf;
  leaves.rows = rows;
  leaves.lanes = lanes;
  leaves.exact = exact;
  leaves.boxes = boxes;
  return leaves;
}

/** What a cut needs to know. */
let table: usize = 0;
let width: i32 = 0;
let largest: i32 = 0;
let order: usize = 0;
let keys: usize = 0;
let leafSizes: usize = 0;
let leafCount: i32 = 0;

/**
 * Orders rows so that leaves of at most `leafRows` follow each other.
 * @param values rows of `columns` single-precision numbers
 * @param places row numbers from 0, in any order; receives the new order
 * @param scratch room for one number a row
 * @param sizes receives the rows of each leaf
 * @returns the number of leaves
 */
export function cutLeaves(
  values: usize, rows: i32, columns: i32, leafRows: i32, places: usize, scratch: usize, sizes: usize,
): i32 {
  table = values;
  width = columns;
  largest = leafRows;
  order = places;
  keys = scratch;
  leafSizes = sizes;
  leafCount = 0;
  cut(0, rows);
  return leafCount;
}

function cut(from: i32, to: i32): void {
  if (to - from <= largest) {
    store<i32>(leafSizes + (<usize>leafCount << 2), to - from);
    leafCount++;
    return;
  }
  const column = <usize>widestColumn(from, to) << 2;
  for (let i = from; i < to; i++)
    store<f32>(keys + (<usize>i << 2), load<f32>(table + (<usize>load<i32>(order + (<usize>i << 2)) * width << 2) + column));
  const middle = (from + to) >> 1;
  partition(from, to - 1, middle);
  cut(from, middle);
  cut(middle, to);
}

/** By variance over at most about a thousand rows. */
function widestColumn(from: i32, to: i32): i32 {
  const step = max(1, (to - from) >> 10);
  let widest = 0;
  let most: f64 = -1;
  for (let c = 0; c < width; c++) {
    let sum: f64 = 0;
    let squares: f64 = 0;
    let count: f64 = 0;
    for (let i = from; i < to; i += step) {
      const value: f64 = load<f32>(table + (<usize>(load<i32>(order + (<usize>i << 2)) * width + c) << 2));
      sum += value;
      squares += value * value;
      count++;
    }
    const variance = squares - sum * sum / count;
    if (variance > most) {
      most = variance;
      widest = c;
    }
  }
  return widest;
}

/** Quickselect: rows before `middle` have no larger key than those from it on. */
function partition(low: i32, high: i32, middle: i32): void {
  while (low < high) {
    const pivot = load<f32>(keys + (<usize>((low + high) >> 1) << 2));
    let i = low;
    let j = high;
    while (i <= j) {
      while (load<f32>(keys + (<usize>i << 2)) < pivot) i++;
      while (load<f32>(keys + (<usize>j << 2)) > pivot) j--;
      if (i <= j) {
        swap(keys, i, j);
        swap(order, i, j);
        i++;
        j--;
      }
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else break;
  }
}

// @ts-ignore: decorator
@inline
function swap(list: usize, i: i32, j: i32): void {
  const a = list + (<usize>i << 2);
  const b = list + (<usize>j << 2);
  const held = load<u32>(a);
  store<u32>(a, load<u32>(b));
  store<u32>(b, held);
}

/**
 * Fills slots: rows (times `factor`), lanes and boxes.
 * @param values as for `cutLeaves`
 * @param places the order that `cutLeaves` found; `rowOf` receives its numbers
 */
export function layLeaves(leaves: Leaves, values: usize, places: usize, factor: f32): void {
  const columns = leaves.columns;
  const pitch = leaves.pitch;
  const count = leaves.count;
  for (let leaf = 0; leaf < count; leaf++) {
    const size = load<i32>(leaves.sizes + (<usize>leaf << 2));
    const slot = <usize>leaf * pitch;
    const lanes = leaves.lanes + (slot * columns << 2);
    const box = leaves.boxes + (<usize>leaf * columns << 3);
    for (let c = 0; c < columns; c++) {
      let low = f32.MAX_VALUE;
      let high = -f32.MAX_VALUE;
      const lane = lanes + (<usize>c * pitch << 2);
      for (let i = 0; i < pitch; i++) {
        let value = NOWHERE;
        if (i < size) {
          value = load<f32>(values + (<usize>load<i32>(places + (<usize>i << 2)) * columns + c << 2));
          low = min(low, value);
          high = max(high, value);
          store<f32>(leaves.rows + ((slot + i) * columns + c << 2), value * factor);
        }
        store<f32>(lane + (<usize>i << 2), value);
      }
      store<f32>(box + (<usize>c << 2), low);
      store<f32>(box + (<usize>(columns + c) << 2), high);
    }
    for (let i = 0; i < pitch; i++)
      store<i32>(leaves.rowOf + (slot + i << 2), i < size ? load<i32>(places + (<usize>i << 2)) : -1);
    places += <usize>size << 2;
  }
}

/** Squared distance between the boxes of two leaves. */
export function boxGap(leaves: Leaves, a: i32, b: i32): f32 {
  const columns = leaves.columns;
  const bytes = <usize>columns << 2;
  let boxA = leaves.boxes + <usize>a * bytes * 2;
  let boxB = leaves.boxes + <usize>b * bytes * 2;
  const end = boxA + bytes;
  let sum: f32 = 0;
  while (boxA < end) {
    const up = load<f32>(boxB) - load<f32>(boxA + bytes);
    const down = load<f32>(boxA) - load<f32>(boxB + bytes);
    const gap = max<f32>(max<f32>(up, down), 0);
    sum += gap * gap;
    boxA += 4;
    boxB += 4;
  }
  return sum;
}
