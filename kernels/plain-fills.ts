/**
 * Fills from plain lines of poly_data's trades, as columns of numbers. A line is plain if every field stands as
 * poly_data itself writes it: a time to the second with up to six decimals and no zone; a number of a market without a
 * point; addresses and a hash in small letters; `token1` or `token2`; `BUY` or `SELL`; a price, perhaps with an
 * exponent; amounts of up to six decimals without sign and exponent.
 *
 * Functions that read a field take the address at which it begins and give the one after it, or `NONE` if it is not
 * plain or if its value is better judged by somebody else. A line ends with a line feed, which is part of no field, so
 * what is read beyond it, 256 bytes at the most, changes nothing.
 */
import { hexadecimal, sixteenDigits } from './hexadecimal';
import { Numbers, numberOf } from './number-table';
import { TextList, addText, isLastText } from './text-list';
import { BATCH, Texts, numberTexts } from './text-table';
import { Keys, addKey, forgetKeys } from './key-set';
import { allocate } from './memory';

const NONE: usize = 0;

const COMMA: u8 = 0x2c;
const POINT: u8 = 0x2e;
const LINE_FEED: u8 = 0x0a;
const ZERO: u8 = 0x30;
const LETTER_S: u8 = 0x53;

/** Four and two characters as they lie in memory. */
const TOKE: u32 = 0x656b6f74;
const BUY_: u32 = 0x2c595542;
const SELL: u32 = 0x4c4c4553;
const ZERO_X: u16 = 0x7830;

/** Characters of an address and of the hash of a transaction. */
const ADDRESS: usize = 42;
const HASH: usize = 66;

const MICROSECONDS: i64 = 1_000_000;
const DAY: i64 = 86_400 * MICROSECONDS;
/** 2020-01-01 and 2099-12-31: the venue opened in 2020, and times beyond either are mistakes. */
const FIRST_TIME: i64 = 18_262 * DAY;
const LAST_TIME: i64 = 47_481 * DAY;

/** Digits before the point of an amount, and of a market's number. */
const AMOUNT_DIGITS: i32 = 10;
const MARKET_DIGITS: i32 = 15;
/** Amounts up to here are whole numbers in a double, too. */
const LARGEST_AMOUNT: u64 = (1 << 53) - 1;

/** By how much a price may differ from the quotient of its amounts, and what is too close to that to tell. */
const PRICE_TOLERANCE: f64 = 1e-6;
const CLOSE: f64 = 1e-12;
/** Digits of a price that count. */
const PRICE_DIGITS: i32 = 17;

// @ts-ignore: decorator
@unmanaged
export class Fills {
  /** Lines read, and fills among them. */
  lines: i32;
  rows: i32;
  /** Fills with another wallet on the other side: those whose role is maker. */
  makers: i32;
  /** Fills earlier than the one before them, and fills that may be the same as one since the time changed last. */
  disordered: i32;
  alike: i32;
  /** By fill: number of its line from 0 (i32). */
  line: usize;
  /** By fill: microseconds since 1970, whole 1e-6 USD and tokens, and the group of its order (i64; `polyDataOrder`); its price (f64). */
  time: usize;
  usd: usize;
  shares: usize;
  order: usize;
  price: usize;
  /** By fill: twice the place of its market and its outcome (i32). */
  key: usize;
  /**
   * By fill: numbers of its wallet and its transaction; by fill of a maker: that of the wallet on the other side (i32). A
   * transaction whose fills do not follow each other has several numbers: that is rare, and looking each up is not cheap.
   */
  wallet: usize;
  transaction: usize;
  other: usize;
  /** By fill: 1 if it sold; 1 for a maker (u8). */
  sold: usize;
  maker: usize;
  /** Places of markets; one below -1 marks a market that somebody else has to look at. */
  markets: Numbers;
  wallets: Texts;
  others: Texts;
  transactions: TextList;
  /** Of the fills since the time changed last. */
  seen: Keys;
  /** Addresses of the exchange, one after the other. */
  exchanges: usize;
  exchangeCount: i32;
  /** The market of the last line, and its place. */
  place: i32;
  market: i64;
}

