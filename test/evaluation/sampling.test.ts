import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clustersOf, standardError, wholeSample } from '../../src/evaluation/bootstrap.ts';
import { measureModel } from '../../src/evaluation/measure.ts';
import {
  combine,
  type Draws,
  errorOf,
  FEWEST_BLOCKS,
  intervalOf,
  pOf,
  resample,
  samplingOf,
  timeBlocks,
} from '../../src/evaluation/sampling.ts';
import { meanOfValues, prepareScore } from '../../src/evaluation/scores.ts';
import { makeRng } from '../../src/random/rng.ts';

const day = 86_400_000;

describe('stretches of time', () => {
  it('begin where the labels of the stretch before have ended', () => {
    const dates = [0, 14, 28, 42, 56, 70, 84, 98, 112, 126, 140].map((d) => d * day);
    const of = (span: number): number[] => [
      ...(
        timeBlocks(
          dates,
          dates.map((t) => t + span * day),
        ) as { of: Int32Array }
      ).of,
    ];
    expect(of(30)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3]);
    // Both ends of a label span belong to it.
    expect(of(14)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
    expect(of(0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(of(1000)).toEqual(new Array(11).fill(0));
  });

  it('are the dates where no label end is known, and nothing where a time is missing', () => {
    expect(timeBlocks([5, 3, 5, 4])).toEqual({ of: Int32Array.of(2, 0, 2, 1), count: 3 });
    expect(timeBlocks([5, 3], [NaN, NaN])?.count).toBe(2);
    expect(timeBlocks([5, NaN])).toBeUndefined();
    expect(timeBlocks([])).toBeUndefined();
  });

  it('are not joined by a few long labels', () => {
    const time = Array.from({ length: 100 }, (_, i) => i);
    const ends = time.map((t) => t + (t === 0 ? 500 : 0));
    expect(timeBlocks(time, ends)?.count).toBe(100);
  });

  it('never split a date, keep the order, and are fewer for longer labels', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 40 }), fc.nat(20), fc.nat(20), (time, a, b) => {
        const blocks = (span: number) =>
          timeBlocks(
            time,
            time.map((t) => t + span),
          ) as { of: Int32Array; count: number };
        const short = blocks(Math.min(a, b));
        expect(blocks(Math.max(a, b)).count).toBeLessThanOrEqual(short.count);
        for (let i = 0; i < time.length; i++)
          for (let j = 0; j < time.length; j++)
            if ((time[i] as number) <= (time[j] as number))
              expect(short.of[i]).toBeLessThanOrEqual(short.of[j] as number);
      }),
    );
  });
});

