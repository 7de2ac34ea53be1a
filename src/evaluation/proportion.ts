/** Shares of counts, with intervals. */
import { poissonBinomial } from './poisson-binomial.ts';

export interface Proportion {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval of `successes` out of `n`, 95 % unless `z` says otherwise; NaN for n = 0. Source: Wilson (1927). */
export function wilson(successes: number, n: number, z = 1.959963984540054): Proportion {
  if (n === 0) return { value: NaN, low: NaN, high: NaN };
  const share = successes / n;
  const z2 = z * z;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * The counts between which a sum of independent chances falls with at least 95 %: the largest `low` and the smallest
 * `high` with at most 2.5 % beyond each. For equal chances the range of a binomial count.
 */
export function countRange(probabilities: ArrayLike<number>, tail = 0.025): { low: number; high: number } {
  const mass = poissonBinomial(probabilities);
  let low = 0;
  for (let below = mass[0] as number; below <= tail && low < probabilities.length; ) below += mass[++low] as number;
  let high = probabilities.length;
  for (let above = mass[high] as number; above <= tail && high > 0; ) above += mass[--high] as number;
  return { low, high };
}