/** Room for `capacity` fills. Addresses of exchanges are written at `exchanges` by the caller, as are the other tables. */
export function makeFills(
  capacity: i32, markets: Numbers, wallets: Texts, others: Texts, transactions: TextList, seen: Keys, exchangeCount: i32,
): Fills {
  const fills = changetype<Fills>(allocate(offsetof<Fills>()));
  fills.line = allocate(capacity << 2);
  fills.time = allocate(capacity << 3);
  fills.usd = allocate(capacity << 3);
  fills.shares = allocate(capacity << 3);
  fills.order = allocate(capacity << 3);
  fills.price = allocate(capacity << 3);
  fills.key = allocate(capacity << 2);
  fills.wallet = allocate(capacity << 2);
  fills.transaction = allocate(capacity << 2);
  fills.other = allocate(capacity << 2);
  fills.sold = allocate(capacity);
  fills.maker = allocate(capacity);
  fills.markets = markets;
  fills.wallets = wallets;
  fills.others = others;
  fills.transactions = transactions;
  fills.seen = seen;
  fills.exchanges = allocate(<usize>exchangeCount * ADDRESS + 16);
  fills.exchangeCount = exchangeCount;
  fills.market = -1;
  return fills;
}

/**
 * Reads lines from `at` to `end`, and gives where the first line begins that is not plain or whose value is in doubt;
 * else `end`. Lines that no check of `polyDataTrades` would pass are counted and are no fills.
 */
export function readFills(fills: Fills, at: usize, end: usize): usize {
  while (at < end) {
    const rows = fills.rows;
    const makers = fills.makers;
    while (at < end && fills.rows - rows < BATCH) {
      const next = readLine(fills, at);
      if (next == NONE) return at;
      at = next;
      fills.lines++;
    }
    numberFills(fills, rows, makers);
  }
  return at;
}

/** Looks up what the fills name from a row and from a maker on: all of their texts are still in the caches. */
function numberFills(fills: Fills, row: i32, maker: i32): void {
  numberTexts(fills.wallets, fills.wallet + (<usize>row << 2), fills.rows - row);
  numberTexts(fills.others, fills.other + (<usize>maker << 2), fills.makers - maker);
  for (; row < fills.rows; row++) {
    const isMaker = <i32>load<u8>(fills.maker + <usize>row);
    // 0 stands for nobody.
    const other = (load<i32>(fills.other + (<usize>maker << 2)) + 1) & -isMaker;
    maker += isMaker;
    const at = fills.time + (<usize>row << 3);
    if (row == 0 || load<i64>(at) != load<i64>(at - 8)) forgetKeys(fills.seen);
    if (!addKey(fills.seen, fingerprint(fills, <usize>row, <u32>other))) fills.alike++;
  }
}

/** What was read last: a time, a price, an amount, a number of a market. */
let time: i64 = 0;
let price: f64 = 0;
let amount: u64 = 0;
let market: i64 = 0;

function readLine(fills: Fills, at: usize): usize {
  const marketAt = afterComma(readTime(at));
  if (marketAt == NONE) return NONE;
  const walletAt = afterComma(readMarket(marketAt));
  if (walletAt == NONE) return NONE;
  const otherAt = walletAt + ADDRESS + 1;
  const tokenAt = otherAt + ADDRESS + 1;
  if (load<u8>(otherAt - 1) != COMMA || load<u8>(tokenAt - 1) != COMMA || !areAddresses(walletAt, otherAt)) return NONE;
  const sideAt = afterComma(afterToken(tokenAt));
  if (sideAt == NONE) return NONE;
  const otherSideAt = afterSide(sideAt);
  if (otherSideAt == NONE) return NONE;
  const priceAt = afterSide(otherSideAt);
  if (priceAt == NONE) return NONE;
  const usdAt = afterComma(readPrice(priceAt));
  if (usdAt == NONE) return NONE;
  const sharesAt = afterComma(readAmount(usdAt));
  if (sharesAt == NONE) return NONE;
  const usd = amount;
  const hashAt = afterComma(readAmount(sharesAt));
  if (hashAt == NONE) return NONE;
  const shares = amount;
  const end = hashAt + HASH;
  const again = isLastText(fills.transactions, hashAt);
  if (load<u8>(end) != LINE_FEED || !(again || isHash(hashAt))) return NONE;

  const sold = load<u8>(sideAt) == LETTER_S;
  const otherSold = load<u8>(otherSideAt) == LETTER_S;
  // Fills of one match follow each other.
  if (market != fills.market) {
    fills.market = market;
    fills.place = numberOf(fills.markets, <u64>market);
  }
  const place = fills.place;
  if (place < -1) return NONE;
  const good = time >= FIRST_TIME && time <= LAST_TIME && shares > 0 && place >= 0 && sold != otherSold
    && !isExchange(fills, walletAt);
  if (!good) return end + 1;
  const quotient = (<f64>usd / 1e6) / (<f64>shares / 1e6);
  const off = abs(price - quotient) - PRICE_TOLERANCE;
  if (abs(off) < CLOSE || abs(price - 1) < CLOSE && price != 1) return NONE;
  if (off > 0 || price > 1) return end + 1;
  if (!again) addText(fills.transactions, hashAt);
  addFill(fills, walletAt, otherAt, hashAt, place << 1 | (load<u8>(tokenAt + 5) & 1 ^ 1), usd, shares, quotient, sold);
  return end + 1;
}

