/**
 * Facts from trades: what the trades name becomes numbers, rows go to the bucket of their wallet, and in each bucket
 * they are laid wallet by wallet. Within a wallet they keep the order in which they came.
 */
import { finishShape, NO_FEE, NOBODY, ROW, ROW_GAP, RowShape, widthOf } from './fact-rows';
import { allocate } from './memory';
import { Numbers, numberOf } from './number-table';

/** Bit of the flags of a trade that must not be. */
const FAULTY: u8 = 128;

const PAGE: usize = 4096;

/** Puts the number of each key, or -1, where the key was (as i32, in the first half of the memory of the keys). */
function replaceKeys(table: Numbers, keys: usize, count: i32): void {
  for (let i = 0; i < count; i++) store<i32>(keys + (<usize>i << 2), numberOf(table, load<u64>(keys + (<usize>i << 3))));
}

/** Puts at `starts` (i32, perhaps the memory of the counts) where those that were counted begin, one kind after the other. */
function addUp(counts: usize, starts: usize, kinds: i32): void {
  for (let kind = 0, start = 0; kind < kinds; kind++) {
    const count = load<i32>(counts + (<usize>kind << 2));
    store<i32>(starts + (<usize>kind << 2), start);
    start += count;
  }
}

/** The number (i32) of a kind, which one more of it raises. */
// @ts-ignore: decorator
@inline
function takeNext(numbers: usize, kind: i32): i32 {
  const at = numbers + (<usize>kind << 2);
  const number = load<i32>(at);
  store<i32>(at, number + 1);
  return number;
}

// @ts-ignore: decorator
@unmanaged
export class Trades {
  /** Trades that were faulty, that had another seq or time than comes after the one before, or named what is unknown. */
  faulty: i32;
  disordered: i32;
  unknown: i32;
  /** Columns: i64, u64 and u8. */
  seq: usize;
  time: usize;
  usd: usize;
  shares: usize;
  fee: usize;
  wallet: usize;
  other: usize;
  token: usize;
  flags: usize;
  /** What the rows become. */
  rows: usize;
  /** Rows of each bucket, i32, after `routeTrades`, and how they are packed. */
  counts: usize;
  shape: RowShape;
  /** Those of the trade before. */
  lastSeq: i64;
  lastTime: i64;
}

/** Room for `capacity` trades that go to so many buckets. */
export function makeTrades(capacity: i32, buckets: i32): Trades {
  const trades = changetype<Trades>(allocate(offsetof<Trades>()));
  trades.seq = allocate(<usize>capacity << 3);
  trades.time = allocate(<usize>capacity << 3);
  trades.usd = allocate(<usize>capacity << 3);
  trades.shares = allocate(<usize>capacity << 3);
  trades.fee = allocate(<usize>capacity << 3);
  trades.wallet = allocate(<usize>capacity << 3);
  trades.other = allocate(<usize>capacity << 3);
  trades.token = allocate(<usize>capacity << 3);
  trades.flags = allocate(capacity);
  // At a whole page, and of whole pages, so that it can be written past the system's cache.
  trades.rows = (allocate(<usize>capacity * ROW + <usize>buckets * ROW_GAP + 2 * PAGE) + PAGE - 1) & ~(PAGE - 1);
  trades.counts = allocate(<usize>buckets << 3);
  trades.shape = changetype<RowShape>(allocate(offsetof<RowShape>()));
  return trades;
}

/** Begins with other trades: what came before says nothing of them. */
export function beginTrades(trades: Trades): void {
  trades.faulty = 0;
  trades.disordered = 0;
  trades.unknown = 0;
  trades.lastSeq = i64.MIN_VALUE;
  trades.lastTime = i64.MIN_VALUE;
}

/** Puts numbers in place of the keys of the first `count` trades. */
export function numberTrades(trades: Trades, count: i32, wallets: Numbers, tokens: Numbers): void {
  replaceKeys(wallets, trades.wallet, count);
  replaceKeys(wallets, trades.other, count);
  replaceKeys(tokens, trades.token, count);
}

/**
 * Makes rows of the first `count` trades, those of the first bucket first. Their wallets, others and tokens are numbers
 * (i32). Gives the bytes that they take; 0 if something is wrong with a trade.
 *
 * @param bucketOf i32, the bucket of each wallet
 */
