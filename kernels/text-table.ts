/** Different texts of one length, numbered as they first come. */
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Texts {
  /** Bytes of a text: 18 or more, and the last of them but for the first two are a multiple of 8. */
  length: usize;
  count: i32;
  /** By number: four bytes with the length of the text, and the text. */
  entries: usize;
  /** Upper half of the hash of a text, and its number + 1; 0 where there is none. There are `mask + 1`. */
  slots: usize;
  mask: u64;
}

/** Room for `capacity` texts. */
export function makeTexts(length: usize, capacity: i32): Texts {
  const texts = changetype<Texts>(allocate(offsetof<Texts>()));
  texts.length = length;
  texts.entries = allocate(<usize>capacity * (length + 4) + 16);
  let slots = 16;
  while (slots < 2 * capacity) slots <<= 1;
  texts.slots = allocate(<usize>slots << 3);
  texts.mask = <u64>slots - 1;
  return texts;
}

export function forgetTexts(texts: Texts): void {
  texts.count = 0;
  memory.fill(texts.slots, 0, <usize>(texts.mask + 1) << 3);
}

/** A hash of a text; its first two characters are those of all. */
// @ts-ignore: decorator
@inline
export function hashOf(at: usize, length: usize): u64 {
  let hash: u64 = 0x9e3779b97f4a7c15;
  for (let i: usize = 2; i < length; i += 8) {
    hash = (hash ^ load<u64>(at + i)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash;
}

/** The number of a text whose hash is given; a new one for a new text. */
export function placeOfText(texts: Texts, at: usize, hash: u64): i32 {
  const length = texts.length;
  const mask = texts.mask;
  const slots = texts.slots;
  const entries = texts.entries;
  const tag = hash & 0xffffffff00000000;
  let slot = hash & mask;
  while (true) {
    const held = load<u64>(slots + (<usize>slot << 3));
    if (held == 0) {
      const place = texts.count;
      texts.count++;
      store<u64>(slots + (<usize>slot << 3), tag | <u64>(place + 1));
      const entry = entries + <usize>place * (length + 4);
      store<u32>(entry, <u32>length);
      memory.copy(entry + 4, at, length);
      return place;
    }
    if ((held & 0xffffffff00000000) == tag) {
      const place = <i32>(held & 0xffffffff) - 1;
      if (isSame(entries + <usize>place * (length + 4) + 4, at, length)) return place;
    }
    slot = (slot + 1) & mask;
  }
}

/** Whether two texts of 16 bytes or more are the same; 16 bytes at a time, some of them twice. */
// @ts-ignore: decorator
@inline
function isSame(a: usize, b: usize, length: usize): bool {
  for (let i: usize = 0; i + 16 < length; i += 16)
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  const last = length - 16;
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
}
