import { describe, expect, it } from 'vitest';
import type { ModelComparison } from '../../src/evaluation/compare.ts';
import { verdictOf } from '../../src/evaluation/findings.ts';
import { bootstrapP } from '../../src/evaluation/sampling.ts';
import { counted, signed, written } from '../../src/evaluation/words.ts';

/** A gain with its interval and its interval at Holm's level. */
const verdict = (interval: [number, number] | null, corrected: [number, number] | null, clusters = 100): string =>
  verdictOf(
    {
      clusters,
      gain: {
        value: 0.05,
        low: interval?.[0] ?? null,
        high: interval?.[1] ?? null,
        correctedLow: corrected?.[0] ?? null,
        correctedHigh: corrected?.[1] ?? null,
      } as ModelComparison['gain'],
    },
    0.02,
  );

describe('the verdict', () => {
  it.each([
    ['yes', [0.02, 0.08], [0.01, 0.09]],
    ['probably', [0.02, 0.08], [-0.01, 0.11]],
    ['probably', [0.02, 0.08], [0, 0.1]],
    ['undecided', [-0.01, 0.08], [-0.02, 0.09]],
    ['undecided', [0, 0.08], [-0.02, 0.09]],
    ['undecided', [-0.01, 0.02], [-0.02, 0.03]],
    ['no', [-0.01, 0.019], [-0.02, 0.03]],
    ['no', [-0.09, -0.01], [-0.1, -0.001]],
    ['undecided', null, null],
  ] as const)('is %s for %j, corrected %j', (expected, interval, corrected) => {
    expect(verdict(interval as never, corrected as never)).toBe(expected);
  });

  it('is open with a handful of clusters, however clear the interval', () => {
    expect(verdict([0.02, 0.08], [0.01, 0.09], 9)).toBe('undecided');
    expect(verdict([0.02, 0.08], [0.01, 0.09], 10)).toBe('yes');
  });
});

it('a bootstrap p is never 0, is 1 for no difference, and unknown where draws are', () => {
  expect(bootstrapP(new Float64Array(99).fill(1))).toBe(0.02);
  expect(bootstrapP(new Float64Array(99).fill(0))).toBe(1);
  expect(bootstrapP(Float64Array.from({ length: 100 }, (_, i) => i - 9.5))).toBeCloseTo(22 / 101, 12);
  expect(bootstrapP(new Float64Array(0))).toBeNull();
  expect(bootstrapP(Float64Array.of(NaN, 1, 1))).toBeNull();
});

it('writes numbers for people', () => {
  expect([0.6314159, 0.5, -0.0353, 12345.6, 0, 0.00042, null, NaN].map(written)).toEqual([
    '0.631',
    '0.500',
    '−0.0353',
    '12,346',
    '0',
    '0.00042',
    '–',
    '–',
  ]);
  expect(signed(0.1)).toBe('+0.100');
  expect([counted(1, 'wallets'), counted(1200, 'wallets')]).toEqual(['1 wallet', '1,200 wallets']);
});
