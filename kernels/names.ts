/** Different texts of any length, numbered as they first come. The table grows as they do. */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Names {
  count: i32;
  /** Upper half: hash of a text; lower half: address of its record (u32 number, u32 length, the text). 0 where there is none. */
  slots: usize;
  mask: u32;
  /** Addresses of the records by number (u32), and for how many there is room. */
  records: usize;
  capacity: i32;
  /** Where the next record goes, and where the memory for it ends. */
  free: usize;
  end: usize;
}

const FIRST_CAPACITY: i32 = 1 << 12;
const BLOCK: usize = 1 << 20;
/** Before a text stand its number and its length. */
const BEFORE: usize = 8;
/** Reading the last bytes of a text takes up to so many behind it. */
const SLACK: usize = 16;

/** Texts that are looked up together: while the memory of one is fetched, the next is asked for. */
const BATCH: i32 = 128;
const places: usize = memory.data(BATCH * 4);
const hashes: usize = memory.data(BATCH * 4);
const found: usize = memory.data(BATCH * 4);

export function makeNames(): Names {
  const names = changetype<Names>(allocate(offsetof<Names>()));
  names.capacity = FIRST_CAPACITY;
  names.records = allocate(<usize>FIRST_CAPACITY << 2);
  names.slots = allocate(<usize>FIRST_CAPACITY << 4);
  names.mask = 2 * FIRST_CAPACITY - 1;
  return names;
}

/**
 * Gives every one of `count` texts its number, as i32; a text that is not there yet gets the next one.
 *
 * @param texts one behind the other, each with its length (u32) before it
 */
export function numberNames(names: Names, texts: usize, count: i32, numbers: usize): void {
  for (let from = 0; from < count; from += BATCH) {
    const batch = min(count - from, BATCH);
    for (let i: usize = 0; i < <usize>batch; i++) {
      const length = load<u32>(texts);
      store<u32>(places + (i << 2), texts);
      store<u32>(hashes + (i << 2), hashOf(texts + 4, length));
      texts += 4 + length;
    }
    fetch(names, batch);
    for (let i: usize = 0; i < <usize>batch; i++) {
      const number = numberOf(names, load<u32>(places + (i << 2)), load<u32>(hashes + (i << 2)));
      store<i32>(numbers + ((<usize>from + i) << 2), number);
    }
  }
}

/** What `fetch` read; nobody needs it, but what is not used would not be read. */
let fetched: u32 = 0;

/** Reads what the lookups of a batch will read, so that it is near when they come. */
function fetch(names: Names, batch: i32): void {
  const slots = names.slots;
  const mask = names.mask;
  for (let i: usize = 0; i < <usize>batch; i++) {
    const slot = load<u32>(hashes + (i << 2)) & mask;
    store<u32>(found + (i << 2), load<u32>(slots + (<usize>slot << 3)));
  }
  for (let i: usize = 0; i < <usize>batch; i++) fetched ^= load<u32>(<usize>load<u32>(found + (i << 2)));
}

/** @param at a text with its length before it */
function numberOf(names: Names, at: usize, hash: u32): i32 {
  const length = load<u32>(at);
  const mask = names.mask;
  let slot = hash & mask;
  while (true) {
    const held = load<u64>(names.slots + (<usize>slot << 3));
    if (held == 0) return add(names, at, hash, slot);
    if (<u32>(held >> 32) == hash) {
      const record = <usize>(held & 0xffffffff);
      if (load<u32>(record, 4) == length && isSame(record + BEFORE, at + 4, length)) return load<i32>(record);
    }
    slot = (slot + 1) & mask;
  }
}

