import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanOfValues } from '../../../src/evaluation/scores.ts';
import { log } from '../../../src/numeric/elementary.ts';
import { normalTail } from '../../../src/numeric/normal.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { powerOf, predictPower } from '../../../src/wallets/discovery/power.ts';
import { shrink, varianceOfEdges } from '../../../src/wallets/discovery/shrink.ts';
import { testBets } from '../../../src/wallets/discovery/test.ts';
import { shared, vectors, whyNoShared } from '../../support/shared.ts';

const atPrice = (price: readonly number[], won: readonly number[]) => testBets({ price, won, chance: price });

describe.skipIf(!shared)(`vectors of edges (${shared ? 'found' : whyNoShared})`, () => {
  const all = (shared ? vectors('calibration_edge') : []).filter(({ input }) => 'outcomes' in input);

  it.each(all)('$id', ({ input, expected, tolerance }) => {
    const wanted = expected as Record<string, number>;
    const { prices, outcomes } = input as { prices: number[]; outcomes: number[] };
    const found = atPrice(prices, outcomes);
    const close = (value: number, name: string): void => {
      const right = wanted[name] as number;
      expect(Math.abs(value - right), name).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(right)));
    };
    close(found.winRate, 'win_rate');
    close(found.meanPrice, 'mean_price');
    close(found.edge, 'edge');
    close(found.z, 'z');
    close(normalTail(found.z), 'p_one_sided_normal');
    close(found.p, 'p_exact_poisson_binomial');
    const mean = (values: number[]): number =>
      meanOfValues(
        Float64Array.from(values),
        Int32Array.from(values, (_, i) => i),
        values.length,
      ).score(new Int32Array(values.length).fill(1));
    close(mean(prices.map((p, i) => (p - (outcomes[i] as number)) ** 2)), 'brier');
    close(mean(prices.map((p, i) => -log(outcomes[i] === 1 ? p : 1 - p))), 'log_loss');
    // The normal tail is no substitute for the exact one.
    expect(Math.abs(normalTail(found.z) - found.p)).toBeGreaterThan(1e-4);
  });

  it('rank the longshot buyer with skill above the favourite buyer without, which win rates do not', () => {
    const [favourite, longshot] = ['favourite_trap', 'longshot_skill'].map((id) => {
      const { input } = all.find((one) => one.id === id) as { input: Record<string, unknown> };
      return atPrice(input['prices'] as number[], input['outcomes'] as number[]);
    }) as [ReturnType<typeof atPrice>, ReturnType<typeof atPrice>];
    expect(longshot.p).toBeLessThan(favourite.p);
    expect(longshot.excess).toBeGreaterThan(favourite.excess);
    expect(longshot.winRate).toBeLessThan(favourite.winRate);
  });
});

describe('the test of a wallet', () => {
  it('has expected edge 0 at the true price, whatever the win rate', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.integer(), (price, seed) => {
        const rng = makeRng('fair', seed);
        const n = 2000;
        const prices = new Array<number>(n).fill(price);
        const { z } = atPrice(
          prices,
          prices.map((p) => Number(rng.uniform() < p)),
        );
        expect(Math.abs(z)).toBeLessThan(4.5);
      }),
      { numRuns: 30 },
    );
  });

  it('rejects at no more than its level', () => {
    const rng = makeRng('level');
    let rejected = 0;
    for (let wallet = 0; wallet < 4000; wallet++) {
      const price = Array.from({ length: 40 }, () => 0.1 + 0.8 * rng.uniform());
      if (
        atPrice(
          price,
          price.map((p) => Number(rng.uniform() < p)),
        ).p <= 0.05
      )
        rejected++;
    }
    // Binomial, 4,000 at 0.05: mean 200, standard deviation 13.8. Discrete, so somewhat below.
    expect(rejected).toBeLessThan(228);
    expect(rejected).toBeGreaterThan(110);
  });

  it('with weights tells about the same as without where all are equal', () => {
    const rng = makeRng('weighted');
    const price = Array.from({ length: 60 }, () => 0.2 + 0.6 * rng.uniform());
    const won = price.map((p) => Number(rng.uniform() < p + 0.1));
    const plain = atPrice(price, won);
    const weighted = testBets({ price, won, chance: price, weight: price.map((_, i) => 1 + 0.001 * (i % 7)) });
    expect(weighted.excess).toBeCloseTo(plain.excess, 3);
    expect(weighted.effectiveBets).toBeCloseTo(60, 2);
    // A continuous sum has no atom to share: about half of the one at the count.
    expect(weighted.p).toBeLessThan(plain.p);
    expect(weighted.p).toBeGreaterThan(plain.p / 2.5);
  });

  it('counts a few large bets as few', () => {
    const price = new Array<number>(40).fill(0.5);
    const weight = price.map((_, i) => (i < 2 ? 1000 : 1));
    const { effectiveBets } = testBets({ price, won: price.map((_, i) => i % 2), chance: price, weight });
    expect(effectiveBets).toBeLessThan(2.2);
  });
});

