/** Corrections for having asked more than one question of the same data. */
import { normalQuantile } from '../random/rng.ts';

/** Row numbers by ascending p; a p-value that is not in [0, 1] is refused. */
function ascending(p: ArrayLike<number>): number[] {
  for (let i = 0; i < p.length; i++)
    if (!((p[i] as number) >= 0 && (p[i] as number) <= 1)) throw new RangeError(`p-value ${i} is ${p[i]}`);
  return Array.from({ length: p.length }, (_, i) => i).sort((a, b) => (p[a] as number) - (p[b] as number) || a - b);
}

/**
 * Holm's adjusted p-values: the chance of even one false finding among all stays below alpha where `adjusted < alpha`,
 * whatever the dependence. Source: Holm (1979), A simple sequentially rejective multiple test procedure.
 */
export function holm(p: ArrayLike<number>): number[] {
  const adjusted = new Array<number>(p.length).fill(0);
  let highest = 0;
  ascending(p).forEach((at, k) => {
    highest = Math.max(highest, Math.min(1, (p.length - k) * (p[at] as number)));
    adjusted[at] = highest;
  });
  return adjusted;
}

/**
 * The level at which Holm's procedure tests each p-value: alpha / (m - k) for the k-th smallest, and from the first
 * that is not rejected on, the level of that one. Intervals at these levels agree with the adjusted p-values.
 */
export function holmLevels(p: ArrayLike<number>, alpha: number): number[] {
  const levels = new Array<number>(p.length).fill(alpha);
  let stopped: number | undefined;
  ascending(p).forEach((at, k) => {
    const level = stopped ?? alpha / (p.length - k);
    if (stopped === undefined && !((p[at] as number) < level)) stopped = level;
    levels[at] = level;
  });
  return levels;
}

/**
 * Benjamini-Hochberg adjusted p-values: among the findings with `adjusted < q`, an expected share of at most q is
 * false, for independent or positively dependent tests. Source: Benjamini and Hochberg (1995).
 */
export function benjaminiHochberg(p: ArrayLike<number>): number[] {
  const m = p.length;
  const adjusted = new Array<number>(m).fill(1);
  const order = ascending(p);
  let lowest = 1;
  for (let k = m - 1; k >= 0; k--) {
    const at = order[k] as number;
    lowest = Math.min(lowest, ((p[at] as number) * m) / (k + 1));
    adjusted[at] = lowest;
  }
  return adjusted;
}

/**
 * Benjamini-Yekutieli adjusted p-values: as Benjamini-Hochberg, times 1 + 1/2 + ... + 1/m, and so valid however the
 * tests depend on each other. Source: Benjamini and Yekutieli (2001).
 */
export function benjaminiYekutieli(p: ArrayLike<number>): number[] {
  let harmonic = 0;
  for (let k = 1; k <= p.length; k++) harmonic += 1 / k;
  return benjaminiHochberg(p).map((value) => Math.min(1, value * harmonic));
}

/**
 * What the best of `n` subjects without any skill shows, in standard errors: the expected maximum of n normal numbers.
 * Source: Bailey and Lopez de Prado (2014), The deflated Sharpe ratio, equation 6.
 */
export function expectedBestOf(n: number): number {
  if (!(n > 1)) return n === 1 ? 0 : NaN;
  const eulerMascheroni = 0.5772156649015329;
  return (1 - eulerMascheroni) * normalQuantile(1 - 1 / n) + eulerMascheroni * normalQuantile(1 - 1 / (n * Math.E));
}
