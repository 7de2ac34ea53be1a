import { describe, expect, it } from 'vitest';
import { formatMoment, parseMoment } from '../../src/tables/time.ts';
import { datesOf } from '../../src/wallets/dates.ts';

const first = parseMoment('2025-03-01T09:30Z');
const last = parseMoment('2025-06-01T00:00Z');
const isoOf = (times: Float64Array): string[] => [...times].map(formatMoment);

describe('dates', () => {
  it('begin on the grid with a full window behind them and end at the last trade', () => {
    const dates = datesOf({ every: '1d', lookback: '90d' }, first, last);
    expect(isoOf(dates.times)).toEqual(['2025-05-31T00:00:00Z', '2025-06-01T00:00:00Z']);
    expect(isoOf(datesOf({ every: '6h', lookback: '91d' }, first, last).times)).toEqual([
      '2025-05-31T12:00:00Z',
      '2025-05-31T18:00:00Z',
      '2025-06-01T00:00:00Z',
    ]);
  });

  it('are Mondays where they are weeks apart', () => {
    const dates = datesOf({ every: '14d', lookback: '30d' }, first, last).times;
    expect([...dates].map((time) => new Date(time / 1000).getUTCDay())).toEqual([1, 1, 1, 1].slice(0, dates.length));
    expect(dates.length).toBeGreaterThan(2);
  });

  it('count from `from` and stop at `to`', () => {
    const asOf = { every: '7d', from: '2025-03-05T06:00Z', to: '2025-03-19T06:00Z', lookback: '90d' };
    expect(isoOf(datesOf(asOf, first, last).times)).toEqual([
      '2025-03-05T06:00:00Z',
      '2025-03-12T06:00:00Z',
      '2025-03-19T06:00:00Z',
    ]);
  });

  it('do not move when the data is cut short', () => {
    const whole = isoOf(datesOf({ every: '3d', lookback: '20d' }, first, last).times);
    const cut = isoOf(datesOf({ every: '3d', lookback: '20d' }, first, last - 40 * 86_400e6).times);
    expect(cut.length).toBeGreaterThan(3);
    expect(whole.slice(0, cut.length)).toEqual(cut);
  });

  it('say what to change where there is none', () => {
    expect(() => datesOf({ every: '1d', lookback: '100d' }, first, last)).toThrow('no date to profile');
    expect(() => datesOf({ every: '1d', lookback: '1d', from: '2026-01-01' }, first, last)).toThrow('no date');
  });
});