function add(names: Names, at: usize, hash: u32, slot: u32): i32 {
  const size = BEFORE - 4 + ((<usize>load<u32>(at) + 4 + 3) & ~3);
  if (names.free + size + SLACK > names.end) {
    const block = max(BLOCK, size + SLACK);
    names.free = allocate(block);
    names.end = names.free + block;
  }
  const record = names.free;
  names.free += size;
  const number = names.count++;
  store<i32>(record, number);
  memory.copy(record + 4, at, 4 + <usize>load<u32>(at));
  store<u32>(names.records + (<usize>number << 2), record);
  store<u64>(names.slots + (<usize>slot << 3), <u64>hash << 32 | <u64>record);
  if (names.count == names.capacity) grow(names);
  return number;
}

function grow(names: Names): void {
  const old = names.slots;
  const oldSlots = names.mask + 1;
  const records = names.records;
  names.capacity <<= 1;
  names.records = allocate(<usize>names.capacity << 2);
  memory.copy(names.records, records, <usize>names.count << 2);
  names.slots = allocate(<usize>names.capacity << 4);
  names.mask = 2 * <u32>names.capacity - 1;
  for (let i: usize = 0; i < <usize>oldSlots; i++) {
    const held = load<u64>(old + (i << 3));
    if (held == 0) continue;
    let slot = <u32>(held >> 32) & names.mask;
    while (load<u64>(names.slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & names.mask;
    store<u64>(names.slots + (<usize>slot << 3), held);
  }
}

/** Copies the texts of some numbers (i32), each with its length before it. Gives the address after them. */
export function copyNames(names: Names, numbers: usize, count: i32, target: usize): usize {
  for (let i: usize = 0; i < <usize>count; i++) {
    const record = <usize>load<u32>(names.records + (<usize>load<i32>(numbers + (i << 2)) << 2)) + 4;
    const size = 4 + <usize>load<u32>(record);
    memory.copy(target, record, size);
    target += size;
  }
  return target;
}

/** Copies the texts at some addresses (u32), each with its length before it. Gives the address after them. */
export function copyTextsAt(addresses: usize, count: i32, target: usize): usize {
  for (let i: usize = 0; i < <usize>count; i++) {
    const text = <usize>load<u32>(addresses + (i << 2));
    const size = 4 + <usize>load<u32>(text);
    memory.copy(target, text, size);
    target += size;
  }
  return target;
}

/** Bytes that `copyTextsAt` takes. */
export function bytesOfTexts(addresses: usize, count: i32): u32 {
  let bytes: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) bytes += 4 + load<u32>(<usize>load<u32>(addresses + (i << 2)));
  return bytes;
}

/** Puts at `addresses` (u32) where each text of a list begins, with its length. */
export function findTexts(list: usize, count: i32, addresses: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    store<u32>(addresses + (i << 2), list);
    list += 4 + load<u32>(list);
  }
}

/** Bytes that `copyNames` takes. */
export function bytesOfNames(names: Names, numbers: usize, count: i32): u32 {
  let bytes: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++)
    bytes += 4 + load<u32>(<usize>load<u32>(names.records + (<usize>load<i32>(numbers + (i << 2)) << 2)), 4);
  return bytes;
}

export function nameCount(names: Names): i32 {
  return names.count;
}

function hashOf(at: usize, length: u32): u32 {
  let hash: u64 = <u64>length * 0x9e3779b97f4a7c15;
  if (length >= 8) {
    const last = at + length - 8;
    for (; at < last; at += 8) hash = mixed(hash, load<u64>(at));
    return <u32>(mixed(hash, load<u64>(last)) >> 32);
  }
  for (const end = at + length; at < end; at++) hash = mixed(hash, <u64>load<u8>(at));
  return <u32>(hash >> 32);
}

// @ts-ignore: decorator
@inline
function mixed(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * 0xff51afd7ed558ccd;
  return product ^ product >> 32;
}

// @ts-ignore: decorator
@inline
function isSame(a: usize, b: usize, length: u32): bool {
  if (length >= 16) {
    const last = <usize>length - 16;
    for (let i: usize = 0; i < last; i += 16) if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
  }
  return memory.compare(a, b, length) == 0;
}
