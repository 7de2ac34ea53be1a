/** Closed forms of market microstructure, against which simulated and recorded markets can be held. */
import { exp, log } from './elementary.ts';

/**
 * Hanson's logarithmic market scoring rule with liquidity `b` (shares): what a market maker has taken in once `sold[i]`
 * shares of outcome i are out, b ln(sum of e^(sold_i / b)), USD. Buying costs the difference of two such costs, and the
 * maker loses at most b ln(number of outcomes). Source: Hanson (2003), Information Systems Frontiers 5.
 */
export function lmsrCost(sold: readonly number[], b: number): number {
  const largest = Math.max(...sold);
  return largest + b * log(sold.reduce((sum, shares) => sum + exp((shares - largest) / b), 0));
}

/** Prices of all outcomes at that point, USD a share; they add up to one. */
export function lmsrPrices(sold: readonly number[], b: number): number[] {
  const largest = Math.max(...sold);
  const weights = sold.map((shares) => exp((shares - largest) / b));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

export interface KyleEquilibrium {
  /** Price impact of order flow, USD a share and share. */
  readonly impact: number;
  /** Shares that the insider trades for each USD by which he knows the price to be wrong. */
  readonly aggression: number;
  /** Expected profit of the insider, USD. */
  readonly profit: number;
  /** Variance of the value once the flow is seen: half of what it was. */
  readonly posteriorVariance: number;
}

/**
 * One round of Kyle's market: an insider who knows a normal value of variance `priorVariance` trades beside noise of
 * standard deviation `noise` shares; the price is the expected value given their sum.
 * Source: Kyle (1985), Econometrica 53, theorem 1.
 */
export function kyle(priorVariance: number, noise: number): KyleEquilibrium {
  const sd = Math.sqrt(priorVariance);
  return {
    impact: sd / (2 * noise),
    aggression: noise / sd,
    profit: (noise * sd) / 2,
    posteriorVariance: priorVariance / 2,
  };
}

/** Herfindahl-Hirschman index of shares of a total, 0 to 10,000 (percent points squared); NaN without a total. */
export function herfindahl(amounts: ArrayLike<number>): number {
  let [total, squares] = [0, 0];
  for (let i = 0; i < amounts.length; i++) total += amounts[i] as number;
  for (let i = 0; i < amounts.length; i++) squares += ((amounts[i] as number) / total) ** 2;
  return total > 0 ? 10_000 * squares : NaN;
}
