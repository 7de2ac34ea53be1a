/** How a wallet traded in a window of time: size, pace, hours, spread over markets. Undefined numbers are NaN. */
import { isBuy, ROLE_MAKER, ROLE_TAKER, roleOf } from '../../facts/layout.ts';
import { log } from '../../numeric/elementary.ts';
import { DAY, HOUR } from '../../tables/time.ts';
import { categories, type MarketTable } from './market-table.ts';
import { atLeast, type WalletView } from './slots.ts';

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

/** Returns a function that describes the fills from `begin` to `end` (exclusive, at least one); its result is reused. */
export function makeActivity(markets: MarketTable): (view: WalletView, begin: number, end: number) => Activity {
  // By slot of the market or event; all zero between two calls.
  let marketSeen = new Uint8Array(0);
  let eventFills = new Int32Array(0);
  let eventUsd = new Float64Array(0);
  let touched = new Int32Array(0);
  const hours = new Int32Array(24);
  const byCategory = new Int32Array(categories.length);
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
  return (view, begin, end) => {
    const n = end - begin;
    hours.fill(0);
    byCategory.fill(0);
    marketSeen = atLeast(marketSeen, view.markets);
    eventFills = atLeast(eventFills, view.events);
    eventUsd = atLeast(eventUsd, view.events);
    touched = atLeast(touched, view.events);
    const { market, marketOf, eventOfMarket, time, usd, shares, flags } = view;
    let bought = 0;
    let sold = 0;
    let allShares = 0;
    let largest = 0;
    let buys = 0;
    let longshots = 0;
    let makers = 0;
    let takers = 0;
    let distinctMarkets = 0;
    let distinctEvents = 0;
    let days = 0;
    let lastDay = Number.NaN;
    let delays = 0;
    let delayed = 0;
    for (let i = begin; i < end; i++) {
      const slot = market[i] as number;
      const number = marketOf[slot] as number;
      const event = eventOfMarket[slot] as number;
      const amount = usd[i] as number;
      const at = time[i] as number;
      const flag = flags[i] as number;
      if (marketSeen[slot] === 0) {
        marketSeen[slot] = 1;
        distinctMarkets++;
        const created = markets.createdAt[number] as number;
        if (!Number.isNaN(created)) {
          delays += at - created;
          delayed++;
        }
      }
      if (eventFills[event] === 0) touched[distinctEvents++] = event;
      eventFills[event] = (eventFills[event] as number) + 1;
      eventUsd[event] = (eventUsd[event] as number) + amount;
      const category = markets.category[number] as number;
      byCategory[category] = (byCategory[category] as number) + 1;
      allShares += shares[i] as number;
      if (amount > largest) largest = amount;
      if (isBuy(flag) === 1) {
        buys++;
        bought += amount;
        if (5 * amount < (shares[i] as number)) longshots++;
      } else sold += amount;
      const role = roleOf(flag);
      if (role === ROLE_MAKER) makers++;
      else if (role === ROLE_TAKER) takers++;
      const hour = Math.floor(at / HOUR) % 24;
      hours[hour] = (hours[hour] as number) + 1;
      const day = Math.floor(at / DAY);
      if (day !== lastDay) days++;
      lastDay = day;
    }
    const total = bought + sold;
    let squares = 0;
    for (let j = 0; j < distinctEvents; j++) {
      const event = touched[j] as number;
      const share = (eventUsd[event] as number) / total;
      squares += share * share;
      eventUsd[event] = 0;
      eventFills[event] = 0;
    }
    for (let i = begin; i < end; i++) marketSeen[market[i] as number] = 0;
    result.trades = n;
    result.activeDays = days;
    result.markets = distinctMarkets;
    result.events = distinctEvents;
    result.meanUsd = total / 1e6 / n;
    result.maxUsd = largest / 1e6;
    let focus = 0;
    for (let c = 0; c < categories.length; c++) {
      const share = (byCategory[c] as number) / n;
      result.categoryShares[c] = share;
      focus += share * share;
    }
    result.domainFocus = focus;
    result.diversification = total > 0 ? 1 - squares : Number.NaN;
    result.boughtUsd = bought / 1e6;
    result.soldUsd = sold / 1e6;
    result.meanBuyUsd = buys > 0 ? bought / 1e6 / buys : Number.NaN;
    result.impactHours = delayed > 0 ? delays / HOUR / delayed : Number.NaN;
    result.buyShare = buys / n;
    result.meanPrice = allShares > 0 ? total / allShares : Number.NaN;
    result.longshotShare = buys > 0 ? longshots / buys : Number.NaN;
    result.makerShare = makers + takers > 0 ? makers / (makers + takers) : Number.NaN;
    result.burstiness = burstiness(time, begin, end);
    result.hourEntropy = entropyOfHours(hours, n);
    result.sizeVariation = sizeVariation(usd, begin, end, total / n);
    return result;
  };
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
