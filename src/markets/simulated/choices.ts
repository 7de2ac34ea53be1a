/** Which outcome a wallet buys, and what it must know for that. */
import type { Rng } from '../../random/rng.ts';
import { favourite, insider, longshot, skilledRange, ticksPerUsd } from './assumptions.ts';

export type Outcome = 0 | 1;

/** Prices of the two outcomes to this buyer, in ticks. */
export type Ticks = readonly [number, number];

/** A coin's choice: no knowledge, no preference. */
export function anyOutcome(rng: Rng): Outcome {
  return rng.uniform() < 0.5 ? 0 : 1;
}

/** The likelier outcome if it is dear enough to be a favourite, and not all too dear. */
export function favouriteOutcome(ticks: Ticks): Outcome | undefined {
  const outcome = ticks[0] >= ticks[1] ? 0 : 1;
  const price = ticks[outcome] / ticksPerUsd;
  return price >= favourite.low && price <= favourite.high ? outcome : undefined;
}

/** The less likely outcome if it is cheap enough to be a longshot, and not all too cheap. */
export function longshotOutcome(ticks: Ticks): Outcome | undefined {
  const outcome = ticks[0] < ticks[1] ? 0 : 1;
  const price = ticks[outcome] / ticksPerUsd;
  return price >= longshot.low && price <= longshot.high ? outcome : undefined;
}

/**
 * Chooses so that payout minus price is `edge` on average: outcome 0 is bought with chance 1/2 + d if it happens and
 * 1/2 - d if it does not. With probability q and prices q + a, 1 - q + b that mean is
 * d (4 q (1 - q) - (2 q - 1)(a - b)) - (a + b) / 2, here solved for d. Undefined where no d in [-1/2, 1/2] gives the
 * edge: near 0 and 1, where even knowing everything earns little. (There a small edge would take a nearly sure choice
 * and come as one rare win, so nobody could measure it: skilled wallets keep away from the ends.)
 */
export function skilledOutcome(
  rng: Rng,
  probability: number,
  happens: boolean,
  ticks: Ticks,
  edge: number,
): Outcome | undefined {
  const a = ticks[0] / ticksPerUsd - probability;
  const b = ticks[1] / ticksPerUsd - (1 - probability);
  const slope = 4 * probability * (1 - probability) - (2 * probability - 1) * (a - b);
  const d = (edge + (a + b) / 2) / slope;
  const uniform = rng.uniform();
  if (probability < skilledRange.low || probability > skilledRange.high || !(Math.abs(d) <= 0.5)) return undefined;
  return uniform < (happens ? 0.5 + d : 0.5 - d) ? 0 : 1;
}

/** What will happen, nearly always; `edge` is the mean of payout minus price of that rule at these prices. */
export function insiderOutcome(rng: Rng, happens: boolean, ticks: Ticks): { outcome: Outcome; edge: number } {
  const winner = happens ? 0 : 1;
  const loser = happens ? 1 : 0;
  const outcome = rng.uniform() < insider.hitRate ? winner : loser;
  const { hitRate } = insider;
  return { outcome, edge: hitRate - (hitRate * ticks[winner] + (1 - hitRate) * ticks[loser]) / ticksPerUsd };
}

/** True if what will happen is dear already, so that knowing it is worth little. */
export function tooLateForInsider(happens: boolean, ticks: Ticks): boolean {
  return ticks[happens ? 0 : 1] / ticksPerUsd > insider.highestPrice;
}
