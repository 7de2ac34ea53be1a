/** Closed forms for a token that pays one dollar or nothing, held to its resolution. */

export interface BetMoments {
  /** Mean return on the price paid, as a share of it. */
  readonly mean: number;
  /** Standard deviation of that return. */
  readonly sd: number;
  /** Mean by standard deviation, a bet: (p - c) / sqrt(p (1 - p)). Not annualised: bets have no common clock. */
  readonly sharpe: number;
  readonly skew: number;
  readonly excessKurtosis: number;
}

/**
 * Moments of the return of one bet that wins with `probability` and costs `price` a share: those of a Bernoulli
 * variable, scaled. All are NaN where the outcome or the price leaves nothing to chance.
 */
export function betMoments(probability: number, price: number): BetMoments {
  const variance = probability * (1 - probability);
  if (!(variance > 0) || !(price > 0)) return { mean: NaN, sd: NaN, sharpe: NaN, skew: NaN, excessKurtosis: NaN };
  const root = Math.sqrt(variance);
  return {
    mean: (probability - price) / price,
    sd: root / price,
    sharpe: (probability - price) / root,
    skew: (1 - 2 * probability) / root,
    excessKurtosis: (1 - 6 * variance) / variance,
  };
}

/**
 * Independent bets at `price` that show an edge with the power wanted in a one-sided test: the normal approximation
 * with the variance at the price under the null and at price + edge under the alternative,
 * ((z_alpha sqrt(c (1 - c)) + z_power sqrt(p (1 - p))) / edge)^2, rounded up. NaN where price + edge is no probability.
 *
 * @param zAlpha normal quantile of 1 - alpha
 * @param zPower normal quantile of the power
 */
export function betsNeeded(price: number, edge: number, zAlpha: number, zPower: number): number {
  const probability = price + edge;
  if (!(edge > 0) || !(price > 0) || !(probability < 1)) return NaN;
  const root = zAlpha * Math.sqrt(price * (1 - price)) + zPower * Math.sqrt(probability * (1 - probability));
  return Math.ceil((root / edge) ** 2);
}
