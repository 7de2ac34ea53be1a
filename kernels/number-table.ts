/** Places of whole numbers in a list. */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Numbers {
  /** The number (i64) and its place + 1 (i32, and four bytes that say nothing); place 0 + 1 where there is none. */
  slots: usize;
  mask: u64;
}

/** Room for `capacity` numbers. */
export function makeNumbers(capacity: i32): Numbers {
  const numbers = changetype<Numbers>(allocate(offsetof<Numbers>()));
  let slots = 16;
  while (slots < 2 * capacity) slots <<= 1;
  numbers.slots = allocate(<usize>slots << 4);
  numbers.mask = <u64>slots - 1;
  return numbers;
}

// @ts-ignore: decorator
@inline
function firstSlot(numbers: Numbers, number: i64): u64 {
  const hash = <u64>number * 0x9e3779b97f4a7c15;
  return (hash >> 32) & numbers.mask;
}

/** Adds a number that is not there yet; it is given as a double. */
export function addNumber(numbers: Numbers, number: f64, place: i32): void {
  let slot = firstSlot(numbers, <i64>number);
  while (load<i32>(numbers.slots + (<usize>slot << 4), 8) != 0) slot = (slot + 1) & numbers.mask;
  store<i64>(numbers.slots + (<usize>slot << 4), <i64>number);
  store<i32>(numbers.slots + (<usize>slot << 4), place + 1, 8);
}

/** The place of a number, or -1. */
export function placeOf(numbers: Numbers, number: i64): i32 {
  let slot = firstSlot(numbers, number);
  while (true) {
    const at = numbers.slots + (<usize>slot << 4);
    const place = load<i32>(at, 8);
    if (place == 0 || load<i64>(at) == number) return place - 1;
    slot = (slot + 1) & numbers.mask;
  }
}
