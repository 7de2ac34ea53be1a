/** A set of 64-bit keys. */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Keys {
  /** The keys; 0 where there is none. */
  slots: usize;
  mask: u64;
}

/** Room for `capacity` keys. */
export function makeKeys(capacity: i32): Keys {
  const keys = changetype<Keys>(allocate(offsetof<Keys>()));
  let slots = 16;
  while (slots < 2 * capacity) slots <<= 1;
  keys.slots = allocate(<usize>slots << 3);
  keys.mask = <u64>slots - 1;
  return keys;
}

export function forgetKeys(keys: Keys): void {
  memory.fill(keys.slots, 0, <usize>(keys.mask + 1) << 3);
}

/** Adds a key; false if it may be there already (0 stands for 1, too). */
// @ts-ignore: decorator
@inline
export function addKey(keys: Keys, key: u64): bool {
  const held = key == 0 ? 1 : key;
  let slot = held & keys.mask;
  while (true) {
    const at = keys.slots + (<usize>slot << 3);
    const there = load<u64>(at);
    if (there == held) return false;
    if (there == 0) {
      store<u64>(at, held);
      return true;
    }
    slot = (slot + 1) & keys.mask;
  }
}