function addFill(
  fills: Fills, walletAt: usize, otherAt: usize, hashAt: usize, key: i32, usd: u64, shares: u64, quotient: f64, sold: bool,
): void {
  const row = <usize>fills.rows;
  fills.rows++;
  if (row > 0 && time < load<i64>(fills.time + ((row - 1) << 3))) fills.disordered++;
  store<i32>(fills.line + (row << 2), fills.lines);
  store<i64>(fills.time + (row << 3), time);
  store<u64>(fills.usd + (row << 3), usd);
  store<u64>(fills.shares + (row << 3), shares);
  store<f64>(fills.price + (row << 3), quotient);
  store<i32>(fills.key + (row << 2), key);
  store<u8>(fills.sold + row, <u8>sold);
  const maker = !isExchange(fills, otherAt);
  store<u8>(fills.maker + row, <u8>maker);
  // Addresses stand for the texts until these are looked up.
  store<u32>(fills.wallet + (row << 2), <u32>walletAt);
  store<i32>(fills.transaction + (row << 2), fills.transactions.count - 1);
  const order = <i64>(sixteenDigits(hashAt + 2) >> 4) ^ (market << 2 | <i64>(key & 1) << 1 | <i64>sold);
  store<i64>(fills.order + (row << 3), order);
  if (maker) {
    store<u32>(fills.other + (<usize>fills.makers << 2), <u32>otherAt);
    fills.makers++;
  }
}

/** A hash of all that a fill is, or of enough of it: of its transaction there are the digits in the group of its order. */
// @ts-ignore: decorator
@inline
function fingerprint(fills: Fills, row: usize, other: u32): u64 {
  const wallet = load<u32>(fills.wallet + (row << 2));
  const trade = <u64>load<u32>(fills.key + (row << 2)) << 1 | <u64>load<u8>(fills.sold + row);
  const who = <u64>wallet << 32 | <u64>other;
  const what = mixed(load<u64>(fills.order + (row << 3)), trade);
  const amounts = mixed(load<u64>(fills.usd + (row << 3)), load<u64>(fills.shares + (row << 3)));
  return mixed(mixed(mixed(who, what), amounts), load<u64>(fills.time + (row << 3)));
}

