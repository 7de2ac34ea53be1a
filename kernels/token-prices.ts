/**
 * Prices of tokens from fills in any order: the last one of each stretch of time, the last one before a market closed;
 * and what all fills together earned. Formulas: docs/methods.md, "Profiles of wallets".
 */
import { marketAt } from './market-record';
import { allocate } from './memory';

/** A cell: its key + 1 (u64; 0 if there is none), the seq of its last fill (f64) and the price of that (f64). */
const CELL: usize = 24;
/** Of the last fill of a token before its market closed: seq + 1 (f64, 0 without one) and price (f64). */
const CLOSING: usize = 16;

// @ts-ignore: decorator
@unmanaged
export class Prices {
  /** Dates: how many, the first, from one to the next, and how far back their windows reach. Microseconds. */
  dates: i32;
  start: f64;
  every: f64;
  lookback: f64;
  /** `MarketRecord` by number, and closing lines by token. */
  markets: usize;
  closings: usize;
  /** A table of cells by their keys, a power of two of them; and how many there are. */
  cells: usize;
  mask: u32;
  count: u32;
  /** By date (i64), how much more than at the date before: what was earned, in halves of 1e-6 USD, and bought for, in 1e-6. */
  earned: usize;
  invested: usize;
}

/** Rows of decoded facts: i64 each, but for flags. */
// @ts-ignore: decorator
@unmanaged
export class PricedRows {
  token: usize;
  market: usize;
  time: usize;
  seq: usize;
  usd: usize;
  shares: usize;
  /** Those that there are, and by row (u8) whether there is one; 0 if all are there. */
  fee: usize;
  feePresent: usize;
  /** Places (i32) in a list of flags (i32). */
  flags: usize;
  meaning: usize;
}

/** @param markets a `MarketRecord` by number */
export function makePrices(dates: i32, start: f64, every: f64, lookback: f64, markets: usize, tokens: i32): Prices {
  const prices = changetype<Prices>(allocate(offsetof<Prices>()));
  prices.dates = dates;
  prices.start = start;
  prices.every = every;
  prices.lookback = lookback;
  prices.markets = markets;
  prices.closings = allocate(<usize>tokens * CLOSING);
  prices.mask = (1 << 14) - 1;
  prices.cells = allocate((<usize>prices.mask + 1) * CELL);
  prices.count = 0;
  prices.earned = allocate(<usize>(dates + 1) << 3);
  prices.invested = allocate(<usize>(dates + 1) << 3);
  return prices;
}

/** Room for the addresses of the columns of some rows, in the order of `PricedRows`. */
export function makePricedRows(): PricedRows {
  return changetype<PricedRows>(allocate(offsetof<PricedRows>()));
}

/** Counts `rows` fills. */
export function priceFills(prices: Prices, columns: PricedRows, rows: i32): void {
  const earliest = prices.start - prices.lookback;
  const latest = prices.start + prices.every * <f64>(prices.dates - 1);
  let fees = columns.fee;
  for (let row: usize = 0; row < <usize>rows; row++) {
    let fee: i64 = 0;
    if (columns.feePresent == 0 || load<u8>(columns.feePresent + row) != 0) {
      fee = load<i64>(fees);
      fees += 8;
    }
    const token = load<i64>(columns.token + (row << 3));
    const time = <f64>load<i64>(columns.time + (row << 3));
    if (token < 0 || time >= latest) continue;
    const market = marketAt(prices.markets, <i32>load<i64>(columns.market + (row << 3)));
    const knowableAt = market.knowableAt;
    if (time < earliest && knowableAt < earliest) continue;
    const first = dateAfter(prices, time);
    const usd = load<i64>(columns.usd + (row << 3));
    const shares = load<i64>(columns.shares + (row << 3));
    if (shares > 0) {
      const seq = <f64>load<i64>(columns.seq + (row << 3));
      const price = <f64>usd / <f64>shares;
      takeMark(prices, <u32>token, first, seq, price);
      if (time < market.closedAt) takeClosing(prices, <u32>token, seq, price);
    }
    const flags = load<i32>(columns.meaning + (<usize>load<u32>(columns.flags + (row << 2)) << 2));
    const outcome = (flags >> 1) & 3;
    if (time >= knowableAt || knowableAt >= latest || outcome > 1) continue;
    const half = <i64>(outcome == 0 ? market.half0 : market.half1);
    const from = max(first, dateAfter(prices, knowableAt));
    // Windows begin at `lookback` before their date, and hold what is then.
    const to = min<f64>(<f64>prices.dates, floor<f64>((time - earliest) / prices.every) + 1);
    if (<f64>from >= to) continue;
    const gain = shares * half - 2 * usd;
    const bought = (flags & 1) != 0;
    addBetween(prices.earned, from, <i32>to, (bought ? gain : -gain) - 2 * fee);
    if (bought) addBetween(prices.invested, from, <i32>to, usd);
  }
}