export function routeTrades(trades: Trades, count: i32, bucketOf: usize, buckets: i32): usize {
  if (!check(trades, count)) return 0;
  const shape = trades.shape;
  measure(trades, count);
  const counts = trades.counts;
  /** By bucket, where its next row goes. */
  const next = counts + (<usize>buckets << 2);
  memory.fill(counts, 0, <usize>buckets << 2);
  for (let i = 0; i < count; i++) {
    takeNext(counts, load<i32>(bucketOf + (<usize>load<i32>(trades.wallet + (<usize>i << 2)) << 2)));
  }
  let end = trades.rows;
  for (let bucket: usize = 0; bucket < <usize>buckets; bucket++) {
    store<u32>(next + (bucket << 2), end);
    end += <usize>load<i32>(counts + (bucket << 2)) * shape.size + ROW_GAP;
  }
  const size = <usize>shape.size;
  const seqAt = <usize>shape.seqAt;
  const usdAt = <usize>shape.usdAt;
  const sharesAt = <usize>shape.sharesAt;
  const feeAt = <usize>shape.feeAt;
  const walletAt = <usize>shape.walletAt;
  const otherAt = <usize>shape.otherAt;
  const tokenAt = <usize>shape.tokenAt;
  const fees = shape.feeWidth > 0;
  for (let i = 0; i < count; i++) {
    const narrow = <usize>i << 2;
    const wide = <usize>i << 3;
    const wallet = load<u32>(trades.wallet + narrow);
    const at = next + (<usize>load<i32>(bucketOf + (<usize>wallet << 2)) << 2);
    const row = <usize>load<u32>(at);
    store<u32>(at, row + size);
    store<i64>(row, load<i64>(trades.time + wide) - shape.time);
    store<i64>(row + seqAt, load<i64>(trades.seq + wide) - shape.seq);
    store<i64>(row + usdAt, load<i64>(trades.usd + wide));
    store<i64>(row + sharesAt, load<i64>(trades.shares + wide));
    if (fees) {
      const fee = load<i64>(trades.fee + wide);
      store<i64>(row + feeAt, fee == NO_FEE ? 0 : fee - shape.fee);
    }
    store<u32>(row + walletAt, wallet);
    store<i32>(row + otherAt, load<i32>(trades.other + narrow) - NOBODY);
    store<u32>(row + tokenAt, load<u32>(trades.token + narrow));
    store<u8>(row + size - 1, load<u8>(trades.flags + i));
  }
  return end - trades.rows;
}

/** Finds how the rows of trades that are in order are packed. */
function measure(trades: Trades, count: i32): void {
  let usd: u64 = 0;
  let shares: u64 = 0;
  let wallet: u32 = 0;
  let other: u32 = 0;
  let token: u32 = 0;
  let least = i64.MAX_VALUE;
  let greatest = i64.MIN_VALUE;
  for (let i: usize = 0; i < <usize>count; i++) {
    usd |= load<u64>(trades.usd + (i << 3));
    shares |= load<u64>(trades.shares + (i << 3));
    wallet |= load<u32>(trades.wallet + (i << 2));
    other |= load<u32>(trades.other + (i << 2)) - NOBODY;
    token |= load<u32>(trades.token + (i << 2));
    const fee = load<i64>(trades.fee + (i << 3));
    if (fee != NO_FEE) {
      least = min(least, fee);
      greatest = max(greatest, fee);
    }
  }
  const last = <usize>(count - 1) << 3;
  const shape = trades.shape;
  shape.time = load<i64>(trades.time);
  shape.seq = load<i64>(trades.seq);
  shape.fee = least - 1;
  shape.timeWidth = widthOf(load<i64>(trades.time + last) - shape.time);
  shape.seqWidth = widthOf(load<i64>(trades.seq + last) - shape.seq);
  shape.usdWidth = widthOf(usd);
  shape.sharesWidth = widthOf(shares);
  shape.feeWidth = greatest < least ? 0 : widthOf(greatest - shape.fee);
  shape.walletWidth = widthOf(wallet);
  shape.otherWidth = widthOf(other);
  shape.tokenWidth = widthOf(token);
  finishShape(shape);
}

