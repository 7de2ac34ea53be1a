/** What copying a fill would have earned by a horizon: on the same token, in its direction, after costs. */
import { pow } from '../../numeric/elementary.ts';
import { type MarketFacts, OUTCOME_UNKNOWN } from '../facts.ts';
import type { PricePaths } from '../targets/price-paths.ts';

/** Costs of the copier, who takes. Per share, on entry and again on exit; a payout costs nothing. */
export interface Costs {
  /** USD a share. */
  readonly halfSpread: number;
  /** Fee in USD a share: rate x (p(1 - p))^exponent at price p. */
  readonly feeRate: number;
  readonly feeExponent: number;
}

export interface LabelOptions {
  /** Microseconds. */
  readonly horizon: number;
  /** How much older than the horizon the price there may be, microseconds; below the horizon. */
  readonly tolerance: number;
  /** Whether a token whose outcome is public by the horizon is worth its payout then. */
  readonly payouts: boolean;
  readonly costs: Costs;
  /** Last trade of the data, microseconds. */
  readonly last: number;
}

export interface LabelledFill {
  readonly token: number;
  readonly market: number;
  readonly outcome: number;
  /** Microseconds. */
  readonly time: number;
  readonly price: number;
  readonly buy: boolean;
}

/** Net move of a fill in USD a share; NaN if the data end before the horizon, or nobody traded the token near it. */
export function makeLabel(
  markets: MarketFacts,
  paths: PricePaths,
  options: LabelOptions,
): (fill: LabelledFill) => number {
  const { horizon, tolerance, costs } = options;
  const costAt = (price: number): number =>
    costs.halfSpread +
    (costs.feeRate === 0 ? 0 : costs.feeRate * pow(Math.max(0, price * (1 - price)), costs.feeExponent));
  return ({ token, market, outcome, time, price, buy }) => {
    const end = time + horizon;
    if (end > options.last) return Number.NaN;
    const sign = buy ? 1 : -1;
    if (options.payouts && outcome !== OUTCOME_UNKNOWN && (markets.knowableAt[market] as number) <= end) {
      const payout = ((outcome === 0 ? markets.half0[market] : markets.half1[market]) as number) / 2;
      return sign * (payout - price) - costAt(price);
    }
    // At or before the horizon.
    const last = paths.before(token, end + 1) - 1;
    if (last < (paths.start[token] as number) || (paths.time[last] as number) < end - tolerance) return Number.NaN;
    const exit = paths.price[last] as number;
    return sign * (exit - price) - costAt(price) - costAt(exit);
  };
}
