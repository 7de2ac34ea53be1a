/** What a wallet trades in, by small numbers of its own: sums by market or token then stay in the cache. */
import { FathomError } from '../../errors.ts';
import type { Facts } from '../../facts/fact-reader.ts';
import type { Kernels, Pointer } from '../../kernels/kernels.ts';
import { DAY, HOUR } from '../../tables/time.ts';
import type { Dates } from '../dates.ts';
import { CATEGORY, CLOSED_AT, CREATED_AT, EVENT, HALF0, HALF1, KNOWABLE_AT, RECORD } from './market-records.ts';

/** Columns of facts that profiles are computed from. */
export const factsRead = [
  'wallet',
  'market',
  'token',
  'time',
  'usd',
  'shares',
  'fee',
  'flags',
  'counterparty',
] as const;
export type ProfileFactColumn = (typeof factsRead)[number];

/**
 * The fills of one wallet in order of time that may enter a window, and the slots of what they are in: numbers from 0,
 * by first fill. Arrays may be longer than what is used; they are filled again for the next wallet. All but `tokenOf` lie
 * in the memory of kernels: see `WalletFills` in kernels/wallet-fills.ts.
 */
export interface WalletView {
  wallet: number;
  /** Microseconds of its first fill ever. */
  firstAt: number;
  count: number;
  /** Microseconds. */
  time: Float64Array;
  /** UTC days since 1970, and the hour of the day. */
  day: Int32Array;
  hour: Uint8Array;
  /** Whole 1e-6 USD, and the same of shares. */
  usd: Float64Array;
  shares: Float64Array;
  /** Whole 1e-6 USD; NaN if unknown. */
  fee: Float64Array;
  flags: Uint8Array;
  /** Slot of the market, of its event, and of the token; -1 for a token that is not named. */
  market: Int32Array;
  event: Int32Array;
  token: Int32Array;
  /** Slot of the counterparty, or -1. */
  counterparty: Int32Array;
  markets: number;
  tokens: number;
  events: number;
  counterparties: number;
  /** Slot of the wallet itself among the counterparties, or -1. */
  self: number;
  /** Numbers of the tokens by slot, and the slots of their markets. */
  tokenOf: Int32Array;
  marketOfToken: Int32Array;
  /** By slot of a market, what `MarketTable` says of it; `eventOfMarket` gives slots of events. */
  eventOfMarket: Int32Array;
  category: Uint8Array;
  half0: Uint8Array;
  half1: Uint8Array;
  knowableAt: Float64Array;
  closedAt: Float64Array;
  createdAt: Float64Array;
  /** By slot of a token, its closing line: see token-marks.ts. */
  closing: Float64Array;
}

/** An array of at least `size`, the old one if it is long enough. */
export function atLeast<A extends Int32Array | Float64Array | Uint8Array>(old: A, size: number): A {
  if (old.length >= size) return old;
  return new (old.constructor as new (length: number) => A)(Math.max(64, 2 * size));
}

/** Up to so many entries a loop is done before a call of `fill` has begun. */
const FEW = 128;

/** Sets the first `count` entries to a value. */
export function putFirst<A extends Int32Array | Float64Array | Uint8Array>(array: A, value: number, count: number): A {
  if (count > FEW) array.fill(value, 0, count);
  else for (let i = 0; i < count; i++) array[i] = value;
  return array;
}

/**
 * Numbers that a wallet uses, to slots: a hash table as small as the wallet, so that it stays in the cache. Most wallets
 * trade in few of very many markets.
 */
interface Numbering {
  /** Slot + 1, or 0 where there is none; only the first `mask + 1` entries count, a power of two. */
  table: Int32Array;
  mask: number;
  /** Leaves as many bits of 32 as the mask has. */
  shift: number;
  /** Numbers by slot. */
  used: Int32Array;
  count: number;
}

const makeNumbering = (): Numbering => ({
  table: new Int32Array(0),
  mask: 0,
  shift: 0,
  used: new Int32Array(0),
  count: 0,
});