describe('two-way clusters', () => {
  /** A mean over wallets x times of a wallet effect, a time effect and noise, one row a pair. */
  const panel = (seed: number, wallets: number, times: number, sd: readonly [number, number, number]) => {
    const rng = makeRng(seed, 'panel');
    const a = Array.from({ length: wallets }, () => sd[0] * rng.normal());
    const b = Array.from({ length: times }, () => sd[1] * rng.normal());
    const values = new Float64Array(wallets * times);
    for (let i = 0; i < values.length; i++)
      values[i] = (a[i % wallets] as number) + (b[Math.floor(i / wallets)] as number) + sd[2] * rng.normal();
    const wallet = Int32Array.from(values, (_, i) => i % wallets);
    const block = { of: Int32Array.from(values, (_, i) => Math.floor(i / wallets)), count: times };
    return { values, wallet, block };
  };
  const draw = (values: Float64Array, sampling: ReturnType<typeof samplingOf>, resamples: number): Draws =>
    resample([meanOfValues(values, sampling.of, sampling.units)], sampling, makeRng('draw'), resamples)[0] as Draws;

  it('have the variance of the formula, which the draws approach', () => {
    const { values, wallet, block } = panel(3, 20, 8, [1, 1, 1]);
    const draws = draw(values, samplingOf(wallet, block), 4000);
    const grand = values.reduce((sum, v) => sum + v, 0) / values.length;
    const clustered = (of: ArrayLike<number>, count: number): number => {
      const sums = new Float64Array(count);
      values.forEach((v, i) => {
        sums[of[i] as number] = (sums[of[i] as number] as number) + v - grand;
      });
      return sums.reduce((total, s) => total + s * s, 0) / values.length ** 2;
    };
    const expected =
      (clustered(wallet, 20) * 20) / 19 +
      (clustered(block.of, 8) * 8) / 7 -
      clustered(Int32Array.from(values.keys()), values.length);
    expect(errorOf(draws) / Math.sqrt(expected)).toBeCloseTo(1, 1);
  });

  it('cover the truth where all wallets share the luck of a time, and wallets alone do not', () => {
    const covered = (twoWay: boolean): number => {
      let hits = 0;
      const runs = 120;
      for (let seed = 0; seed < runs; seed++) {
        const { values, wallet, block } = panel(seed, 30, 8, [0.3, 0.5, 1]);
        const draws = draw(values, samplingOf(wallet, twoWay ? block : undefined), 100);
        const grand = values.reduce((sum, v) => sum + v, 0) / values.length;
        const { low, high } = intervalOf(grand, draws);
        if ((low as number) <= 0 && 0 <= (high as number)) hits++;
      }
      return hits / runs;
    };
    expect(covered(true)).toBeGreaterThan(0.9);
    expect(covered(false)).toBeLessThan(0.75);
  });

  it('is never surer than either way alone', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { values, wallet, block } = panel(seed, 12, 6, [seed % 2, seed % 3, 1]);
      const draws = draw(values, samplingOf(wallet, block), 50);
      expect(errorOf(draws)).toBeGreaterThanOrEqual(standardError(draws.byCluster));
      expect(errorOf(draws)).toBeGreaterThanOrEqual(standardError(draws.inTime?.byBlock as Float64Array));
    }
  });

  it('resample wallets alone with fewer stretches than can say anything', () => {
    const { values, wallet } = panel(1, 12, 6, [1, 1, 1]);
    const blocks = (count: number) => ({ of: wallet.map((w) => w % count), count });
    const few = samplingOf(wallet, blocks(FEWEST_BLOCKS - 1));
    expect(few).toMatchObject({ units: 12, blocks: FEWEST_BLOCKS - 1 });
    expect(few.cells).toBeUndefined();
    expect(draw(values, few, 50)).toEqual(draw(values, samplingOf(wallet), 50));
    expect(samplingOf(wallet, blocks(FEWEST_BLOCKS)).cells).toBeDefined();
  });

  it('give a p below 5 % exactly where the interval leaves out 0', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: -0.6, max: 0.6, noNaN: true }), (seed, shift) => {
        const { values, wallet, block } = panel(seed, 10, 6, [0.3, 0.3, 1]);
        const moved = values.map((v) => v + shift);
        const draws = draw(moved, samplingOf(wallet, block), 40);
        const mean = moved.reduce((sum, v) => sum + v, 0) / moved.length;
        const { low, high } = intervalOf(mean, draws);
        expect((pOf(mean, draws) as number) < 0.05).toBe((low as number) > 0 || (high as number) < 0);
      }),
      { numRuns: 40 },
    );
  });

  it('pair: a score against itself differs by exactly 0', () => {
    const { values, wallet, block } = panel(5, 10, 6, [1, 1, 1]);
    const draws = draw(values, samplingOf(wallet, block), 30);
    const none = combine(draws, draws, (a, b) => a - b);
    expect(intervalOf(0, none)).toEqual({ low: 0, high: 0 });
    expect(pOf(0, none)).toBe(1);
    expect(pOf(NaN, none)).toBeNull();
  });

  it('end where a score does', () => {
    const n = 60;
    const rng = makeRng('range');
    const actual = Array.from({ length: n }, (_, i) => i % 2);
    const predicted = actual.map((y) => (y === 1 ? 0.5 : 0.42) + 0.1 * rng.uniform());
    const metrics = measureModel({
      kind: 'binary',
      target: 't',
      set: 'test',
      actual,
      predicted,
      baseline: { label: 'half', predicted: actual.map(() => 0.5) },
      clusters: actual.map((_, i) => `w${i % 12}`),
      time: actual.map((_, i) => Math.floor(i / 10)),
      rng: makeRng(1),
    });
    const auc = metrics.find(({ name }) => name === 'auc');
    expect(auc).toMatchObject({ clusters: 12, blocks: 6, high: 1 });
    expect(auc?.low).toBeGreaterThan(0.5);
  });
});

