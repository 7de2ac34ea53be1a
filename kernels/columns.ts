/** Columns of whole numbers of 64 bits, as others want them: 32 bits or doubles, with something where a value lacks. */

/** The first of `count` numbers in rising order that is not below a key, by its place. */
export function firstNotBelow(numbers: usize, count: i32, key: i64): i32 {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (load<i64>(numbers + (<usize>middle << 3)) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The smallest of some numbers, of which there is one at the least. */
export function leastOf(numbers: usize, count: i32): i64 {
  let least = load<i64>(numbers);
  for (let i: usize = 1; i < <usize>count; i++) least = min(least, load<i64>(numbers + (i << 3)));
  return least;
}

/** The largest of them. */
export function greatestOf(numbers: usize, count: i32): i64 {
  let greatest = load<i64>(numbers);
  for (let i: usize = 1; i < <usize>count; i++) greatest = max(greatest, load<i64>(numbers + (i << 3)));
  return greatest;
}

/** Whether pairs of numbers rise strictly from one row to the next, by the first of the pair and then by the second. */
export function pairsRise(first: usize, second: usize, count: i32): bool {
  for (let i: usize = 1; i < <usize>count; i++) {
    const at = i << 3;
    const a = load<i64>(first + at - 8);
    const b = load<i64>(first + at);
    if (b < a || (b == a && load<i64>(second + at) <= load<i64>(second + at - 8))) return false;
  }
  return true;
}

/** Numbers of 32 bits. */
export function toInts(numbers: usize, count: i32, target: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) store<i32>(target + (i << 2), load<i32>(numbers + (i << 3)));
}

/** Doubles; a whole number beyond 2^53 is rounded. */
export function toFloats(numbers: usize, count: i32, target: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) store<f64>(target + (i << 3), <f64>load<i64>(numbers + (i << 3)));
}

/**
 * Numbers of 32 bits for the rows `from` to `to` of a column in which rows may lack a value.
 *
 * @param numbers those that there are, of all rows
 * @param present u8 a row, 0 for one without
 * @param missing stands for a value that lacks
 */
export function spreadInts(numbers: usize, present: usize, from: i32, to: i32, missing: i32, target: usize): void {
  for (let row = 0; row < to; row++) {
    const there = load<u8>(present + row) != 0;
    if (row >= from) {
      store<i32>(target, there ? load<i32>(numbers) : missing);
      target += 4;
    }
    if (there) numbers += 8;
  }
}

/** The same as doubles; NaN stands for a value that lacks. */
export function spreadFloats(numbers: usize, present: usize, from: i32, to: i32, target: usize): void {
  for (let row = 0; row < to; row++) {
    const there = load<u8>(present + row) != 0;
    if (row >= from) {
      store<f64>(target, there ? <f64>load<i64>(numbers) : f64.NaN);
      target += 8;
    }
    if (there) numbers += 8;
  }
}
