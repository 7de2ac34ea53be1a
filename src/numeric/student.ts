/** Student's t distribution, with equal bits on every machine. */
import { exp, log } from './elementary.ts';

/**
 * P(T >= t) of Student's t with `df` > 0 degrees of freedom, relative error about 1e-12.
 * Source: Abramowitz and Stegun (1964), 26.7.1, by the incomplete beta function (26.5.27).
 */
export function studentTail(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return NaN;
  if (t < 0) return 1 - studentTail(-t, df);
  if (t === Infinity) return 0;
  return incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2;
}

/** The t below which Student's t falls with probability `p` in (0, 1): bisection of the tail, to the last few bits. */
export function studentQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1)) return NaN;
  if (p < 0.5) return -studentQuantile(1 - p, df);
  if (p === 0.5) return 0;
  let high = 1;
  while (studentTail(high, df) > 1 - p) high *= 2;
  let low = 0;
  for (let step = 0; step < 100 && high - low > 1e-14 * high; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, df) > 1 - p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function, by its continued fraction. Source: Abramowitz and Stegun, 26.5.8. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean; above it, the other tail does.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = exp(a * log(x) + b * log(1 - x) - (logGamma(a) + logGamma(b) - logGamma(a + b))) / a;
  let fraction = 1;
  for (let m = 300; m >= 1; m--) {
    const k = m >> 1;
    const coefficient =
      m % 2 === 0
        ? (k * (b - k) * x) / ((a + 2 * k - 1) * (a + 2 * k))
        : (-(a + k) * (a + b + k) * x) / ((a + 2 * k) * (a + 2 * k + 1));
    fraction = 1 + coefficient / fraction;
  }
  return front / fraction;
}

/** ln Γ(x) for x > 0: Stirling's series, shifted up to where it holds to the last bits. Source: ibid., 6.1.41. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += log(z);
  const w = 1 / (z * z);
  const series = (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - (w * 5) / 5940)))) / z;
  return (z - 0.5) * log(z) - z + 0.9189385332046728 + series - shift;
}
