/** How a wallet traded in a window of time: size, pace, hours, spread over markets. Undefined numbers are NaN. */
import { log } from '../numeric/elementary.ts';
import { DAY, HOUR } from '../tables/time.ts';
import { categories, type MarketFacts, type WalletFills } from './facts.ts';

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
export function makeActivity(markets: MarketFacts): (fills: WalletFills, begin: number, end: number) => Activity {
  const marketSeen = new Uint8Array(markets.count);
  const eventUsd = new Float64Array(markets.eventCount);
  const eventSeen = new Uint8Array(markets.eventCount);
  const eventList: number[] = [];
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
    buyShare: NaN,
    meanPrice: NaN,
    longshotShare: NaN,
    makerShare: NaN,
    burstiness: NaN,
    hourEntropy: NaN,
    sizeVariation: NaN,
  };
  return (fills, begin, end) => {
    const n = end - begin;
    hours.fill(0);
    byCategory.fill(0);
    eventList.length = 0;
    let [bought, sold, shares, largest] = [0, 0, 0, 0];
    let [buys, longshots, makers, takers] = [0, 0, 0, 0];
    let [distinctMarkets, days, lastDay] = [0, 0, Number.NaN];
    for (let i = begin; i < end; i++) {
      const market = fills.market[i] as number;
      const event = markets.event[market] as number;
      const usd = fills.usd[i] as number;
      const time = fills.time[i] as number;
      if (marketSeen[market] === 0) {
        marketSeen[market] = 1;
        distinctMarkets++;
      }
      if (eventSeen[event] === 0) {
        eventSeen[event] = 1;
        eventList.push(event);
      }
      eventUsd[event] = (eventUsd[event] as number) + usd;
      (byCategory[markets.category[market] as number] as number)++;
      shares += fills.shares[i] as number;
      if (usd > largest) largest = usd;
      if (fills.buy[i] === 1) {
        buys++;
        bought += usd;
        if (5 * usd < (fills.shares[i] as number)) longshots++;
      } else sold += usd;
      if (fills.maker[i] === 1) makers++;
      else if (fills.maker[i] === 0) takers++;
      (hours[Math.floor(time / HOUR) % 24] as number)++;
      const day = Math.floor(time / DAY);
      if (day !== lastDay) days++;
      lastDay = day;
    }
    const usd = bought + sold;
    let squares = 0;
    for (const event of eventList) {
      const share = (eventUsd[event] as number) / usd;
      squares += share * share;
      eventUsd[event] = 0;
      eventSeen[event] = 0;
    }
    for (let i = begin; i < end; i++) marketSeen[fills.market[i] as number] = 0;
    result.trades = n;
    result.activeDays = days;
    result.markets = distinctMarkets;
    result.events = eventList.length;
    result.meanUsd = usd / 1e6 / n;
    result.maxUsd = largest / 1e6;
    result.domainFocus = 0;
    for (let c = 0; c < categories.length; c++) {
      const share = (byCategory[c] as number) / n;
      result.categoryShares[c] = share;
      result.domainFocus += share * share;
    }
    result.diversification = usd > 0 ? 1 - squares : Number.NaN;
    result.boughtUsd = bought / 1e6;
    result.soldUsd = sold / 1e6;
    result.buyShare = buys / n;
    result.meanPrice = shares > 0 ? usd / shares : Number.NaN;
    result.longshotShare = buys > 0 ? longshots / buys : Number.NaN;
    result.makerShare = makers + takers > 0 ? makers / (makers + takers) : Number.NaN;
    result.burstiness = burstiness(fills.time, begin, end);
    result.hourEntropy = entropyOfHours(hours, n);
    result.sizeVariation = sizeVariation(fills.usd, begin, end, usd / n);
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

function entropyOfHours(hours: Int32Array, n: number): number {
  let entropy = 0;
  for (const count of hours) if (count > 0) entropy -= (count / n) * log(count / n);
  // Rounding must not leave -0 or a hair above 1.
  return Math.min(1, Math.max(0, entropy / log(24)));
}