describe('shrinking', () => {
  it('finds no variance where noise explains all, and the planted one where it does not', () => {
    const rng = makeRng('shrink');
    const errors = Float64Array.from({ length: 3000 }, () => 0.02 + 0.05 * rng.uniform());
    const noise = errors.map((se) => se * rng.normal());
    expect(varianceOfEdges(noise, errors)).toBeLessThan(0.01 ** 2);
    const skilled = noise.map((e) => e + 0.04 * rng.normal());
    expect(Math.sqrt(varianceOfEdges(skilled, errors))).toBeCloseTo(0.04, 2);
    expect(varianceOfEdges([], [])).toBe(0);
  });

  it('keeps half where edges vary as much as the noise', () => {
    expect(shrink(0.1, 0.05, 0.05 ** 2)).toEqual({ value: 0.05, standardError: 0.05 * Math.sqrt(0.5) });
    expect(shrink(0.1, 0.05, 0).value).toBe(0);
  });
});

describe('predicted power', () => {
  const half = new Float64Array(100).fill(0.5);

  it('at no edge is the level attained, and grows with the edge', () => {
    // P(wins >= 59 of 100) = 0.0443, of 58: 0.0666.
    expect(powerOf(half, { mean: 0, sd: 0 })(0.05)).toBeCloseTo(0.0443, 4);
    // R: pbinom(58, 100, 0.6, lower.tail = FALSE)
    expect(powerOf(half, { mean: 0.1, sd: 0 })(0.05)).toBeCloseTo(0.6225, 3);
    expect(powerOf(half, { mean: 0.2, sd: 0 })(0.05)).toBeGreaterThan(0.98);
  });

  it('is the mean over the edges above zero', () => {
    const rng = makeRng('edges');
    let sum = 0;
    for (let k = 0; k < 400; k++) {
      let edge = 0;
      while (edge <= 0) edge = 0.03 + 0.05 * rng.normal();
      sum += powerOf(half, { mean: edge, sd: 0 })(0.05);
    }
    expect(powerOf(half, { mean: 0.03, sd: 0.05 })(0.05)).toBeCloseTo(sum / 400, 1.3);
  });

  it('agrees with what Benjamini-Hochberg finds among many', () => {
    const edge = 0.15;
    const planted = Array.from({ length: 200 }, () => powerOf(half, { mean: edge, sd: 0 }));
    const { level, power, low, high } = predictPower(planted, 1000, 0.05, 1);
    // At the level the rate holds with equality: expected false ones by all.
    expect((1000 * level) / (200 * power + 800 * level)).toBeCloseTo(0.05, 4);
    expect(low).toBeLessThan(power);
    expect(high).toBeGreaterThan(power);
    expect(predictPower(planted, 1000, 0.05, 7).power).toBeLessThan(power);
  });
});
