/** The dates as of which wallets are profiled. */
import { FathomError } from '../errors.ts';
import { DAY, formatMoment, parseDuration, parseMoment } from '../tables/time.ts';
import type { AsOf } from './as-of.ts';

/** Dates in ascending order and the window before each, all in microseconds UTC. */
export interface Dates {
  readonly times: Float64Array;
  readonly every: number;
  readonly lookback: number;
}

/**
 * The dates for data whose trades run from `first` to `last` (microseconds). Without `from`, they are whole multiples
 * of `every` since 1970-01-01 UTC (weeks since the first Monday after it), from the first that has a full window behind
 * it. They end with the last date that is not after the last trade: a later date would call wallets quiet that were not observed.
 * Cutting the data short removes dates at the end and moves none.
 */
export function datesOf(asOf: AsOf, first: number, last: number): Dates {
  const every = parseDuration(asOf.every);
  const lookback = parseDuration(asOf.lookback);
  if (asOf.from === 'end') return { times: Float64Array.of(last + 1), every, lookback };
  const origin = every % (7 * DAY) === 0 ? 4 * DAY : 0;
  const onGrid = (earliest: number): number => origin + Math.ceil((earliest - origin) / every) * every;
  const start = asOf.from === undefined ? onGrid(first + lookback) : parseMoment(asOf.from);
  const end = asOf.to === undefined ? last : Math.min(last, parseMoment(asOf.to));
  if (start > end) {
    const early = onGrid(first + every);
    throw new FathomError(
      'data',
      `no date to profile: the trades run from ${formatMoment(first)} to ${formatMoment(last)}, the first date would be ${formatMoment(start)}`,
      {
        hint:
          asOf.from === undefined
            ? `shorten asOf.lookback (${asOf.lookback}), or accept shorter windows at the start with asOf.from: "${formatMoment(early)}"`
            : 'move asOf.from and asOf.to into the time of the trades',
      },
    );
  }
  const count = Math.floor((end - start) / every) + 1;
  return { times: Float64Array.from({ length: count }, (_, k) => start + k * every), every, lookback };
}

/** Numbers of the dates whose window holds a moment: from `first` to `last`, none if `last` is smaller. */
export function datesAfter({ times, every, lookback }: Dates, moment: number): { first: number; last: number } {
  const start = times[0] as number;
  // The window is [date - lookback, date).
  const first = Math.max(0, Math.floor((moment - start) / every) + 1);
  const last = Math.min(times.length - 1, Math.floor((moment - start + lookback) / every));
  return { first, last };
}
