/** What a wallet trades in, by small numbers of its own: sums by market or token then stay in the cache. */
import { FathomError } from '../../errors.ts';
import type { Facts } from '../../facts/fact-reader.ts';
import { DAY, HOUR } from '../../tables/time.ts';
import type { Dates } from '../dates.ts';
import type { MarketTable } from './market-table.ts';

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
 * by first fill. Arrays may be longer than what is used; they are filled again for the next wallet.
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
  /** Numbers by slot; `marketOfToken` gives slots of markets. */
  marketOf: Int32Array;
  eventOfMarket: Int32Array;
  tokenOf: Int32Array;
  marketOfToken: Int32Array;
}

/** An array of at least `size`, the old one if it is long enough. */
export function atLeast<A extends Int32Array | Float64Array | Uint8Array>(old: A, size: number): A {
  if (old.length >= size) return old;
  return new (old.constructor as new (length: number) => A)(Math.max(64, 2 * size));
}

/** Numbers that a wallet uses, to slots. */
interface Numbering {
  readonly slotOf: Int32Array;
  used: Int32Array;
  count: number;
}

const makeNumbering = (size: number): Numbering => ({
  slotOf: new Int32Array(size).fill(-1),
  used: new Int32Array(64),
  count: 0,
});

function clear(numbering: Numbering): void {
  const { slotOf, used, count } = numbering;
  for (let k = 0; k < count; k++) slotOf[used[k] as number] = -1;
  numbering.count = 0;
}

/**
 * Returns a function that looks at the fills of one wallet, `begin` to `end` (exclusive) of a bucket's facts. Left out
 * are fills from the last date on, and those before the first window in markets whose resolution was known before it:
 * no column of any date depends on them, but for the time of the first fill.
 *
 * @param wallets how many wallets there are, counterparties included
 */
export function makeViewer(
  markets: MarketTable,
  wallets: number,
  { times, lookback }: Dates,
): (facts: Facts<ProfileFactColumn>, begin: number, end: number) => WalletView {
  const earliest = (times[0] as number) - lookback;
  const latest = times[times.length - 1] as number;
  const byMarket = makeNumbering(markets.count);
  const byEvent = makeNumbering(markets.eventCount);
  const byToken = makeNumbering(markets.tokenCount);
  const byCounterparty = makeNumbering(wallets);
  const view = emptyView();
  return (facts, begin, end) => {
    clear(byMarket);
    clear(byEvent);
    clear(byToken);
    clear(byCounterparty);
    view.wallet = facts.wallet[begin] as number;
    view.firstAt = facts.time[begin] as number;
    makeRoom(view, end - begin);
    const { time, day, hour, usd, shares, fee, flags } = view;
    const { market, event, token, counterparty, eventOfMarket, marketOfToken } = view;
    const { knowableAt } = markets;
    let i = 0;
    for (let from = begin; from < end; from++) {
      const moment = facts.time[from] as number;
      if (moment >= latest) break;
      const number = facts.market[from] as number;
      if (moment < earliest && (knowableAt[number] as number) < earliest) continue;
      time[i] = moment;
      const today = Math.floor(moment / DAY);
      day[i] = today;
      hour[i] = Math.floor(moment / HOUR) - 24 * today;
      usd[i] = facts.usd[from] as number;
      shares[i] = facts.shares[from] as number;
      fee[i] = facts.fee[from] as number;
      flags[i] = facts.flags[from] as number;
      const known = byMarket.count;
      const slot = slotIn(byMarket, number);
      market[i] = slot;
      if (slot === known) eventOfMarket[slot] = slotIn(byEvent, markets.event[number] as number);
      event[i] = eventOfMarket[slot] as number;
      const tokenNumber = facts.token[from] as number;
      const tokenSlot = tokenNumber < 0 ? -1 : slotIn(byToken, tokenNumber);
      token[i] = tokenSlot;
      if (tokenSlot >= 0) marketOfToken[tokenSlot] = slot;
      const other = facts.counterparty[from] as number;
      counterparty[i] = other < 0 ? -1 : slotIn(byCounterparty, other);
      i++;
    }
    view.count = i;
    view.marketOf = byMarket.used;
    view.tokenOf = byToken.used;
    view.markets = byMarket.count;
    view.tokens = byToken.count;
    view.events = byEvent.count;
    view.counterparties = byCounterparty.count;
    view.self = byCounterparty.slotOf[view.wallet] as number;
    checkExact(view);
    return view;
  };
}

/** The slot of a number, a new one if it has none yet. */
function slotIn(numbering: Numbering, number: number): number {
  const known = numbering.slotOf[number] as number;
  if (known >= 0) return known;
  if (numbering.count === numbering.used.length) {
    const longer = new Int32Array(2 * numbering.used.length);
    longer.set(numbering.used);
    numbering.used = longer;
  }
  numbering.used[numbering.count] = number;
  numbering.slotOf[number] = numbering.count;
  return numbering.count++;
}

/** Makes the arrays of a view long enough for so many fills, each in a market and token of its own. */
function makeRoom(view: WalletView, count: number): void {
  if (view.time.length >= count) return;
  for (const key of ['time', 'usd', 'shares', 'fee'] as const) view[key] = atLeast(view[key], count);
  for (const key of ['day', 'market', 'event', 'token', 'counterparty', 'eventOfMarket', 'marketOfToken'] as const)
    view[key] = atLeast(view[key], count);
  view.hour = atLeast(view.hour, count);
  view.flags = atLeast(view.flags, count);
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
    marketOf: ints,
    eventOfMarket: ints,
    tokenOf: ints,
    marketOfToken: ints,
  };
}
