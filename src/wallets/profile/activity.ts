/** How a wallet traded in a window of time: size, pace, hours, spread over markets. Undefined numbers are NaN. */
import { isBuy, ROLE_MAKER, ROLE_TAKER, roleOf } from '../../facts/layout.ts';
import { log } from '../../numeric/elementary.ts';
import { HOUR } from '../../tables/time.ts';
import { categories } from './market-table.ts';
import { atLeast, putFirst, type WalletView } from './slots.ts';

export interface Activity {
  trades: number;
  activeDays: number;
  markets: number;
  events: number;
  meanUsd: number;
  maxUsd: number;
  /** Share of fills by category, in the order of `categories`. */
  readonly categoryShares: Float64Array;
  /** Sum of the squared shares by category: 1 is one category alone. */
  domainFocus: number;
  /** 1 less the sum of the squared shares of USD by event. */
  diversification: number;
  boughtUsd: number;
  soldUsd: number;
  meanBuyUsd: number;
  /** Mean over markets of the time from creation to the first fill. */
  impactHours: number;
  buyShare: number;
  /** USD a share over all fills. */
  meanPrice: number;
  /** Share of purchases below 0.20 USD a share. */
  longshotShare: number;
  /** Share of maker fills among those whose role is known. */
  makerShare: number;
  /** Sample standard deviation of the gaps between fills over their mean; NaN below three gaps. */
  burstiness: number;
  /** Shannon entropy of the UTC hours of the fills over log 24: 0 is one hour of the day, 1 all alike. */
  hourEntropy: number;
  /** Sample standard deviation of the sizes in USD over their mean; NaN below two fills. */
  sizeVariation: number;
}

export interface ActivityMeasure {
  /** Takes the fills of the next wallet. */
  load(view: WalletView): void;
  /**
   * Describes the fills from index `begin` to `end` (exclusive, at least one). Neither may be smaller than in the last
   * call for the wallet; the result is used again by the next call.
   */
  moveTo(begin: number, end: number): Activity;
}

/** Sums over the fills in the window; whole numbers, so that what leaves takes away exactly what it brought. */
interface WindowSums {
  buys: number;
  bought: number;
  sold: number;
  shares: number;
  longshots: number;
  makers: number;
  takers: number;
  days: number;
  markets: number;
  events: number;
  /** Markets whose creation is known, and the time from there to their first fill in whole seconds and microseconds. */
  delayed: number;
  delaySeconds: number;
  delayMicros: number;
}

const noSums = (): WindowSums => ({
  buys: 0,
  bought: 0,
  sold: 0,
  shares: 0,
  longshots: 0,
  makers: 0,
  takers: 0,
  days: 0,
  markets: 0,
  events: 0,
  delayed: 0,
  delaySeconds: 0,
  delayMicros: 0,
});

const SECOND = 1e6;

