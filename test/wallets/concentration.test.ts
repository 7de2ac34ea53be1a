import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/random/rng.ts';
import {
  concentrationCurve,
  concentrationOf,
  resamplesFor,
  shareWithInterval,
} from '../../src/wallets/concentration.ts';
import { aheadFinding, concentrationFinding } from '../../src/wallets/findings.ts';

const descending = (values: readonly number[]): Float64Array => Float64Array.from(values).sort().reverse();
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const volumes = fc
  .array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 })
  .map((list) => descending(list));

describe('concentration of volume', () => {
  it('is the share of the largest wallets, rounded up', () => {
    fc.assert(
      fc.property(volumes, (list) => {
        const found = concentrationOf(list, makeRng('c'));
        const tenth = Math.ceil(0.1 * list.length);
        expect(found?.top10.wallets).toBe(tenth);
        expect(found?.top10.value).toBeCloseTo(sum(list.slice(0, tenth)) / sum(list), 9);
        expect(found?.top1.value).toBeLessThanOrEqual((found?.top10.value as number) + 1e-12);
        expect(found?.volumeUsd).toBeCloseTo(sum(list), 3);
      }),
      { numRuns: 50 },
    );
  });

  it('has an interval of no width where all wallets are alike, and a wide one where one of them is all', () => {
    const alike = concentrationOf(new Float64Array(200).fill(3), makeRng('c'));
    expect(alike?.top10).toMatchObject({ value: 0.1, interval: { low: 0.1, high: 0.1 } });
    const one = new Float64Array(200).fill(1);
    one[0] = 1000;
    const found = concentrationOf(one, makeRng('c'));
    // In a third of the resamples the one is not drawn.
    expect(found?.top1.interval.low).toBeCloseTo(0.01, 9);
    expect(found?.top1.interval.high).toBeGreaterThan(0.9);
  });

  it('has the coverage it claims, about', () => {
    // Wallets from an exponential distribution: the largest tenth makes 0.1 (1 + ln 10) of the volume.
    const truth = 0.1 * (1 + Math.log(10));
    const rng = makeRng('worlds');
    let covered = 0;
    for (let world = 0; world < 100; world++) {
      const list = descending(Array.from({ length: 300 }, () => -Math.log(1 - rng.uniform())));
      const interval = concentrationOf(list, makeRng('c', world))?.top10.interval;
      if (interval !== undefined && (interval.low ?? 1) <= truth && truth <= (interval.high ?? 0)) covered++;
    }
    expect(covered).toBeGreaterThan(85);
  });

  it('is not defined without volume', () => {
    expect(concentrationOf(new Float64Array(0), makeRng('c'))).toBeUndefined();
    expect(concentrationOf(new Float64Array(5), makeRng('c'))).toBeUndefined();
  });

  it('thins the resamples, not the wallets', () => {
    expect(resamplesFor(685)).toBe(1000);
    expect(resamplesFor(1e7)).toBe(100);
  });

  it('draws a curve from nobody to everybody that never falls below the diagonal', () => {
    fc.assert(
      fc.property(volumes, fc.integer({ min: 1, max: 50 }), (list, steps) => {
        const { x, y } = concentrationCurve(list, steps);
        expect([x[0], y[0]]).toEqual([0, 0]);
        expect(x.at(-1)).toBe(1);
        expect(y.at(-1)).toBeCloseTo(1, 12);
        expect(x.length).toBeLessThanOrEqual(steps + 2);
        for (let i = 1; i < x.length; i++) {
          expect(x[i]).toBeGreaterThan(x[i - 1] as number);
          expect(y[i]).toBeGreaterThanOrEqual((x[i] as number) - 1e-9);
          const rank = Math.round((x[i] as number) * list.length);
          expect(y[i]).toBeCloseTo(sum(list.slice(0, rank)) / sum(list), 9);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('share of wallets', () => {
  it('has about the interval of a binomial share', () => {
    const share = shareWithInterval(400, 1000, makeRng('s'));
    expect(share.value).toBe(0.4);
    const half = 1.96 * Math.sqrt((0.4 * 0.6) / 1000);
    expect(share.interval.low).toBeCloseTo(0.4 - half, 1.9);
    expect(share.interval.high).toBeCloseTo(0.4 + half, 1.9);
  });
});

describe('findings', () => {
  const of = (list: readonly number[]) => {
    const found = concentrationOf(descending(list), makeRng('f'));
    if (found === undefined) throw new Error('no volume');
    return concentrationFinding(found);
  };
  const marked = (ahead: number, behind: number, even: number) => ({
    values: Float64Array.from([...new Array(behind).fill(-1), ...new Array(even).fill(0), ...new Array(ahead).fill(2)]),
    unknown: 3,
    ahead,
    behind,
    totalUsd: 2 * ahead - behind,
  });
  const said = (summary: ReturnType<typeof marked>) =>
    aheadFinding(summary, shareWithInterval(summary.ahead, summary.values.length, makeRng('f')));

  it('say yes of a few who make most, no of many alike, and nothing of nine', () => {
    const few = [...new Array(40).fill(1000), ...new Array(360).fill(1)];
    expect(of(few)).toMatchObject({ verdict: 'yes', headline: 'A few wallets.', n: 400 });
    expect(of(new Array(400).fill(1))).toMatchObject({ verdict: 'no', estimate: { value: 0.1 } });
    expect(of([1000, ...new Array(8).fill(1)]).verdict).toBe('undecided');
  });

  it('never say more than probably of profit that is not settled, and count who is even and unknown', () => {
    expect(said(marked(300, 90, 10))).toMatchObject({
      verdict: 'probably',
      sentence: expect.stringMatching(/300 wallets of 400 \(75 %\) are ahead, 90 behind and 10 even.*3 wallets/),
    });
    expect(said(marked(50, 300, 50)).verdict).toBe('no');
    expect(said(marked(202, 198, 0)).verdict).toBe('undecided');
    expect(said(marked(9, 0, 0)).verdict).toBe('undecided');
  });
});
