/** The fills of one wallet, and what they are in by slots: small numbers of the wallet's own. See src/wallets/profile/wallet-view.ts. */
import { marketAt, MarketRecord } from './market-record';
import { allocate } from './memory';
import { clearSlots, makeSlots, reserveSlots, slotOf, Slots } from './slots';

// @ts-ignore: decorator
@unmanaged
export class WalletFills {
  /** Fills, and slots of what they are in; the slot of the wallet itself among the counterparties, or -1. */
  count: i32;
  markets: i32;
  tokens: i32;
  events: i32;
  counterparties: i32;
  self: i32;
  /** Number of the wallet, and microseconds of its first fill ever. */
  wallet: i32;
  firstAt: f64;
  /** By fill, f64: microseconds, 1e-6 USD, 1e-6 shares, 1e-6 USD or NaN. */
  time: usize;
  usd: usize;
  shares: usize;
  fee: usize;
  /** By slot of the market, f64: microseconds, Infinity or (the last) NaN if not known. */
  knowableAt: usize;
  closedAt: usize;
  createdAt: usize;
  /** By slot of the token, f64: price, NaN without one. */
  closing: usize;
  /** By fill, i32: UTC day, and slots; -1 for a token or counterparty that is not known. */
  day: usize;
  market: usize;
  event: usize;
  token: usize;
  counterparty: usize;
  /** i32, by slot of the market that of its event, and by slot of the token that of its market and its number. */
  eventOfMarket: usize;
  marketOfToken: usize;
  tokenOf: usize;
  /** By fill, u8: UTC hour, and flags of facts. By slot of the market: category, twice the payouts. */
  hour: usize;
  flags: usize;
  category: usize;
  half0: usize;
  half1: usize;
  /** Where they come from; slots by number. */
  source: Source;
  byMarket: Slots;
  byEvent: Slots;
  byToken: Slots;
  byCounterparty: Slots;
}

/** The facts of a bucket, what is known of all markets, and of when fills matter. */
// @ts-ignore: decorator
@unmanaged
class Source {
  /** By fill: i32, i32, i32, f64, f64, f64, f64, u8, i32. */
  wallet: usize;
  market: usize;
  token: usize;
  time: usize;
  usd: usize;
  shares: usize;
  fee: usize;
  flags: usize;
  counterparty: usize;
  /** `MarketRecord` by number. */
  markets: usize;
  earliest: f64;
  latest: f64;
}

const HOUR: f64 = 3.6e9;
const DAY: f64 = 8.64e10;

/**
 * @param markets a `MarketRecord` by number
 * @param earliest fills before it are left out if their market was resolved before it
 * @param latest fills from then on are left out
 */
export function makeWalletFills(markets: usize, earliest: f64, latest: f64): WalletFills {
  const fills = changetype<WalletFills>(allocate(offsetof<WalletFills>()));
  const source = changetype<Source>(allocate(offsetof<Source>()));
  source.markets = markets;
  source.earliest = earliest;
  source.latest = latest;
  fills.source = source;
  fills.byMarket = makeSlots();
  fills.byEvent = makeSlots();
  fills.byToken = makeSlots();
  fills.byCounterparty = makeSlots();
  return fills;
}

/** Gives where the addresses of the columns of facts are to be put, in the order of `Source`. */
export function sourceOf(fills: WalletFills): usize {
  return changetype<usize>(fills.source);
}

/** Columns of 8, 4 and 1 bytes, in this order. */
const FLOATS: usize = 8;
const INTS: usize = 8;
const BYTES: usize = 5;

/** Makes room for wallets of so many fills, and no more slots of any kind; once, as no memory is given back. */
export function reserveWalletFills(fills: WalletFills, room: i32): void {
  let column = changetype<usize>(fills) + offsetof<WalletFills>('time');
  for (let k: usize = 0; k < FLOATS + INTS + BYTES; k++) {
    const bytes: usize = k < FLOATS ? 8 : k < FLOATS + INTS ? 4 : 1;
    store<usize>(column, allocate(<usize>room * bytes));
    column += sizeof<usize>();
  }
  reserveSlots(fills.byMarket, room);
  reserveSlots(fills.byEvent, room);
  reserveSlots(fills.byToken, room);
  reserveSlots(fills.byCounterparty, room);
}

