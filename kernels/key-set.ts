/** A set of 64-bit keys that is forgotten often: it takes as much memory as it needs since, which is little for few keys. */
import { allocate } from './memory';

/** Slots of a set that was forgotten: they stay in the caches, and are cleared in no time. */
const FEWEST_SLOTS: usize = 32;

// @ts-ignore: decorator
@unmanaged
export class Keys {
  /** The keys; 0 where there is none. `mask + 1` of them are in use. */
  slots: usize;
  mask: u64;
  /** The same keys in the order in which they came. */
  held: usize;
  count: i32;
}

/** Room for `capacity` keys. */
export function makeKeys(capacity: i32): Keys {
  const keys = changetype<Keys>(allocate(offsetof<Keys>()));
  let slots = FEWEST_SLOTS;
  while (slots <= 2 * <usize>capacity) slots <<= 1;
  keys.slots = allocate(slots << 3);
  keys.held = allocate(<usize>capacity << 3);
  forgetKeys(keys);
  return keys;
}

// @ts-ignore: decorator
@inline
export function forgetKeys(keys: Keys): void {
  keys.count = 0;
  keys.mask = FEWEST_SLOTS - 1;
  for (let at: usize = 0; at < FEWEST_SLOTS << 3; at += 16) v128.store(keys.slots + at, i64x2(0, 0));
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
      store<u64>(keys.held + (<usize>keys.count << 3), held);
      keys.count++;
      if (2 * <u64>keys.count > keys.mask) spread(keys);
      return true;
    }
    slot = (slot + 1) & keys.mask;
  }
}

/** Takes twice as many slots into use. */
function spread(keys: Keys): void {
  const slots = keys.slots;
  const mask = 2 * keys.mask + 1;
  keys.mask = mask;
  memory.fill(slots, 0, <usize>(mask + 1) << 3);
  for (let i: usize = 0; i < <usize>keys.count; i++) {
    const key = load<u64>(keys.held + (i << 3));
    let slot = key & mask;
    while (load<u64>(slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & mask;
    store<u64>(slots + (<usize>slot << 3), key);
  }
}
