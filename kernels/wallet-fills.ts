/** The fills of one wallet, and what they are in by slots: small numbers of the wallet's own. See src/wallets/profile/slots.ts. */
import { allocate } from './memory';

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
  /** i32, by slot of the market that of its event, and by slot of the token that of its market. */
  eventOfMarket: usize;
  marketOfToken: usize;
  /** By fill, u8: UTC hour, and flags of facts. By slot of the market: category, twice the payouts. */
  hour: usize;
  flags: usize;
  category: usize;
  half0: usize;
  half1: usize;
}

export function makeWalletFills(): WalletFills {
  return changetype<WalletFills>(allocate(offsetof<WalletFills>()));
}

/** Columns of 8, 4 and 1 bytes, in this order. */
const FLOATS: usize = 8;
const INTS: usize = 7;
const BYTES: usize = 5;

/** Makes room for wallets of so many fills, and no more slots of any kind. What was there is void. */
export function reserveWalletFills(fills: WalletFills, room: i32): void {
  let column = changetype<usize>(fills) + offsetof<WalletFills>('time');
  for (let k: usize = 0; k < FLOATS + INTS + BYTES; k++) {
    const bytes: usize = k < FLOATS ? 8 : k < FLOATS + INTS ? 4 : 1;
    store<usize>(column, allocate(<usize>room * bytes));
    column += sizeof<usize>();
  }
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