/**
 * Takes the fills of the next wallet, from `begin` to before `end` of the facts. Gives USD, shares and fees together, to
 * which no sum over the wallet can come.
 */
export function takeWallet(fills: WalletFills, begin: i32, end: i32): f64 {
  const source = fills.source;
  const most = end - begin;
  clearSlots(fills.byMarket, most);
  clearSlots(fills.byEvent, most);
  clearSlots(fills.byToken, most);
  clearSlots(fills.byCounterparty, most);
  fills.wallet = int(source.wallet, begin);
  fills.firstAt = float(source.time, begin);
  fills.self = -1;
  let total: f64 = 0;
  let i = 0;
  for (let from = begin; from < end; from++) {
    const time = float(source.time, from);
    if (time >= source.latest) break;
    const number = int(source.market, from);
    const record = marketAt(source.markets, number);
    if (time < source.earliest && record.knowableAt < source.earliest) continue;
    const usd = float(source.usd, from);
    const shares = float(source.shares, from);
    const fee = float(source.fee, from);
    const day = floor<f64>(time / DAY);
    setFloat(fills.time, i, time);
    setInt(fills.day, i, <i32>day);
    setByte(fills.hour, i, <i32>(floor<f64>(time / HOUR) - 24 * day));
    setFloat(fills.usd, i, usd);
    setFloat(fills.shares, i, shares);
    setFloat(fills.fee, i, fee);
    setByte(fills.flags, i, byte(source.flags, from));
    total += usd + shares + (fee == fee ? abs(fee) : 0);
    const known = fills.byMarket.count;
    const market = slotOf(fills.byMarket, number);
    if (market == known) takeMarket(fills, market, record);
    setInt(fills.market, i, market);
    setInt(fills.event, i, int(fills.eventOfMarket, market));
    const token = int(source.token, from);
    const tokenSlot = token < 0 ? -1 : slotOf(fills.byToken, token);
    setInt(fills.token, i, tokenSlot);
    if (tokenSlot >= 0) {
      setInt(fills.marketOfToken, tokenSlot, market);
      setInt(fills.tokenOf, tokenSlot, token);
    }
    const other = int(source.counterparty, from);
    const otherSlot = other < 0 ? -1 : slotOf(fills.byCounterparty, other);
    setInt(fills.counterparty, i, otherSlot);
    if (other == fills.wallet) fills.self = otherSlot;
    i++;
  }
  fills.count = i;
  fills.markets = fills.byMarket.count;
  fills.events = fills.byEvent.count;
  fills.tokens = fills.byToken.count;
  fills.counterparties = fills.byCounterparty.count;
  return total;
}

/** Keeps what is known of a market beside the fills of the wallet. */
function takeMarket(fills: WalletFills, slot: i32, record: MarketRecord): void {
  setInt(fills.eventOfMarket, slot, slotOf(fills.byEvent, <i32>record.event));
  setByte(fills.category, slot, <i32>record.category);
  setByte(fills.half0, slot, <i32>record.half0);
  setByte(fills.half1, slot, <i32>record.half1);
  setFloat(fills.knowableAt, slot, record.knowableAt);
  setFloat(fills.closedAt, slot, record.closedAt);
  setFloat(fills.createdAt, slot, record.createdAt);
}

// @ts-ignore: decorator
@inline
export function float(list: usize, i: i32): f64 {
  return load<f64>(list + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline
export function int(list: usize, i: i32): i32 {
  return load<i32>(list + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
export function byte(list: usize, i: i32): i32 {
  return load<u8>(list + <usize>i);
}

// @ts-ignore: decorator
@inline
export function setFloat(list: usize, i: i32, value: f64): void {
  store<f64>(list + (<usize>i << 3), value);
}

// @ts-ignore: decorator
@inline
export function setInt(list: usize, i: i32, value: i32): void {
  store<i32>(list + (<usize>i << 2), value);
}

// @ts-ignore: decorator
@inline
export function setByte(list: usize, i: i32, value: i32): void {
  store<u8>(list + <usize>i, <u8>value);
}
