/** Single fields of recorded data: checked, and turned into the text that the canonical tables take exactly. */

/** A row is refused: the reason names the field. Caught by the reader, which counts it and goes on. */
export class Refused extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

export const PLACES = 8;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** `6e-05`, as Python writes small doubles, without its exponent; other text as it is. */
function withoutExponent(text: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?[eE]-(\d{1,2})$/.exec(text);
  if (match === null) return text;
  const [, sign, whole, fraction = '', exponent] = match;
  return Number(exponent) === 0 ? text : `${sign}0.${'0'.repeat(Number(exponent) - 1)}${whole}${fraction}`;
}

/**
 * Text of an exact decimal with at most `PLACES` decimals that count, without trailing zeros. JSON numbers and positive
 * exponents are refused: a double or a spreadsheet has lost what the exchange wrote.
 */
export function decimal(value: unknown, name: string, digits = 10): string {
  if (typeof value !== 'string') throw new Refused(`${name}: missing or not text`);
  const plain = withoutExponent(value);
  if (!NUMBER.test(plain)) throw new Refused(`${name}: not a plain number`);
  const text = plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
  const [whole = '', fraction = ''] = text.split('.');
  if (fraction.length > PLACES) throw new Refused(`${name}: more than eight decimals`);
  if (whole.replace(/^-?0*/, '').length > digits) throw new Refused(`${name}: too large`);
  return text === '-0' ? '0' : text;
}

/** A price: above 0. */
export function price(value: unknown, name: string): string {
  const text = decimal(value, name);
  if (text.startsWith('-')) throw new Refused(`${name}: negative`);
  if (text === '0') throw new Refused(`${name}: zero`);
  return text;
}

/** A size of up to 20 digits before the point, above 0. */
export function size(value: unknown, name: string): string {
  const text = decimal(value, name, 20);
  if (text.startsWith('-')) throw new Refused(`${name}: negative`);
  if (text === '0') throw new Refused(`${name}: zero`);
  return text;
}

/** Whole 10^-8 of the text that `decimal` gives. */
export function units(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(PLACES, '0'));
}

const DIGITS_OF_USD = 12;

/** Dollars in text with six decimals, from a whole number of 10^-`scale`, rounded once, half to even. */
export function dollars(amount: bigint, scale: number, name: string): string {
  const unit = 10n ** BigInt(scale - 6);
  const size = amount < 0n ? -amount : amount;
  let micros = size / unit;
  const twice = 2n * (size % unit);
  if (twice > unit || (twice === unit && micros % 2n === 1n)) micros++;
  const text = micros.toString().padStart(7, '0');
  if (text.length > 6 + DIGITS_OF_USD) throw new Refused(`${name}: too large`);
  return `${amount < 0n && micros > 0n ? '-' : ''}${text.slice(0, -6)}.${text.slice(-6)}`;
}

/** price x size in dollars. */
export const notional = (priceText: string, sizeText: string): string =>
  dollars(units(priceText) * units(sizeText), 2 * PLACES, 'price x size');

/** An amount of dollars with any number of decimals up to 18, rounded once, half to even. */
export function money(value: unknown, name: string): string {
  if (typeof value !== 'string' || !NUMBER.test(value)) throw new Refused(`${name}: not a plain number`);
  const [whole = '', fraction = ''] = value.split('.');
  if (fraction.length > 18) throw new Refused(`${name}: more than 18 decimals`);
  const signed = BigInt(whole + fraction.padEnd(18, '0'));
  return dollars(signed, 18, name);
}

/** 2020 and 2100: times outside are mistakes of unit. */
const [EARLIEST, LATEST] = [1_577_836_800_000_000, 4_102_444_800_000_000];

/** Microseconds of a time, if it is one of this century's. */
export function within(micros: number, name: string, unit: string): number {
  if (!Number.isSafeInteger(micros) || micros < EARLIEST || micros > LATEST)
    throw new Refused(`${name}: not ${unit} since 1970`);
  return micros;
}

/** Microseconds of a whole number of milliseconds, as number or text. */
export function millis(value: unknown, name: string): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') throw new Refused(`${name}: missing or not a number`);
  return within(number * 1000, name, 'milliseconds');
}

/** Microseconds of seconds with a fraction; what is beyond microseconds is cut. */
export function seconds(value: unknown, name: string): number {
  const text = typeof value === 'number' ? value.toFixed(7) : value;
  if (typeof text !== 'string' || !/^\d{1,16}(\.\d+)?$/.test(text)) throw new Refused(`${name}: not a number`);
  const [whole = '', fraction = ''] = text.split('.');
  return within(Number(whole) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0')), name, 'seconds');
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const HASH = /^0x[0-9a-fA-F]{64}$/;

export function address(value: unknown, name: string): string {
  if (typeof value !== 'string' || !ADDRESS.test(value)) throw new Refused(`${name}: not an address`);
  return value.toLowerCase();
}

/** A hash; null for all zeros, which is how the exchange says that there is none. */
export function hash(value: unknown, name: string): string | null {
  if (typeof value !== 'string' || !HASH.test(value)) throw new Refused(`${name}: not a hash`);
  return /^0x0*$/.test(value) ? null : value.toLowerCase();
}

export function coinName(value: unknown, name = 'coin'): string {
  if (typeof value !== 'string' || !/^[@#A-Za-z0-9:/_.+-]{1,40}$/.test(value)) throw new Refused(`${name}: not a name`);
  return value;
}

/** Perpetuals have a bare name; spot pairs are `@107` or `PURR/USDC`. */
export const isSpot = (coin: string): boolean => coin.startsWith('@') || coin.includes('/');

export function wholeNumber(value: unknown, name: string): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) throw new Refused(`${name}: not a whole number`);
  return text;
}

export function oneOf<T extends string>(value: unknown, values: Readonly<Record<string, T>>, name: string): T {
  const found = typeof value === 'string' ? values[value] : undefined;
  if (found === undefined) throw new Refused(`${name}: not ${Object.keys(values).join(' or ')}`);
  return found;
}