/** The first date after a moment, by number; of one that is before the last date. */
// @ts-ignore: decorator
@inline
function dateAfter(prices: Prices, moment: f64): i32 {
  return moment < prices.start ? 0 : <i32>((moment - prices.start) / prices.every) + 1;
}

// @ts-ignore: decorator
@inline
function addBetween(sums: usize, from: i32, to: i32, amount: i64): void {
  const begin = sums + (<usize>from << 3);
  const end = sums + (<usize>to << 3);
  store<i64>(begin, load<i64>(begin) + amount);
  store<i64>(end, load<i64>(end) - amount);
}

/** Takes the price of a fill as that of its cell, if none of a later fill is there. */
function takeMark(prices: Prices, token: u32, date: u32, seq: f64, price: f64): void {
  const key = <u64>token << 32 | <u64>date;
  const cell = cellOf(prices.cells, prices.mask, key);
  if (load<u64>(cell) == 0) {
    store<u64>(cell, key + 1);
    store<f64>(cell + 8, seq);
    store<f64>(cell + 16, price);
    prices.count++;
    // Half of the table stays empty: looking for a cell takes few steps then.
    if (prices.count > prices.mask >> 1) grow(prices);
  } else if (load<f64>(cell + 8) < seq) {
    store<f64>(cell + 8, seq);
    store<f64>(cell + 16, price);
  }
}

/** Takes the price of a fill as the closing line of its token, if none of a later fill is there. */
function takeClosing(prices: Prices, token: u32, seq: f64, price: f64): void {
  const closing = prices.closings + <usize>token * CLOSING;
  if (load<f64>(closing) > seq) return;
  store<f64>(closing, seq + 1);
  store<f64>(closing + 8, price);
}

/** The cell with a key, or the empty one where it belongs. */
// @ts-ignore: decorator
@inline
function cellOf(cells: usize, mask: u32, key: u64): usize {
  let slot = <u32>((key * 0x9e3779b97f4a7c15) >> 32) & mask;
  let cell = cells + <usize>slot * CELL;
  while (load<u64>(cell) != 0 && load<u64>(cell) != key + 1) {
    slot = (slot + 1) & mask;
    cell = cells + <usize>slot * CELL;
  }
  return cell;
}

function grow(prices: Prices): void {
  const mask = 2 * prices.mask + 1;
  const cells = allocate((<usize>mask + 1) * CELL);
  for (let slot: usize = 0; slot <= <usize>prices.mask; slot++) {
    const cell = prices.cells + slot * CELL;
    const key = load<u64>(cell);
    if (key != 0) memory.copy(cellOf(cells, mask, key - 1), cell, CELL);
  }
  prices.cells = cells;
  prices.mask = mask;
}

/** Closing lines by token: seq + 1 (f64, 0 without one) and price (f64) of each. */
export function closingsOf(prices: Prices): usize {
  return prices.closings;
}

/** By date (i64), how much more than at the date before: earned, in halves of 1e-6 USD; one more number ends it. */
export function earnedOf(prices: Prices): usize {
  return prices.earned;
}

/** The same of what was bought for, in 1e-6 USD. */
export function investedOf(prices: Prices): usize {
  return prices.invested;
}

export function cellCount(prices: Prices): i32 {
  return prices.count;
}

/** Lists the cells in no order that means anything: token and date (i32), seq and price (f64). */
export function listCells(prices: Prices, tokens: usize, dates: usize, seqs: usize, marks: usize): void {
  let found: usize = 0;
  for (let slot: usize = 0; slot <= <usize>prices.mask; slot++) {
    const cell = prices.cells + slot * CELL;
    const key = load<u64>(cell);
    if (key == 0) continue;
    store<i32>(tokens + (found << 2), <i32>((key - 1) >> 32));
    store<i32>(dates + (found << 2), <i32>(key - 1));
    store<f64>(seqs + (found << 3), load<f64>(cell + 8));
    store<f64>(marks + (found << 3), load<f64>(cell + 16));
    found++;
  }
}

/** Takes cells as `listCells` gave them elsewhere. */
export function takeCells(prices: Prices, count: i32, tokens: usize, dates: usize, seqs: usize, marks: usize): void {
  for (let i: usize = 0; i < <usize>count; i++)
    takeMark(
      prices,
      load<u32>(tokens + (i << 2)),
      load<u32>(dates + (i << 2)),
      load<f64>(seqs + (i << 3)),
      load<f64>(marks + (i << 3)),
    );
}
