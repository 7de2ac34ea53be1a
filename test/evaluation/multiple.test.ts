import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  benjaminiHochberg,
  benjaminiYekutieli,
  expectedBestOf,
  holm,
  holmLevels,
} from '../../src/evaluation/multiple.ts';
import { winsTail } from '../../src/evaluation/poisson-binomial.ts';
import { shared, vectors, whyNoShared } from '../support/shared.ts';

function vector(id: string): { input: Record<string, unknown>; expected: unknown } {
  const found = vectors('multiple_testing').find((one) => one.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
}

describe.skipIf(!shared)(`published vectors (${shared ? 'found' : whyNoShared})`, () => {
  it('Benjamini and Hochberg, table 1', () => {
    const { input, expected: wanted } = vector('bh1995');
    const { p, q } = input as { p: number[]; q: number };
    const expected = wanted as { adjusted: number[]; rejected: number; bonferroni_rejected: number };
    const adjusted = benjaminiHochberg(p);
    adjusted.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.adjusted[i] as number, 9);
    });
    expect(adjusted.filter((value) => value < q)).toHaveLength(expected.rejected);
    expect(holm(p).filter((value) => value < q)).toHaveLength(expected.bonferroni_rejected);
  });

  it('coin-flippers with many wins', () => {
    const { input, expected } = vector('luck_baseline_wallets');
    const { n_wallets: wallets, trades_each: each, p_win: p, threshold_wins: wins } = input as Record<string, number>;
    const { p_single: single, expected_lucky: lucky } = expected as Record<string, number>;
    const tail = winsTail(new Float64Array(each as number).fill(p as number));
    expect(tail(wins as number)).toBeCloseTo(single as number, 9);
    expect((wallets as number) * tail(wins as number)).toBeCloseTo(lucky as number, 6);
    // More than the threshold instead of at least it.
    expect(tail((wins as number) + 1)).toBeLessThan(0.5 * (single as number));
  });

  it('the best of many without skill', () => {
    const { input, expected } = vector('expected_best_null_z');
    (input['n'] as number[]).forEach((count, i) => {
      expect(expectedBestOf(count)).toBeCloseTo((expected as number[])[i] as number, 8);
    });
  });
});

describe("Holm's procedure", () => {
  it('steps down with a cumulative maximum', () => {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    [0.03, 0.06, 0.06, 0.02].forEach((expected, i) => {
      expect(holm([0.01, 0.04, 0.03, 0.005])[i]).toBeCloseTo(expected, 12);
    });
    expect(holm([])).toEqual([]);
  });

  const ps = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });

  it('is at least as strict as Benjamini-Hochberg and no stricter than Bonferroni', () => {
    fc.assert(
      fc.property(ps, (p) => {
        const byHolm = holm(p);
        const byHochberg = benjaminiHochberg(p);
        p.forEach((value, i) => {
          expect(byHolm[i]).toBeGreaterThanOrEqual((byHochberg[i] as number) - 1e-12);
          expect(byHolm[i]).toBeLessThanOrEqual(Math.min(1, value * p.length) + 1e-12);
          expect(byHochberg[i]).toBeGreaterThanOrEqual(value - 1e-12);
        });
      }),
    );
  });

  it('is stepped up by Benjamini and Yekutieli times the harmonic sum', () => {
    // R: p.adjust(c(0.001, 0.01, 0.02, 0.8), "BY")
    [0.008333333333, 0.041666666667, 0.055555555556, 1].forEach((expected, i) => {
      expect(benjaminiYekutieli([0.001, 0.01, 0.02, 0.8])[i]).toBeCloseTo(expected, 9);
    });
    fc.assert(
      fc.property(ps, (p) => {
        const plain = benjaminiHochberg(p);
        benjaminiYekutieli(p).forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(plain[i] as number);
          expect(value).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  it('tests at levels that agree with the adjusted values', () => {
    fc.assert(
      fc.property(ps, (p) => {
        const adjusted = holm(p);
        holmLevels(p, 0.05).forEach((level, i) => {
          if (Math.abs((adjusted[i] as number) - 0.05) > 1e-9)
            expect((p[i] as number) < level).toBe((adjusted[i] as number) < 0.05);
        });
      }),
    );
  });

  it('refuses what is no p-value', () => {
    for (const bad of [NaN, -0.1, 1.1]) {
      expect(() => holm([0.5, bad])).toThrow(/p-value 1/);
      expect(() => benjaminiHochberg([bad])).toThrow(/p-value 0/);
    }
  });
});
