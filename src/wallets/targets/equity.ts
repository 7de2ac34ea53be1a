/** A wallet's equity at every UTC midnight, marked to market, and what it says of risk. */
import { DAY } from '../../tables/time.ts';
import { type MarketFacts, OUTCOME_UNKNOWN, TOKEN_UNKNOWN, type WalletFills } from '../facts.ts';
import type { PricePaths } from './price-paths.ts';

/** Undefined numbers are NaN. Shares of the committed capital. */
export interface Risk {
  /** Largest fall of the equity from its highest point so far. */
  drawdown: number;
  /** Sample standard deviation of the daily returns, idle days included. */
  dailyVolatility: number;
  /** Change of the equity over the window. */
  return: number;
}

export interface EquityCurve {
  /** Takes the fills of the next wallet. */
  load(fills: WalletFills): void;
  /** Measures the midnights from `from` to `to`, both included (microseconds). The result is used again. */
  measure(from: number, to: number): Risk;
}

/** Price of every token at every midnight after its first trade: its last price strictly before. */
interface DayMarks {
  priceAt(token: number, day: number): number;
}

function readDayMarks(paths: PricePaths): DayMarks {
  const tokens = paths.start.length - 1;
  const firstDay = new Int32Array(tokens);
  const offsets = new Int32Array(tokens + 1);
  for (let k = 0; k < tokens; k++) {
    const [start, end] = [paths.start[k] as number, paths.start[k + 1] as number];
    // The first midnight strictly after a trade has it.
    firstDay[k] = start === end ? 0 : Math.floor((paths.time[start] as number) / DAY) + 1;
    const lastDay = start === end ? -1 : Math.floor((paths.time[end - 1] as number) / DAY) + 1;
    offsets[k + 1] = (offsets[k] as number) + (start === end ? 0 : lastDay - (firstDay[k] as number) + 1);
  }
  const prices = new Float64Array(offsets[tokens] as number);
  for (let k = 0; k < tokens; k++) {
    let at = paths.start[k] as number;
    const end = paths.start[k + 1] as number;
    for (let slot = offsets[k] as number; slot < (offsets[k + 1] as number); slot++) {
      const midnight = ((firstDay[k] as number) + slot - (offsets[k] as number)) * DAY;
      while (at + 1 < end && (paths.time[at + 1] as number) < midnight) at++;
      prices[slot] = paths.price[at] as number;
    }
  }
  return {
    priceAt: (token, day) => {
      const begin = offsets[token] as number;
      const count = (offsets[token + 1] as number) - begin;
      const slot = Math.min(count - 1, day - (firstDay[token] as number));
      return slot < 0 ? Number.NaN : (prices[begin + slot] as number);
    },
  };
}

/**
 * Equity counts from 0 before the wallet's first fill: cash paid and received, what resolved tokens pay from the moment
 * that was known, and the others at their last price. Tokens owed (sold without a purchase that the data show) count
 * with their price below zero. Committed capital is the most that was at stake on one day of the window: what was held
 * at its start (a token owed at one less its price) and what purchases and sales opened in the course of it.
 *
 * @param first, last first and last trade of the data, microseconds
 */
