/**
 * Profit and loss of the positions that a wallet entered in a window of time, settled at resolution.
 *
 * Payouts are 0, 1/2 or 1, so a fill earns a whole number of halves of 1e-6 USD: (payout - price) x shares, turned
 * round for a sale, less its fee. Sums are exact and do not depend on their order. Formulas: docs/methods.md.
 */
import { isBuy, OUTCOME_UNKNOWN, outcomeOf } from '../../facts/layout.ts';
import type { MarketTable } from './market-table.ts';
import type { TokenPrices } from './prices.ts';
import { atLeast, type WalletView } from './slots.ts';

/** Undefined numbers are NaN. Money in USD. */
export interface Settlement {
  /** Positions (markets) that are settled, counting only fills from before the outcome could be known. */
  settled: number;
  /** Positions in markets that are not resolved yet, or with a fill of which the outcome is not known. */
  unsettled: number;
  wins: number;
  pnlUsd: number;
  winRate: number;
  edge: number;
  edgeStandardError: number;
  edgeEffectiveEvents: number;
  edgeByPosition: number;
  roi: number;
  largestEventPnlShare: number;
  pnlHerfindahl: number;
  closingLineValue: number;
  /** All fills, each valued at the payout of its outcome where that is known and else at the mark of its token. */
  markedPnlUsd: number;
  /** Whether a fill has no known payout. If none is open, the same fills give the same numbers as of every later date. */
  open: boolean;
}

export interface Settler {
  /** Takes the fills of the next wallet. */
  load(view: WalletView): void;
  /** Settles the fills from index `begin` to `end` (exclusive) as of a date; the result is used again by the next call. */
  settle(begin: number, end: number, asOf: number, date: number): Settlement;
}

/** What becomes of a fill. */
const OPEN = 0;
const COUNTS = 1;
/** Made when the outcome was public: whoever trades then is not forecasting it. */
const LATE = 2;
const NAMELESS = 3;

