/**
 * How many of several independent bets win, each with its own probability: the Poisson-binomial distribution, exact by
 * convolution; and the saddlepoint approximation where there are many bets or they have weights.
 */
import { exp, log } from '../numeric/elementary.ts';
import { normalDensity, normalTail } from '../numeric/normal.ts';

/** Up to this many bets the distribution is computed exactly: a million steps or so. */
const EXACT_UP_TO = 1500;

/** Probabilities of 0 to n wins. Exact up to rounding; only positive terms are added. */
export function poissonBinomial(probabilities: ArrayLike<number>): Float64Array {
  const n = probabilities.length;
  const mass = new Float64Array(n + 1);
  mass[0] = 1;
  for (let i = 0; i < n; i++) {
    const p = probabilities[i] as number;
    for (let k = i + 1; k > 0; k--) mass[k] = (mass[k] as number) * (1 - p) + (mass[k - 1] as number) * p;
    mass[0] = (mass[0] as number) * (1 - p);
  }
  return mass;
}

/** P(wins >= k) as a function of k, a whole number; exact for up to 1,500 bets, by saddlepoint beyond. */
export function winsTail(probabilities: ArrayLike<number>): (k: number) => number {
  const n = probabilities.length;
  if (n > EXACT_UP_TO) return (k) => latticeTail(probabilities, k);
  const tail = poissonBinomial(probabilities);
  for (let k = n - 1; k >= 0; k--) tail[k] = (tail[k] as number) + (tail[k + 1] as number);
  return (k) => (k <= 0 ? 1 : k > n ? 0 : Math.min(1, tail[k] as number));
}

/** As `winsTail` at one k, by the saddlepoint whatever the number of bets. */
export function latticeTail(probabilities: ArrayLike<number>, k: number): number {
  let possible = 0;
  let certain = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if ((probabilities[i] as number) > 0) possible++;
    if ((probabilities[i] as number) >= 1) certain++;
  }
  if (k <= certain) return 1;
  if (k > possible) return 0;
  // Daniels' second continuity correction: half a win less, and 2 sinh(s / 2) for s.
  return lugannaniRice(probabilities, undefined, k - 0.5, (s) => exp(s / 2) - exp(-s / 2));
}

/**
 * P(sum of the weights of winning bets >= x) for positive weights that form no lattice.
 * Source: Lugannani and Rice (1980), Advances in Applied Probability 12; Daniels (1987), International Statistical Review 55.
 */
export function weightedTail(probabilities: ArrayLike<number>, weights: ArrayLike<number>, x: number): number {
  let most = 0;
  let least = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if ((probabilities[i] as number) > 0) most += weights[i] as number;
    if ((probabilities[i] as number) >= 1) least += weights[i] as number;
  }
  const slack = 1e-9 * most;
  if (x <= least + slack) return 1;
  if (x > most + slack) return 0;
  if (x >= most - slack) {
    let all = 1;
    for (let i = 0; i < probabilities.length; i++)
      if ((probabilities[i] as number) > 0) all *= probabilities[i] as number;
    return all;
  }
  return lugannaniRice(probabilities, weights, x, (s) => s);
}

/** Q(w) + phi(w) (1/u - 1/w), w and u at the saddlepoint s where K'(s) = x, K the cumulant generating function. */
function lugannaniRice(
  probabilities: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  x: number,
  spacing: (s: number) => number,
): number {
  const s = saddlepoint(probabilities, weights, x);
  const { value, variance } = cumulants(probabilities, weights, s);
  const w = Math.sign(s) * Math.sqrt(Math.max(0, 2 * (s * x - value)));
  if (Math.abs(w) < 1e-3) {
    // There 1/u and 1/w cancel; Edgeworth's first term has their limit.
    const zero = cumulants(probabilities, weights, 0);
    const z = (x - zero.mean) / Math.sqrt(zero.variance);
    return normalTail(z) + (normalDensity(z) * (z * z - 1) * zero.third) / (6 * zero.variance ** 1.5);
  }
  const u = spacing(s) * Math.sqrt(variance);
  return Math.min(1, Math.max(0, normalTail(w) + normalDensity(w) * (1 / u - 1 / w)));
}

/** Newton's method within brackets: K' rises from the sure wins to all possible ones. */
function saddlepoint(probabilities: ArrayLike<number>, weights: ArrayLike<number> | undefined, x: number): number {
  let low = -1;
  let high = 1;
  while (cumulants(probabilities, weights, low).mean > x && low > -1e6) low *= 2;
  while (cumulants(probabilities, weights, high).mean < x && high < 1e6) high *= 2;
  let s = 0;
  for (let round = 0; round < 200 && high - low > 1e-13 * Math.max(1, Math.abs(s)); round++) {
    const { mean, variance } = cumulants(probabilities, weights, s);
    if (mean < x) low = s;
    else high = s;
    const next = s + (x - mean) / variance;
    if (Math.abs(next - s) < 1e-14 * Math.max(1, Math.abs(s))) break;
    s = next > low && next < high ? next : (low + high) / 2;
  }
  return s;
}

/** K(s) = sum of log(1 - p + p e^(s w)), its first two derivatives, and the third at the same s. */
function cumulants(
  probabilities: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  s: number,
): { value: number; mean: number; variance: number; third: number } {
  let [value, mean, variance, third] = [0, 0, 0, 0];
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] as number;
    const weight = weights?.[i] ?? 1;
    const t = s * weight;
    // With the larger of 1 and e^t taken out nothing overflows.
    const growth = exp(-Math.abs(t));
    const [lost, won] = t > 0 ? [(1 - p) * growth, p] : [1 - p, p * growth];
    const total = lost + won;
    const tilted = won / total;
    value += Math.max(0, t) + log(total);
    mean += weight * tilted;
    variance += weight * weight * tilted * (1 - tilted);
    third += weight ** 3 * tilted * (1 - tilted) * (1 - 2 * tilted);
  }
  return { value, mean, variance, third };
}
