import { describe, expect, it } from 'vitest';
import { skilledOutcome } from '../../../src/markets/simulated/choices.ts';
import { apportion } from '../../../src/markets/simulated/draw.ts';
import { forEachFill } from '../../../src/markets/simulated/merge.ts';
import { ProbabilityPaths } from '../../../src/markets/simulated/paths.ts';
import { orderOf } from '../../../src/markets/simulated/schedule.ts';
import { makeMarkets } from '../../../src/markets/simulated/world.ts';
import { sigmoid } from '../../../src/numeric/elementary.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { base, edgesOf, excess, isA, none, worldOf } from './worlds.ts';

describe('probability paths', () => {
  const markets = makeMarkets({ ...base, markets: 20_000 }, makeRng(1, 'markets'));

  it('are calibrated at every stage of life', () => {
    const paths = new ProbabilityPaths(markets, makeRng(1, 'paths'));
    for (const share of [0, 0.3, 0.6, 0.95]) {
      const bins = Array.from({ length: 10 }, () => ({ n: 0, p: 0, variance: 0, happened: 0 }));
      markets.forEach((market, m) => {
        const p = sigmoid(paths.at(m, market.opens + share * (market.closes - market.opens)));
        const bin = bins[Math.min(9, Math.floor(p * 10))] as (typeof bins)[number];
        bin.n++;
        bin.p += p;
        bin.variance += p * (1 - p);
        bin.happened += market.happens ? 1 : 0;
      });
      // Outcomes of an event move together, hence 5 instead of 4 standard errors.
      for (const bin of bins) expect(Math.abs(bin.happened - bin.p)).toBeLessThan(5 * Math.sqrt(bin.variance) + 1);
    }
  });

  it('are martingales that end near the outcome', () => {
    const paths = new ProbabilityPaths(markets, makeRng(2, 'paths'));
    let change = 0;
    let squares = 0;
    let certain = 0;
    markets.forEach((market, m) => {
      const early = sigmoid(paths.at(m, market.opens + 0.2 * (market.closes - market.opens)));
      const late = sigmoid(paths.at(m, market.closes));
      change += late - early;
      squares += (late - early) ** 2;
      if (Math.abs(late - (market.happens ? 1 : 0)) < 0.2) certain++;
    });
    expect(Math.abs(change)).toBeLessThan(4 * Math.sqrt(squares));
    expect(certain / markets.length).toBeGreaterThan(0.6);
    expect(certain / markets.length).toBeLessThan(0.98);
  });

  it('has lives in the declared shares', () => {
    const days = markets.map((market) => (market.closes - market.opens) / 86_400);
    const share = (low: number, high: number) => days.filter((d) => d >= low && d < high).length / days.length;
    expect(share(0, 1)).toBeCloseTo(0.23, 1);
    expect(share(1, 7)).toBeCloseTo(0.45, 1);
    expect(share(7, 61)).toBeCloseTo(0.32, 1);
  });
});

describe('skilledOutcome', () => {
  it.each([
    [0.5, 0.03],
    [0.2, 0.05],
    [0.85, -0.02],
  ])('pays its edge over the price at probability %d and edge %d', (probability, edge) => {
    const rng = makeRng('skilled', probability, edge);
    const ticks = [Math.round(probability * 1000) + 9, Math.round((1 - probability) * 1000) + 7] as const;
    const n = 200_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const happens = rng.uniform() < probability;
      const outcome = skilledOutcome(rng, probability, happens, ticks, edge) as 0 | 1;
      const value = (happens === (outcome === 0) ? 1 : 0) - ticks[outcome] / 1000;
      sum += value;
      squares += value * value;
    }
    expect(Math.abs(sum / n - edge)).toBeLessThan((4 * Math.sqrt(squares)) / n);
  });

  it('does not trade where the edge cannot be had', () => {
    expect(skilledOutcome(makeRng(1), 0.15, true, [150, 850], 0.28)).toBeUndefined();
    expect(skilledOutcome(makeRng(1), 0.02, true, [20, 980], 0.01)).toBeUndefined();
  });
});