function check(trades: Trades, count: i32): bool {
  let lastSeq = trades.lastSeq;
  let lastTime = trades.lastTime;
  for (let i = 0; i < count; i++) {
    if (load<u8>(trades.flags + i) & FAULTY) trades.faulty++;
    const seq = load<i64>(trades.seq + (<usize>i << 3));
    const time = load<i64>(trades.time + (<usize>i << 3));
    if (seq <= lastSeq || time < lastTime) trades.disordered++;
    lastSeq = seq;
    lastTime = time;
    if (load<i32>(trades.wallet + (<usize>i << 2)) < 0 || load<i32>(trades.token + (<usize>i << 2)) < 0) trades.unknown++;
  }
  trades.lastSeq = lastSeq;
  trades.lastTime = lastTime;
  return trades.faulty + trades.disordered + trades.unknown == 0;
}

/**
 * Counts how often each place of a dictionary occurs, and finds the row in which it first does.
 *
 * @param places i32 a row that has one
 * @param present u8 a row, 0 if it has none; or 0 if all have one
 * @param counts i32 by place, 0 at first
 * @param firsts i32 by place
 */
export function countPlaces(places: usize, present: usize, rows: i32, counts: usize, firsts: usize): void {
  for (let i = 0; i < rows; i++) {
    if (present != 0 && load<u8>(present + i) == 0) continue;
    const place = <usize>load<i32>(places) << 2;
    places += 4;
    const count = load<i32>(counts + place);
    if (count == 0) store<i32>(firsts + place, i);
    store<i32>(counts + place, count + 1);
  }
}

/**
 * Lists what stands beside each place of a dictionary: the places of three other columns, and the first row. Gives in how
 * many rows something else does.
 *
 * @param places i32 a row, as are `a`, `b` and `c`
 * @param list four i32 by place: those of a, b and c, and the row + 1, which is 0 at first
 */
export function listPlaces(places: usize, a: usize, b: usize, c: usize, rows: i32, list: usize): i32 {
  let torn = 0;
  for (let i: usize = 0; i < <usize>rows; i++) {
    const row = i << 2;
    const at = list + (<usize>load<i32>(places + row) << 4);
    if (load<i32>(at, 12) == 0) {
      store<i32>(at, load<i32>(a + row));
      store<i32>(at, load<i32>(b + row), 4);
      store<i32>(at, load<i32>(c + row), 8);
      store<i32>(at, <i32>i + 1, 12);
    } else if (load<i32>(at) != load<i32>(a + row) || load<i32>(at, 4) != load<i32>(b + row) || load<i32>(at, 8) != load<i32>(c + row))
      torn++;
  }
  return torn;
}

/**
 * What places of a dictionary stand for, i32 a row; -1 for rows without one.
 *
 * @param present as in `countPlaces`
 */
export function mapPlaces(places: usize, present: usize, rows: i32, map: usize, target: usize): void {
  for (let i: usize = 0; i < <usize>rows; i++) {
    let value = NOBODY;
    if (present == 0 || load<u8>(present + i) != 0) {
      value = load<i32>(map + (<usize>load<i32>(places) << 2));
      places += 4;
    }
    store<i32>(target + (i << 2), value);
  }
}

/** Adds to the flags of each row those that a place of a dictionary stands for (i32 by place). */
export function addFlags(places: usize, rows: i32, map: usize, flags: usize): void {
  for (let i: usize = 0; i < <usize>rows; i++) {
    const flag = load<i32>(map + (<usize>load<i32>(places + (i << 2)) << 2));
    store<u8>(flags + i, load<u8>(flags + i) + <u8>flag);
  }
}

/** Marks trades whose amount is negative or beyond a limit. */
export function markFaulty(amounts: usize, rows: i32, limit: i64, flags: usize): void {
  for (let i: usize = 0; i < <usize>rows; i++)
    if (load<u64>(amounts + (i << 3)) > <u64>limit) store<u8>(flags + i, load<u8>(flags + i) | FAULTY);
}

/** Moves the values (i64) of the rows that have one to where those rows are, from the last to the first; the others have no fee. */
export function spread(values: usize, present: usize, rows: i32, count: i32): void {
  let next = count - 1;
  for (let i = rows - 1; i >= 0; i--) {
    const there = load<u8>(present + i) != 0;
    store<i64>(values + (<usize>i << 3), there ? load<i64>(values + (<usize>next << 3)) : NO_FEE);
    if (there) next--;
  }
}

// @ts-ignore: decorator
@unmanaged
export class Laid {
  /** Columns, all i64 but for flags and what tells whether there is a fee or another (u8). */
  wallet: usize;
  seq: usize;
  market: usize;
  token: usize;
  time: usize;
  usd: usize;
  shares: usize;
  fee: usize;
  other: usize;
  flags: usize;
  hasFee: usize;
  hasOther: usize;
  /** The rows, and the address of that which comes to each place (u32). */
  rows: usize;
  order: usize;
}

