/** Numbers of 64-bit keys. */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Numbers {
  /** Keys (u64), and number + 1 of each (i32); 0 where there is none. */
  keys: usize;
  numbers: usize;
  mask: u64;
}

/** Room for `capacity` keys. */
export function makeNumbers(capacity: i32): Numbers {
  const table = changetype<Numbers>(allocate(offsetof<Numbers>()));
  // A third may stay empty at the least: looking for what is not there then takes few steps.
  let slots = 16;
  while (slots < capacity + capacity / 2) slots <<= 1;
  table.keys = allocate(<usize>slots << 3);
  table.numbers = allocate(<usize>slots << 2);
  table.mask = <u64>slots - 1;
  return table;
}

// @ts-ignore: decorator
@inline
function firstSlot(table: Numbers, key: u64): u64 {
  return ((key * 0x9e3779b97f4a7c15) >> 24) & table.mask;
}

/** Adds keys, u64, that differ from each other and those there, with their numbers, i32 and not -1. */
export function addNumbers(table: Numbers, keys: usize, numbers: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    let slot = firstSlot(table, key);
    while (load<i32>(table.numbers + (<usize>slot << 2)) != 0) slot = (slot + 1) & table.mask;
    store<u64>(table.keys + (<usize>slot << 3), key);
    store<i32>(table.numbers + (<usize>slot << 2), load<i32>(numbers + (<usize>i << 2)) + 1);
  }
}

/** The number of a key, or -1. */
// @ts-ignore: decorator
@inline
export function numberOf(table: Numbers, key: u64): i32 {
  let slot = firstSlot(table, key);
  let number = load<i32>(table.numbers + (<usize>slot << 2));
  while (number != 0 && load<u64>(table.keys + (<usize>slot << 3)) != key) {
    slot = (slot + 1) & table.mask;
    number = load<i32>(table.numbers + (<usize>slot << 2));
  }
  return number - 1;
}
