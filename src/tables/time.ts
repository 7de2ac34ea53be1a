/** Spans and moments as experiment files write them, in microseconds: the unit of every TIMESTAMP in our tables. */
import { FathomError } from '../errors.ts';

export const SECOND = 1_000_000;
export const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;

const units: Readonly<Record<string, number>> = { s: SECOND, m: 60 * SECOND, h: HOUR, d: DAY, w: 7 * DAY };

export const durationPattern = /^[1-9]\d*[smhdw]$/;
export const momentPattern = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Microseconds of a span such as `90d`. */
export function parseDuration(text: string): number {
  const unit = units[text.at(-1) ?? ''];
  if (!durationPattern.test(text) || unit === undefined)
    throw new FathomError('experiment', `"${text}" is not a span of time`, {
      hint: 'write a whole number and a unit: 30s, 15m, 1h, 7d or 2w',
    });
  return Number(text.slice(0, -1)) * unit;
}

/** Microseconds since 1970-01-01 UTC of a moment such as `2025-03-01` or `2025-03-01T12:00:00.25+02:00`. */
export function parseMoment(text: string): number {
  const wrong = (): FathomError =>
    new FathomError('experiment', `"${text}" is not a moment`, {
      hint: 'write a date (2025-03-01, midnight UTC) or a time with its zone (2025-03-01T12:00Z)',
    });
  if (!momentPattern.test(text)) throw wrong();
  const fraction = /\.(\d{1,6})/.exec(text)?.[1] ?? '';
  const milliseconds = Date.parse(text.replace(/\.\d+/, '').replace(' ', 'T'));
  // Date.parse rolls 30 February over into March.
  const day = Number(text.slice(8, 10));
  const monthLength = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  if (Number.isNaN(milliseconds) || day > monthLength) throw wrong();
  return milliseconds * 1000 + Number(fraction.padEnd(6, '0'));
}

/** ISO 8601 in UTC, with as many decimals of a second as it takes (none, three or six). */
export function formatMoment(microseconds: number): string {
  const whole = Math.floor(microseconds / SECOND);
  const rest = microseconds - whole * SECOND;
  const text = new Date(whole * 1000).toISOString().slice(0, 19);
  if (rest === 0) return `${text}Z`;
  const digits = String(rest).padStart(6, '0');
  return `${text}.${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`;
}