/** Settles wallet after wallet against the same markets. Memory grows with the busiest wallet. */
export function makeSettler(markets: MarketTable, prices: TokenPrices): Settler {
  let view: WalletView;
  // By fill: what becomes of it, what it earns in halves of 1e-6 USD, what it gains on the closing line in 1e-6 USD.
  let fate = new Uint8Array(0);
  let earned = new Float64Array(0);
  let line = new Float64Array(0);
  // By slot of the market; all zero between two calls, apart from the two moments.
  let knowableAt = new Float64Array(0);
  let closedAt = new Float64Array(0);
  let fills = new Int32Array(0);
  let counted = new Int32Array(0);
  let torn = new Uint8Array(0);
  let pnl = new Float64Array(0);
  let shares = new Float64Array(0);
  let invested = new Float64Array(0);
  let touched = new Int32Array(0);
  // By slot of the event, and of the token.
  let eventSeen = new Uint8Array(0);
  let eventPnl = new Float64Array(0);
  let eventShares = new Float64Array(0);
  let touchedEvents = new Int32Array(0);
  let held = new Float64Array(0);
  let heldSeen = new Uint8Array(0);
  let touchedTokens = new Int32Array(0);
  const result: Settlement = {
    settled: 0,
    unsettled: 0,
    wins: 0,
    pnlUsd: NaN,
    winRate: NaN,
    edge: NaN,
    edgeStandardError: NaN,
    edgeEffectiveEvents: NaN,
    edgeByPosition: NaN,
    roi: NaN,
    largestEventPnlShare: NaN,
    pnlHerfindahl: NaN,
    closingLineValue: NaN,
    markedPnlUsd: NaN,
    open: false,
  };

  const load = (next: WalletView): void => {
    view = next;
    fate = atLeast(fate, view.count);
    earned = atLeast(earned, view.count);
    line = atLeast(line, view.count);
    knowableAt = atLeast(knowableAt, view.markets);
    closedAt = atLeast(closedAt, view.markets);
    fills = atLeast(fills, view.markets);
    counted = atLeast(counted, view.markets);
    torn = atLeast(torn, view.markets);
    pnl = atLeast(pnl, view.markets);
    shares = atLeast(shares, view.markets);
    invested = atLeast(invested, view.markets);
    touched = atLeast(touched, view.markets);
    eventSeen = atLeast(eventSeen, view.events);
    eventPnl = atLeast(eventPnl, view.events);
    eventShares = atLeast(eventShares, view.events);
    touchedEvents = atLeast(touchedEvents, view.events);
    held = atLeast(held, view.tokens);
    heldSeen = atLeast(heldSeen, view.tokens);
    touchedTokens = atLeast(touchedTokens, view.tokens);
    for (let slot = 0; slot < view.markets; slot++) {
      knowableAt[slot] = markets.knowableAt[view.marketOf[slot] as number] as number;
      closedAt[slot] = markets.closedAt[view.marketOf[slot] as number] as number;
    }
    for (let i = 0; i < view.count; i++) judge(i);
  };

  const judge = (i: number): void => {
    const slot = view.market[i] as number;
    const number = view.marketOf[slot] as number;
    const token = view.token[i] as number;
    const flags = view.flags[i] as number;
    const sign = isBuy(flags) === 1 ? 1 : -1;
    const usd = view.usd[i] as number;
    const amount = view.shares[i] as number;
    const fee = view.fee[i] as number;
    const outcome = outcomeOf(flags);
    const known = knowableAt[slot] as number;
    if (outcome === OUTCOME_UNKNOWN) fate[i] = NAMELESS;
    else if (known === Number.POSITIVE_INFINITY) fate[i] = OPEN;
    else {
      const half = (outcome === 0 ? markets.half0[number] : markets.half1[number]) as number;
      fate[i] = (view.time[i] as number) < known ? COUNTS : LATE;
      earned[i] = sign * (amount * half - 2 * usd) - (!Number.isNaN(fee) ? 2 * fee : 0);
    }
    const close = token < 0 ? Number.NaN : (prices.closing[view.tokenOf[token] as number] as number);
    line[i] = (view.time[i] as number) < (closedAt[slot] as number) ? sign * (close * amount - usd) : Number.NaN;
  };

  const settle = (begin: number, end: number, asOf: number, date: number): Settlement => {
    let count = 0;
    let tokens = 0;
    let marked = 0;
    let cash = 0;
    let nameless = false;
    let open = false;
    let lineSum = 0;
    let lineShares = 0;
    for (let i = begin; i < end; i++) {
      const slot = view.market[i] as number;
      const amount = view.shares[i] as number;
      if (fills[slot] === 0) touched[count++] = slot;
      fills[slot] = (fills[slot] as number) + 1;
      const what = fate[i] as number;
      if (what === NAMELESS) torn[slot] = 1;
      const gain = line[i] as number;
      if (!Number.isNaN(gain) && (closedAt[slot] as number) < asOf) {
        lineSum += gain;
        lineShares += amount;
      }
      const buy = isBuy(view.flags[i] as number) === 1;
      if (what === OPEN || what === NAMELESS || (knowableAt[slot] as number) >= asOf) {
        open = true;
        const fee = view.fee[i] as number;
        cash += (buy ? -(view.usd[i] as number) : (view.usd[i] as number)) - (!Number.isNaN(fee) ? fee : 0);
        const token = view.token[i] as number;
        if (token < 0) nameless ||= amount !== 0;
        else {
          if (heldSeen[token] === 0) {
            heldSeen[token] = 1;
            touchedTokens[tokens++] = token;
          }
          held[token] = (held[token] as number) + (buy ? amount : -amount);
        }
        continue;
      }
      marked += earned[i] as number;
      if (what === LATE) continue;
      counted[slot] = (counted[slot] as number) + 1;
      pnl[slot] = (pnl[slot] as number) + (earned[i] as number);
      shares[slot] = (shares[slot] as number) + amount;
      if (buy) invested[slot] = (invested[slot] as number) + (view.usd[i] as number);
    }
    sumPositions(count, asOf);
    result.open = open;
    result.closingLineValue = lineShares > 0 ? lineSum / lineShares : Number.NaN;
    // To whole 1e-6 USD: a wallet that made the last fill is even, not ahead by what rounding left.
    const value = valueOfHeld(tokens, date);
    result.markedPnlUsd = nameless ? Number.NaN : marked / 2e6 + (cash + Math.round(value)) / 1e6;
    return result;
  };

  /** The tokens left at their marks, 1e-6 USD; empties the sums of the tokens. */
  const valueOfHeld = (tokens: number, date: number): number => {
    let value = 0;
    for (let j = 0; j < tokens; j++) {
      const token = touchedTokens[j] as number;
      const left = held[token] as number;
      // What is not held needs no price.
      if (left !== 0) value += left * prices.markAt(view.tokenOf[token] as number, date);
      held[token] = 0;
      heldSeen[token] = 0;
    }
    return value;
  };

  /** Fills in the result from the sums of the positions, and empties these. */
  const sumPositions = (count: number, asOf: number): void => {
    let settled = 0;
    let unsettled = 0;
    let wins = 0;
    let sum = 0;
    let sumShares = 0;
    let sumInvested = 0;
    let edges = 0;
    let withShares = 0;
    let events = 0;
    for (let j = 0; j < count; j++) {
      const slot = touched[j] as number;
      if (torn[slot] === 1 || (knowableAt[slot] as number) >= asOf) unsettled++;
      else if ((counted[slot] as number) > 0) {
        const gain = pnl[slot] as number;
        const amount = shares[slot] as number;
        settled++;
        if (gain > 0) wins++;
        sum += gain;
        sumShares += amount;
        sumInvested += invested[slot] as number;
        if (amount > 0) {
          edges += gain / (2 * amount);
          withShares++;
        }
        const event = view.eventOfMarket[slot] as number;
        if (eventSeen[event] === 0) {
          eventSeen[event] = 1;
          touchedEvents[events++] = event;
        }
        eventPnl[event] = (eventPnl[event] as number) + gain;
        eventShares[event] = (eventShares[event] as number) + amount;
      }
      fills[slot] = 0;
      counted[slot] = 0;
      torn[slot] = 0;
      pnl[slot] = 0;
      shares[slot] = 0;
      invested[slot] = 0;
    }
    result.settled = settled;
    result.unsettled = unsettled;
    result.wins = wins;
    result.pnlUsd = settled > 0 ? sum / 2e6 : Number.NaN;
    result.winRate = settled > 0 ? wins / settled : Number.NaN;
    result.edge = sumShares > 0 ? sum / (2 * sumShares) : Number.NaN;
    result.edgeByPosition = withShares > 0 ? edges / withShares : Number.NaN;
    result.roi = sumInvested > 0 ? sum / (2 * sumInvested) : Number.NaN;
    sumEvents(events, sum, sumShares);
  };

  /** What is told by event: the clustered error and how concentrated the profit is; empties the sums of the events. */
  const sumEvents = (events: number, sum: number, sumShares: number): void => {
    const ratio = sum / sumShares;
    let residuals = 0;
    let weights = 0;
    let absolute = 0;
    let absoluteSquares = 0;
    let largest = 0;
    for (let j = 0; j < events; j++) {
      const event = touchedEvents[j] as number;
      const gain = eventPnl[event] as number;
      const weight = eventShares[event] as number;
      const residual = gain - ratio * weight;
      const size = Math.abs(gain);
      residuals += residual * residual;
      weights += weight * weight;
      absolute += size;
      absoluteSquares += size * size;
      if (size > largest) largest = size;
      eventSeen[event] = 0;
      eventPnl[event] = 0;
      eventShares[event] = 0;
    }
    const known = sumShares > 0;
    result.edgeStandardError =
      known && events >= 2 ? Math.sqrt((residuals * events) / (events - 1)) / (2 * sumShares) : Number.NaN;
    result.edgeEffectiveEvents = known ? (sumShares * sumShares) / weights : Number.NaN;
    result.largestEventPnlShare = absolute > 0 ? largest / absolute : Number.NaN;
    result.pnlHerfindahl = absolute > 0 ? absoluteSquares / (absolute * absolute) : Number.NaN;
  };
  return { load, settle };
}
