/**
 * Profit and loss of the positions that a wallet entered in a window of time, settled at resolution.
 *
 * Payouts are 0, 1/2 or 1, so a fill earns a whole number of halves of 1e-6 USD: (payout - price) x shares, turned
 * round for a sale, less its fee. Sums are exact and do not depend on their order. Source of the measure of skill:
 * edge, the payout less the all-in price paid, by shares; its standard error is that of a ratio of sums over events
 * (clusters), with the factor G / (G - 1) for G events.
 */
import { type MarketFacts, OUTCOME_UNKNOWN, type WalletFills } from './facts.ts';
import { type MarkOf, makeMarking } from './marking.ts';

/** Undefined numbers are NaN. Money in USD. */
export interface Settlement {
  /** Positions (markets) that are settled, counting only fills from before the outcome could be known. */
  settled: number;
  /** Positions in markets that are not resolved yet, or with a fill of which the outcome is not known. */
  unsettled: number;
  pnlUsd: number;
  winRate: number;
  edge: number;
  edgeStandardError: number;
  roi: number;
  /** All fills, each valued at the payout of its outcome where that is known and else at the mark of its token. */
  markedPnlUsd: number;
  /** The latest moment at which a resolution that was used could be known; NaN if none was. */
  knownAt: number;
}

export interface Settler {
  /** Takes the fills of the next wallet. */
  load(fills: WalletFills): void;
  /**
   * Settles the fills from index `begin` to `end` (exclusive) with what was knowable strictly before `asOf`
   * (microseconds). The result is used again by the next call.
   */
  settle(begin: number, end: number, asOf: number, markOf?: MarkOf): Settlement;
}

/** Sums of one window by position and by event; index is the slot of the market or event within the wallet. */
interface Slots {
  readonly fills: Int32Array;
  readonly counted: Int32Array;
  readonly unknown: Uint8Array;
  readonly pnl: Float64Array;
  readonly shares: Float64Array;
  readonly invested: Float64Array;
  readonly eventFills: Int32Array;
  readonly eventPnl: Float64Array;
  readonly eventShares: Float64Array;
  readonly touched: Int32Array;
  readonly touchedEvents: Int32Array;
}

function makeSlots(size: number): Slots {
  const floats = (): Float64Array => new Float64Array(size);
  const ints = (): Int32Array => new Int32Array(size);
  return {
    fills: ints(),
    counted: ints(),
    unknown: new Uint8Array(size),
    pnl: floats(),
    shares: floats(),
    invested: floats(),
    eventFills: ints(),
    eventPnl: floats(),
    eventShares: floats(),
    touched: ints(),
    touchedEvents: ints(),
  };
}