/** Room for `capacity` rows. */
export function makeLaid(capacity: i32): Laid {
  const laid = changetype<Laid>(allocate(offsetof<Laid>()));
  laid.wallet = allocate(<usize>capacity << 3);
  laid.seq = allocate(<usize>capacity << 3);
  laid.market = allocate(<usize>capacity << 3);
  laid.token = allocate(<usize>capacity << 3);
  laid.time = allocate(<usize>capacity << 3);
  laid.usd = allocate(<usize>capacity << 3);
  laid.shares = allocate(<usize>capacity << 3);
  laid.fee = allocate(<usize>capacity << 3);
  laid.other = allocate(<usize>capacity << 3);
  laid.flags = allocate(capacity);
  laid.hasFee = allocate(capacity);
  laid.hasOther = allocate(capacity);
  laid.rows = allocate(<usize>capacity * ROW);
  laid.order = allocate(<usize>capacity << 2);
  return laid;
}

/**
 * Lays rows wallet by wallet. Fees and others that are not known are left out.
 *
 * @param first number of the first of the `wallets`
 * @param next room for an i32 a wallet
 * @param marketOf i32, the market of each token by its key
 * @param tokenOf i32, its number
 */
export function layRows(
  laid: Laid, count: i32, first: i32, wallets: i32, next: usize, marketOf: usize, tokenOf: usize,
): void {
  memory.fill(next, 0, <usize>wallets << 2);
  for (let i = 0; i < count; i++) {
    takeNext(next, load<i32>(laid.rows + <usize>i * ROW, 40) - first);
  }
  addUp(next, next, wallets);
  for (let i = 0; i < count; i++) {
    const row = laid.rows + <usize>i * ROW;
    store<u32>(laid.order + (<usize>takeNext(next, load<i32>(row, 40) - first) << 2), row);
  }
  // Rows are read here and there and columns written one after the other: the other way round each column would miss the cache.
  for (let place = 0; place < count; place++) {
    if ((place & (BATCH - 1)) == 0) fetchRows(laid.order + (<usize>place << 2), min(BATCH, count - place));
    const row = <usize>load<u32>(laid.order + (<usize>place << 2));
    const wallet = load<i32>(row, 40);
    const wide = <usize>place << 3;
    const token = <usize>load<i32>(row, 48) << 2;
    const other = load<i32>(row, 44);
    const fee = load<i64>(row, 32);
    store<i64>(laid.wallet + wide, wallet);
    store<i64>(laid.time + wide, load<i64>(row));
    store<i64>(laid.seq + wide, load<i64>(row, 8));
    store<i64>(laid.usd + wide, load<i64>(row, 16));
    store<i64>(laid.shares + wide, load<i64>(row, 24));
    store<i64>(laid.fee + wide, fee);
    store<i64>(laid.other + wide, other);
    store<i64>(laid.market + wide, load<i32>(marketOf + token));
    store<i64>(laid.token + wide, load<i32>(tokenOf + token));
    store<u8>(laid.flags + place, load<u8>(row, 52));
    store<u8>(laid.hasFee + place, <u8>(fee != NO_FEE));
    store<u8>(laid.hasOther + place, <u8>(other != NOBODY));
  }
  keepThose(laid.fee, laid.hasFee, count);
  keepThose(laid.other, laid.hasOther, count);
}

/** Rows that are fetched together: while one comes, the next are asked for. */
const BATCH: i32 = 64;

/** What `fetchRows` read; nobody needs it, but what is not used would not be read. */
let fetched: u32 = 0;

function fetchRows(order: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const row = <usize>load<u32>(order + (i << 2));
    fetched ^= load<u32>(row) ^ load<u8>(row, ROW - 1);
  }
}

/** Moves the values that are to stay together. */
function keepThose(values: usize, stays: usize, count: i32): void {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    store<i64>(values + (<usize>kept << 3), load<i64>(values + (<usize>i << 3)));
    kept += load<u8>(stays + i);
  }
}

/** How many of some bytes, each 0 or 1, are 1. */
export function countOnes(bytes: usize, count: i32): i32 {
  let ones = 0;
  let i = 0;
  for (; i + 8 <= count; i += 8) ones += <i32>popcnt(load<u64>(bytes + i));
  for (; i < count; i++) ones += load<u8>(bytes + i);
  return ones;
}
