/** How many planted wallets the procedure should find, from the planted distribution of edges alone. */

import { winsTail } from '../../evaluation/poisson-binomial.ts';
import { countRange } from '../../evaluation/proportion.ts';
import { normalTail } from '../../numeric/normal.ts';
import { normalQuantile } from '../../random/rng.ts';

/** Normal over wallets, USD a share; only its positive part is skill. */
export interface PlantedEdges {
  readonly mean: number;
  readonly sd: number;
}

/** Mean of the planted distribution over this many equally likely edges. */
const NODES = 24;

/** Power of one wallet's test at a level: the chance that a wallet with such bets and a planted edge is rejected. */
export type PowerAt = (level: number) => number;

/**
 * The test rejects from the smallest k on with P(wins >= k) <= level without skill. With an edge d every bet wins with
 * chance q + d, at most 1; the power is the mean over the planted edges above zero.
 */
export function powerOf(chance: ArrayLike<number>, planted: PlantedEdges): PowerAt {
  const n = chance.length;
  const without = winsTail(chance);
  const withEdge = edgesOf(planted).map((edge) =>
    winsTail(Float64Array.from(chance, (q) => Math.min(1, Math.max(0, q + edge)))),
  );
  return (level) => {
    let [low, high] = [0, n + 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (without(middle) <= level) high = middle;
      else low = middle + 1;
    }
    if (low > n) return 0;
    return withEdge.reduce((sum, tail) => sum + tail(low), 0) / withEdge.length;
  };
}

/** Middles of equally likely slices of the part of the distribution above zero. */
function edgesOf({ mean, sd }: PlantedEdges): number[] {
  if (!(sd > 0)) return [mean];
  const positive = normalTail(-mean / sd);
  return Array.from({ length: NODES }, (_, k) => mean - sd * normalQuantile((positive * (k + 0.5)) / NODES));
}

export interface PredictedPower {
  /** Level at which a wallet is expected to be found. */
  readonly level: number;
  /** Mean power over the planted wallets. */
  readonly power: number;
  /** Range of the share found that chance allows, 95 %. */
  readonly low: number;
  readonly high: number;
}

/**
 * Benjamini-Hochberg rejects up to the largest level t with t <= rate R(t) / m, R the number rejected. In its place
 * stands what is expected: the null wallets at most at their level, m0 t, and the planted ones by their power. So the
 * prediction uses numbers of bets, prices and the planted distribution, and nothing of what came out.
 * Source: Genovese and Wasserman (2002), JRSS B 64.
 *
 * @param tests all wallets tested, planted ones included
 * @param divisor what the rate is divided by: 1, or 1 + 1/2 + ... + 1/m for Benjamini-Yekutieli
 */
export function predictPower(
  planted: readonly PowerAt[],
  tests: number,
  rate: number,
  divisor: number,
): PredictedPower {
  let level = rate / divisor;
  for (let round = 0; round < 500; round++) {
    const found = planted.reduce((sum, power) => sum + power(level), 0) + (tests - planted.length) * level;
    const next = Math.min(level, (rate * found) / (divisor * tests));
    if (level - next < 1e-9 * level) break;
    level = next;
  }
  const powers = planted.map((power) => power(level));
  const n = powers.length;
  const range = countRange(powers);
  return {
    level,
    power: powers.reduce((sum, power) => sum + power, 0) / n,
    low: range.low / n,
    high: range.high / n,
  };
}
