import { describe, expect, it } from 'vitest';
import { countRange, wilson } from '../../src/evaluation/proportion.ts';

describe("Wilson's interval", () => {
  it('has the published values', () => {
    // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    const of = (r: number, n: number): string[] => [wilson(r, n).low, wilson(r, n).high].map((v) => v.toFixed(4));
    expect(of(81, 263)).toEqual(['0.2553', '0.3662']);
    expect(of(15, 148)).toEqual(['0.0624', '0.1605']);
    expect(of(0, 20)).toEqual(['0.0000', '0.1611']);
    expect(of(1, 29)).toEqual(['0.0061', '0.1718']);
  });

  it('is unknown without a count', () => {
    expect(wilson(0, 0)).toEqual({ value: NaN, low: NaN, high: NaN });
  });
});

describe('range of a count', () => {
  it('is that of the binomial', () => {
    // R: qbinom(c(0.025, 0.975), 50, 0.3)
    expect(countRange(new Float64Array(50).fill(0.3))).toEqual({ low: 9, high: 22 });
    expect(countRange(new Float64Array(5).fill(1))).toEqual({ low: 5, high: 5 });
    expect(countRange(new Float64Array(5))).toEqual({ low: 0, high: 0 });
    expect(countRange([])).toEqual({ low: 0, high: 0 });
    // R: qbinom(0.95, 10, 0.05)
    expect(countRange(new Float64Array(10).fill(0.05), 0.05).high).toBe(2);
  });
});
