/** What the fills of a window earned at settlement, and whether they beat the closing price. */
import { type MarketFacts, OUTCOME_UNKNOWN, TOKEN_UNKNOWN, type WalletFills } from '../facts.ts';
import type { PricePaths } from './price-paths.ts';

/** Undefined numbers are NaN. */
export interface SettledWindow {
  /** Profit by shares traded, USD a share. */
  edge: number;
  pnlUsd: number;
  /** Closing price less the price paid, by shares, the sign turned for sales, USD a share. */
  closingLineValue: number;
  /** The latest moment at which an outcome that was used could be known; NaN if none was. */
  knownAt: number;
  /** Whether a position is not settled by the deadline, though its outcome is one that could be. */
  pending: boolean;
}

export interface WindowSettler {
  /**
   * Settles the fills from index `begin` to `end` (exclusive) with what could be known strictly before `deadline`
   * (microseconds). The result is used again by the next call.
   */
  settle(fills: WalletFills, begin: number, end: number, deadline: number): SettledWindow;
}

/**
 * A position is a wallet's fills in one market. It counts if the outcome of each of its fills is known, and with the
 * fills made before the outcome was public. Payouts are whole halves, so profits are exact sums of halves of 1e-6 USD.
 *
 * @param closingLead microseconds before the outcome was public at which the closing price is taken
 */
export function makeWindowSettler(markets: MarketFacts, paths: PricePaths, closingLead: number): WindowSettler {
  const unknown = new Uint8Array(markets.count);
  const counted = new Int32Array(markets.count);
  const earned = new Float64Array(markets.count);
  const shares = new Float64Array(markets.count);
  const beaten = new Float64Array(markets.count);
  const beatenShares = new Float64Array(markets.count);
  const seen = new Uint8Array(markets.count);
  const touched: number[] = [];
  const result: SettledWindow = { edge: NaN, pnlUsd: NaN, closingLineValue: NaN, knownAt: NaN, pending: false };
  const add = (sums: Float64Array, market: number, value: number): void => {
    sums[market] = (sums[market] as number) + value;
  };

  const take = (fills: WalletFills, i: number): void => {
    const market = fills.market[i] as number;
    const outcome = fills.outcome[i] as number;
    if (seen[market] === 0) {
      seen[market] = 1;
      touched.push(market);
    }
    if (outcome === OUTCOME_UNKNOWN) {
      unknown[market] = 1;
      return;
    }
    const knowableAt = markets.knowableAt[market] as number;
    const time = fills.time[i] as number;
    // Whoever trades when the outcome is public is not forecasting it.
    if (time >= knowableAt) return;
    (counted[market] as number)++;
    if (knowableAt === Number.POSITIVE_INFINITY) return;
    const half = (outcome === 0 ? markets.half0[market] : markets.half1[market]) as number;
    const sign = fills.buy[i] === 1 ? 1 : -1;
    const usd = fills.usd[i] as number;
    const size = fills.shares[i] as number;
    add(earned, market, sign * (size * half - 2 * usd) - 2 * (fills.fee[i] as number));
    add(shares, market, size);
    const closing = closingPrice(fills.token[i] as number, time, knowableAt - closingLead);
    if (Number.isNaN(closing)) return;
    add(beaten, market, sign * (closing * size - usd));
    add(beatenShares, market, size);
  };

  /** Price of the last trade before `close`, if that is later than the fill: else nobody has judged it since. */
  const closingPrice = (token: number, time: number, close: number): number => {
    if (token === TOKEN_UNKNOWN || time >= close) return Number.NaN;
    const end = paths.before(token, close);
    return end > (paths.start[token] as number) && (paths.time[end - 1] as number) > time
      ? (paths.price[end - 1] as number)
      : Number.NaN;
  };

  const settle = (fills: WalletFills, begin: number, end: number, deadline: number): SettledWindow => {
    for (let i = begin; i < end; i++) take(fills, i);
    let positions = 0;
    let [profit, size, won, wonShares] = [0, 0, 0, 0];
    result.knownAt = Number.NaN;
    result.pending = false;
    for (const market of touched) {
      const knowableAt = markets.knowableAt[market] as number;
      if (unknown[market] === 0 && (counted[market] as number) > 0) {
        if (knowableAt < deadline) {
          positions++;
          profit += earned[market] as number;
          size += shares[market] as number;
          won += beaten[market] as number;
          wonShares += beatenShares[market] as number;
          result.knownAt = Number.isNaN(result.knownAt) ? knowableAt : Math.max(result.knownAt, knowableAt);
        } else result.pending = true;
      }
      unknown[market] = 0;
      seen[market] = 0;
      counted[market] = 0;
      for (const sums of [earned, shares, beaten, beatenShares]) sums[market] = 0;
    }
    touched.length = 0;
    result.pnlUsd = positions > 0 ? profit / 2e6 : Number.NaN;
    result.edge = size > 0 ? profit / (2 * size) : Number.NaN;
    result.closingLineValue = wonShares > 0 ? won / wonShares : Number.NaN;
    return result;
  };
  return { settle };
}