export function makeEquityCurve(markets: MarketFacts, paths: PricePaths, first: number, last: number): EquityCurve {
  const marks = readDayMarks(paths);
  const firstDay = Math.floor(first / DAY);
  // The last midnight up to which trades are known.
  const days = Math.max(0, Math.floor(last / DAY) - firstDay + 1);
  // By midnight, in 1e-6 USD: equity; value held; opened in the day that follows.
  const equity = new Float64Array(days);
  const held = new Float64Array(days);
  const opened = new Float64Array(days);
  const net = new Float64Array(markets.tokenCount);
  const marketOf = new Int32Array(markets.tokenCount);
  const outcomeOf = new Uint8Array(markets.tokenCount).fill(OUTCOME_UNKNOWN);
  const told: number[] = [];
  const listed = new Uint8Array(markets.tokenCount);
  let open: number[] = [];
  let cash = 0;
  const result: Risk = { drawdown: NaN, dailyVolatility: NaN, return: NaN };

  const payout = (market: number, outcome: number): number =>
    ((outcome === 0 ? markets.half0[market] : markets.half1[market]) as number) / 2;

  /** Books a fill; returns what it opened, 1e-6 USD. */
  const book = (fills: WalletFills, i: number): number => {
    const token = fills.token[i] as number;
    const size = fills.shares[i] as number;
    const usd = fills.usd[i] as number;
    const signed = fills.buy[i] === 1 ? size : -size;
    cash += (fills.buy[i] === 1 ? -usd : usd) - (fills.fee[i] as number);
    if (size === 0) return 0;
    if (token === TOKEN_UNKNOWN) {
      // Nobody can say what is held: the equity is unknown from here on.
      cash = Number.NaN;
      return 0;
    }
    const market = fills.market[i] as number;
    const outcome = fills.outcome[i] as number;
    const had = net[token] as number;
    net[token] = had + signed;
    marketOf[token] = market;
    // A source may tell the outcome of some fills of a token and not of others: what was told once holds.
    if (outcome !== OUTCOME_UNKNOWN) {
      if (outcomeOf[token] === OUTCOME_UNKNOWN) told.push(token);
      outcomeOf[token] = outcome;
    }
    if (listed[token] === 0) {
      listed[token] = 1;
      open.push(token);
    }
    const opening = had * signed >= 0 ? size : Math.max(0, size - Math.abs(had));
    const price = usd / size;
    return opening * (signed > 0 ? price : 1 - price);
  };

  /** Values what is held at a midnight and forgets what is closed or paid out. */
  const mark = (day: number): [equity: number, held: number] => {
    const midnight = day * DAY;
    let [value, stake, kept] = [0, 0, 0];
    for (const token of open) {
      const shares = net[token] as number;
      const market = marketOf[token] as number;
      const outcome = outcomeOf[token] as number;
      if (outcome !== OUTCOME_UNKNOWN && (markets.knowableAt[market] as number) < midnight) {
        cash += shares * payout(market, outcome);
        net[token] = 0;
      }
      if (net[token] === 0) {
        listed[token] = 0;
        continue;
      }
      open[kept++] = token;
      const price = marks.priceAt(token, day);
      value += shares * price;
      stake += shares > 0 ? shares * price : -shares * (1 - price);
    }
    open.length = kept;
    return [cash + value, stake];
  };

  const load = (fills: WalletFills): void => {
    for (const token of open) {
      net[token] = 0;
      listed[token] = 0;
    }
    for (const token of told) outcomeOf[token] = OUTCOME_UNKNOWN;
    told.length = 0;
    open = [];
    cash = 0;
    let i = 0;
    opened.fill(0);
    for (let d = 0; d < days; d++) {
      const midnight = (firstDay + d) * DAY;
      for (; i < fills.count && (fills.time[i] as number) < midnight; i++) {
        const stake = book(fills, i);
        if (d > 0) opened[d - 1] = (opened[d - 1] as number) + stake;
      }
      [equity[d], held[d]] = mark(firstDay + d);
    }
  };

  const measure = (from: number, to: number): Risk => {
    const begin = Math.max(0, Math.ceil(from / DAY) - firstDay);
    const end = Math.floor(to / DAY) - firstDay;
    result.drawdown = Number.NaN;
    result.dailyVolatility = Number.NaN;
    result.return = Number.NaN;
    const n = end - begin;
    if (n < 1 || end >= days) return result;
    let capital = 0;
    for (let d = begin; d < end; d++) capital = Math.max(capital, (held[d] as number) + (opened[d] as number));
    const start = equity[begin] as number;
    const change = (equity[end] as number) - start;
    if (!(capital > 0) || Number.isNaN(change)) return result;
    let [peak, fall, squares] = [start, 0, 0];
    for (let d = begin + 1; d <= end; d++) {
      const now = equity[d] as number;
      peak = Math.max(peak, now);
      fall = Math.max(fall, peak - now);
      const deviation = now - (equity[d - 1] as number) - change / n;
      squares += deviation * deviation;
    }
    result.drawdown = fall / capital;
    result.dailyVolatility = n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1)) / capital;
    result.return = change / capital;
    return result;
  };
  return { load, measure };
}
