/** Encodings of Parquet's pages (https://parquet.apache.org/docs/file-format/data-pages/encodings/). */

/** Values of a block of differences, and of a part of it that shares a width. */
const BLOCK: i32 = 128;
const PART: i32 = 32;

let out: usize = 0;
/** Bits that are not written yet, and how many. */
let bits: u64 = 0;
let waiting: u32 = 0;

// @ts-ignore: decorator
@inline
function putBits(value: u64, width: u32): void {
  const joined = bits | value << waiting;
  store<u64>(out, joined);
  waiting += width;
  out += waiting >> 3;
  bits = joined >> (waiting & ~7);
  waiting &= 7;
}

function putVarint(value: u64): void {
  for (; value >= 128; value >>= 7) store<u8>(out++, <u8>value | 128);
  store<u8>(out++, <u8>value);
}

// @ts-ignore: decorator
@inline
function putSigned(value: i64): void {
  putVarint(<u64>(value << 1 ^ value >> 63));
}

function beginBits(): void {
  bits = 0;
  waiting = 0;
}

/**
 * Numbers below 2^width (width up to 31), i32 or u8, as one run of packed bits of the hybrid of runs and packed bits.
 * Gives the address after it; up to 8 bytes beyond it are written over.
 */
export function packNumbers(values: usize, size: i32, count: i32, width: u32, target: usize): usize {
  out = target;
  const groups = (count + 7) / 8;
  putVarint(<u64>groups << 1 | 1);
  beginBits();
  let done = 0;
  // Eight bytes of 0 or 1 at a time: the product has them side by side in its upper byte.
  if (size == 1 && width == 1)
    for (; done + 8 <= count; done += 8) store<u8>(out++, <u8>(load<u64>(values + done) * 0x0102040810204080 >> 56));
  if (size == 1) for (let i = done; i < count; i++) putBits(load<u8>(values + i), width);
  else for (let i = 0; i < count; i++) putBits(load<u32>(values + (<usize>i << 2)), width);
  for (let i = count; i < 8 * groups; i++) putBits(0, width);
  return out;
}

/**
 * Whole numbers by their differences (DELTA_BINARY_PACKED), which must lie within 2^56 of each other. Gives the address
 * after it; up to 8 bytes beyond it are written over.
 *
 * @param values i64
 */
export function packDifferences(values: usize, count: i32, target: usize): usize {
  out = target;
  putVarint(BLOCK);
  putVarint(BLOCK / PART);
  putVarint(count);
  putSigned(count > 0 ? load<i64>(values) : 0);
  for (let from = 1; from < count; from += BLOCK) packBlock(values, from, min(from + BLOCK, count));
  return out;
}

// @ts-ignore: decorator
@inline
function difference(values: usize, i: i32): i64 {
  const at = values + (<usize>i << 3);
  return load<i64>(at) - load<i64>(at - 8);
}

function packBlock(values: usize, from: i32, to: i32): void {
  let least = i64.MAX_VALUE;
  for (let i = from; i < to; i++) least = min(least, difference(values, i));
  putSigned(least);
  const widths = out;
  store<u32>(widths, 0);
  out += 4;
  for (let part = 0; from < to; part++) {
    const end = min(from + PART, to);
    let all: u64 = 0;
    for (let i = from; i < end; i++) all |= <u64>(difference(values, i) - least);
    const width = <u32>(64 - clz(all));
    store<u8>(widths + part, <u8>width);
    beginBits();
    for (let i = from; i < end; i++) putBits(<u64>(difference(values, i) - least), width);
    for (let i = end; i < from + PART; i++) putBits(0, width);
    from = end;
  }
}

/**
 * Numbers in a list of those that occur: what each key maps to, in order of first appearance. Gives how many there are.
 *
 * @param keys i32 a row; its upper bits, `key >> shift`, are looked up
 * @param map i32 a key, below the number of entries in `places`
 * @param places i32, all -1; so they are again at the end
 * @param list becomes the different numbers
 * @param numbers becomes the place in the list of each row
 */
export function listOccurring(
  keys: usize, rows: i32, shift: i32, map: usize, places: usize, list: usize, numbers: usize,
): i32 {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    const key = load<i32>(keys + (<usize>i << 2)) >> shift;
    const number = load<i32>(map + (<usize>key << 2));
    const at = places + (<usize>number << 2);
    let place = load<i32>(at);
    if (place < 0) {
      place = count++;
      store<i32>(at, place);
      store<i32>(list + (<usize>place << 2), number);
    }
    store<i32>(numbers + (<usize>i << 2), place);
  }
  for (let i = 0; i < count; i++) store<i32>(places + (<usize>load<i32>(list + (<usize>i << 2)) << 2), -1);
  return count;
}

/**
 * Copies some of the texts of a list, each with its length before it. Gives the address after them.
 *
 * @param offsets u32, where each text begins in `texts`, and after the last one where it ends
 */
export function copyTexts(texts: usize, offsets: usize, list: usize, count: i32, target: usize): usize {
  for (let i = 0; i < count; i++) {
    const at = offsets + (<usize>load<u32>(list + (<usize>i << 2)) << 2);
    const from = load<u32>(at);
    const length = load<u32>(at, 4) - from;
    store<u32>(target, length);
    memory.copy(target + 4, texts + from, length);
    target += 4 + length;
  }
  return target;
}
