import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, formatMoment, HOUR, parseDuration, parseMoment, SECOND } from '../../src/tables/time.ts';
import { duration, moment } from '../../src/tables/time-schemas.ts';

describe('spans and moments', () => {
  it('are microseconds', () => {
    expect(['30s', '15m', '1h', '7d', '2w'].map(parseDuration)).toEqual([
      30 * SECOND,
      900 * SECOND,
      HOUR,
      7 * DAY,
      14 * DAY,
    ]);
    expect(parseMoment('2025-03-01')).toBe(Date.UTC(2025, 2, 1) * 1000);
    expect(parseMoment('2025-03-01T12:00+02:00')).toBe(Date.UTC(2025, 2, 1, 10) * 1000);
    expect(parseMoment('2025-03-01 12:00:00.000001Z')).toBe(Date.UTC(2025, 2, 1, 12) * 1000 + 1);
  });

  it('are refused where they mean nothing', () => {
    for (const text of ['', '0d', '1.5h', '-1d', '1 d', '1y', 'd']) {
      expect(() => parseDuration(text)).toThrow('span');
      expect(duration.safeParse(text).success).toBe(false);
    }
    for (const text of ['2025-02-30', '2025-13-01', '2025-03-01T12:00', '2025-03-01T25:00Z', 'yesterday', '2025'])
      expect(() => parseMoment(text), text).toThrow('moment');
    expect(moment.safeParse('2025-03-01T12:00').success).toBe(false);
  });

  it('are written so that they are read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e15, max: 4e15 }), (time) => {
        expect(parseMoment(formatMoment(time))).toBe(time);
      }),
    );
    expect(formatMoment(1_500_000)).toBe('1970-01-01T00:00:01.500Z');
  });
});
