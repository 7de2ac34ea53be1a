import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  axisScale,
  linearTicks,
  logTicks,
  niceDomain,
  stepOf,
  tickLabel,
  timeTicks,
} from '../../src/report/draw/scale.ts';

describe('ticks', () => {
  test('steps are 1, 2 or 5 times a power of ten', () => {
    expect(stepOf(10, 5)).toBe(2);
    expect(stepOf(0.37, 5)).toBeCloseTo(0.1);
    expect(stepOf(1300, 4)).toBe(500);
  });

  test('values do not drift', () => {
    expect(linearTicks(0, 0.7, 7)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(linearTicks(-1, 3, 4)).toEqual([-1, 0, 1, 2, 3]);
  });

  test('a logarithmic axis shows decades, and 1-2-5 where these are few', () => {
    expect(logTicks(0.1, 100_000, 6)).toEqual([0.1, 1, 10, 100, 1000, 10_000, 100_000]);
    expect(logTicks(0.0002, 0.01, 5)).toEqual([0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01]);
  });

  test('labels are short, exact and have a true minus', () => {
    expect(tickLabel(20_000, 5000)).toBe('20k');
    expect(tickLabel(1500, 500)).toBe('1,500');
    expect(tickLabel(2_500_000, 500_000)).toBe('2.5M');
    expect(tickLabel(-0.5, 0.5)).toBe('\u22120.5');
    expect(tickLabel(0.00001, 0.00001)).toBe('1e\u22125');
  });

  test('time ticks fall on calendar months in UTC and say the year', () => {
    const ticks = timeTicks(Date.UTC(2025, 9, 20), Date.UTC(2026, 3, 2), 6);
    expect(ticks.map((tick) => tick.label)).toEqual(['Nov', 'Dec', '2026', 'Feb', 'Mar', 'Apr']);
    expect(ticks[0]?.value).toBe(Date.UTC(2025, 10, 1));
    const within = timeTicks(Date.UTC(2026, 5, 1), Date.UTC(2026, 9, 1), 4);
    expect(within[0]?.label).toBe('Jun 2026');
  });

  test('hours are shown where days are too long', () => {
    const ticks = timeTicks(Date.UTC(2026, 5, 1), Date.UTC(2026, 5, 1, 12), 4);
    expect(ticks.map((tick) => tick.label)).toEqual(['1 Jun', '03:00', '06:00', '09:00', '12:00']);
  });

  test('ticks lie inside the axis, ascend, and are not too many', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
        fc.integer({ min: 2, max: 12 }),
        (low, width, n) => {
          const span = Math.max(width, Math.abs(low) * 1e-9);
          const ticks = linearTicks(low, low + span, n);
          const slack = (Math.abs(low) + span) * 1e-9;
          expect(ticks.length).toBeLessThanOrEqual(2 * n + 2);
          ticks.forEach((tick, i) => {
            expect(tick).toBeGreaterThanOrEqual(low - slack);
            expect(tick).toBeLessThanOrEqual(low + span + slack);
            if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1] ?? Number.POSITIVE_INFINITY);
          });
        },
      ),
    );
  });
});

describe('scales', () => {
  test('a round domain holds its values', () => {
    expect(niceDomain(0.37, 0.71)).toEqual([0.35, 0.75]);
    expect(niceDomain(5, 5)).toEqual([4.5, 5.5]);
    expect(niceDomain(0, 0)).toEqual([-1, 1]);
  });

  test('places and values are inverse to each other', () => {
    for (const scale of ['linear', 'log'] as const) {
      const axis = axisScale({ scale }, [0.5, 90], [10, 510]);
      for (const value of [0.5, 3, 40, 90]) expect(axis.invert(axis.at(value))).toBeCloseTo(value, 9);
    }
  });

  test('what a logarithmic axis cannot show is nowhere, and does not stretch it', () => {
    const axis = axisScale({ scale: 'log' }, [0, -5, 1, 100], [0, 100]);
    expect(axis.domain).toEqual([1, 100]);
    expect(axis.at(0)).toBeNaN();
  });

  test('without values there is still an axis', () => {
    for (const scale of ['linear', 'log', 'time'] as const) {
      const axis = axisScale({ scale }, [null, Number.NaN], [0, 100]);
      expect(axis.domain[1]).toBeGreaterThan(axis.domain[0]);
      expect(axis.ticks.every((tick) => Number.isFinite(axis.at(tick.value)))).toBe(true);
    }
  });

  test('given ends are kept', () => {
    expect(axisScale({ scale: 'linear', min: 0, max: 1 }, [0.3, 0.4], [0, 1]).domain).toEqual([0, 1]);
  });
});
