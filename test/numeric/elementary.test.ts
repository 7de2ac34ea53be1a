import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp, log, logit, pow, sigmoid, tanh } from '../../src/numeric/elementary.ts';

/** The engine's own functions are good to an ulp or so: near enough to judge a few ulp. */
function near(actual: number, expected: number, ulps = 8): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(
    ulps * Number.EPSILON * Math.max(Math.abs(expected), Number.MIN_VALUE / Number.EPSILON),
  );
}

describe('elementary functions', () => {
  it('log agrees over its range', () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }), (x) =>
        near(log(x), Math.log(x)),
      ),
    );
    fc.assert(fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (x) => near(log(x), Math.log(x))));
  });

  it('exp agrees over its range', () => {
    fc.assert(fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (x) => near(exp(x), Math.exp(x), 16)));
  });

  it('tanh and sigmoid agree', () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (x) => {
        expect(tanh(x)).toBeCloseTo(Math.tanh(x), 14);
        near(sigmoid(x), 1 / (1 + Math.exp(-x)), 32);
      }),
    );
  });

  it('ends are exact', () => {
    expect([log(1), log(0), exp(0), exp(-800), exp(800), tanh(0), logit(0.5), pow(2, 10)]).toEqual([
      0,
      -Infinity,
      1,
      0,
      Infinity,
      0,
      0,
      expect.closeTo(1024, 10),
    ]);
    expect(log(-1)).toBeNaN();
    expect(exp(Number.NaN)).toBeNaN();
  });
});
