/** The normal distribution, with equal bits on every machine. Its quantile stands beside the random numbers. */
import { exp } from './elementary.ts';

const ROOT_OF_TWO_PI = 2.5066282746310002;

/** Density of the standard normal distribution. */
export function normalDensity(z: number): number {
  return exp((-z * z) / 2) / ROOT_OF_TWO_PI;
}

/**
 * P(Z >= z) of a standard normal Z, relative error about 1e-13. Up to 3 the power series of the distribution function,
 * beyond it Laplace's continued fraction. Source: Abramowitz and Stegun (1964), 26.2.11 and 26.2.14.
 */
export function normalTail(z: number): number {
  if (Number.isNaN(z)) return NaN;
  if (z < 0) return 1 - normalTail(-z);
  if (z > 38.5) return 0;
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - normalDensity(z) * sum;
  }
  let fraction = z;
  for (let k = 200; k >= 1; k--) fraction = z + k / fraction;
  return normalDensity(z) / fraction;
}