describe('a world with planted skill', async () => {
  const worlds = await Promise.all([1, 2, 3, 4].map((seed) => worldOf(base, seed)));

  it('lets it be found, within its standard error', () => {
    for (const world of worlds) {
      const skilled = isA(world, 'skilled');
      const edges = edgesOf(world);
      const { mean, error } = excess(world, skilled, (wallet) => edges[wallet] as number);
      expect(error).toBeLessThan(0.01);
      expect(Math.abs(mean)).toBeLessThan(3 * error);
      const found = excess(world, skilled, () => 0);
      expect(found.mean).toBeGreaterThan(2 * found.error);
    }
  });

  it('makes takers pay the spread and makers earn it', () => {
    for (const world of worlds) {
      const casual = excess(world, isA(world, 'casual'), () => 0);
      expect(Math.abs(casual.mean + 0.004)).toBeLessThan(0.004 + 3 * casual.error);
      expect(casual.error).toBeLessThan(0.006);
    }
  });

  it('draws edges from the declared distribution', () => {
    const edges = worlds.flatMap((world) => edgesOf(world).filter((_, w) => isA(world, 'skilled')(w)));
    const mean = edges.reduce((a, b) => a + b, 0) / edges.length;
    const sd = Math.sqrt(edges.reduce((sum, edge) => sum + (edge - mean) ** 2, 0) / edges.length);
    expect(mean).toBeCloseTo(0.03, 2);
    expect(sd).toBeCloseTo(0.02, 2);
  });
});

describe('a null world', () => {
  it('has no edge, and prices that mean what they say', async () => {
    const params = { ...base, archetypes: { ...none, casual: 97, marketMaker: 3 }, halfSpread: 0, impactScale: 0 };
    for (const seed of [5, 6]) {
      const world = await worldOf(params, seed);
      expect(edgesOf(world).every((edge) => edge === 0)).toBe(true);
      const { mean, error } = excess(world, isA(world, 'casual'), () => 0);
      expect(error).toBeLessThan(0.006);
      expect(Math.abs(mean)).toBeLessThan(3 * error);
    }
  });

  it('underprices favourites once it has the longshot bias', async () => {
    const params = { ...base, archetypes: { ...none, casual: 97, marketMaker: 3 }, longshotBias: 0.3, halfSpread: 0 };
    const world = await worldOf(params, 7);
    const markets = world.shards.flatMap((shard) => shard.markets);
    let edge = 0;
    let n = 0;
    forEachFill(world, (fill) => {
      if (fill.sell || fill.ticks < 600 || fill.ticks > 900) return;
      edge += (markets[fill.market]?.happens === (fill.outcome === 0) ? 1 : 0) - fill.ticks / 1000;
      n++;
    });
    expect(edge / n).toBeGreaterThan(0.02);
  });
});

describe('apportion', () => {
  it('gives every wallet a kind, by weight', () => {
    expect(apportion(10, [1, 1, 1])).toEqual([4, 3, 3]);
    expect(apportion(7, [0, 5, 0])).toEqual([0, 7, 0]);
    expect(apportion(2000, [79, 8, 2, 3, 5, 1, 2])).toEqual([1580, 160, 40, 60, 100, 20, 40]);
  });
});

describe('orderOf', () => {
  it('sorts by time and keeps the order of equals', () => {
    const times = Int32Array.from([5, 0, 259_200_000, 5, 2048, 0, 2047]);
    expect(Array.from(orderOf(times))).toEqual([1, 5, 0, 3, 6, 4, 2]);
    const rng = makeRng('times');
    const many = Int32Array.from({ length: 5000 }, () => rng.below(100_000_000));
    const places = Array.from(many.keys()).sort((a, b) => (many[a] as number) - (many[b] as number) || a - b);
    expect(Array.from(orderOf(many))).toEqual(places);
  });
});