/** Forgets all numbers, and makes room for so many others. */
function clear(numbering: Numbering, most: number): void {
  // Half of it stays empty at the least: looking for what is not there then takes few steps.
  const bits = 32 - Math.clz32(Math.max(32, 2 * most) - 1);
  const size = 1 << bits;
  numbering.table = putFirst(atLeast(numbering.table, size), 0, size);
  numbering.mask = size - 1;
  numbering.shift = 32 - bits;
  numbering.used = atLeast(numbering.used, most);
  numbering.count = 0;
}

/**
 * Returns a function that looks at the fills of one wallet, `begin` to `end` (exclusive) of a bucket's facts. Left out
 * are fills from the last date on, and those before the first window in markets whose resolution was known before it:
 * no column of any date depends on them, but for the time of the first fill.
 *
 * @param fills where the kernels are to find them
 * @param records of the markets, see market-records.ts
 * @param reserve told for how many fills others have to make room
 */
export function makeViewer(
  kernels: Kernels,
  fills: Pointer,
  records: Float64Array,
  { times, lookback }: Dates,
  reserve: (room: number) => void,
): (facts: Facts<ProfileFactColumn>, begin: number, end: number) => WalletView {
  const earliest = (times[0] as number) - lookback;
  const latest = times[times.length - 1] as number;
  const byMarket = makeNumbering();
  const byEvent = makeNumbering();
  const byToken = makeNumbering();
  const byCounterparty = makeNumbering();
  const view = emptyView();
  let counts = new Int32Array(0);
  return (facts, begin, end) => {
    for (const numbering of [byMarket, byEvent, byToken, byCounterparty]) clear(numbering, end - begin);
    view.wallet = facts.wallet[begin] as number;
    view.firstAt = facts.time[begin] as number;
    if (view.time.length < end - begin) {
      const room = Math.max(LEAST_ROOM, 2 * (end - begin));
      reserve(room);
      makeRoom(kernels, fills, view, room);
      counts = new Int32Array(kernels.memory.buffer, fills, COUNTS.length);
    }
    const { time, day, hour, usd, shares, fee, flags } = view;
    const { market, event, token, counterparty, marketOfToken } = view;
    const { eventOfMarket, category, half0, half1, knowableAt, closedAt, createdAt } = view;
    const { time: timeGiven, usd: usdGiven, shares: sharesGiven, fee: feeGiven, flags: flagsGiven } = facts;
    const { market: marketGiven, token: tokenGiven, counterparty: counterpartyGiven } = facts;
    let i = 0;
    let self = -1;
    for (let from = begin; from < end; from++) {
      const moment = timeGiven[from] as number;
      if (moment >= latest) break;
      const number = marketGiven[from] as number;
      const record = RECORD * number;
      if (moment < earliest && (records[record + KNOWABLE_AT] as number) < earliest) continue;
      time[i] = moment;
      const today = Math.floor(moment / DAY);
      day[i] = today;
      hour[i] = Math.floor(moment / HOUR) - 24 * today;
      usd[i] = usdGiven[from] as number;
      shares[i] = sharesGiven[from] as number;
      fee[i] = feeGiven[from] as number;
      flags[i] = flagsGiven[from] as number;
      const known = byMarket.count;
      const slot = slotIn(byMarket, number);
      market[i] = slot;
      if (slot === known) {
        eventOfMarket[slot] = slotIn(byEvent, records[record + EVENT] as number);
        category[slot] = records[record + CATEGORY] as number;
        half0[slot] = records[record + HALF0] as number;
        half1[slot] = records[record + HALF1] as number;
        knowableAt[slot] = records[record + KNOWABLE_AT] as number;
        closedAt[slot] = records[record + CLOSED_AT] as number;
        createdAt[slot] = records[record + CREATED_AT] as number;
      }
      event[i] = eventOfMarket[slot] as number;
      const tokenNumber = tokenGiven[from] as number;
      const tokenSlot = tokenNumber < 0 ? -1 : slotIn(byToken, tokenNumber);
      token[i] = tokenSlot;
      if (tokenSlot >= 0) marketOfToken[tokenSlot] = slot;
      const other = counterpartyGiven[from] as number;
      const otherSlot = other < 0 ? -1 : slotIn(byCounterparty, other);
      counterparty[i] = otherSlot;
      if (other === view.wallet) self = otherSlot;
      i++;
    }
    view.count = i;
    view.tokenOf = byToken.used;
    view.markets = byMarket.count;
    view.tokens = byToken.count;
    view.events = byEvent.count;
    view.counterparties = byCounterparty.count;
    view.self = self;
    for (const [k, name] of COUNTS.entries()) counts[k] = view[name];
    checkExact(view);
    return view;
  };
}

