/**
 * Settles the fills of a wallet in one window of time after the other: profit and loss of its positions (markets) as far
 * as their payouts are known, and what is told by event. Formulas: docs/methods.md, "Settled and marked profit".
 */
import { allocate } from './memory';
import { byte, float, int, setFloat, setInt, WalletFills } from './wallet-fills';

/** What the flags of a fill say of an outcome that is not known. */
const OUTCOME_UNKNOWN = 2;

/** What a fill adds, and when. Amounts in 1e-6 USD and shares if not said otherwise. */
// @ts-ignore: decorator
@unmanaged
class Fill {
  /** When its payout is known, Infinity if it never is; and what it earned then, in halves. */
  knownAt: f64;
  earned: f64;
  /** What it adds to its position: one, earnings, shares, USD bought for. All 0 if it was made once the outcome was public. */
  counts: f64;
  addsEarned: f64;
  addsShares: f64;
  addsInvested: f64;
  /** As long as the payout is not known: received less fee, and shares bought less sold. */
  cash: f64;
  net: f64;
  /** When its closing line stands, Infinity without one; and the gain on it. */
  closedAt: f64;
  lineGain: f64;
  /** Slots of market and token, the latter -1 if it has no name; 1 if the outcome is not known. */
  market: i32;
  token: i32;
  torn: i32;
}

/** Bytes of one, so that all begin at a multiple of 8. */
const FILL: usize = 96;

/** A market in which there are fills. Sums are 0 between two windows. */
// @ts-ignore: decorator
@unmanaged
class Position {
  fills: i32;
  torn: i32;
  counted: f64;
  pnl: f64;
  shares: f64;
  invested: f64;
}

/** Sums of an event, 0 between two windows. */
// @ts-ignore: decorator
@unmanaged
class Event {
  positions: i32;
  pnl: f64;
  shares: f64;
}

/** Of open fills, 0 between two windows. */
// @ts-ignore: decorator
@unmanaged
class Token {
  fills: i32;
  held: f64;
}

/** Numbers that are not known are NaN. The order is that of src/wallets/profile/settlement.ts. */
// @ts-ignore: decorator
@unmanaged
class Settled {
  settled: f64;
  unsettled: f64;
  wins: f64;
  pnlUsd: f64;
  winRate: f64;
  edge: f64;
  edgeStandardError: f64;
  edgeEffectiveEvents: f64;
  edgeByPosition: f64;
  roi: f64;
  largestEventPnlShare: f64;
  pnlHerfindahl: f64;
  closingLineValue: f64;
  /** USD that fills with a known payout earned; 1e-6 USD that the others received. */
  earnedUsd: f64;
  cash: f64;
  /** 1 if open fills hold a token without a name. */
  nameless: f64;
  /** 1 if there are open fills. */
  open: f64;
  changesAfter: f64;
  /** Tokens that open fills hold. */
  left: f64;
}

// @ts-ignore: decorator
@unmanaged
class Settling {
  result: Settled;
  /** Of tokens of open fills their slots (i32), and what is held of each (f64). */
  leftTokens: usize;
  left: usize;
  wallet: WalletFills;
  /** `Fill` by fill; by slot `Position`, `Event` and `Token`. */
  fills: usize;
  positions: usize;
  events: usize;
  tokens: usize;
  /** Slots (i32) that occur in a window. */
  usedPositions: usize;
  usedEvents: usize;
}

export function makeSettling(wallet: WalletFills): Settling {
  const all = changetype<Settling>(allocate(offsetof<Settling>()));
  all.wallet = wallet;
  all.result = changetype<Settled>(allocate(offsetof<Settled>()));
  return all;
}

/** Makes room for wallets of so many fills, and no more markets, events and tokens. */
export function reserveSettling(all: Settling, fills: i32): void {
  const room = <usize>fills;
  all.fills = allocate(room * FILL);
  all.positions = allocate(room * offsetof<Position>());
  all.events = allocate(room * offsetof<Event>());
  all.tokens = allocate(room * offsetof<Token>());
  all.leftTokens = allocate(room << 2);
  all.left = allocate(room << 3);
  all.usedPositions = allocate(room << 2);
  all.usedEvents = allocate(room << 2);
}

