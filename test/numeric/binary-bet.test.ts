import { describe, expect, it } from 'vitest';
import { betMoments, betsNeeded } from '../../src/numeric/binary-bet.ts';
import { normalQuantile } from '../../src/random/rng.ts';
import { shared, vectors, whyNoShared } from '../support/shared.ts';

describe.skipIf(!shared)(`vectors of binary bets (${shared ? 'found' : whyNoShared})`, () => {
  const all = shared ? vectors('calibration_edge') : [];

  it.each(all.filter(({ id }) => id.startsWith('sample_size')))('$id', ({ input, expected }) => {
    const { price, edge, alpha_one_sided: alpha, power } = input as Record<string, number>;
    const needed = betsNeeded(
      price as number,
      edge as number,
      normalQuantile(1 - (alpha as number)),
      normalQuantile(power as number),
    );
    expect(needed).toBe(expected);
    // What a test of two sides, or one that forgets the variance under the alternative, would ask for.
    expect(
      betsNeeded(
        price as number,
        edge as number,
        normalQuantile(1 - (alpha as number) / 2),
        normalQuantile(power as number),
      ),
    ).not.toBe(expected);
  });

  it.each(all.filter(({ id }) => id.startsWith('per_bet_sharpe')))('$id', ({ input, expected }) => {
    const wanted = expected as Record<string, number>;
    const moments = betMoments(input['true_prob'] as number, input['price'] as number);
    expect(moments.mean).toBeCloseTo(wanted['mean'] as number, 12);
    expect(moments.sd).toBeCloseTo(wanted['sd'] as number, 12);
    expect(moments.sharpe).toBeCloseTo(wanted['sharpe'] as number, 12);
    expect(moments.skew).toBeCloseTo(wanted['skew'] as number, 12);
    expect(moments.excessKurtosis).toBeCloseTo(wanted['excess_kurtosis'] as number, 12);
  });
});

describe('binary bets', () => {
  it('have the moments of their two returns', () => {
    const [p, c] = [0.35, 0.3];
    const moment = (k: number): number => p * ((1 - c) / c - mean) ** k + (1 - p) * (-1 - mean) ** k;
    const mean = p / c - 1;
    const found = betMoments(p, c);
    expect(found.mean).toBeCloseTo(mean, 12);
    expect(found.sd).toBeCloseTo(Math.sqrt(moment(2)), 12);
    expect(found.skew).toBeCloseTo(moment(3) / moment(2) ** 1.5, 10);
    expect(found.excessKurtosis).toBeCloseTo(moment(4) / moment(2) ** 2 - 3, 10);
    expect(found.sharpe).toBeCloseTo(mean / Math.sqrt(moment(2)), 12);
  });

  it('are undefined without chance, never 0', () => {
    expect(betMoments(1, 0.9).sharpe).toBeNaN();
    expect(betMoments(0.5, 0).mean).toBeNaN();
    expect(betsNeeded(0.9, 0.1, 1.6, 0.8)).toBeNaN();
    expect(betsNeeded(0.5, 0, 1.6, 0.8)).toBeNaN();
  });
});
