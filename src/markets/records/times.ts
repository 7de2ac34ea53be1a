/** Times as services write them, to whole microseconds since 1970 UTC. */
import type { Tuple } from '../../tuple.ts';

const CLOCK = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}(?::?\d{2})?)$/;

/** The venue opened in 2020: earlier times, and those of a far future, are mistakes of unit or format. */
const EARLIEST_SECOND = 1_577_836_800;
const LATEST_SECOND = 4_102_444_800;

/**
 * A time that names its zone; undefined if it names none, is no time, or lies outside of 2020 to 2099. Digits beyond
 * microseconds are cut off.
 */
export function microsecondsOf(text: unknown): number | undefined {
  const found = typeof text === 'string' ? CLOCK.exec(text) : null;
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = found;
  const numbers = [year, month, day, hour, minute, second].map(Number) as Tuple<number, 6>;
  const local = Date.UTC(numbers[0], numbers[1] - 1, ...(numbers.slice(2) as Tuple<number, 4>));
  // Date.UTC carries 30 February over into March.
  if (new Date(local).toISOString().slice(0, 19) !== `${text}`.slice(0, 19).replace(' ', 'T')) return undefined;
  const [sign, hours, minutes] = zone === 'Z' ? [1, 0, 0] : zoneOf(zone as string);
  const seconds = local / 1000 - sign * (hours * 3600 + minutes * 60);
  if (seconds < EARLIEST_SECOND || seconds >= LATEST_SECOND) return undefined;
  return seconds * 1e6 + Number((fraction ?? '').slice(0, 6).padEnd(6, '0'));
}

function zoneOf(zone: string): [number, number, number] {
  const digits = zone.slice(1).replace(':', '');
  return [zone.startsWith('-') ? -1 : 1, Number(digits.slice(0, 2)), Number(digits.slice(2) || '0')];
}

/** Why a number is no count of seconds; undefined if it is one. Names the unit it seems to have. */
export function notSeconds(value: number): string | undefined {
  if (!Number.isSafeInteger(value)) return 'not whole seconds since 1970';
  if (value >= EARLIEST_SECOND && value < LATEST_SECOND) return undefined;
  for (const [unit, factor] of [
    ['milliseconds', 1e3],
    ['microseconds', 1e6],
    ['nanoseconds', 1e9],
  ] as const)
    if (value >= EARLIEST_SECOND * factor && value < LATEST_SECOND * factor) return `${unit}, not seconds`;
  return 'not seconds since 1970';
}