/** Takes the fills of the next wallet: finds what each adds, and when. */
export function loadSettling(all: Settling): void {
  const wallet = all.wallet;
  for (let i = 0; i < wallet.count; i++) {
    const fill = fillAt(all, i);
    const market = int(wallet.market, i);
    const token = int(wallet.token, i);
    const flags = byte(wallet.flags, i);
    const outcome = (flags >> 1) & 3;
    const bought = <f64>(flags & 1);
    const sign = 2 * bought - 1;
    const usd = float(wallet.usd, i);
    const shares = float(wallet.shares, i);
    const time = float(wallet.time, i);
    const given = float(wallet.fee, i);
    const fee = given == given ? given : 0;
    const payout = <f64>byte(outcome == 0 ? wallet.half0 : wallet.half1, market);
    const earned = sign * (shares * payout - 2 * usd) - 2 * fee;
    const knowableAt = float(wallet.knowableAt, market);
    // Who trades when the outcome is public is not forecasting it.
    const early: f64 = time < knowableAt ? 1 : 0;
    const closedAt = float(wallet.closedAt, market);
    const gain = sign * ((token < 0 ? NaN : float(wallet.closing, token)) * shares - usd);
    fill.knownAt = outcome == OUTCOME_UNKNOWN ? f64.POSITIVE_INFINITY : knowableAt;
    fill.earned = earned;
    fill.counts = early;
    fill.addsEarned = early * earned;
    fill.addsShares = early * shares;
    fill.addsInvested = early * bought * usd;
    fill.cash = -sign * usd - fee;
    fill.net = sign * shares;
    fill.closedAt = time < closedAt && gain == gain ? closedAt : f64.POSITIVE_INFINITY;
    fill.lineGain = gain;
    fill.market = market;
    fill.token = token;
    fill.torn = outcome == OUTCOME_UNKNOWN ? 1 : 0;
  }
}

/** Settles the fills from place `begin` to `end`, which is left out, as of a moment. */
export function settleFills(all: Settling, begin: i32, end: i32, asOf: f64): void {
  const result = all.result;
  let used = 0;
  let open = 0;
  let openTokens = 0;
  let earned: f64 = 0;
  let cash: f64 = 0;
  let nameless = false;
  let changesAfter = f64.POSITIVE_INFINITY;
  let lineGain: f64 = 0;
  let lineShares: f64 = 0;
  for (let i = begin; i < end; i++) {
    const fill = fillAt(all, i);
    const position = positionAt(all, fill.market);
    if (position.fills == 0) setInt(all.usedPositions, used++, fill.market);
    position.fills++;
    position.torn += fill.torn;
    if (fill.closedAt < asOf) {
      lineGain += fill.lineGain;
      lineShares += abs(fill.net);
    } else changesAfter = min(changesAfter, fill.closedAt);
    if (fill.knownAt < asOf) {
      earned += fill.earned;
      position.counted += fill.counts;
      position.pnl += fill.addsEarned;
      position.shares += fill.addsShares;
      position.invested += fill.addsInvested;
      continue;
    }
    open++;
    changesAfter = min(changesAfter, fill.knownAt);
    cash += fill.cash;
    if (fill.token < 0) {
      nameless = nameless || fill.net != 0;
      continue;
    }
    const token = tokenAt(all, fill.token);
    if (token.fills == 0) setInt(all.leftTokens, openTokens++, fill.token);
    token.fills++;
    token.held += fill.net;
  }
  sumPositions(all, used, asOf);
  result.closingLineValue = lineShares > 0 ? lineGain / lineShares : NaN;
  result.earnedUsd = earned / 2e6;
  result.cash = cash;
  result.nameless = nameless ? 1 : 0;
  result.open = open > 0 ? 1 : 0;
  result.changesAfter = changesAfter;
  result.left = takeLeft(all, openTokens);
}

// @ts-ignore: decorator
@inline
function fillAt(all: Settling, i: i32): Fill {
  return changetype<Fill>(all.fills + <usize>i * FILL);
}

// @ts-ignore: decorator
@inline
function positionAt(all: Settling, slot: i32): Position {
  return changetype<Position>(all.positions + <usize>slot * offsetof<Position>());
}

