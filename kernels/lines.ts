/** Lines of a text file: how many there are, and whether some of them need a closer look. */

const LINE_FEED: u8 = 0x0a;
const CARRIAGE_RETURN: u8 = 0x0d;
const QUOTE: u8 = 0x22;

/** Lines that the last `skipLines` went over. */
let lines: i32 = 0;

export function skippedLines(): i32 {
  return lines;
}

/** Which of the bytes among 16 equal one. */
// @ts-ignore: decorator
@inline
function matches(bytes: v128, byte: u8): v128 {
  return i8x16.eq(bytes, i8x16.splat(byte));
}

/** Bits of the bytes among 16 that equal one. */
// @ts-ignore: decorator
@inline
function equal(at: usize, byte: u8): i32 {
  return i8x16.bitmask(matches(v128.load(at), byte));
}

/**
 * How many whole lines there are, if nothing needs a closer look: -1 if there is a quote, a carriage return or a line
 * without a character.
 */
export function countLines(at: usize, end: usize): i32 {
  let count = 0;
  // Whether a line begins at `at`.
  let begins: u64 = 1;
  for (; at + 64 <= end; at += 64) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const quotes = v128.or(v128.or(matches(a, QUOTE), matches(b, QUOTE)), v128.or(matches(c, QUOTE), matches(d, QUOTE)));
    const returns = v128.or(
      v128.or(matches(a, CARRIAGE_RETURN), matches(b, CARRIAGE_RETURN)),
      v128.or(matches(c, CARRIAGE_RETURN), matches(d, CARRIAGE_RETURN)),
    );
    const breaks = <u64>i8x16.bitmask(matches(a, LINE_FEED)) | <u64>i8x16.bitmask(matches(b, LINE_FEED)) << 16
      | <u64>i8x16.bitmask(matches(c, LINE_FEED)) << 32 | <u64>i8x16.bitmask(matches(d, LINE_FEED)) << 48;
    if (v128.any_true(v128.or(quotes, returns)) || ((breaks << 1 | begins) & breaks) != 0) return -1;
    begins = breaks >> 63;
    count += <i32>popcnt(breaks);
  }
  for (; at < end; at++) {
    const byte = load<u8>(at);
    const isBreak = <u64>(byte == LINE_FEED);
    if (byte == QUOTE || byte == CARRIAGE_RETURN || (begins & isBreak) != 0) return -1;
    begins = isBreak;
    count += <i32>isBreak;
  }
  return count;
}

/** Whether there is a quote, or a line without a character, in whole lines. Up to 17 bytes after them are looked at, too. */
export function hasOddLines(at: usize, end: usize): bool {
  if (isBlank(at)) return true;
  for (; at < end; at += 16) {
    const inside = end - at >= 16 ? 0xffff : (1 << (end - at)) - 1;
    if (equal(at, QUOTE) & inside) return true;
    // A line feed, and then another or what may come before one. Behind the last line nothing counts.
    const breaks = equal(at, LINE_FEED) & inside;
    if (breaks != 0) {
      const next = equal(at + 1, LINE_FEED) | equal(at + 1, CARRIAGE_RETURN);
      for (let both = breaks & next; both != 0; both &= both - 1) {
        const line = at + <usize>ctz(both) + 1;
        if (line < end && isBlank(line)) return true;
      }
    }
  }
  return false;
}

// @ts-ignore: decorator
@inline
function isBlank(at: usize): bool {
  const byte = load<u8>(at);
  return byte == LINE_FEED || (byte == CARRIAGE_RETURN && load<u8>(at + 1) == LINE_FEED);
}

/** Goes over the whole lines that begin at `at` and before `limit`; gives where the next one begins. */
export function skipLines(at: usize, limit: usize): usize {
  lines = 0;
  if (at >= limit) return at;
  // Every line feed before the last byte ends a line that is followed by another which begins before the limit.
  const last = limit - 1;
  let i = at;
  for (; i + 16 <= last; i += 16) lines += popcnt(equal(i, LINE_FEED));
  for (; i < last; i++) if (load<u8>(i) == LINE_FEED) lines++;
  while (load<u8>(i) != LINE_FEED) i++;
  lines++;
  return i + 1;
}
