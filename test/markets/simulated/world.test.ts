import { describe, expect, it } from 'vitest';
import { archetypes, type WorldParams } from '../../../src/markets/simulated/assumptions.ts';
import { skilledOutcome } from '../../../src/markets/simulated/choices.ts';
import { clusteredMean } from '../../../src/markets/simulated/describe.ts';
import { apportion } from '../../../src/markets/simulated/draw.ts';
import { simulate, type World } from '../../../src/markets/simulated/simulate.ts';
import { makeMarkets, ProbabilityPaths } from '../../../src/markets/simulated/world.ts';
import { makeRng } from '../../../src/random/rng.ts';

const none = Object.fromEntries(archetypes.map((name) => [name, 0])) as unknown as WorldParams['archetypes'];
const base: WorldParams = {
  wallets: 1500,
  markets: 1500,
  days: 180,
  startDate: '2025-01-01',
  archetypes: { ...none, casual: 85, marketMaker: 3, skilled: 12 },
  skilledEdge: { mean: 0.03, sd: 0.02 },
  tradesPerWallet: 12,
  halfSpread: 0.01,
  longshotBias: 0,
  fiftyFiftyShare: 0,
};

/** Payout minus price minus `planted`, summed by event, over the purchases that `take` chooses. */
function excess(world: World, take: (wallet: number) => boolean, planted: (wallet: number) => number) {
  const column = world.fills.column.bind(world.fills);
  const [wallets, markets, outcomes] = [column('wallet'), column('market'), column('outcome')];
  const [sells, usd, shares] = [column('sell'), column('usd'), column('shares')];
  const events = new Map<number, { n: number; edge: number }>();
  for (let i = 0; i < world.fills.size; i++) {
    const wallet = wallets[i] as number;
    if (sells[i] === 1 || !take(wallet)) continue;
    const market = world.markets[markets[i] as number] as World['markets'][number];
    const wins = market.happens === (outcomes[i] === 0);
    const payout = market.fiftyFifty ? 0.5 : wins ? 1 : 0;
    const sum = events.get(market.event) ?? { n: 0, edge: 0 };
    sum.n++;
    sum.edge += payout - (usd[i] as number) / (shares[i] as number) - planted(wallet);
    events.set(market.event, sum);
  }
  const { mean, error } = clusteredMean([...events.values()]);
  return { mean: mean as number, error: error as number };
}

const isA = (world: World, archetype: string) => (wallet: number) => world.wallets[wallet]?.archetype === archetype;
const worldOf = (params: WorldParams, seed: number) => simulate(params, (purpose) => makeRng(seed, purpose));

describe('probability paths', () => {
  const markets = makeMarkets({ ...base, markets: 20_000 }, makeRng(1, 'markets'));

  it('are calibrated at every stage of life', () => {
    const paths = new ProbabilityPaths(markets, makeRng(1, 'paths'));
    for (const share of [0, 0.3, 0.6, 0.95]) {
      const bins = Array.from({ length: 10 }, () => ({ n: 0, p: 0, variance: 0, happened: 0 }));
      markets.forEach((market, m) => {
        const p = paths.at(m, market.opens + share * (market.closes - market.opens));
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
      const early = paths.at(m, market.opens + 0.2 * (market.closes - market.opens));
      const late = paths.at(m, market.closes);
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

describe('a world with planted skill', () => {
  const worlds = [1, 2, 3, 4].map((seed) => worldOf(base, seed));

  it('lets it be found, within its standard error', () => {
    for (const world of worlds) {
      const skilled = isA(world, 'skilled');
      const { mean, error } = excess(world, skilled, (wallet) => world.edges[wallet] as number);
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
    const edges = worlds.flatMap((world) => Array.from(world.edges).filter((_, w) => isA(world, 'skilled')(w)));
    const mean = edges.reduce((a, b) => a + b, 0) / edges.length;
    const sd = Math.sqrt(edges.reduce((sum, edge) => sum + (edge - mean) ** 2, 0) / edges.length);
    expect(mean).toBeCloseTo(0.03, 2);
    expect(sd).toBeCloseTo(0.02, 2);
  });
});

describe('a null world', () => {
  it('has no edge, and prices that mean what they say', () => {
    const params = { ...base, archetypes: { ...none, casual: 97, marketMaker: 3 }, halfSpread: 0 };
    for (const seed of [5, 6]) {
      const world = worldOf(params, seed);
      expect(world.edges.every((edge) => edge === 0)).toBe(true);
      const { mean, error } = excess(world, isA(world, 'casual'), () => 0);
      expect(error).toBeLessThan(0.006);
      expect(Math.abs(mean)).toBeLessThan(3 * error + 0.0015);
    }
  });

  it('underprices favourites once it has the longshot bias', () => {
    const params = { ...base, archetypes: { ...none, casual: 97, marketMaker: 3 }, longshotBias: 0.3, halfSpread: 0 };
    const world = worldOf(params, 7);
    const column = world.fills.column.bind(world.fills);
    const [markets, outcomes, sells] = [column('market'), column('outcome'), column('sell')];
    const [usd, shares] = [column('usd'), column('shares')];
    let edge = 0;
    let n = 0;
    for (let i = 0; i < world.fills.size; i++) {
      const price = (usd[i] as number) / (shares[i] as number);
      if (sells[i] === 1 || price < 0.6 || price > 0.9) continue;
      edge += (world.markets[markets[i] as number]?.happens === (outcomes[i] === 0) ? 1 : 0) - price;
      n++;
    }
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
