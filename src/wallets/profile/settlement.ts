/**
 * Profit and loss of the positions that a wallet entered in a window of time, settled at resolution.
 *
 * Payouts are 0, 1/2 or 1, so a fill earns a whole number of halves of 1e-6 USD: (payout - price) x shares, turned
 * round for a sale, less its fee. Sums are exact and do not depend on their order. Formulas: docs/methods.md.
 */
import { isBuy, OUTCOME_UNKNOWN, outcomeOf } from '../../facts/layout.ts';
import type { PriceArrays } from './prices.ts';
import { atLeast, type WalletView } from './slots.ts';
import { makeMarks } from './token-marks.ts';

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
  /** Whether a fill has no known payout, so that its mark counts, which differs by date. */
  open: boolean;
  /**
   * The first moment after which more is known of the fills, Infinity if there is none. Up to then the same fills give
   * the same numbers, but for marks.
   */
  changesAfter: number;
}

export interface Settler {
  /** Takes the fills of the next wallet. */
  load(view: WalletView): void;
  /** Settles the fills from index `begin` to `end` (exclusive) as of a date; the result is used again by the next call. */
  settle(begin: number, end: number, asOf: number, date: number): Settlement;
  /** The same fills as in the last call, as of a later date up to `changesAfter`: gives them other marks. */
  markAgain(date: number): Settlement;
}

/** What becomes of a fill. */
const OPEN = 0;
const COUNTS = 1;
/** Made when the outcome was public: whoever trades then is not forecasting it. */
const LATE = 2;
const NAMELESS = 3;

/** Settles wallet after wallet against the same markets. Memory grows with the busiest wallet. */
export function makeSettler(prices: PriceArrays): Settler {
  let view: WalletView;
  const marks = makeMarks(prices);
  // In one object, out of which each loop takes what it needs: variables that change are looked up at every use.
  const own = {
    // By fill: what becomes of it, what it earns in halves of 1e-6 USD, what it gains on the closing line in 1e-6 USD.
    fate: new Uint8Array(0),
    earned: new Float64Array(0),
    line: new Float64Array(0),
    // By slot of the market; all zero between two calls.
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
    // The tokens of the open fills in order, and what is left of them.
    openTokens: new Int32Array(0),
    left: new Float64Array(0),
  };
  // Of the last call: tokens of open fills, what all fills earned and paid but for marks, and whether a token has no name.
  let tokens = 0;
  let earnedUsd = 0;
  let cash = 0;
  let nameless = false;
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
    changesAfter: Number.POSITIVE_INFINITY,
  };

  const load = (next: WalletView): void => {
    view = next;
    own.fate = atLeast(own.fate, view.count);
    own.earned = atLeast(own.earned, view.count);
    own.line = atLeast(own.line, view.count);
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
    own.openTokens = atLeast(own.openTokens, view.tokens);
    own.left = atLeast(own.left, view.tokens);
    marks.load(view);
    judge();
  };

  /** Finds what becomes of each fill. */
  const judge = (): void => {
    const { fate, earned, line } = own;
    const { count, market, token, time, usd, shares, fee, flags, half0, half1, knowableAt, closedAt } = view;
    const closing = marks.closing();
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
        const half = (outcome === 0 ? half0 : half1)[slot] as number;
        const paid = fee[i] as number;
        fate[i] = moment < known ? COUNTS : LATE;
        earned[i] = sign * (amount * half - 2 * cash) - (!Number.isNaN(paid) ? 2 * paid : 0);
      }
      const named = token[i] as number;
      const close = named < 0 ? Number.NaN : (closing[named] as number);
      line[i] = moment < (closedAt[slot] as number) ? sign * (close * amount - cash) : Number.NaN;
    }
  };

  const settle = (begin: number, end: number, asOf: number, date: number): Settlement => {
    const { fate, earned, line, fills, counted, torn, pnl, shares, invested } = own;
    const { touched, held, heldSeen, openTokens } = own;
    const { market, token: tokenAt, usd, shares: amounts, fee: fees, flags, knowableAt, closedAt } = view;
    let count = 0;
    let seen = 0;
    let marked = 0;
    let paid = 0;
    let unnamed = false;
    let open = false;
    let changesAfter = Number.POSITIVE_INFINITY;
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
      const closed = closedAt[slot] as number;
      if (closed >= asOf) changesAfter = Math.min(changesAfter, closed);
      else if (!Number.isNaN(gain)) {
        lineSum += gain;
        lineShares += amount;
      }
      const buy = isBuy(flags[i] as number) === 1;
      const known = knowableAt[slot] as number;
      if (what === OPEN || what === NAMELESS || known >= asOf) {
        open = true;
        if (known >= asOf) changesAfter = Math.min(changesAfter, known);
        const fee = fees[i] as number;
        paid += (buy ? -(usd[i] as number) : (usd[i] as number)) - (!Number.isNaN(fee) ? fee : 0);
        const token = tokenAt[i] as number;
        if (token < 0) unnamed ||= amount !== 0;
        else {
          if (heldSeen[token] === 0) {
            heldSeen[token] = 1;
            openTokens[seen++] = token;
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
    takeLeft(seen);
    earnedUsd = marked / 2e6;
    cash = paid;
    nameless = unnamed;
    result.open = open;
    result.changesAfter = changesAfter;
    result.closingLineValue = lineShares > 0 ? lineSum / lineShares : Number.NaN;
    return markAgain(date);
  };

  /** Keeps what is left of the tokens of open fills, and empties their sums. What is not held needs no price. */
  const takeLeft = (seen: number): void => {
    const { held, heldSeen, openTokens, left } = own;
    tokens = 0;
    for (let j = 0; j < seen; j++) {
      const token = openTokens[j] as number;
      const amount = held[token] as number;
      held[token] = 0;
      heldSeen[token] = 0;
      if (amount === 0) continue;
      openTokens[tokens] = token;
      left[tokens++] = amount;
    }
  };

  const markAgain = (date: number): Settlement => {
    const { openTokens, left } = own;
    let value = 0;
    for (let j = 0; j < tokens; j++) value += (left[j] as number) * marks.priceAt(openTokens[j] as number, date);
    // To whole 1e-6 USD: a wallet that made the last fill is even, not ahead by what rounding left.
    result.markedPnlUsd = nameless ? Number.NaN : earnedUsd + (cash + Math.round(value)) / 1e6;
    return result;
  };

  /** Fills in the result from the sums of the positions, and empties these. */
  const sumPositions = (count: number, asOf: number): void => {
    const { fills, counted, torn, pnl, shares, invested, touched } = own;
    const { eventSeen, eventPnl, eventShares, touchedEvents } = own;
    const { eventOfMarket, knowableAt } = view;
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
  return { load, settle, markAgain };
}
