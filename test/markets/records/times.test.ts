import { describe, expect, it } from 'vitest';
import { microsecondsOf, notSeconds } from '../../../src/markets/records/times.ts';

describe('microsecondsOf', () => {
  it.each([
    ['2026-07-24T00:00:16Z', '2026-07-24T00:00:16.000Z', 0],
    ['2026-07-24 00:00:16+00', '2026-07-24T00:00:16.000Z', 0],
    ['2026-07-23T00:02:08.939464Z', '2026-07-23T00:02:08.939Z', 464],
    ['2026-07-23T00:02:08.9394649Z', '2026-07-23T00:02:08.939Z', 464],
    ['2026-07-23 02:00:00+05:30', '2026-07-22T20:30:00.000Z', 0],
    ['2026-07-23 02:00:00-0500', '2026-07-23T07:00:00.000Z', 0],
  ])('reads %s', (text, iso, micros) => {
    expect(microsecondsOf(text)).toBe(Date.parse(iso) * 1000 + micros);
  });

  it.each([
    '2026-07-24T00:00:16', // no zone
    '2026-07-24',
    '2026-02-30T00:00:00Z',
    '2026-07-24T24:00:00Z',
    '1970-01-01T00:00:00Z',
    '2100-01-01T00:00:00Z',
    '',
    1784850900,
    null,
  ])('refuses %j', (text) => {
    expect(microsecondsOf(text)).toBeUndefined();
  });
});

it('names the unit of a count that is not of seconds', () => {
  expect(notSeconds(1_767_225_600)).toBeUndefined();
  expect(notSeconds(1_767_225_600_000)).toBe('milliseconds, not seconds');
  expect(notSeconds(1_767_225_600_000_000)).toBe('microseconds, not seconds');
  expect(notSeconds(1_767_225_600.5)).toBe('not whole seconds since 1970');
  expect(notSeconds(12)).toBe('not seconds since 1970');
});
