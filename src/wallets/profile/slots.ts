/** What a wallet trades in, by small numbers of its own: sums by market or token then stay in the cache. */
import { FathomError } from '../../errors.ts';
import type { Facts } from '../../facts/read.ts';
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
export type ProfileFacts = Facts<(typeof factsRead)[number]>;

/**
 * The fills of one wallet in order of time, and the slots of what they are in: numbers from 0, by first fill. Arrays may
 * be longer than what is used; they are filled again for the next wallet.
 */
export interface WalletView {
  wallet: number;
  count: number;
  /** Microseconds. */
  time: Float64Array;
  /** Whole 1e-6 USD, and the same of shares. */
  usd: Float64Array;
  shares: Float64Array;
  /** Whole 1e-6 USD; NaN if unknown. */
  fee: Float64Array;
  flags: Uint8Array;
  /** Slot of the market, and of the token; -1 for a token that is not named. */
  market: Int32Array;
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
  for (let k = 0; k < numbering.count; k++) numbering.slotOf[numbering.used[k] as number] = -1;
  numbering.count = 0;
}

/**
 * Returns a function that looks at the fills of one wallet, `begin` to `end` (exclusive) of a bucket's facts.
 *
 * @param wallets how many wallets there are, counterparties included
 */
export function makeViewer(
  markets: MarketTable,
  wallets: number,
): (facts: ProfileFacts, begin: number, end: number) => WalletView {
  const byMarket = makeNumbering(markets.count);
  const byEvent = makeNumbering(markets.eventCount);
  const byToken = makeNumbering(markets.tokenCount);
  const byCounterparty = makeNumbering(wallets);
  const view = emptyView();
  const slotIn = (numbering: Numbering, number: number): number => {
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
  };
  return (facts, begin, end) => {
    for (const numbering of [byMarket, byEvent, byToken, byCounterparty]) clear(numbering);
    const count = end - begin;
    view.wallet = facts.wallet[begin] as number;
    view.count = count;
    for (const key of ['time', 'usd', 'shares', 'fee'] as const) view[key] = facts[key].subarray(begin, end);
    view.flags = facts.flags.subarray(begin, end);
    for (const key of ['market', 'token', 'counterparty'] as const) view[key] = atLeast(view[key], count);
    view.eventOfMarket = atLeast(view.eventOfMarket, count);
    view.marketOfToken = atLeast(view.marketOfToken, count);
    const { market, token, counterparty, eventOfMarket, marketOfToken } = view;
    checkExact(view);
    for (let i = 0; i < count; i++) {
      const number = facts.market[begin + i] as number;
      const known = byMarket.count;
      const slot = slotIn(byMarket, number);
      market[i] = slot;
      if (slot === known) eventOfMarket[slot] = slotIn(byEvent, markets.event[number] as number);
      const tokenNumber = facts.token[begin + i] as number;
      token[i] = tokenNumber < 0 ? -1 : slotIn(byToken, tokenNumber);
      if (tokenNumber >= 0) marketOfToken[token[i] as number] = slot;
      const other = facts.counterparty[begin + i] as number;
      counterparty[i] = other < 0 ? -1 : slotIn(byCounterparty, other);
    }
    view.marketOf = byMarket.used;
    view.tokenOf = byToken.used;
    view.markets = byMarket.count;
    view.tokens = byToken.count;
    view.events = byEvent.count;
    view.counterparties = byCounterparty.count;
    view.self = byCounterparty.slotOf[view.wallet] as number;
    return view;
  };
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
  const [ints, floats] = [new Int32Array(0), new Float64Array(0)];
  return {
    wallet: -1,
    count: 0,
    time: floats,
    usd: floats,
    shares: floats,
    fee: floats,
    flags: new Uint8Array(0),
    market: ints,
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