describe('the Gini correlation', () => {
  const gini = (actual: readonly number[], predicted: readonly number[]): number =>
    prepareScore(
      'gini',
      {
        actual: Float64Array.from(actual),
        predicted: Float64Array.from(predicted),
        cluster: new Int32Array(actual.length),
      },
      1,
    ).score(wholeSample(1));

  it('is 1 for the right order, −1 for the reverse, and unknown for constants', () => {
    expect(gini([1, 5, 100], [0.1, 0.2, 0.3])).toBe(1);
    expect(gini([1, 5, 100], [3, 2, 1])).toBe(-1);
    expect(gini([1, 5, 100], [2, 2, 2])).toBeNaN();
    expect(gini([7, 7, 7], [1, 2, 3])).toBeNaN();
    // By hand: ranks about their middle are 0, -1, 1; (0*1 - 1*2 + 1*6) / (-1*1 + 0*2 + 1*6).
    expect(gini([1, 2, 6], [0.5, 0.1, 0.9])).toBeCloseTo(4 / 5, 12);
  });

  it('does not change with the scale of the target, nor with any rising function of the prediction', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
      minLength: 3,
      maxLength: 30,
    });
    fc.assert(
      fc.property(pairs, (rows) => {
        const y = rows.map(([a]) => a);
        const p = rows.map(([, b]) => b);
        const value = gini(y, p);
        const changed = gini(
          y.map((v) => 3 * v + 11),
          p.map((v) => v ** 3 + v),
        );
        if (Number.isNaN(value)) expect(changed).toBeNaN();
        else {
          expect(changed).toBeCloseTo(value, 9);
          expect(Math.abs(value)).toBeLessThanOrEqual(1 + 1e-12);
          expect(
            gini(
              y,
              p.map((v) => -v),
            ),
          ).toBeCloseTo(-value, 9);
        }
      }),
    );
  });

  it('is 0 where the price tells the rank of an edge but not its mean, which Spearman takes for skill', () => {
    // Bought at p, an edge of 1 - p with chance p and of -p else: the mean is 0 at every price.
    const rng = makeRng('fair prices');
    const price = Array.from({ length: 20_000 }, () => (rng.uniform() < 0.5 ? 0.9 : 0.3));
    const edge = price.map((p) => (rng.uniform() < p ? 1 - p : -p));
    const spearman = prepareScore(
      'spearman',
      { actual: Float64Array.from(edge), predicted: Float64Array.from(price), cluster: new Int32Array(edge.length) },
      1,
    ).score(wholeSample(1));
    expect(Math.abs(gini(edge, price))).toBeLessThan(0.03);
    expect(Math.abs(spearman)).toBeGreaterThan(0.1);
  });
});

it('numbers units as the names sort, so that the order of rows does not matter', () => {
  const names = ['b', 'a', 'c', 'b', 'a', 'c', 'b', 'a', 'c', 'b'];
  const blocks = clustersOf([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  const sampling = samplingOf(names, blocks);
  expect(sampling.cells?.cluster[sampling.of[0] as number]).toBe(1);
  expect(sampling.cells?.block[sampling.of[3] as number]).toBe(3);
  expect(sampling.units).toBe(new Set(names.map((name, i) => `${name} ${blocks.of[i]}`)).size);
});
