/**
 * Numbers that a wallet uses, to slots: a hash table as small as the wallet, so that it stays in the cache. Most wallets
 * trade in few of very many markets.
 */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Slots {
  count: i32;
  /** Slot + 1 (i32), or 0 where there is none; only the first entries count, as many as 32 less `shift` bits can tell apart. */
  table: usize;
  shift: u32;
  /** Numbers by slot (i32). */
  used: usize;
}

export function makeSlots(): Slots {
  return changetype<Slots>(allocate(offsetof<Slots>()));
}

/** Makes room for so many numbers. */
export function reserveSlots(slots: Slots, room: i32): void {
  slots.table = allocate(<usize>4 << bitsFor(room));
  slots.used = allocate(<usize>room << 2);
}

/** Bits of a place in a table of which at least half stays empty: looking for what is not there then takes few steps. */
// @ts-ignore: decorator
@inline
function bitsFor(most: i32): u32 {
  return 32 - clz<u32>(<u32>max(32, 2 * most) - 1);
}

/** Forgets all numbers; no more than `most` others come. */
export function clearSlots(slots: Slots, most: i32): void {
  const bits = bitsFor(most);
  memory.fill(slots.table, 0, <usize>4 << bits);
  slots.shift = 32 - bits;
  slots.count = 0;
}

/** The slot of a number, a new one if it has none yet. */
// @ts-ignore: decorator
@inline
export function slotOf(slots: Slots, number: i32): i32 {
  const mask = (<u32>1 << (32 - slots.shift)) - 1;
  let place = (<u32>number * 0x9e3779b1) >> slots.shift;
  let known = load<i32>(slots.table + (<usize>place << 2));
  while (known != 0) {
    if (load<i32>(slots.used + (<usize>(known - 1) << 2)) == number) return known - 1;
    place = (place + 1) & mask;
    known = load<i32>(slots.table + (<usize>place << 2));
  }
  const slot = slots.count++;
  store<i32>(slots.used + (<usize>slot << 2), number);
  store<i32>(slots.table + (<usize>place << 2), slot + 1);
  return slot;
}
