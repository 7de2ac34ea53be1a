import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  commonDecimals,
  compact,
  count,
  day,
  duration,
  estimate,
  fixed,
  instant,
  interval,
  percent,
  plain,
  plural,
  withUnit,
} from '../../src/report/draw/format.ts';

describe('numbers', () => {
  test.each([
    [1.6234, '1.62'],
    [0.1176, '0.118'],
    [-0.31, '\u22120.310'],
    [18_204, '18,200'],
    [1_234_567, '1,230,000'],
    [0.00012345, '0.000123'],
    [0.000012345, '1.23e\u22125'],
    [0, '0'],
    [0.9996, '1.00'],
    [999.6, '1,000'],
    [null, '\u2013'],
    [Number.NaN, '\u2013'],
    [Number.POSITIVE_INFINITY, '\u2013'],
  ])('an estimate of %s is written %s', (value, text) => {
    expect(estimate(value)).toBe(text);
  });

  test('gains carry a plus, a rounded zero no sign', () => {
    expect(estimate(1.62, true)).toBe('+1.62');
    expect(fixed(-0.001, 2, true)).toBe('0.00');
  });

  test('an interval takes the decimals of its estimate', () => {
    expect(interval(0.118, 0.0612, 0.17449)).toBe('[0.061, 0.174]');
    expect(interval(27.7, 4.7, 55.23)).toBe('[4.7, 55.2]');
    expect(interval(0, -0.051, 0.04)).toBe('[\u22120.0510, 0.0400]');
    expect(interval(1, null, 2)).toBe('');
  });

  test('values in a column share their decimals, and none is rounded away', () => {
    expect(commonDecimals([1.62, -0.31, null, 0.18])).toBe(2);
    expect(commonDecimals([152, 0.2])).toBe(1);
    expect(commonDecimals([])).toBe(0);
  });

  test('counts keep every digit, others three', () => {
    expect(count(84_600_112)).toBe('84,600,112');
    expect(plain(84_600_112)).toBe('84,600,112');
    expect(plain(0.12345)).toBe('0.123');
    expect(compact(41_300_000)).toBe('41.3\u00a0M');
    expect(percent(0.00767)).toBe('0.767\u00a0%');
    expect(percent(3e-8)).toBe('<\u00a00.001\u00a0%');
    expect(plural(1, 'trial')).toBe('1\u00a0trial');
    expect(plural(2, 'trial')).toBe('2\u00a0trials');
  });

  test('a unit stands behind a number, and not behind an unknown', () => {
    expect(withUnit('1.62', '¢')).toBe('1.62\u00a0¢');
    expect(withUnit('\u2013', '¢')).toBe('\u2013');
  });

  test('three significant digits never move a value by more than half a percent', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1e11, noNaN: true }), fc.boolean(), (size, negative) => {
        const value = negative ? -size : size;
        const read = Number(estimate(value).replaceAll(',', '').replace('\u2212', '-'));
        expect(Math.abs(read - value)).toBeLessThanOrEqual(size * 0.005 * (1 + 1e-9));
      }),
    );
  });
});

describe('times', () => {
  test('are UTC whatever the zone of the machine', () => {
    const at = Date.parse('2026-11-19T06:41:03Z');
    expect(instant(at)).toBe('19 Nov 2026, 06:41 UTC');
    expect(day(Date.parse('2026-01-01T00:00:00Z'))).toBe('1 Jan 2026');
    expect(instant(Number.NaN)).toBe('\u2013');
  });

  test('durations read as people say them', () => {
    expect(duration(4.2)).toBe('4.20\u00a0s');
    expect(duration(200)).toBe('3\u00a0min\u00a020\u00a0s');
    expect(duration(3599.7)).toBe('1\u00a0h\u00a000\u00a0min');
    expect(duration(null)).toBe('\u2013');
  });
});
