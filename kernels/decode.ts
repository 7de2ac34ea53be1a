/**
 * Values out of Parquet's pages (https://parquet.apache.org/docs/file-format/data-pages/encodings/): the way back from
 * `encode`. Up to 8 bytes behind what is read are looked at, too.
 */

const FAILED: usize = 0;

let at: usize = 0;

function takeVarint(): u64 {
  let value: u64 = 0;
  for (let shift = 0; shift < 64; shift += 7) {
    const byte = load<u8>(at++);
    value |= <u64>(byte & 127) << shift;
    if (byte < 128) break;
  }
  return value;
}

function takeSigned(): i64 {
  const value = takeVarint();
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}

/** The `i`th of the numbers of `width` bits, up to 56, that are packed from an address on. */
// @ts-ignore: decorator
@inline
function packed(from: usize, i: u32, width: u32): u64 {
  const bit = i * width;
  return load<u64>(from + (bit >> 3)) >> (bit & 7) & ((<u64>1 << width) - 1);
}

// @ts-ignore: decorator
@inline
function put(target: usize, size: i32, i: u32, value: u32): void {
  if (size == 1) store<u8>(target + i, <u8>value);
  else store<u32>(target + (<usize>i << 2), value);
}

/**
 * Numbers of `width` bits (up to 31) from the hybrid of runs and packed bits, as u8 or i32. Gives the address behind
 * them, or 0 if they end before there are `count`.
 */
export function unpackNumbers(from: usize, end: usize, width: u32, size: i32, count: i32, target: usize): usize {
  at = from;
  let done: u32 = 0;
  const bytes = (width + 7) / 8;
  while (done < <u32>count) {
    if (at >= end) return FAILED;
    const header = <u32>takeVarint();
    const left = <u32>count - done;
    if (header & 1) {
      const groups = header >> 1;
      const some = min<u32>(groups << 3, left);
      for (let i: u32 = 0; i < some; i++) put(target, size, done + i, <u32>packed(at, i, width));
      at += <usize>groups * width;
      done += some;
    } else {
      const value = <u32>(load<u64>(at) & ((<u64>1 << (8 * bytes)) - 1));
      at += bytes;
      const some = min<u32>(header >> 1, left);
      for (let i: u32 = 0; i < some; i++) put(target, size, done + i, value);
      done += some;
    }
  }
  return at > end ? FAILED : at;
}

/** Whole numbers (i64) from their differences (DELTA_BINARY_PACKED). Gives the address behind them, or 0 if they are not `count` or too wide. */
export function unpackDifferences(from: usize, end: usize, count: i32, target: usize): usize {
  at = from;
  const block = <u32>takeVarint();
  const parts = <u32>takeVarint();
  if (takeVarint() != <u64>count || parts == 0 || block % (8 * parts) != 0) return FAILED;
  const part = block / parts;
  let value = takeSigned();
  if (count > 0) store<i64>(target, value);
  for (let done = 1; done < count; ) {
    if (at >= end) return FAILED;
    const least = takeSigned();
    const widths = at;
    at += parts;
    for (let p: u32 = 0; p < parts && done < count; p++) {
      const width = <u32>load<u8>(widths + p);
      if (width > 56) return FAILED;
      const some = min<u32>(part, <u32>(count - done));
      for (let i: u32 = 0; i < some; i++) {
        value += least + <i64>packed(at, i, width);
        store<i64>(target + (<usize>(done + <i32>i) << 3), value);
      }
      at += <usize>(part >> 3) * width;
      done += <i32>some;
    }
  }
  return at > end ? FAILED : at;
}
