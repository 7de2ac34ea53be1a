/** Columns from rows of doubles: the values that there are, one column after the other, and which rows have them. */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
class Column {
  /** Values that there are (f64), a byte for each row that says whether it has one, and how many there are. */
  values: usize;
  present: usize;
  count: i32;
}

const COLUMN: usize = 12;

/** Room for `capacity` rows of some columns: one `Column` after the other. */
export function makeRowColumns(columns: i32, capacity: i32): usize {
  const all = allocate(<usize>columns * COLUMN);
  for (let c = 0; c < columns; c++) {
    const column = changetype<Column>(all + <usize>c * COLUMN);
    column.values = allocate(<usize>capacity << 3);
    column.present = allocate(capacity);
  }
  return all;
}

export function forgetRows(all: usize, columns: i32): void {
  for (let c = 0; c < columns; c++) changetype<Column>(all + <usize>c * COLUMN).count = 0;
}

/**
 * Takes rows of as many doubles as there are columns; NaN stands for a value that lacks.
 *
 * @param before rows that were taken since `forgetRows`
 */
export function takeRows(all: usize, columns: i32, rows: usize, count: i32, before: i32): void {
  const size = <usize>columns << 3;
  for (let c = 0; c < columns; c++) {
    const column = changetype<Column>(all + <usize>c * COLUMN);
    const values = column.values;
    const present = column.present + before;
    let found = column.count;
    let at = rows + (<usize>c << 3);
    for (let i = 0; i < count; i++) {
      const value = load<f64>(at);
      const there = value == value;
      // Written over by the next one if it is none.
      store<f64>(values + (<usize>found << 3), value);
      store<u8>(present + i, <u8>there);
      found += <i32>there;
      at += size;
    }
    column.count = found;
  }
}

/** Doubles as whole numbers (i64). */
export function toWhole(values: usize, count: i32, target: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) store<i64>(target + (i << 3), <i64>load<f64>(values + (i << 3)));
}

/**
 * Lists different doubles by their bits, in order of first appearance, and the place in the list of each value. Gives how
 * many there are, or -1 once they are more than `most`.
 *
 * @param slots u32, a power of two of them above `most`, all 0; so they are again at the end
 * @param list f64, room for `most + 1`
 * @param places i32
 */
export function listDoubles(
  values: usize, count: i32, most: i32, slots: usize, slotCount: i32, list: usize, places: usize,
): i32 {
  const mask = <u32>slotCount - 1;
  let found = 0;
  for (let i: usize = 0; i < <usize>count && found <= most; i++) {
    const bits = load<u64>(values + (i << 3));
    let slot = <u32>((bits * 0x9e3779b97f4a7c15) >> 40) & mask;
    let place = load<u32>(slots + (<usize>slot << 2));
    while (place != 0 && load<u64>(list + (<usize>(place - 1) << 3)) != bits) {
      slot = (slot + 1) & mask;
      place = load<u32>(slots + (<usize>slot << 2));
    }
    if (place == 0) {
      store<u64>(list + (<usize>found << 3), bits);
      place = ++found;
      store<u32>(slots + (<usize>slot << 2), place);
    }
    store<i32>(places + (i << 2), <i32>place - 1);
  }
  memory.fill(slots, 0, <usize>slotCount << 2);
  return found > most ? -1 : found;
}