/** The slot of a number, a new one if it has none yet. */
function slotIn(numbering: Numbering, number: number): number {
  const { table, mask, shift, used } = numbering;
  let place = Math.imul(number, 0x9e3779b1) >>> shift;
  let known = table[place] as number;
  while (known !== 0) {
    if (used[known - 1] === number) return known - 1;
    place = (place + 1) & mask;
    known = table[place] as number;
  }
  const slot = numbering.count++;
  used[slot] = number;
  table[place] = slot + 1;
  return slot;
}

/** In the order of `WalletFills` in kernels/wallet-fills.ts. */
const COUNTS = ['count', 'markets', 'tokens', 'events', 'counterparties', 'self'] as const;
const FLOATS = ['time', 'usd', 'shares', 'fee', 'knowableAt', 'closedAt', 'createdAt', 'closing'] as const;
const INTS = ['day', 'market', 'event', 'token', 'counterparty', 'eventOfMarket', 'marketOfToken'] as const;
const BYTES = ['hour', 'flags', 'category', 'half0', 'half1'] as const;

/** Fills that there is room for at the least; more than hours of a day. */
const LEAST_ROOM = 64;

/** Makes arrays for so many fills, each in a market and token of its own. */
function makeRoom(kernels: Kernels, fills: Pointer, view: WalletView, room: number): void {
  kernels.reserveWalletFills(fills, room);
  const { buffer } = kernels.memory;
  const columns = new Uint32Array(
    buffer,
    fills + 4 * COUNTS.length,
    FLOATS.length + INTS.length + BYTES.length,
  ).values();
  const next = (): Pointer => columns.next().value as Pointer;
  for (const name of FLOATS) view[name] = new Float64Array(buffer, next(), room);
  for (const name of INTS) view[name] = new Int32Array(buffer, next(), room);
  for (const name of BYTES) view[name] = new Uint8Array(buffer, next(), room);
}

/** No sum over a wallet can then pass 2^53: profit and loss is counted in halves of 1e-6. */
function checkExact({ count, usd, shares, fee }: WalletView): void {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const paid = fee[i] as number;
    total += (usd[i] as number) + (shares[i] as number) + (Number.isNaN(paid) ? 0 : Math.abs(paid));
  }
  if (2 * total > Number.MAX_SAFE_INTEGER)
    throw new FathomError(
      'data',
      `one wallet trades ${Math.round(total / 1e6)} USD and shares in all; sums stay exact up to ${Math.floor(Number.MAX_SAFE_INTEGER / 2e6)}`,
      { hint: 'shorten the time of the data, or check the units of usd and shares' },
    );
}

function emptyView(): WalletView {
  const [ints, floats, bytes] = [new Int32Array(0), new Float64Array(0), new Uint8Array(0)];
  return {
    wallet: -1,
    firstAt: Number.NaN,
    count: 0,
    time: floats,
    day: ints,
    hour: bytes,
    usd: floats,
    shares: floats,
    fee: floats,
    flags: bytes,
    market: ints,
    event: ints,
    token: ints,
    counterparty: ints,
    markets: 0,
    tokens: 0,
    events: 0,
    counterparties: 0,
    self: -1,
    tokenOf: ints,
    marketOfToken: ints,
    eventOfMarket: ints,
    category: bytes,
    half0: bytes,
    half1: bytes,
    knowableAt: floats,
    closedAt: floats,
    createdAt: floats,
    closing: floats,
  };
}