// @ts-ignore: decorator
@inline
function eventAt(all: Settling, slot: i32): Event {
  return changetype<Event>(all.events + <usize>slot * offsetof<Event>());
}

// @ts-ignore: decorator
@inline
function tokenAt(all: Settling, slot: i32): Token {
  return changetype<Token>(all.tokens + <usize>slot * offsetof<Token>());
}

/** Lists what is left of the tokens of open fills, and empties their sums. What is not held needs no price. */
function takeLeft(all: Settling, count: i32): i32 {
  let left = 0;
  for (let j = 0; j < count; j++) {
    const slot = int(all.leftTokens, j);
    const token = tokenAt(all, slot);
    const held = token.held;
    token.fills = 0;
    token.held = 0;
    if (held == 0) continue;
    setInt(all.leftTokens, left, slot);
    setFloat(all.left, left, held);
    left++;
  }
  return left;
}

/** Fills in the result from the sums of positions, and empties these. */
function sumPositions(all: Settling, count: i32, asOf: f64): void {
  const result = all.result;
  let settled = 0;
  let unsettled = 0;
  let wins = 0;
  let pnl: f64 = 0;
  let shares: f64 = 0;
  let invested: f64 = 0;
  let edges: f64 = 0;
  let withShares = 0;
  let events = 0;
  for (let j = 0; j < count; j++) {
    const market = int(all.usedPositions, j);
    const position = positionAt(all, market);
    if (position.torn != 0 || float(all.wallet.knowableAt, market) >= asOf) unsettled++;
    else if (position.counted > 0) {
      settled++;
      wins += <i32>(position.pnl > 0);
      pnl += position.pnl;
      shares += position.shares;
      invested += position.invested;
      if (position.shares > 0) {
        edges += position.pnl / (2 * position.shares);
        withShares++;
      }
      const slot = int(all.wallet.eventOfMarket, market);
      const event = eventAt(all, slot);
      if (event.positions == 0) setInt(all.usedEvents, events++, slot);
      event.positions++;
      event.pnl += position.pnl;
      event.shares += position.shares;
    }
    position.fills = 0;
    position.torn = 0;
    position.counted = 0;
    position.pnl = 0;
    position.shares = 0;
    position.invested = 0;
  }
  result.settled = settled;
  result.unsettled = unsettled;
  result.wins = wins;
  result.pnlUsd = settled > 0 ? pnl / 2e6 : NaN;
  result.winRate = settled > 0 ? <f64>wins / <f64>settled : NaN;
  result.edge = shares > 0 ? pnl / (2 * shares) : NaN;
  result.edgeByPosition = withShares > 0 ? edges / <f64>withShares : NaN;
  result.roi = invested > 0 ? pnl / (2 * invested) : NaN;
  sumEvents(all, events, pnl, shares);
}

/** What is told by event: the clustered error and how concentrated the profit is. Empties the sums of events. */
function sumEvents(all: Settling, count: i32, pnl: f64, shares: f64): void {
  const result = all.result;
  const ratio = pnl / shares;
  let residuals: f64 = 0;
  let weights: f64 = 0;
  let absolute: f64 = 0;
  let squares: f64 = 0;
  let largest: f64 = 0;
  for (let j = 0; j < count; j++) {
    const event = eventAt(all, int(all.usedEvents, j));
    const residual = event.pnl - ratio * event.shares;
    const size = abs(event.pnl);
    residuals += residual * residual;
    weights += event.shares * event.shares;
    absolute += size;
    squares += size * size;
    largest = max(largest, size);
    event.positions = 0;
    event.pnl = 0;
    event.shares = 0;
  }
  const known = shares > 0;
  result.edgeStandardError =
    known && count >= 2 ? sqrt((residuals * <f64>count) / <f64>(count - 1)) / (2 * shares) : NaN;
  result.edgeEffectiveEvents = known ? (shares * shares) / weights : NaN;
  result.largestEventPnlShare = absolute > 0 ? largest / absolute : NaN;
  result.pnlHerfindahl = absolute > 0 ? squares / (absolute * absolute) : NaN;
}
