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
  // In one object, out of which each loop takes what it needs: variables that change are looked up at every use.
  const own = {
    // By fill: what becomes of it, what it earns in halves of 1e-6 USD, what it gains on the closing line in 1e-6 USD.
    fate: new Uint8Array(0),
    earned: new Float64Array(0),
    line: new Float64Array(0),
    // By slot of the market; all zero between two calls, apart from the two moments.
    knowableAt: new Float64Array(0),
    closedAt: new Float64Array(0),
    fills: new Int32Array(0),
    counted: new Int32Array(0),
    torn: new Uint8Array(0),
    pnl: new Float64Array(0),
    shares: new Float64Array(0),
    invested: new Float64Array(0),
    touched: new Int32Array(0),
    // By slot of the event, and of the token.
    eventSeen: new Uint8Array(0),
    eventPnl: new Float64Array(0),
    eventShares: new Float64Array(0),
    touchedEvents: new Int32Array(0),
    held: new Float64Array(0),
    heldSeen: new Uint8Array(0),
    touchedTokens: new Int32Array(0),
  };
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
    own.fate = atLeast(own.fate, view.count);
    own.earned = atLeast(own.earned, view.count);
    own.line = atLeast(own.line, view.count);
    own.knowableAt = atLeast(own.knowableAt, view.markets);
    own.closedAt = atLeast(own.closedAt, view.markets);
    own.fills = atLeast(own.fills, view.markets);
    own.counted = atLeast(own.counted, view.markets);
    own.torn = atLeast(own.torn, view.markets);
    own.pnl = atLeast(own.pnl, view.markets);
    own.shares = atLeast(own.shares, view.markets);
    own.invested = atLeast(own.invested, view.markets);
    own.touched = atLeast(own.touched, view.markets);
    own.eventSeen = atLeast(own.eventSeen, view.events);
    own.eventPnl = atLeast(own.eventPnl, view.events);
    own.eventShares = atLeast(own.eventShares, view.events);
    own.touchedEvents = atLeast(own.touchedEvents, view.events);
    own.held = atLeast(own.held, view.tokens);
    own.heldSeen = atLeast(own.heldSeen, view.tokens);
    own.touchedTokens = atLeast(own.touchedTokens, view.tokens);
    const { knowableAt, closedAt } = own;
    const { marketOf } = view;
    for (let slot = 0; slot < view.markets; slot++) {
      knowableAt[slot] = markets.knowableAt[marketOf[slot] as number] as number;
      closedAt[slot] = markets.closedAt[marketOf[slot] as number] as number;
    }
    judge();
  };

  /** Finds what becomes of each fill. */
  const judge = (): void => {
    const { fate, earned, line, knowableAt, closedAt } = own;
    const { count, market, marketOf, token, tokenOf, time, usd, shares, fee, flags } = view;
    const { half0, half1 } = markets;
    const { closing } = prices;
    for (let i = 0; i < count; i++) {
      const slot = market[i] as number;
      const flag = flags[i] as number;
      const sign = isBuy(flag) === 1 ? 1 : -1;
      const cash = usd[i] as number;
      const amount = shares[i] as number;
      const outcome = outcomeOf(flag);
      const known = knowableAt[slot] as number;
      const moment = time[i] as number;
      if (outcome === OUTCOME_UNKNOWN) fate[i] = NAMELESS;
      else if (known === Number.POSITIVE_INFINITY) fate[i] = OPEN;
      else {
        const half = (outcome === 0 ? half0 : half1)[marketOf[slot] as number] as number;
        const paid = fee[i] as number;
        fate[i] = moment < known ? COUNTS : LATE;
        earned[i] = sign * (amount * half - 2 * cash) - (!Number.isNaN(paid) ? 2 * paid : 0);
      }
      const named = token[i] as number;
      const close = named < 0 ? Number.NaN : (closing[tokenOf[named] as number] as number);
      line[i] = moment < (closedAt[slot] as number) ? sign * (close * amount - cash) : Number.NaN;
    }
  };

  const settle = (begin: number, end: number, asOf: number, date: number): Settlement => {
    const { fate, earned, line, knowableAt, closedAt, fills, counted, torn, pnl, shares, invested } = own;
    const { touched, held, heldSeen, touchedTokens } = own;
    const { market, token: tokenAt, usd, shares: amounts, fee: fees, flags } = view;
    let count = 0;
    let tokens = 0;
    let marked = 0;
    let cash = 0;
    let nameless = false;
    let open = false;
    let lineSum = 0;
    let lineShares = 0;
    for (let i = begin; i < end; i++) {
      const slot = market[i] as number;
      const amount = amounts[i] as number;
      if (fills[slot] === 0) touched[count++] = slot;
      fills[slot] = (fills[slot] as number) + 1;
      const what = fate[i] as number;
      if (what === NAMELESS) torn[slot] = 1;
      const gain = line[i] as number;
      if (!Number.isNaN(gain) && (closedAt[slot] as number) < asOf) {
        lineSum += gain;
        lineShares += amount;
      }
      const buy = isBuy(flags[i] as number) === 1;
      if (what === OPEN || what === NAMELESS || (knowableAt[slot] as number) >= asOf) {
        open = true;
        const fee = fees[i] as number;
        cash += (buy ? -(usd[i] as number) : (usd[i] as number)) - (!Number.isNaN(fee) ? fee : 0);
        const token = tokenAt[i] as number;
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
      if (buy) invested[slot] = (invested[slot] as number) + (usd[i] as number);
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
    const { held, heldSeen, touchedTokens } = own;
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
    const { knowableAt, fills, counted, torn, pnl, shares, invested, touched } = own;
    const { eventSeen, eventPnl, eventShares, touchedEvents } = own;
    const { eventOfMarket } = view;
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
        const event = eventOfMarket[slot] as number;
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
    const { eventSeen, eventPnl, eventShares, touchedEvents } = own;
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
