/** What an order pays or gets: quotes that allow for better informed wallets, the tick, and the impact of size. */
import { impact, ticksPerUsd, type WorldParams } from './assumptions.ts';
import type { Ticks } from './choices.ts';

const TICK = 1 / ticksPerUsd;

/**
 * Ask around a probability where a share `mu` of all orders knows the outcome and the rest are a coin's: what the
 * outcome is worth given that somebody buys it (Glosten and Milgrom 1985). The bid is the ask with -mu. In log-odds both
 * lie log((1 + mu) / (1 - mu)) from the middle.
 */
export function ask(probability: number, mu: number): number {
  const buys = probability * (1 + mu);
  return buys / (buys + (1 - probability) * (1 - mu));
}

/**
 * Prices of both outcomes to one order, in ticks. A taker buys outcome 0 at the ask and outcome 1 at one less the bid,
 * plus a tick and the impact of its size; a maker at the other side of the spread; selling mirrors.
 *
 * @param mid the public probability of outcome 0, as the quotes have it
 * @param costs half spread at a probability of 1/2, where the ask is 1/2 + mu/2: half the share of informed orders, and
 *   nothing, not even the tick, if it is 0; and what the impact is multiplied by
 */
export function orderPrices(
  mid: number,
  costs: Pick<WorldParams, 'halfSpread' | 'impactScale'>,
  maker: boolean,
  sell: boolean,
  usd: number,
): Ticks {
  const { halfSpread, impactScale } = costs;
  const pressure = maker ? 0 : impactScale * Math.min(impact.most, impact.at1000Usd * Math.sqrt(usd / 1000));
  const sign = maker === sell ? 1 : -1;
  const extra = (halfSpread > 0 ? sign * TICK : 0) + (sell ? -pressure : pressure);
  const mu = sign * 2 * halfSpread;
  return [onTick(ask(mid, mu) + extra), onTick(ask(1 - mid, mu) + extra)];
}

/** The price in ticks, strictly between 0 and 1. */
export function onTick(price: number): number {
  return Math.min(ticksPerUsd - 1, Math.max(1, Math.round(price * ticksPerUsd)));
}
