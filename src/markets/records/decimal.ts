/** Exact arithmetic with the decimal numbers that JSON gives as doubles. */

/** Digits and their scale: value = digits / 10^scale. Shortest text of a double, which is what services write. */
function decimalOf(value: number): { readonly digits: bigint; readonly scale: number } {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

/** A quotient of whole numbers, not negative, rounded half to even. */
function halfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  return twice > denominator || (twice === denominator && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** A whole number of millionths times a price, in millionths: one rounding, half to even. Neither is negative. */
export function timesPrice(millionths: number, price: number): number {
  const { digits, scale } = decimalOf(price);
  return Number(halfEven(BigInt(millionths) * digits, 10n ** BigInt(scale)));
}
