/** With whom a wallet trades: how few they are, and whether they trade back. Screens for wash and self-trading. */
import { isBuy } from '../../facts/layout.ts';
import { atLeast, putFirst, type WalletView } from './slots.ts';

/** Shares of one, of the fills whose counterparty is known; NaN without one. */
export interface Counterparties {
  /** USD with the largest counterparty. */
  top: number;
  /** Sum of the squared shares of USD by counterparty. */
  herfindahl: number;
  /** USD with counterparties that were both bought from and sold to. */
  reciprocal: number;
  /** Shares of a token that were bought from and sold to the same counterparty, both ways counted. */
  roundTrip: number;
  /** USD with itself. */
  self: number;
}

export interface CounterpartyMeasure {
  /** Takes the fills of the next wallet. */
  load(view: WalletView): void;
  /** Measures the fills from index `begin` to `end` (exclusive); the result is used again by the next call. */
  measure(begin: number, end: number): Counterparties;
}

export function makeCounterparties(): CounterpartyMeasure {
  let view: WalletView;
  // By counterparty: USD, and which ways it traded (1: bought from, 2: sold to).
  let usdWith = new Float64Array(0);
  let ways = new Uint8Array(0);
  let touched = new Int32Array(0);
  let fillsWith = new Int32Array(0);
  // By pair of counterparty and token that is ever traded both ways; `pairOf` is -1 for a fill in no such pair.
  let pairOf = new Int32Array(0);
  let pairWays = new Uint8Array(0);
  let pairBought = new Float64Array(0);
  let pairSold = new Float64Array(0);
  const pairs = new Map<number, number>();
  const result: Counterparties = { top: NaN, herfindahl: NaN, reciprocal: NaN, roundTrip: NaN, self: NaN };
  const load = (next: WalletView): void => {
    view = next;
    const { count, counterparties, counterparty, token, flags, tokens } = view;
    usdWith = atLeast(usdWith, counterparties);
    ways = atLeast(ways, counterparties);
    touched = atLeast(touched, counterparties);
    fillsWith = atLeast(fillsWith, counterparties);
    pairOf = atLeast(pairOf, count);
    pairWays = atLeast(pairWays, count);
    pairBought = atLeast(pairBought, count);
    pairSold = atLeast(pairSold, count);
    pairs.clear();
    putFirst(fillsWith, 0, counterparties);
    for (let i = 0; i < count; i++) {
      const other = counterparty[i] as number;
      if (other >= 0) fillsWith[other] = (fillsWith[other] as number) + 1;
    }
    for (let i = 0; i < count; i++) {
      const other = counterparty[i] as number;
      pairOf[i] = -1;
      // A single fill goes one way.
      if (other < 0 || (token[i] as number) < 0 || fillsWith[other] === 1) continue;
      const key = other * tokens + (token[i] as number);
      let pair = pairs.get(key);
      if (pair === undefined) {
        pair = pairs.size;
        pairs.set(key, pair);
        pairWays[pair] = 0;
        pairBought[pair] = 0;
        pairSold[pair] = 0;
      }
      pairOf[i] = pair;
      pairWays[pair] = (pairWays[pair] as number) | (isBuy(flags[i] as number) === 1 ? 1 : 2);
    }
    if (pairs.size === 0) return;
    for (let i = 0; i < count; i++)
      if ((pairOf[i] as number) >= 0 && pairWays[pairOf[i] as number] !== 3) pairOf[i] = -1;
  };
  const measure = (begin: number, end: number): Counterparties => {
    const { counterparty, usd, shares, flags } = view;
    let known = 0;
    let knownShares = 0;
    let traded = 0;
    for (let i = begin; i < end; i++) {
      const other = counterparty[i] as number;
      if (other < 0) continue;
      const way = isBuy(flags[i] as number) === 1 ? 1 : 2;
      if (ways[other] === 0) touched[traded++] = other;
      ways[other] = (ways[other] as number) | way;
      usdWith[other] = (usdWith[other] as number) + (usd[i] as number);
      known += usd[i] as number;
      knownShares += shares[i] as number;
      const pair = pairOf[i] as number;
      if (pair < 0) continue;
      if (way === 1) pairBought[pair] = (pairBought[pair] as number) + (shares[i] as number);
      else pairSold[pair] = (pairSold[pair] as number) + (shares[i] as number);
    }
    let top = 0;
    let squares = 0;
    let reciprocal = 0;
    let self = 0;
    for (let j = 0; j < traded; j++) {
      const other = touched[j] as number;
      const amount = usdWith[other] as number;
      const share = amount / known;
      if (amount > top) top = amount;
      squares += share * share;
      if (ways[other] === 3) reciprocal += amount;
      if (other === view.self) self += amount;
      usdWith[other] = 0;
      ways[other] = 0;
    }
    result.top = known > 0 ? top / known : Number.NaN;
    result.herfindahl = known > 0 ? squares : Number.NaN;
    result.reciprocal = known > 0 ? reciprocal / known : Number.NaN;
    result.self = known > 0 ? self / known : Number.NaN;
    result.roundTrip = knownShares > 0 ? (2 * roundTrips(begin, end)) / knownShares : Number.NaN;
    return result;
  };
  /** Shares bought from and sold to the same counterparty; empties the sums of the pairs. */
  const roundTrips = (begin: number, end: number): number => {
    if (pairs.size === 0) return 0;
    let closed = 0;
    for (let i = begin; i < end; i++) {
      const pair = pairOf[i] as number;
      if (pair < 0) continue;
      closed += Math.min(pairBought[pair] as number, pairSold[pair] as number);
      pairBought[pair] = 0;
      pairSold[pair] = 0;
    }
    return closed;
  };
  return { load, measure };
}
