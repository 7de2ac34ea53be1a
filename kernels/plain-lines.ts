/**
 * Lines of poly_data's trades that are written plainly, that is as poly_data itself writes every field: a time to the
 * second with up to six decimals and no zone; a number of a market without a point; addresses and a hash in small
 * letters; `token1` or `token2`; `BUY` or `SELL`; a price, perhaps with an exponent; amounts of up to six decimals
 * without sign and exponent. Says nothing of what the fields mean: a date may have a month 13.
 *
 * Every function takes the address at which something begins and gives the one after it, or `NONE`. A line ends with a
 * line feed, which is part of no field, so nothing is read beyond it but up to 16 bytes that are ignored.
 */

const NONE: usize = 0;

const COMMA: u8 = 0x2c;
const POINT: u8 = 0x2e;
const LINE_FEED: u8 = 0x0a;
const ZERO: u8 = 0x30;

/** Digits of an address and of the hash of a transaction, after `0x`. */
const ADDRESS_DIGITS: usize = 40;
const HASH_DIGITS: usize = 64;

const AMOUNT_DECIMALS: usize = 6;
const SECOND_DECIMALS: usize = 6;
const ANY: usize = usize.MAX_VALUE;

/** Four and two characters as they lie in memory. */
const TOKE: u32 = 0x656b6f74;
const BUY_: u32 = 0x2c595542;
const SELL: u32 = 0x4c4c4553;
const ZERO_X: u16 = 0x7830;

/**
 * Where the first line that is not plain begins, among those that begin at `at` and before `limit`; else where the last
 * of them ends. Stores how many are plain at `count`.
 */
export function plainRun(at: usize, limit: usize, count: usize): usize {
  let lines = 0;
  while (at < limit) {
    const next = afterLine(at);
    if (next == NONE) break;
    at = next;
    lines++;
  }
  store<i32>(count, lines);
  return at;
}

function afterLine(at: usize): usize {
  let end = afterComma(afterTime(at));
  if (end == NONE) return NONE;
  end = afterComma(afterDigits(end));
  if (end == NONE) return NONE;
  end = afterComma(afterHexadecimal(end, ADDRESS_DIGITS));
  if (end == NONE) return NONE;
  end = afterComma(afterHexadecimal(end, ADDRESS_DIGITS));
  if (end == NONE) return NONE;
  end = afterComma(afterToken(end));
  if (end == NONE) return NONE;
  end = afterSide(end);
  if (end == NONE) return NONE;
  end = afterSide(end);
  if (end == NONE) return NONE;
  end = afterComma(afterExponent(afterNumber(end, ANY)));
  if (end == NONE) return NONE;
  end = afterComma(afterNumber(end, AMOUNT_DECIMALS));
  if (end == NONE) return NONE;
  end = afterComma(afterNumber(end, AMOUNT_DECIMALS));
  if (end == NONE) return NONE;
  end = afterHexadecimal(end, HASH_DIGITS);
  return end != NONE && load<u8>(end) == LINE_FEED ? end + 1 : NONE;
}

// @ts-ignore: decorator
@inline
function isDigit(at: usize): bool {
  return <u8>(load<u8>(at) - ZERO) < 10;
}

// @ts-ignore: decorator
@inline
function afterComma(at: usize): usize {
  return at != NONE && load<u8>(at) == COMMA ? at + 1 : NONE;
}

/** Whether each of 16 characters is at most so far above a smallest one. */
// @ts-ignore: decorator
@inline
function within(at: usize, smallest: v128, spans: v128): bool {
  return i8x16.all_true(i8x16.lt_u(i8x16.sub(v128.load(at), smallest), spans));
}

/** `0000-00-00T00:00:00` and perhaps decimals, where 0 stands for any digit. */
function afterTime(at: usize): usize {
  // Digits span ten characters and the others one. The last three characters come with the thirteen before them.
  const date = within(
    at,
    i8x16(48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 84, 48, 48, 58, 48, 48),
    i8x16(10, 10, 10, 10, 1, 10, 10, 1, 10, 10, 1, 10, 10, 1, 10, 10),
  );
  const clock = within(
    at + 3,
    i8x16(48, 45, 48, 48, 45, 48, 48, 84, 48, 48, 58, 48, 48, 58, 48, 48),
    i8x16(10, 1, 10, 10, 1, 10, 10, 1, 10, 10, 1, 10, 10, 1, 10, 10),
  );
  if (!date || !clock) return NONE;
  const end = at + 19;
  if (load<u8>(end) != POINT) return end;
  const last = afterDigits(end + 1);
  return last != NONE && last - end - 1 <= SECOND_DECIMALS ? last : NONE;
}

/** After one digit or more. */
function afterDigits(at: usize): usize {
  let end = at;
  while (isDigit(end)) end++;
  return end == at ? NONE : end;
}

/** After digits and perhaps a point and decimals, of which there may be none. */
function afterNumber(at: usize, decimals: usize): usize {
  const point = afterDigits(at);
  if (point == NONE || load<u8>(point) != POINT) return point;
  let end = point + 1;
  while (isDigit(end)) end++;
  return end - point - 1 <= decimals ? end : NONE;
}

/** After the exponent, if there is one, of up to two digits. */
function afterExponent(at: usize): usize {
  if (at == NONE || (load<u8>(at) | 0x20) != 0x65) return at;
  const sign = load<u8>(at + 1);
  const from = at + (sign == 0x2b || sign == 0x2d ? 2 : 1);
  const end = afterDigits(from);
  return end != NONE && end - from <= 2 ? end : NONE;
}

/** Whether 16 characters are digits or letters from a to f. */
// @ts-ignore: decorator
@inline
function isHexadecimal(at: usize): bool {
  const characters = v128.load(at);
  const digits = i8x16.lt_u(i8x16.sub(characters, i8x16.splat(48)), i8x16.splat(10));
  const letters = i8x16.lt_u(i8x16.sub(characters, i8x16.splat(97)), i8x16.splat(6));
  return i8x16.all_true(v128.or(digits, letters));
}

/** After `0x` and so many digits, 16 or more: they are taken 16 at a time, the last of them perhaps twice. */
// @ts-ignore: decorator
@inline
function afterHexadecimal(at: usize, digits: usize): usize {
  if (load<u16>(at) != ZERO_X) return NONE;
  const end = at + 2 + digits;
  for (let i = at + 2; i <= end - 16; i += 16) if (!isHexadecimal(i)) return NONE;
  return isHexadecimal(end - 16) ? end : NONE;
}

function afterToken(at: usize): usize {
  if (load<u32>(at) != TOKE || load<u8>(at + 4) != 0x6e) return NONE;
  const last = load<u8>(at + 5);
  return last == 0x31 || last == 0x32 ? at + 6 : NONE;
}

/** After the comma, too. */
function afterSide(at: usize): usize {
  const word = load<u32>(at);
  if (word == BUY_) return at + 4;
  return word == SELL && load<u8>(at + 4) == COMMA ? at + 5 : NONE;
}