// @ts-ignore: decorator
@inline
function mixed(a: u64, b: u64): u64 {
  const product = (a ^ b * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
  return product ^ product >> 32;
}

function isExchange(fills: Fills, at: usize): bool {
  for (let i = 0; i < fills.exchangeCount; i++) {
    const exchange = fills.exchanges + <usize>i * ADDRESS;
    if (load<u64>(at + 2) == load<u64>(exchange + 2) && memory.compare(at, exchange, ADDRESS) == 0) return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function isDigit(at: usize): bool {
  return <u8>(load<u8>(at) - ZERO) < 10;
}

// @ts-ignore: decorator
@inline
function digit(at: usize): i32 {
  return <i32>load<u8>(at) - 48;
}

// @ts-ignore: decorator
@inline
function twoDigits(at: usize): i32 {
  return 10 * digit(at) + digit(at + 1);
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

/** The time to the second that was read last: its 19 characters and its microseconds. */
let timeText: v128 = i64x2.splat(0);
let timeTextEnd: u32 = 0;
let timeToSecond: i64 = 0;
/** Its day: ten characters and microseconds. */
let dayText: u64 = 0;
let dayTextEnd: u16 = 0;
let day: i64 = 0;

/** A point, six zeros and a comma as they lie in memory. */
const NO_DECIMALS: u64 = 0x2c3030303030302e;

/** A time to the second and perhaps decimals. Fills of one match follow each other, and so do those of one day. */
function readTime(at: usize): usize {
  if (v128.any_true(v128.xor(v128.load(at), timeText)) || load<u32>(at, 15) != timeTextEnd) {
    if (!readSeconds(at)) return NONE;
    timeText = v128.load(at);
    timeTextEnd = load<u32>(at, 15);
  }
  time = timeToSecond;
  const end = at + 19;
  if (load<u64>(end) == NO_DECIMALS) return end + 7;
  if (load<u8>(end) != POINT) return end;
  let unit = MICROSECONDS;
  let last = end + 1;
  for (; isDigit(last) && unit > 1; last++) {
    unit /= 10;
    time += <i64>digit(last) * unit;
  }
  return last == end + 1 ? NONE : last;
}

/** `0000-00-00T00:00:00`, where 0 stands for any digit, if there is such a time. */
function readSeconds(at: usize): bool {
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
  if (!date || !clock) return false;
  if (load<u64>(at) != dayText || load<u16>(at, 8) != dayTextEnd) {
    const year = 100 * twoDigits(at) + twoDigits(at + 2);
    const month = twoDigits(at + 5);
    const dayOfMonth = twoDigits(at + 8);
    if (month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > daysIn(year, month)) return false;
    day = daysSince1970(year, month, dayOfMonth) * DAY;
    dayText = load<u64>(at);
    dayTextEnd = load<u16>(at, 8);
  }
  const hour = twoDigits(at + 11);
  const minute = twoDigits(at + 14);
  const second = twoDigits(at + 17);
  if (hour > 23 || minute > 59 || second > 59) return false;
  timeToSecond = day + <i64>(60 * (60 * hour + minute) + second) * MICROSECONDS;
  return true;
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Days of the Gregorian calendar; a year begins in March, so that the odd month is its last (Howard Hinnant, `days_from_civil`). */
function daysSince1970(year: i32, month: i32, dayOfMonth: i32): i64 {
  const y = month <= 2 ? year - 1 : year;
  const era = y / 400;
  const yearOfEra = y - 400 * era;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dayOfMonth - 1;
  return <i64>(146_097 * era + 365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468);
}

/** A number of a market. Zeros before it would make it another text than that of the market. */
function readMarket(at: usize): usize {
  let end = at;
  market = 0;
  for (; isDigit(end); end++) market = 10 * market + <i64>digit(end);
  const digits = <i32>(end - at);
  if (digits == 0 || digits > MARKET_DIGITS || (digits > 1 && load<u8>(at) == ZERO)) return NONE;
  return end;
}

/** Bits of the characters among 16 that are no digits; those above them are set, too. */
// @ts-ignore: decorator
@inline
function noDigits(at: usize): u32 {
  const isOther = i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(48)), i8x16.splat(9));
  return <u32>i8x16.bitmask(isOther) | 0xffff0000;
}

/** The number of up to eight digits: two, four and eight of them are added up at once (Daniel Lemire, simdjson). */
// @ts-ignore: decorator
@inline
function digitsAt(at: usize, count: u32): u64 {
  if (count == 0) return 0;
  // Zeros come before the first digit in place of what stands behind the last.
  const unused = <u64>(64 - 8 * count);
  const characters = load<u64>(at) << unused | (count == 8 ? 0 : 0x3030303030303030 >> (8 * <u64>count));
  const digits = characters - 0x3030303030303030;
  const pairs = 10 * digits + (digits >> 8);
  return ((pairs & 0xff000000ff) * 0xf424000000064 + (pairs >> 16 & 0xff000000ff) * 0x271000000001) >> 32;
}

/** 1, 10, 100 and so on up to 10^17, as doubles. */
const powers = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
]);

// @ts-ignore: decorator
@inline
function power(exponent: u32): f64 {
  return load<f64>(powers + (<usize>exponent << 3));
}

/** Digits and perhaps a point and up to six decimals, of which there may be none: whole millionths. */
function readAmount(at: usize): usize {
  const others = noDigits(at);
  const whole = <u32>ctz(others);
  const behind = others & (others - 1);
  const decimals = <u32>ctz(behind) - whole - 1;
  if (whole - 1 < 8 && load<u8>(at + whole) == POINT && behind << 16 != 0 && decimals <= 6) {
    const fraction = digitsAt(at + whole + 1, decimals);
    amount = 1_000_000 * digitsAt(at, whole) + <u64>(<f64>fraction * power(6 - decimals));
    return at + whole + 1 + decimals;
  }
  return readLongAmount(at);
}

/** The same of any amount. */
function readLongAmount(at: usize): usize {
  let end = at;
  let value: u64 = 0;
  for (; isDigit(end); end++) value = 10 * value + <u64>digit(end);
  const digits = <i32>(end - at);
  if (digits == 0 || digits > AMOUNT_DIGITS) return NONE;
  let decimals = 0;
  if (load<u8>(end) == POINT)
    for (end++; isDigit(end); end++) {
      value = 10 * value + <u64>digit(end);
      if (++decimals > 6) return NONE;
    }
  for (; decimals < 6; decimals++) value *= 10;
  amount = value;
  return value <= LARGEST_AMOUNT ? end : NONE;
}

/** `0.` as it lies in memory. */
const NOUGHT: u16 = 0x2e30;

/** Digits, perhaps a point and decimals, and perhaps an exponent of up to two digits; near enough to the double of that text. */
function readPrice(at: usize): usize {
  if (load<u16>(at) == NOUGHT) {
    const first = at + 2;
    const count = <u32>ctz(noDigits(first));
    let end = first + count;
    // Digits beyond the first 16 make it greater by less than is told apart.
    if (count == 16) while (isDigit(end)) end++;
    if (load<u8>(end) == COMMA) {
      const high = min<u32>(count, 8);
      const value = <f64>digitsAt(first, high) * power(count - high) + <f64>digitsAt(first + 8, count - high);
      price = value / power(count);
      return end;
    }
  }
  return readLongPrice(at);
}

/** The same of any price. */
function readLongPrice(at: usize): usize {
  let end = at;
  let value: u64 = 0;
  let counted = 0;
  let scale = 0;
  for (; isDigit(end); end++) {
    if (counted < PRICE_DIGITS) value = 10 * value + <u64>digit(end);
    else scale++;
    if (value != 0) counted++;
  }
  if (end == at) return NONE;
  if (load<u8>(end) == POINT)
    for (end++; isDigit(end); end++) {
      if (counted >= PRICE_DIGITS) continue;
      value = 10 * value + <u64>digit(end);
      scale--;
      if (value != 0) counted++;
    }
  if ((load<u8>(end) | 0x20) == 0x65) {
    const sign = load<u8>(end + 1);
    const from = end + (sign == 0x2b || sign == 0x2d ? 2 : 1);
    let exponent = 0;
    for (end = from; isDigit(end); end++) exponent = min(10 * exponent + digit(end), 1000);
    if (end == from || end - from > 2) return NONE;
    scale += sign == 0x2d ? -exponent : exponent;
  }
  // Digits beyond those that count make it greater by less than is told apart.
  price = <f64>value;
  for (; scale > 0; scale--) price *= 10;
  let divisor: f64 = 1;
  for (; scale < 0 && divisor < 1e300; scale++) divisor *= 10;
  price /= divisor;
  return end;
}

/** Whether two texts are `0x` and 40 digits each, taken 16 at a time, some of them twice. */
// @ts-ignore: decorator
@inline
function areAddresses(a: usize, b: usize): bool {
  if (load<u16>(a) != ZERO_X || load<u16>(b) != ZERO_X) return false;
  const first = v128.and(v128.and(hexadecimal(a + 2), hexadecimal(a + 18)), hexadecimal(a + 26));
  const second = v128.and(v128.and(hexadecimal(b + 2), hexadecimal(b + 18)), hexadecimal(b + 26));
  return i8x16.all_true(v128.and(first, second));
}

/** Whether a text is `0x` and 64 digits. */
// @ts-ignore: decorator
@inline
function isHash(at: usize): bool {
  if (load<u16>(at) != ZERO_X) return false;
  const first = v128.and(hexadecimal(at + 2), hexadecimal(at + 18));
  const second = v128.and(hexadecimal(at + 34), hexadecimal(at + 50));
  return i8x16.all_true(v128.and(first, second));
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