/** Describes windows that move forward: a fill is counted when it enters and taken off when it leaves. */
export function makeActivity(): ActivityMeasure {
  let view: WalletView;
  // The window that the sums are of.
  let first = 0;
  let after = 0;
  let sums = noSums();
  const hours = new Int32Array(24);
  const byCategory = new Int32Array(categories.length);
  // By slot: fills in the window, and the USD of an event.
  let marketFills = new Int32Array(0);
  let eventFills = new Int32Array(0);
  let eventUsd = new Float64Array(0);
  // By fill: the next one in its market, and the one before it in its event; -1 without.
  let next = new Int32Array(0);
  let before = new Int32Array(0);
  // By slot, while loading: the last fill so far.
  let lastOf = new Int32Array(0);
  // Fills of the window that no later one is larger than, the largest first: from `head` to `tail`.
  let falling = new Int32Array(0);
  let head = 0;
  let tail = 0;
  const result: Activity = {
    trades: 0,
    activeDays: 0,
    markets: 0,
    events: 0,
    meanUsd: NaN,
    maxUsd: NaN,
    categoryShares: new Float64Array(categories.length),
    domainFocus: NaN,
    diversification: NaN,
    boughtUsd: 0,
    soldUsd: 0,
    meanBuyUsd: NaN,
    impactHours: NaN,
    buyShare: NaN,
    meanPrice: NaN,
    longshotShare: NaN,
    makerShare: NaN,
    burstiness: NaN,
    hourEntropy: NaN,
    sizeVariation: NaN,
  };

  const load = (loaded: WalletView): void => {
    view = loaded;
    const { count, market, event } = view;
    first = 0;
    after = 0;
    head = 0;
    tail = 0;
    sums = noSums();
    putFirst(hours, 0, hours.length);
    putFirst(byCategory, 0, byCategory.length);
    marketFills = putFirst(atLeast(marketFills, view.markets), 0, view.markets);
    eventFills = putFirst(atLeast(eventFills, view.events), 0, view.events);
    eventUsd = putFirst(atLeast(eventUsd, view.events), 0, view.events);
    falling = atLeast(falling, count);
    next = atLeast(next, count);
    before = atLeast(before, count);
    lastOf = atLeast(lastOf, Math.max(view.markets, view.events));
    putFirst(lastOf, -1, view.events);
    for (let i = 0; i < count; i++) {
      before[i] = lastOf[event[i] as number] as number;
      lastOf[event[i] as number] = i;
    }
    putFirst(lastOf, -1, view.markets);
    for (let i = count - 1; i >= 0; i--) {
      next[i] = lastOf[market[i] as number] as number;
      lastOf[market[i] as number] = i;
    }
  };

  /** Counts a fill (`by` is 1), or takes it off again (-1), in all sums that do not ask for its neighbours. */
  const count = (i: number, by: number): void => {
    const amount = view.usd[i] as number;
    const flag = view.flags[i] as number;
    const event = view.event[i] as number;
    const category = view.category[view.market[i] as number] as number;
    const hour = view.hour[i] as number;
    byCategory[category] = (byCategory[category] as number) + by;
    hours[hour] = (hours[hour] as number) + by;
    eventFills[event] = (eventFills[event] as number) + by;
    eventUsd[event] = (eventUsd[event] as number) + by * amount;
    sums.shares += by * (view.shares[i] as number);
    if (isBuy(flag) === 1) {
      sums.buys += by;
      sums.bought += by * amount;
      if (5 * amount < (view.shares[i] as number)) sums.longshots += by;
    } else sums.sold += by * amount;
    const role = roleOf(flag);
    if (role === ROLE_MAKER) sums.makers += by;
    else if (role === ROLE_TAKER) sums.takers += by;
  };

  /** Counts fill `i` as the first of its market, or takes that off again. */
  const countFirst = (i: number, by: number): void => {
    const created = view.createdAt[view.market[i] as number] as number;
    if (Number.isNaN(created)) return;
    const delay = (view.time[i] as number) - created;
    const seconds = Math.floor(delay / SECOND);
    sums.delayed += by;
    sums.delaySeconds += by * seconds;
    sums.delayMicros += by * (delay - SECOND * seconds);
  };

  const enter = (i: number): void => {
    const slot = view.market[i] as number;
    const fills = marketFills[slot] as number;
    marketFills[slot] = fills + 1;
    if (fills === 0) {
      sums.markets++;
      countFirst(i, 1);
    }
    if (eventFills[view.event[i] as number] === 0) sums.events++;
    count(i, 1);
    if (i === first || view.day[i] !== view.day[i - 1]) sums.days++;
    while (tail > head && (view.usd[falling[tail - 1] as number] as number) <= (view.usd[i] as number)) tail--;
    falling[tail++] = i;
  };

  const leave = (i: number): void => {
    const slot = view.market[i] as number;
    const fills = (marketFills[slot] as number) - 1;
    marketFills[slot] = fills;
    countFirst(i, -1);
    if (fills === 0) sums.markets--;
    else countFirst(next[i] as number, 1);
    count(i, -1);
    if (eventFills[view.event[i] as number] === 0) sums.events--;
    if (i + 1 === after || view.day[i] !== view.day[i + 1]) sums.days--;
    if (falling[head] === i) head++;
  };

  const moveTo = (begin: number, end: number): Activity => {
    // What lies between two windows enters neither.
    if (begin >= after) {
      while (first < after) leave(first++);
      first = begin;
      after = begin;
    }
    while (after < end) enter(after++);
    while (first < begin) leave(first++);
    describe();
    return result;
  };

  const describe = (): void => {
    const n = after - first;
    const { buys, bought, sold, makers, takers } = sums;
    const total = bought + sold;
    result.trades = n;
    result.activeDays = sums.days;
    result.markets = sums.markets;
    result.events = sums.events;
    result.meanUsd = total / 1e6 / n;
    result.maxUsd = (view.usd[falling[head] as number] as number) / 1e6;
    let focus = 0;
    for (let c = 0; c < categories.length; c++) {
      const share = (byCategory[c] as number) / n;
      result.categoryShares[c] = share;
      focus += share * share;
    }
    result.domainFocus = focus;
    result.diversification = total > 0 ? 1 - squaredShares(total) : Number.NaN;
    result.boughtUsd = bought / 1e6;
    result.soldUsd = sold / 1e6;
    result.meanBuyUsd = buys > 0 ? bought / 1e6 / buys : Number.NaN;
    const delays = SECOND * sums.delaySeconds + sums.delayMicros;
    result.impactHours = sums.delayed > 0 ? delays / HOUR / sums.delayed : Number.NaN;
    result.buyShare = buys / n;
    result.meanPrice = sums.shares > 0 ? total / sums.shares : Number.NaN;
    result.longshotShare = buys > 0 ? sums.longshots / buys : Number.NaN;
    result.makerShare = makers + takers > 0 ? makers / (makers + takers) : Number.NaN;
    result.burstiness = burstiness(view.time, first, after);
    result.hourEntropy = entropyOfHours(hours, n);
    result.sizeVariation = sizeVariation(view.usd, first, after, total / n);
  };

  /** Sum of the squared shares of USD by event, in the order in which the window first holds the events. */
  const squaredShares = (total: number): number => {
    let squares = 0;
    for (let i = first; i < after; i++) {
      if ((before[i] as number) >= first) continue;
      const share = (eventUsd[view.event[i] as number] as number) / total;
      squares += share * share;
    }
    return squares;
  };
  return { load, moveTo };
}

