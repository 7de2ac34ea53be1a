/** Numbers and times as the page writes them. Nothing here depends on the reader's locale or zone. */

/** U+2212, as wide as a plus. */
export const MINUS = '\u2212';
/** What stands where nothing is known. */
export const UNKNOWN = '\u2013';
/** Space that keeps a number and its unit on one line. */
export const NBSP = '\u00a0';

const SIGNIFICANT = 3;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** True for numbers that can be shown. */
export function known(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

function grouped(digits: string): string {
  const [whole = '', fraction] = digits.split('.');
  const head = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? head : `${head}.${fraction}`;
}

/** A number with a fixed count of decimals; `plus` marks gains. A rounded zero has no sign. */
export function fixed(value: number | null | undefined, decimals: number, plus = false): string {
  if (!known(value)) return UNKNOWN;
  const digits = Math.abs(value).toFixed(Math.max(0, Math.min(20, decimals)));
  const sign = Number(digits) === 0 ? '' : value < 0 ? MINUS : plus ? '+' : '';
  return sign + grouped(digits);
}

/** Decimals that show three significant digits of a value. */
export function decimalsOf(value: number): number {
  const rounded = Math.abs(Number(value.toPrecision(SIGNIFICANT)));
  if (rounded === 0) return 0;
  return Math.max(0, Math.min(12, SIGNIFICANT - 1 - Math.floor(Math.log10(rounded))));
}

function exponential(value: number): string {
  const [mantissa = '', exponent = ''] = Math.abs(value)
    .toExponential(SIGNIFICANT - 1)
    .split('e');
  return `${value < 0 ? MINUS : ''}${mantissa}e${exponent.replace('-', MINUS).replace('+', '')}`;
}

/** An estimate: three significant digits, thousands separated. */
export function estimate(value: number | null | undefined, plus = false): string {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) return exponential(value);
  return fixed(Number(value.toPrecision(SIGNIFICANT)), decimalsOf(value), plus);
}

/** A count: every digit, thousands separated. */
export function count(value: number | null | undefined): string {
  return fixed(value, 0);
}

/** A value of unknown nature, maybe a sum: whole and large numbers keep every digit before the point. */
export function plain(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  return size < 1e12 && (Number.isInteger(value) || size >= 1000) ? count(value) : estimate(value);
}

/**
 * Decimals for values that stand under each other: three significant digits of the largest, and up to two more where
 * a smaller one would be rounded away.
 */
export function commonDecimals(values: readonly (number | null | undefined)[]): number {
  const sizes = values.filter(known).map(Math.abs);
  const largest = Math.max(0, ...sizes);
  const least = Math.min(...sizes.filter((size) => size > 0));
  let decimals = decimalsOf(largest);
  for (let more = 0; more < 2 && least < 0.5 * 10 ** -decimals; more++) decimals++;
  return decimals;
}

/** A large number in prose: "41.3 M". */
export function compact(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  for (const [size, letter] of [
    [1e9, 'bn'],
    [1e6, 'M'],
  ] as const) {
    if (Math.abs(value) >= size) return `${estimate(value / size)}${NBSP}${letter}`;
  }
  return plain(value);
}

/** The interval beside an estimate, with the estimate's decimals; empty if either end is unknown. */
export function interval(
  value: number | null | undefined,
  low: number | null | undefined,
  high: number | null | undefined,
  places?: number,
): string {
  if (!known(low) || !known(high)) return '';
  if (places !== undefined) return `[${fixed(low, places)}, ${fixed(high, places)}]`;
  if (!known(value)) return `[${estimate(low)}, ${estimate(high)}]`;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) return `[${estimate(low)}, ${estimate(high)}]`;
  // An estimate of exactly 0 has no decimals of its own.
  const decimals = value === 0 ? Math.max(decimalsOf(low), decimalsOf(high)) : decimalsOf(value);
  return `[${fixed(low, decimals)}, ${fixed(high, decimals)}]`;
}

/** Puts the unit behind a number, unless there is no number. */
export function withUnit(text: string, unit: string | undefined): string {
  return unit === undefined || unit === '' || text === UNKNOWN || text === '' ? text : `${text}${NBSP}${unit}`;
}

/** A share as a percentage: "1.4 %". */
export function percent(share: number | null | undefined): string {
  if (!known(share)) return UNKNOWN;
  const size = Math.abs(share * 100);
  if (size > 0 && size < 0.001) return `<${NBSP}0.001${NBSP}%`;
  return `${estimate(share * 100)}${NBSP}%`;
}

/** "1 trial", "2 trials". */
export function plural(n: number, word: string, words = `${word}s`): string {
  return `${count(n)}${NBSP}${n === 1 ? word : words}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** "19 Nov 2026" from UTC milliseconds. */
export function day(milliseconds: number): string {
  if (!known(milliseconds)) return UNKNOWN;
  const date = new Date(milliseconds);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}

/** "06:41" from UTC milliseconds. */
export function clock(milliseconds: number): string {
  const date = new Date(milliseconds);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** "19 Nov 2026, 06:41 UTC" from UTC milliseconds. */
export function instant(milliseconds: number): string {
  return known(milliseconds) ? `${day(milliseconds)}, ${clock(milliseconds)} UTC` : UNKNOWN;
}

/** "Nov 2026", and "2026" where the month is January and the year alone says it. */
export function monthOf(milliseconds: number, januaryAsYear: boolean): string {
  const date = new Date(milliseconds);
  if (januaryAsYear && date.getUTCMonth() === 0) return String(date.getUTCFullYear());
  return januaryAsYear
    ? (months[date.getUTCMonth()] ?? '')
    : `${months[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}

/** "2 h 05 min", "3 min 20 s", "4.21 s". */
export function duration(seconds: number | null | undefined): string {
  if (!known(seconds)) return UNKNOWN;
  if (seconds < 60) return `${estimate(seconds)}${NBSP}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}${NBSP}min${NBSP}${two(whole % 60)}${NBSP}s`;
  return `${count(Math.floor(whole / 3600))}${NBSP}h${NBSP}${two(Math.floor((whole % 3600) / 60))}${NBSP}min`;
}
