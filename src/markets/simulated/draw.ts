/** Draws from the distributions that the simulated world uses, equal on every machine. */
import { exp, pow } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';

/** An index with probability proportional to its weight. */
export function pick(rng: Rng, weights: readonly number[]): number {
  let total = 0;
  for (const weight of weights) total += weight;
  let left = rng.uniform() * total;
  for (let i = 0; i < weights.length - 1; i++) {
    left -= weights[i] as number;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

/** Log-normal with the given median. */
export function logNormal(rng: Rng, median: number, sigma: number): number {
  return median * exp(sigma * rng.normal());
}

/** Pareto, at least 1: P(X > x) = x^-exponent. */
export function pareto(rng: Rng, exponent: number): number {
  return pow(1 - rng.uniform(), -1 / exponent);
}

/** Splits `total` into whole numbers proportional to the weights, by largest remainders; the first wins ties. */
export function apportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = weights.map((weight) => (total * weight) / sum);
  const counts = shares.map(Math.floor);
  const byRemainder = shares.map((share, i) => ({ i, rest: share - Math.floor(share) }));
  byRemainder.sort((a, b) => b.rest - a.rest || a.i - b.i);
  let left = total - counts.reduce((a, b) => a + b, 0);
  for (const { i } of byRemainder) {
    if (left-- <= 0) break;
    counts[i] = (counts[i] as number) + 1;
  }
  return counts;
}