function burstiness(time: Float64Array, begin: number, end: number): number {
  const gaps = end - begin - 1;
  if (gaps < 3) return Number.NaN;
  const mean = ((time[end - 1] as number) - (time[begin] as number)) / gaps;
  if (mean === 0) return Number.NaN;
  let squares = 0;
  for (let i = begin + 1; i < end; i++) {
    const deviation = (time[i] as number) - (time[i - 1] as number) - mean;
    squares += deviation * deviation;
  }
  return Math.sqrt(squares / (gaps - 1)) / mean;
}

function sizeVariation(usd: Float64Array, begin: number, end: number, mean: number): number {
  const n = end - begin;
  if (n < 2 || mean === 0) return Number.NaN;
  let squares = 0;
  for (let i = begin; i < end; i++) {
    const deviation = (usd[i] as number) - mean;
    squares += deviation * deviation;
  }
  return Math.sqrt(squares / (n - 1)) / mean;
}

/** k log k, asked for millions of times with small k. */
const entropies = Float64Array.from({ length: 4096 }, (_, k) => (k === 0 ? 0 : k * log(k)));

function entropyOfHours(hours: Int32Array, n: number): number {
  let sum = 0;
  for (let h = 0; h < 24; h++) {
    const count = hours[h] as number;
    if (count === n) return 0;
    sum += count < entropies.length ? (entropies[count] as number) : count * log(count);
  }
  // -sum p log p = log n - (sum k log k) / n. Rounding must not leave a hair above 1.
  return Math.min(1, Math.max(0, (log(n) - sum / n) / LOG_24));
}

const LOG_24 = log(24);