/** Settles wallet after wallet against the same markets. Memory grows with the markets of the busiest wallet. */
export function makeSettler(markets: MarketFacts): Settler {
  const slotOfMarket = new Int32Array(markets.count).fill(-1);
  const slotOfEvent = new Int32Array(markets.eventCount).fill(-1);
  let marketOfSlot: number[] = [];
  let eventOfSlot: number[] = [];
  let eventSlots: number[] = [];
  let slotOfFill = new Int32Array(0);
  let slots = makeSlots(64);
  let current: WalletFills | undefined;
  const marking = makeMarking(markets.tokenCount);
  const result: Settlement = {
    settled: 0,
    unsettled: 0,
    pnlUsd: NaN,
    winRate: NaN,
    edge: NaN,
    edgeStandardError: NaN,
    roi: NaN,
    markedPnlUsd: NaN,
    knownAt: NaN,
  };

  const load = (fills: WalletFills): void => {
    for (const market of marketOfSlot) slotOfMarket[market] = -1;
    for (const event of eventOfSlot) slotOfEvent[event] = -1;
    marketOfSlot = [];
    eventOfSlot = [];
    eventSlots = [];
    if (slotOfFill.length < fills.count) slotOfFill = new Int32Array(fills.time.length);
    for (let i = 0; i < fills.count; i++) {
      const market = fills.market[i] as number;
      if (slotOfMarket[market] === -1) {
        slotOfMarket[market] = marketOfSlot.length;
        marketOfSlot.push(market);
        const event = markets.event[market] as number;
        if (slotOfEvent[event] === -1) {
          slotOfEvent[event] = eventOfSlot.length;
          eventOfSlot.push(event);
        }
        eventSlots.push(slotOfEvent[event] as number);
      }
      slotOfFill[i] = slotOfMarket[market] as number;
    }
    if (slots.fills.length < marketOfSlot.length) slots = makeSlots(2 * marketOfSlot.length);
    current = fills;
  };

  /** Sums the fills into their positions; returns how many positions were touched. */
  const gather = (fills: WalletFills, begin: number, end: number, asOf: number): number => {
    let touched = 0;
    for (let i = begin; i < end; i++) {
      const slot = slotOfFill[i] as number;
      const market = fills.market[i] as number;
      const usd = fills.usd[i] as number;
      const shares = fills.shares[i] as number;
      const fee = fills.fee[i] as number;
      const outcome = fills.outcome[i] as number;
      const sign = fills.buy[i] === 1 ? 1 : -1;
      if ((slots.fills[slot] as number)++ === 0) slots.touched[touched++] = slot;
      if (outcome === OUTCOME_UNKNOWN) slots.unknown[slot] = 1;
      const knowableAt = markets.knowableAt[market] as number;
      if (outcome === OUTCOME_UNKNOWN || knowableAt >= asOf) {
        marking.hold(fills.token[i] as number, sign * shares, -sign * usd - fee);
        continue;
      }
      const half = (outcome === 0 ? markets.half0[market] : markets.half1[market]) as number;
      const earned = sign * (shares * half - 2 * usd) - 2 * fee;
      marking.settle(earned);
      // Whoever trades when the outcome is public is not forecasting it.
      if ((fills.time[i] as number) >= knowableAt) continue;
      (slots.counted[slot] as number)++;
      add(slots.pnl, slot, earned);
      add(slots.shares, slot, shares);
      if (sign === 1) add(slots.invested, slot, usd);
    }
    return touched;
  };

  const settle = (begin: number, end: number, asOf: number, markOf?: MarkOf): Settlement => {
    const fills = current as WalletFills;
    const touched = gather(fills, begin, end, asOf);
    let settled = 0;
    let unsettled = 0;
    let wins = 0;
    let pnl = 0;
    let shares = 0;
    let invested = 0;
    let events = 0;
    let knownAt = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < touched; j++) {
      const slot = slots.touched[j] as number;
      const market = marketOfSlot[slot] as number;
      const knowableAt = markets.knowableAt[market] as number;
      if (slots.unknown[slot] === 1 || knowableAt >= asOf) unsettled++;
      else {
        if ((slots.counted[slot] as number) > 0) {
          const event = eventSlots[slot] as number;
          const earned = slots.pnl[slot] as number;
          settled++;
          if (earned > 0) wins++;
          pnl += earned;
          shares += slots.shares[slot] as number;
          invested += slots.invested[slot] as number;
          knownAt = Math.max(knownAt, knowableAt);
          if ((slots.eventFills[event] as number)++ === 0) slots.touchedEvents[events++] = event;
          add(slots.eventPnl, event, earned);
          add(slots.eventShares, event, slots.shares[slot] as number);
        }
      }
      clear(slots, slot);
    }
    result.settled = settled;
    result.unsettled = unsettled;
    result.pnlUsd = settled > 0 ? pnl / 2e6 : Number.NaN;
    result.winRate = settled > 0 ? wins / settled : Number.NaN;
    result.edge = shares > 0 ? pnl / (2 * shares) : Number.NaN;
    result.roi = invested > 0 ? pnl / (2 * invested) : Number.NaN;
    result.edgeStandardError = clusteredError(slots, events, pnl, shares);
    result.markedPnlUsd = marking.finish(markOf);
    result.knownAt = settled > 0 ? knownAt : Number.NaN;
    return result;
  };
  return { load, settle };
}

/** Standard error of the edge; empties the sums of the events. NaN below two events. */
function clusteredError(slots: Slots, events: number, pnl: number, shares: number): number {
  const ratio = pnl / shares;
  let squares = 0;
  for (let j = 0; j < events; j++) {
    const event = slots.touchedEvents[j] as number;
    const residual = (slots.eventPnl[event] as number) - ratio * (slots.eventShares[event] as number);
    squares += residual * residual;
    slots.eventFills[event] = 0;
    slots.eventPnl[event] = 0;
    slots.eventShares[event] = 0;
  }
  return events < 2 || shares === 0 ? Number.NaN : Math.sqrt((squares * events) / (events - 1)) / (2 * shares);
}

function clear(slots: Slots, slot: number): void {
  slots.fills[slot] = 0;
  slots.counted[slot] = 0;
  slots.unknown[slot] = 0;
  for (const sums of [slots.pnl, slots.shares, slots.invested]) sums[slot] = 0;
}

function add(sums: Float64Array, slot: number, value: number): void {
  sums[slot] = (sums[slot] as number) + value;
}
