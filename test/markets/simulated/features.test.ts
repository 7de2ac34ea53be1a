/** Each thing that a world can have, on and off. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorldParams } from '../../../src/markets/simulated/assumptions.ts';
import { forEachFill } from '../../../src/markets/simulated/merge.ts';
import { ProbabilityPaths } from '../../../src/markets/simulated/paths.ts';
import { ask, orderPrices } from '../../../src/markets/simulated/quotes.ts';
import { simulate, type World } from '../../../src/markets/simulated/simulate.ts';
import { makeMarkets } from '../../../src/markets/simulated/world.ts';
import { logit, sigmoid } from '../../../src/numeric/elementary.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { base, edgesOf, excess, groupBy, isA, none, walletsOf, worldOf } from './worlds.ts';

const DAY = 86_400;
const small: WorldParams = { ...base, wallets: 600, markets: 300, days: 90 };
const marketsOf = (world: World) => world.shards.flatMap((shard) => shard.markets);

describe('skill decay', () => {
  it('pays less and less, by the half-life, and truth keeps the first edge', async () => {
    const params = { ...base, skilledEdge: { mean: 0.12, sd: 0 }, skillHalfLifeDays: 15 };
    const worlds = await Promise.all([1, 2].map((seed) => worldOf(params, seed)));
    for (const world of worlds) {
      const wallets = walletsOf(world);
      const age = (w: number, time: number): number => (time - (wallets[w]?.from as number)) / DAY;
      const skilled = isA(world, 'skilled');
      expect(edgesOf(world).every((edge, w) => edge === (skilled(w) ? 0.12 : 0))).toBe(true);
      for (const [from, to] of [
        [0, 15],
        [15, 45],
        [45, 180],
      ] as const) {
        const { mean, error } = excess(
          world,
          (w, fill) => skilled(w) && age(w, fill.time) >= from && age(w, fill.time) < to,
          (w, fill) => 0.12 * 2 ** (-age(w, fill.time) / 15),
        );
        expect(error).toBeLessThan(0.02);
        expect(Math.abs(mean)).toBeLessThan(3.5 * error);
      }
      const young = excess(
        world,
        (w, fill) => skilled(w) && age(w, fill.time) < 15,
        () => 0,
      );
      const old = excess(
        world,
        (w, fill) => skilled(w) && age(w, fill.time) > 45,
        () => 0,
      );
      expect(young.mean - old.mean).toBeGreaterThan(2 * (young.error + old.error));
    }
  });
});

describe('wash surge', () => {
  const archetypes = { ...none, casual: 80, marketMaker: 3, washTrader: 14 };
  const wash = { share: 0.4, ringSize: 4, fromDay: 20, toDay: 50 };

  it('makes its share of the volume of its days, within rings, at the middle price', async () => {
    const world = await worldOf({ ...small, archetypes, wash }, 1);
    const wallets = walletsOf(world);
    const washes = (w: number): boolean => wallets[w]?.archetype === 'washTrader';
    let [within, all, fills] = [0, 0, 0];
    forEachFill(world, (fill) => {
      const inside = fill.time >= 20 * DAY && fill.time < 50 * DAY;
      if (inside) all += fill.size * fill.ticks;
      if (!washes(fill.wallet)) return;
      fills++;
      // A ring trades with nobody else and on no other day.
      expect(inside && wallets[fill.counterparty]?.family === wallets[fill.wallet]?.family).toBe(true);
      expect(fill.wallet).not.toBe(fill.counterparty);
      within += fill.size * fill.ticks;
    });
    expect(fills).toBeGreaterThan(500);
    expect(within / all).toBeGreaterThan(0.38);
    expect(within / all).toBeLessThan(0.42);
    const sizes = new Map<number, number>();
    for (const { family } of wallets.filter((_, w) => washes(w))) sizes.set(family, (sizes.get(family) ?? 0) + 1);
    expect(Math.min(...sizes.values())).toBe(4);
    expect(Math.max(...sizes.values())).toBeLessThan(8);
  });

  it('is not there without wash traders or without a share', async () => {
    const { share: _, ...rest } = wash;
    for (const params of [
      { ...small, wash },
      { ...small, archetypes, wash: { ...rest, share: 0 } },
    ]) {
      const world = await worldOf(params, 1);
      const washes = isA(world, 'washTrader');
      let washed = 0;
      forEachFill(world, (fill) => (washed += washes(fill.wallet) ? 1 : 0));
      expect(washed).toBe(0);
    }
  });
});

describe('fees', () => {
  it('hold from their day on, takers pay the curve and makers get their part', async () => {
    const step = { exponent: 1, takerOnly: true };
    const fees = [
      { fromDay: 30, rate: 0.07, rebateShare: 0, ...step },
      { fromDay: 60, rate: 0.03, rebateShare: 0.25, ...step },
    ];
    const [free, charged] = await Promise.all([worldOf(small, 3), worldOf({ ...small, fees }, 3)]);
    const seen = [0, 0, 0];
    forEachFill(charged, ({ time, size, ticks, maker, fee }) => {
      const period = time < 30 * DAY ? 0 : time < 60 * DAY ? 1 : 2;
      const curve = size * 10_000 * (ticks / 1000) * (1 - ticks / 1000);
      const expected = [0, maker ? 0 : 0.07 * curve, maker ? -0.25 * 0.03 * curve : 0.03 * curve][period] as number;
      // The venue rounds to 1e-5 USD.
      expect(Math.abs(fee - expected)).toBeLessThan(6.01);
      seen[period] = (seen[period] as number) + 1;
    });
    expect(Math.min(...seen)).toBeGreaterThan(100);
    // Fees change nothing else.
    let same = true;
    const paid: number[] = [];
    forEachFill(free, ({ fee, size, ticks }) => {
      same &&= fee === 0;
      paid.push(size * ticks);
    });
    let i = 0;
    forEachFill(charged, ({ size, ticks }) => {
      same &&= paid[i++] === size * ticks;
    });
    expect(same && i === paid.length).toBe(true);
  });
});

describe('disputes', () => {
  const markets = makeMarkets({ ...base, markets: 5000, disputes: { share: 0.3, fiftyFiftyShare: 0.2 } }, makeRng(1));

  it('delay what is final, and decide some markets 50-50', () => {
    const disputed = markets.filter((market) => market.disputedAt.length > 0);
    expect(disputed.length / markets.length).toBeCloseTo(0.3, 1);
    expect(disputed.filter((market) => market.fiftyFifty).length / disputed.length).toBeCloseTo(0.2, 1);
    for (const { closes, proposedAt, disputedAt, finalAt } of markets) {
      expect(proposedAt).toBeGreaterThanOrEqual(closes);
      const steps = [proposedAt, ...disputedAt];
      for (let k = 1; k < steps.length; k++) expect(steps[k]).toBeGreaterThanOrEqual(steps[k - 1] as number);
      if (disputedAt.length === 0) expect(finalAt - proposedAt).toBe(7200);
      if (disputedAt.length === 2) expect(finalAt - (disputedAt[1] as number)).toBeGreaterThanOrEqual(2 * DAY);
      expect(finalAt - proposedAt).toBeLessThan(5 * DAY);
    }
  });

  it('are not there unless asked for', () => {
    const quiet = makeMarkets({ ...base, markets: 500 }, makeRng(1));
    expect(quiet.every((market) => market.disputedAt.length === 0)).toBe(true);
  });
});

describe('exclusive events', () => {
  const events = { exclusiveShare: 1, outcomeCorrelation: 0.6, shockCorrelation: 0 };
  const markets = makeMarkets({ ...base, markets: 12_000, events }, makeRng(2));

  it('have exactly one winner, and probabilities that add up to one and are calibrated', () => {
    const paths = new ProbabilityPaths(markets, makeRng(2, 'paths'));
    const groups = groupBy([...markets.keys()], (m) => markets[m]?.event as number);
    const bins = Array.from({ length: 10 }, () => ({ n: 0, p: 0, variance: 0, happened: 0 }));
    for (const group of groups.values()) {
      expect(group.filter((m) => markets[m]?.happens).length).toBe(1);
      const { opens, closes } = markets[group[0] as number] as (typeof markets)[number];
      for (const share of [0, 0.5, 0.9]) {
        const p = group.map((m) => sigmoid(paths.at(m, opens + share * (closes - opens))));
        expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        if (share === 0)
          for (const [k, m] of group.entries()) expect(p[k]).toBeCloseTo(markets[m]?.startProbability as number, 9);
        if (share !== 0.5) continue;
        for (const [k, m] of group.entries()) {
          const bin = bins[Math.min(9, Math.floor((p[k] as number) * 10))] as (typeof bins)[number];
          bin.n++;
          bin.p += p[k] as number;
          bin.variance += (p[k] as number) * (1 - (p[k] as number));
          bin.happened += markets[m]?.happens ? 1 : 0;
        }
      }
    }
    for (const bin of bins) expect(Math.abs(bin.happened - bin.p)).toBeLessThan(4 * Math.sqrt(bin.variance) + 1);
  });
});

describe('common shocks', () => {
  it('move the markets of an event together as much as told', () => {
    for (const shared of [0, 0.7]) {
      const events = { exclusiveShare: 0, outcomeCorrelation: 0.6, shockCorrelation: shared };
      const markets = makeMarkets({ ...base, markets: 20_000, events }, makeRng(3));
      const paths = new ProbabilityPaths(markets, makeRng(3, 'paths'), shared);
      let [sum, n] = [0, 0];
      for (let m = 1; m < markets.length; m++) {
        const [a, b] = [markets[m - 1], markets[m]] as [(typeof markets)[number], (typeof markets)[number]];
        if (a.event !== b.event || (m > 1 && markets[m - 2]?.event === a.event)) continue;
        const half = a.opens + (a.closes - a.opens) / 2;
        const shock = (k: number, market: typeof a): number => {
          const variance = market.informationPerSecond * (half - market.opens);
          const drift = market.happens ? variance / 2 : -variance / 2;
          return (paths.at(k, half) - market.start - drift) / Math.sqrt(variance);
        };
        sum += shock(m - 1, a) * shock(m, b);
        n++;
      }
      expect(n).toBeGreaterThan(2000);
      expect(Math.abs(sum / n - shared)).toBeLessThan(4.5 / Math.sqrt(n));
    }
  });
});

describe('news and latency', () => {
  const news = { perMarket: 30, informationShare: 0.8, quoteLatencySeconds: 60, reactions: 20, latencyScale: 1 };
  const archetypes = { ...none, casual: 60, marketMaker: 4, bot: 20, arbitrageBot: 20 };
  const params: WorldParams = { ...base, wallets: 600, markets: 400, archetypes, tradesPerWallet: 2, news };

  it('pays those who are faster than the quotes, and nobody else', async () => {
    const world = await worldOf(params, 1);
    const wallets = walletsOf(world);
    const markets = marketsOf(world);
    // Takers within a minute of news: the quotes do not know it yet.
    const since = (fill: { market: number; time: number }): number =>
      fill.time - (markets[fill.market]?.news.findLast((time) => time <= fill.time) ?? -Infinity);
    const fast = excess(
      world,
      (w, fill) => !fill.maker && wallets[w]?.archetype === 'arbitrageBot' && since(fill) < 30,
      () => 0,
    );
    const slow = excess(
      world,
      (w, fill) => !fill.maker && wallets[w]?.archetype === 'casual' && since(fill) > 60,
      () => 0,
    );
    expect(fast.n).toBeGreaterThan(300);
    expect(fast.mean).toBeGreaterThan(0.01 + 3 * fast.error);
    expect(slow.mean).toBeLessThan(3 * slow.error);
  });

  it('pays no one once all are slower than the quotes', async () => {
    const world = await worldOf({ ...params, news: { ...news, latencyScale: 300 } }, 1);
    const bots = isA(world, 'arbitrageBot');
    const { mean, error, n } = excess(
      world,
      (w, fill) => !fill.maker && bots(w),
      () => 0,
    );
    expect(n).toBeGreaterThan(300);
    expect(mean).toBeLessThan(3 * error);
  });

  it('draws latencies around the medians', async () => {
    const world = await worldOf(params, 1);
    const median = (archetype: string): number => {
      const values = walletsOf(world)
        .filter((wallet) => wallet.archetype === archetype)
        .map((wallet) => wallet.latencySeconds)
        .sort((a, b) => a - b);
      return values[values.length >> 1] as number;
    };
    expect(median('arbitrageBot')).toBeGreaterThan(1.5);
    expect(median('arbitrageBot')).toBeLessThan(2.7);
    expect(median('bot')).toBeGreaterThan(6);
    expect(median('bot')).toBeLessThan(11);
  });
});

describe('wallets that follow', () => {
  const archetypes = { ...none, casual: 60, marketMaker: 4, skilled: 8, sybil: 15, copier: 10, whale: 3 };

  it('buy what their leader bought in that market, after it', async () => {
    const world = await worldOf({ ...small, archetypes }, 1);
    const wallets = walletsOf(world);
    const bought = new Map<string, number>();
    const counts = { sybil: 0, copier: 0 };
    forEachFill(world, (fill) => {
      const wallet = wallets[fill.wallet];
      const key = `${fill.wallet} ${fill.market}`;
      if (!fill.sell) bought.set(key, fill.outcome);
      if (wallet === undefined || wallet.follows < 0 || fill.sell) return;
      expect(bought.get(`${wallet.follows} ${fill.market}`)).toBeDefined();
      counts[wallet.archetype as 'sybil' | 'copier']++;
    });
    expect(Math.min(counts.sybil, counts.copier)).toBeGreaterThan(100);
    const families = groupBy(
      wallets.filter((wallet) => wallet.archetype === 'sybil'),
      (wallet) => wallet.family,
    );
    for (const family of families.values()) {
      expect(family.length).toBeGreaterThanOrEqual(5);
      expect(family.filter((wallet) => wallet.follows < 0).length).toBe(1);
    }
    for (const { archetype, follows } of wallets)
      if (archetype === 'copier') expect(['skilled', 'whale']).toContain(wallets[follows]?.archetype);
  });
});

describe('kinds', () => {
  it('trade as they are said to', async () => {
    const archetypes = { ...none, casual: 60, marketMaker: 4, longshotBuyer: 10, favouriteBuyer: 10, arbitrageBot: 5 };
    const world = await worldOf({ ...small, archetypes }, 1);
    const wallets = walletsOf(world);
    const pairs = new Map<number, number[]>();
    let [longshots, favourites] = [0, 0];
    forEachFill(world, (fill) => {
      const kind = wallets[fill.wallet]?.archetype;
      if (kind === 'longshotBuyer' && !fill.sell) {
        expect(fill.ticks).toBeLessThanOrEqual(300);
        longshots++;
      }
      if (kind === 'favouriteBuyer') {
        expect(fill.ticks).toBeGreaterThanOrEqual(700);
        favourites++;
      }
      if (kind === 'arbitrageBot') pairs.set(fill.transaction, [...(pairs.get(fill.transaction) ?? []), fill.ticks]);
    });
    expect(Math.min(longshots, favourites, pairs.size)).toBeGreaterThan(50);
    // Both outcomes for less than the dollar that they pay.
    for (const ticks of pairs.values())
      if (ticks.length === 2) expect((ticks[0] as number) + (ticks[1] as number)).toBeLessThan(1000);
  });

  it('send sizes and numbers of orders with heavy tails', async () => {
    const world = await worldOf({ ...base, archetypes: { ...none, casual: 96, marketMaker: 4 } }, 1);
    const volume = new Map<number, number>();
    forEachFill(world, (fill) => volume.set(fill.wallet, (volume.get(fill.wallet) ?? 0) + fill.size * fill.ticks));
    const sorted = [...volume.values()].sort((a, b) => b - a);
    const total = sorted.reduce((a, b) => a + b, 0);
    const top = sorted.slice(0, Math.ceil(sorted.length / 10)).reduce((a, b) => a + b, 0);
    expect(top / total).toBeGreaterThan(0.5);
    // Hill's estimate of the tail exponent of what casual takers send, from its largest half per cent.
    const casual = isA(world, 'casual');
    const usd: number[] = [];
    forEachFill(world, (fill) => {
      if (casual(fill.wallet) && !fill.maker && !fill.sell) usd.push(fill.size * fill.ticks);
    });
    usd.sort((a, b) => b - a);
    const k = Math.floor(usd.length / 200);
    const threshold = usd[k] as number;
    const hill = k / usd.slice(0, k).reduce((sum, value) => sum + Math.log(value / threshold), 0);
    expect(hill).toBeGreaterThan(1.1);
    expect(hill).toBeLessThan(3);
  });
});

describe('quotes', () => {
  it('leave a maker nothing on average where a share of takers knows the outcome', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.02, max: 0.98, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (p, mu) => {
          // A buyer comes from the informed if it happens, else by a coin: the maker's mean payout given a buyer.
          const [ifHappens, ifNot] = [mu + (1 - mu) / 2, (1 - mu) / 2];
          const worth = (p * ifHappens) / (p * ifHappens + (1 - p) * ifNot);
          expect(ask(p, mu)).toBeCloseTo(worth, 12);
          expect(logit(ask(p, mu)) - logit(p)).toBeCloseTo(Math.log((1 + mu) / (1 - mu)), 9);
        },
      ),
    );
  });

  it('cost a taker the spread and pay it to a maker, on the tick and within 0..1', () => {
    // At 1/2 and mu = 0.08: 0.54 and 0.46, a tick further, and 1 tick of impact for 1,000 USD.
    expect(orderPrices(0.5, { halfSpread: 0.04, impactScale: 1 }, false, false, 1000)).toEqual([542, 542]);
    expect(orderPrices(0.5, { halfSpread: 0.04, impactScale: 1 }, true, false, 1000)).toEqual([459, 459]);
    expect(orderPrices(0.5, { halfSpread: 0.04, impactScale: 1 }, false, true, 1000)).toEqual([458, 458]);
    expect(orderPrices(0.5, { halfSpread: 0.04, impactScale: 1 }, true, true, 1000)).toEqual([541, 541]);
    expect(orderPrices(0.5, { halfSpread: 0, impactScale: 0 }, false, false, 1e5)).toEqual([500, 500]);
    const sell = fc.boolean();
    const maker = fc.boolean();
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), maker, sell, (mid, m, s) => {
        for (const ticks of orderPrices(mid, { halfSpread: 0.1, impactScale: 1 }, m, s, 1e6))
          expect(ticks > 0 && ticks < 1000).toBe(true);
      }),
    );
  });
});

describe('shards', () => {
  const params: WorldParams = { ...small, shards: 3 };

  it('are the same however many threads make them', async () => {
    const [one, two] = await Promise.all([simulate(params, [1, 2], 1), simulate(params, [1, 2], 2)]);
    expect(one.shards.length).toBe(3);
    expect(two).toEqual(one);
  });

  it('share time but neither wallets nor markets, and come in order of time', async () => {
    const world = await worldOf(params, 1);
    expect(world.addresses.length).toBe(600);
    expect(marketsOf(world).length).toBe(300);
    expect(new Set(world.addresses).size).toBe(600);
    let [time, n, wrong] = [0, 0, 0];
    const shardOf = (wallet: number): number => world.offsets.findLastIndex((offset) => offset.wallet <= wallet);
    forEachFill(world, (fill) => {
      const market = world.offsets.findLastIndex((offset) => offset.market <= fill.market);
      const shard = shardOf(fill.wallet);
      if (fill.time < time || shard !== shardOf(fill.counterparty) || shard !== market) wrong++;
      time = fill.time;
      n++;
    });
    expect(wrong).toBe(0);
    expect(n).toBe(world.shards.reduce((sum, { matches }) => sum + 2 * matches.time.length, 0));
  });
});
