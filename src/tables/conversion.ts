/**
 * Texts to typed values in SQL, with a reason where a text is not what its column says. DuckDB's own casts round
 * (253591.6 becomes 253592, a seventh digit is dropped, an offset from UTC is ignored); here such values are refused.
 */
import type { ColumnDescription } from './dataset.ts';
import { identifier, quote } from './duck.ts';

export interface Conversion {
  /** SQL of the value; null where it is missing or wrong. */
  readonly value: string;
  /** SQL of the reason why a value is wrong; null where it is right. */
  readonly reason: string;
}

/** For a column of the given description whose texts stand in the VARCHAR column `raw`. */
export function conversionOf(column: ColumnDescription, raw: string, timeZone: string | undefined): Conversion {
  const source = identifier(raw);
  const text = column.type === 'text' ? source : `trim(${source}, E' \\t\\r\\n')`;
  // Without a token for it, emptiness is still the absence of a value for everything but text.
  const tokens = column.type === 'text' ? column.missing : [...new Set([...column.missing, ''])];
  const listed = tokens.length === 0 ? 'false' : `${text} IN (${tokens.map(quote).join(', ')})`;
  const missing = `(${source} IS NULL OR ${listed})`;
  const { value, checks } = typed(column, text, timeZone);
  const needed = column.role === 'id' || column.role === 'time';
  const cases = checks.map(([wrong, reason]) => `WHEN ${wrong} THEN ${quote(reason)}`).join(' ');
  return {
    value: `CASE WHEN NOT ${missing} THEN ${value} END`,
    reason: `CASE WHEN ${missing} THEN ${needed ? quote(`no ${column.role}`) : 'NULL'} ${cases} END`,
  };
}

interface Typed {
  readonly value: string;
  /** Conditions in SQL with the reason each gives; the first that holds counts. */
  readonly checks: readonly (readonly [string, string])[];
}

function typed(column: ColumnDescription, text: string, timeZone: string | undefined): Typed {
  const matches = (pattern: string): string => `regexp_full_match(${text}, ${quote(pattern)})`;
  switch (column.type) {
    case 'text':
      return { value: text, checks: [] };
    case 'number': {
      const number = `try_cast(${text} AS DOUBLE)`;
      return {
        value: number,
        checks: [
          [`NOT ${matches('[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')}`, 'not a number'],
          [`coalesce(isinf(${number}), true)`, 'beyond the range of a double'],
          [
            `${matches('[+-]?[0-9]+')} AND abs(${number}) >= 9007199254740992`,
            'a whole number that a double rounds (declare it as integer or text)',
          ],
        ],
      };
    }
    case 'integer': {
      const whole = `try_cast(regexp_extract(${text}, '^[+-]?[0-9]+') AS BIGINT)`;
      return {
        value: whole,
        checks: [
          [`NOT ${matches('[+-]?[0-9]+([.]0*)?')}`, 'not a whole number'],
          [`${whole} IS NULL`, 'beyond the range of 64 bits'],
        ],
      };
    }
    case 'boolean': {
      const yes = `lower(${text}) IN ('true', 't', 'yes', 'y', '1')`;
      const no = `lower(${text}) IN ('false', 'f', 'no', 'n', '0')`;
      return { value: yes, checks: [[`NOT (${yes} OR ${no})`, 'neither true nor false']] };
    }
    case 'time':
      return ['s', 'ms', 'us'].includes(column.unit ?? '') ? sinceEpoch(column, text) : calendarTime(text, timeZone);
  }
}

function sinceEpoch(column: ColumnDescription, text: string): Typed {
  const factor = { s: 1_000_000, ms: 1000, us: 1 }[column.unit as 's' | 'ms' | 'us'];
  const count = `try_cast(regexp_extract(${text}, '^[+-]?[0-9]+') AS BIGINT)`;
  const limit = Math.floor(8e18 / factor);
  return {
    value: `make_timestamp(${count} * ${factor})`,
    checks: [
      [`NOT regexp_full_match(${text}, '[+-]?[0-9]+([.]0*)?')`, `not a whole number of ${column.unit} since 1970`],
      [`coalesce(abs(${count}::HUGEINT) > ${limit}, true)`, 'beyond the range of times'],
    ],
  };
}

function calendarTime(text: string, timeZone: string | undefined): Typed {
  const offset = `regexp_matches(${text}, ${quote('([zZ]|[ ]?UTC|[+-][0-9]{2}(:?[0-9]{2})?)$')}) AND length(${text}) > 10`;
  const shape =
    '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?([zZ]|[ ]?UTC|[+-][0-9]{2}(:?[0-9]{2})?)?)?';
  // DuckDB wants seconds, and "+02:00" where ISO 8601 allows "+0200" and "+02"; it does not know " UTC".
  const seconds = `regexp_replace(${text}, '([T ][0-9]{2}:[0-9]{2})([^:0-9]|$)', '\\1:00\\2')`;
  const utc = `regexp_replace(${seconds}, '([ ]?UTC|[zZ])$', '+00:00')`;
  const normal = `regexp_replace(${utc}, '([T ].*[+-][0-9]{2}):?([0-9]{2})$', '\\1:\\2')`;
  const zoned = `try_cast(${normal} AS TIMESTAMPTZ)::TIMESTAMP`;
  const local = `try_cast(${seconds} AS TIMESTAMP)`;
  const checks: [string, string][] = [
    [`NOT regexp_full_match(${text}, ${quote(shape)})`, 'not a time (YYYY-MM-DD, or with THH:MM:SS and an offset)'],
    [`regexp_matches(${text}, '[.][0-9]{6}0*[1-9]')`, 'finer than a microsecond'],
  ];
  if (timeZone === undefined)
    return {
      value: zoned,
      checks: [
        ...checks,
        [`NOT (${offset})`, 'a time without an offset from UTC (set timeZone)'],
        [`${zoned} IS NULL`, 'no such time'],
      ],
    };
  const zone = quote(timeZone);
  const fromLocal = `timezone(${zone}, ${local})`;
  return {
    value: `CASE WHEN ${offset} THEN ${zoned} ELSE ${fromLocal}::TIMESTAMP END`,
    checks: [
      ...checks,
      [`CASE WHEN ${offset} THEN ${zoned} IS NULL ELSE ${local} IS NULL END`, 'no such time'],
      [
        `NOT (${offset}) AND timezone(${zone}, ${fromLocal}) <> ${local}`,
        `no such time in ${timeZone} (clocks went forward)`,
      ],
    ],
  };
}

/** SQL type in which a column is stored. */
export const storedTypes: Readonly<Record<ColumnDescription['type'], string>> = {
  number: 'DOUBLE',
  integer: 'BIGINT',
  text: 'VARCHAR',
  time: 'TIMESTAMP',
  boolean: 'BOOLEAN',
};
