/** Products and shares of whole numbers, rounded once. Amounts are whole 1e-6, which doubles hold exactly below 2^53. */

/** value * numerator / denominator, rounded to the nearest whole number, halves away from zero. */
export function portion(value: number, numerator: number, denominator: number): number {
  const product = value * numerator;
  // Quotients of exact whole doubles are rounded correctly, but only small ones keep the half that rounding looks at.
  if (Math.abs(product) <= Number.MAX_SAFE_INTEGER && Math.abs(2 * denominator) <= Number.MAX_SAFE_INTEGER)
    return wholeQuotient(product, denominator);
  return Number(quotient(BigInt(value) * BigInt(numerator), BigInt(denominator)));
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
