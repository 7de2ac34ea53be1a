/** Products and shares of whole numbers, rounded once. Amounts are whole 1e-6, which doubles hold exactly below 2^53. */

/** Quotients up to it are known to well below a half, if they are known to 2^-50 of themselves. */
const MODEST = 2 ** 44;

/**
 * value * numerator / denominator, rounded to the nearest whole number, halves away from zero.
 *
 * Two roundings put the double quotient off by at most 2^-52 of itself. Unless it lies that close to a half, the
 * rounded number is certain; else it takes exact arithmetic, of big integers if the product is too large.
 */
export function portion(value: number, numerator: number, denominator: number): number {
  const product = value * numerator;
  const near = nearestOf(product / denominator);
  if (!Number.isNaN(near)) return near;
  if (Math.abs(product) <= Number.MAX_SAFE_INTEGER && Math.abs(2 * denominator) <= Number.MAX_SAFE_INTEGER)
    return wholeQuotient(product, denominator);
  return Number(quotient(BigInt(value) * BigInt(numerator), BigInt(denominator)));
}

/** The whole number nearest to a quotient that is off by at most 2^-50 of itself; NaN if that leaves two open. */
export function nearestOf(approximate: number): number {
  const size = Math.abs(approximate);
  if (!(size < MODEST)) return Number.NaN;
  const down = Math.floor(size);
  const beyond = size - down - 0.5;
  if (Math.abs(beyond) <= size * 2 ** -50) return Number.NaN;
  const near = beyond > 0 ? down + 1 : down;
  return approximate < 0 && near !== 0 ? -near : near;
}

/** The same for doubles whose remainder is exact. */
function wholeQuotient(product: number, denominator: number): number {
  const rest = product % denominator;
  const down = (product - rest) / denominator;
  const away = 2 * Math.abs(rest) >= Math.abs(denominator);
  const result = away ? down + (product < 0 === denominator < 0 ? 1 : -1) : down;
  return result === 0 ? 0 : result;
}

/** product / denominator, rounded to the nearest whole number, halves away from zero. */
export function quotient(product: bigint, denominator: bigint): bigint {
  const [n, d] = denominator < 0n ? [-product, -denominator] : [product, denominator];
  return n < 0n ? -((-2n * n + d) / (2n * d)) : (2n * n + d) / (2n * d);
}

/**
 * The part of an amount that falls to the first of two things by their weights, which are products of two whole
 * numbers and not negative; half if both weigh nothing. The other gets the rest, so that nothing is lost.
 */
export function firstPart(amount: number, first: readonly [number, number], second: readonly [number, number]): number {
  const a = BigInt(first[0]) * BigInt(first[1]);
  const b = BigInt(second[0]) * BigInt(second[1]);
  return a + b === 0n ? portion(amount, 1, 2) : Number(quotient(BigInt(amount) * a, a + b));
}

/**
 * Divides an amount by whole weights that are not negative (equally if all are 0) into `parts`, so that nothing is
 * lost: each part is rounded from what is left of amount and weights.
 */
export function divide(amount: number, weights: readonly number[], parts: number[]): void {
  let rest = amount;
  let left = 0n;
  for (const weight of weights) left += BigInt(weight);
  const equal = left === 0n;
  if (equal) left = BigInt(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const weight = equal ? 1n : BigInt(weights[i] as number);
    const part = left === 0n ? 0 : Number(quotient(BigInt(rest) * weight, left));
    parts[i] = part;
    rest -= part;
    left -= weight;
  }
}
