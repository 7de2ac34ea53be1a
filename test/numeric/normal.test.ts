import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalDensity, normalTail } from '../../src/numeric/normal.ts';
import { normalQuantile } from '../../src/random/rng.ts';

describe('the normal tail', () => {
  it('has the values of tables, far out too', () => {
    // R: pnorm(z, lower.tail = FALSE)
    const known: readonly [number, number][] = [
      [0, 0.5],
      [1, 0.15865525393145705],
      [1.959963984540054, 0.025],
      [3, 0.0013498980316300933],
      [5, 2.866515718791939e-7],
      [10, 7.619853024160525e-24],
      [37, 5.725571222524577e-300],
      [-2, 0.9772498680518208],
    ];
    for (const [z, tail] of known) expect(normalTail(z) / tail).toBeCloseTo(1, 11);
    expect(normalTail(40)).toBe(0);
    expect(normalTail(NaN)).toBeNaN();
  });

  it('is continuous where the series meets the fraction', () => {
    expect(normalTail(3 - 1e-9) - normalTail(3)).toBeCloseTo(1e-9 * normalDensity(3), 14);
  });

  it('undoes the quantile', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1 - 1e-9, noNaN: true }), (p) => {
        expect(normalTail(-normalQuantile(p)) / p).toBeCloseTo(1, 9);
      }),
    );
  });
});
