/** Different texts of one length, numbered as they first come. */
import { allocate } from './memory';

/** Texts that are looked up at a time: what a lookup waits for is then on its way for many of them at once. */
export const BATCH: i32 = 128;

/** Of a batch: different texts that follow each other, their hashes, and what the first slot of each holds. */
const addresses = memory.data(BATCH << 2);
const hashes = memory.data(BATCH << 3);
const firsts = memory.data(BATCH << 3);
/** Of a batch: the place of each text among those. */
const places = memory.data(BATCH << 2);

/** The slots that a table begins with: a small one stays in the caches, so it grows with what is in it. */
const FEWEST_SLOTS: u64 = 1 << 14;

const TAG: u64 = 0xffffffff00000000;

// @ts-ignore: decorator
@unmanaged
export class Texts {
  /** Bytes of a text: 18 or more, and the last of them but for the first two are a multiple of 8. */
  length: usize;
  count: i32;
  /** By number: four bytes with the length of the text, and the text. */
  entries: usize;
  /** Upper half of the hash of a text, and its number + 1; 0 where there is none. `mask + 1` of them are in use. */
  slots: usize;
  mask: u64;
}

/** Room for `capacity` texts. */
export function makeTexts(length: usize, capacity: i32): Texts {
  const texts = changetype<Texts>(allocate(offsetof<Texts>()));
  texts.length = length;
  texts.entries = allocate(<usize>capacity * (length + 4) + 16);
  let slots = FEWEST_SLOTS;
  while (slots <= 2 * <u64>capacity) slots <<= 1;
  texts.slots = allocate(<usize>slots << 3);
  texts.mask = FEWEST_SLOTS - 1;
  return texts;
}

/** Forgets all texts, but not how many there were: it is likely that there will be as many again. */
export function forgetTexts(texts: Texts): void {
  texts.count = 0;
  memory.fill(texts.slots, 0, <usize>(texts.mask + 1) << 3);
}

/** A hash of a text; its first two characters are those of all. */
// @ts-ignore: decorator
@inline
function hashOf(at: usize, length: usize): u64 {
  let hash: u64 = 0x9e3779b97f4a7c15;
  for (let i: usize = 2; i < length; i += 8) {
    hash = (hash ^ load<u64>(at + i)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash;
}

/** Puts the numbers of texts in the place of their addresses, of which there may be any number (u32). */
export function numberTexts(texts: Texts, column: usize, count: i32): void {
  for (let from = 0; from < count; from += BATCH)
    numberBatch(texts, column + (<usize>from << 2), min(count - from, BATCH));
}

function numberBatch(texts: Texts, column: usize, count: i32): void {
  const length = texts.length;
  const slots = texts.slots;
  const entries = texts.entries;
  const different = listDifferent(column, count, length);
  const mask = texts.mask;
  for (let i = 0; i < different; i++) {
    const hash = hashOf(<usize>load<u32>(addresses + (<usize>i << 2)), length);
    store<u64>(hashes + (<usize>i << 3), hash);
    store<u64>(firsts + (<usize>i << 3), load<u64>(slots + (<usize>(hash & mask) << 3)));
  }
  for (let i = 0; i < different; i++) {
    const at = <usize>load<u32>(addresses + (<usize>i << 2));
    const hash = load<u64>(hashes + (<usize>i << 3));
    const first = load<u64>(firsts + (<usize>i << 3));
    // A text may have come into a slot since; then it is looked for again.
    let number = <i32>first - 1;
    if (number < 0 || ((first ^ hash) & TAG) != 0 || !isSame(entryOf(entries, number, length), at, length))
      number = numberOfText(texts, at, hash);
    store<i32>(addresses + (<usize>i << 2), number);
  }
  for (let i = 0; i < count; i++) {
    const place = <usize>load<u32>(places + (<usize>i << 2));
    store<i32>(column + (<usize>i << 2), load<i32>(addresses + (place << 2)));
  }
}

/** Lists the texts that differ from the one before. Gives how many there are. */
function listDifferent(column: usize, count: i32, length: usize): i32 {
  let before = <usize>load<u32>(column);
  let place = 0;
  store<u32>(addresses, <u32>before);
  for (let i = 0; i < count; i++) {
    const at = <usize>load<u32>(column + (<usize>i << 2));
    place += <i32>!isSame(before, at, length);
    store<u32>(addresses + (<usize>place << 2), <u32>at);
    store<i32>(places + (<usize>i << 2), place);
    before = at;
  }
  return place + 1;
}

/** The number of a text whose hash is given; a new one for a new text. */
function numberOfText(texts: Texts, at: usize, hash: u64): i32 {
  const length = texts.length;
  const slots = texts.slots;
  const entries = texts.entries;
  let slot = hash & texts.mask;
  while (true) {
    const held = load<u64>(slots + (<usize>slot << 3));
    if (held == 0) break;
    const number = <i32>held - 1;
    if (((held ^ hash) & TAG) == 0 && isSame(entryOf(entries, number, length), at, length)) return number;
    slot = (slot + 1) & texts.mask;
  }
  const number = texts.count++;
  store<u64>(slots + (<usize>slot << 3), (hash & TAG) | <u64>(number + 1));
  const entry = entryOf(entries, number, length);
  store<u32>(entry - 4, <u32>length);
  memory.copy(entry, at, length);
  if (2 * <u64>texts.count > texts.mask) spread(texts);
  return number;
}

/** Takes twice as many slots into use. */
function spread(texts: Texts): void {
  texts.mask = 2 * texts.mask + 1;
  const length = texts.length;
  const slots = texts.slots;
  const entries = texts.entries;
  const mask = texts.mask;
  memory.fill(slots, 0, <usize>(mask + 1) << 3);
  for (let number = 0; number < texts.count; number++) {
    const hash = hashOf(entryOf(entries, number, length), length);
    let slot = hash & mask;
    while (load<u64>(slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & mask;
    store<u64>(slots + (<usize>slot << 3), (hash & TAG) | <u64>(number + 1));
  }
}

// @ts-ignore: decorator
@inline
export function entryOf(entries: usize, number: i32, length: usize): usize {
  return entries + <usize>number * (length + 4) + 4;
}

/** Whether two texts of 16 bytes or more are the same; 16 bytes at a time, some of them twice. */
// @ts-ignore: decorator
@inline
export function isSame(a: usize, b: usize, length: usize): bool {
  for (let i: usize = 0; i + 16 < length; i += 16)
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  const last = length - 16;
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
}
