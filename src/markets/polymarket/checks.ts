/**
 * Checks of single fields, as SQL over text columns. DuckDB's own casts heal too much in silence: they round the
 * seventh decimal, drop a time zone, and take `253591.6` for 253592.
 */
import { identifier } from '../../tables/duck.ts';

/** A reason to refuse a row, and the condition, never null, under which it holds. */
export interface Check {
  readonly reason: string;
  readonly when: string;
}

const matches = (column: string, pattern: string): string =>
  `coalesce(regexp_full_match(${identifier(column)}, '${pattern}'), false)`;

export const notNumber = (column: string): Check[] => [
  {
    reason: `${column}: not finite`,
    when: `coalesce(regexp_full_match(lower(${identifier(column)}), '[+-]?(nan|inf|infinity)'), false)`,
  },
  { reason: `${column}: not a number`, when: `NOT ${matches(column, '-?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]{1,2})?')}` },
];

/**
 * The exact value of a number if it has at most `decimals` decimals but for zeros; null if more, or if too large.
 * Plain numbers are told by their text; those with an exponent by a wider cast, 60 times as slow.
 */
export function exact(column: string, width: number, decimals: number): string {
  const text = identifier(column);
  const spare = Math.min(12, 38 - width);
  const wide = `try_cast(${text} AS DECIMAL(${width + spare}, ${decimals + spare}))`;
  const value = `try_cast(${text} AS DECIMAL(${width}, ${decimals}))`;
  const plain = matches(column, `-?[0-9]+(\\.[0-9]{0,${decimals}}0*)?`);
  const exponent = `${matches(column, `-?[0-9]+(\\.[0-9]{0,${decimals}})?[eE][+-]?[0-9]{1,2}`)}`;
  return `CASE WHEN ${plain} THEN ${value} WHEN ${exponent} AND ${wide} = ${value} THEN ${value} END`;
}

/** Amounts in millionths: `DECIMAL(18, 6)`. */
export const amount = (column: string): string => exact(column, 18, 6);

export const badAmount = (column: string): Check[] => [
  ...notNumber(column),
  { reason: `${column}: negative`, when: `starts_with(${identifier(column)}, '-')` },
  { reason: `${column}: more than six decimals or too large`, when: `(${amount(column)}) IS NULL` },
];

export const zeroAmount = (column: string): Check => ({
  reason: `${column}: zero`,
  when: `coalesce((${amount(column)}) = 0, false)`,
});

/**
 * 0 and 1 themselves pass: cash is rounded to millionths, so a fill of dust close to an end has such a quotient, and
 * the chain has such fills.
 */
export const priceOutside = (column: string): Check => ({
  reason: `${column}: outside [0, 1]`,
  when: `NOT coalesce(try_cast(${identifier(column)} AS DOUBLE) BETWEEN 0 AND 1, false)`,
});

export const notAddress = (column: string): Check => ({
  reason: `${column}: not an address`,
  when: `NOT ${matches(column, '0x[0-9a-fA-F]{40}')}`,
});

export const notHash = (column: string): Check => ({
  reason: `${column}: not a hash`,
  when: `NOT ${matches(column, '0x[0-9a-fA-F]{64}')}`,
});

/** Token ids have up to 78 digits, which no number type holds: they stay text. */
export const notToken = (column: string): Check => ({
  reason: `${column}: not a token id`,
  when: `NOT ${matches(column, '[1-9][0-9]{0,77}')}`,
});

export const notOneOf = (column: string, values: readonly string[]): Check => ({
  reason: `${column}: not ${values.join(' or ')}`,
  when: `NOT coalesce(${identifier(column)} IN (${values.map((v) => `'${v}'`).join(', ')}), false)`,
});

export const absent = (column: string): Check => ({
  reason: `${column}: empty`,
  when: `${identifier(column)} IS NULL`,
});

const CLOCK = '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?';

/** A time without a zone; null if it is none. A zone would be dropped by the cast, so it is refused. */
export const naiveTime = (column: string): string =>
  `CASE WHEN ${matches(column, CLOCK)} THEN try_cast(${identifier(column)} AS TIMESTAMP) END`;

/** A time in UTC: with a zone as written, without one taken for UTC. Null if it is none. */
export function utcTime(column: string): string {
  const text = identifier(column);
  // The quick cast passes over a zone, which nothing is lost by where that is UTC.
  return `CASE WHEN ${matches(column, `${CLOCK}(Z|[+-]00(:?00)?)?`)} THEN try_cast(${text} AS TIMESTAMP)
    WHEN ${matches(column, `${CLOCK}(Z|[+-][0-9]{2}(:?[0-9]{2})?)`)}
    THEN timezone('UTC', try_cast(${text} AS TIMESTAMPTZ)) END`;
}

/** The venue opened in 2020: earlier times, and those of a far future, are mistakes of unit or format. */
export const timeOutside = (column: string, time: string): Check => ({
  reason: `${column}: not a time of the format`,
  when: `NOT coalesce((${time}) BETWEEN TIMESTAMP '2020-01-01' AND TIMESTAMP '2099-12-31', false)`,
});

/** A market's number as text. Spreadsheets and data frames turn 253591 into `253591.0`; `253591.6` is no market. */
export const marketNumber = (column: string): string =>
  `CASE WHEN ${matches(column, '[0-9]+(\\.0*)?')} THEN split_part(${identifier(column)}, '.', 1) END`;

/** The first reason that holds, else null. */
export function firstReason(checks: readonly Check[]): string {
  return `CASE ${checks.map(({ reason, when }) => `WHEN ${when} THEN '${reason.replaceAll("'", "''")}'`).join('\n')} END`;
}

/** Millionths from a product of an amount and a price, rounded once, half to even, in 128-bit integers. */
export function productInMillionths(shares: string, price: string): string {
  const whole = (value: string): string => `replace((${value})::VARCHAR, '.', '')::HUGEINT`;
  const n = `(${whole(shares)} * ${whole(price)})`;
  const unit = '10000000000000000000::HUGEINT';
  const half = '5000000000000000000::HUGEINT';
  return `(${n} // ${unit} + CASE WHEN ${n} % ${unit} > ${half}
    OR (${n} % ${unit} = ${half} AND (${n} // ${unit}) % 2 = 1) THEN 1 ELSE 0 END)::BIGINT`;
}

/** Dollars or tokens from whole millionths, exactly. */
export const fromMillionths = (millionths: string): string =>
  `((${millionths})::BIGINT::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6)`;
