/** Prices of the coins: martingales whose volatility comes in clusters, and the quotes around them. */
import { exp } from '../../../numeric/elementary.ts';
import type { Rng } from '../../../random/rng.ts';
import { coinCorrelation, coins, garch, type PerpetualParams, spreadInDeviations } from './assumptions.ts';

/** Quotes of one coin, one for each step of `quoteSeconds`. */
export interface CoinPath {
  readonly name: string;
  /** Whole numbers of these make a price, and a size; their product is whole 1e-6 USD. */
  readonly priceUnitsPerUsd: number;
  readonly sizeUnitsPerCoin: number;
  /** Price units of a tick. */
  readonly tick: number;
  /** Price units. */
  readonly mid: Float64Array;
  readonly bid: Float64Array;
  readonly ask: Float64Array;
}

const DAY_SECONDS = 86_400;

/**
 * log p moves by s z - s^2 / 2 a step, so the price is a martingale. Its variance is GARCH(1, 1) (Bollerslev 1986):
 * s'^2 = (1 - a - b) v + a (s z)^2 + b s^2, around v = (daily volatility)^2 / steps of a day. z is standard normal, with
 * a part in common to all coins.
 */
export function makePaths(params: PerpetualParams, rng: Rng): CoinPath[] {
  const steps = Math.floor((params.days * DAY_SECONDS) / params.quoteSeconds);
  const mean = (params.dailyVolatility ** 2 * params.quoteSeconds) / DAY_SECONDS;
  const paths = coins.slice(0, params.coins).map(({ name, price, sizeDecimals, tick }) => {
    const priceUnitsPerUsd = 10 ** (6 - sizeDecimals);
    return {
      name,
      priceUnitsPerUsd,
      sizeUnitsPerCoin: 10 ** sizeDecimals,
      tick: Math.round(tick * priceUnitsPerUsd),
      first: price * priceUnitsPerUsd,
      mid: new Float64Array(steps),
      bid: new Float64Array(steps),
      ask: new Float64Array(steps),
    };
  });
  const variances = paths.map(() => mean);
  for (let step = 0; step < steps; step++) {
    const common = rng.normal();
    paths.forEach(({ first, mid, bid, ask, tick }, c) => {
      const variance = variances[c] as number;
      const deviation = Math.sqrt(variance);
      const shock = deviation * (Math.sqrt(coinCorrelation) * common + Math.sqrt(1 - coinCorrelation) * rng.normal());
      const price = step === 0 ? first : (mid[step - 1] as number) * exp(shock - variance / 2);
      const half = Math.max(tick / 2, spreadInDeviations * deviation * price);
      mid[step] = price;
      bid[step] = Math.max(tick, Math.floor((price - half) / tick) * tick);
      ask[step] = Math.max(2 * tick, Math.ceil((price + half) / tick) * tick);
      variances[c] = (1 - garch.last - garch.variance) * mean + garch.last * shock ** 2 + garch.variance * variance;
    });
  }
  return paths;
}
