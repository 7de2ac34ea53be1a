/** Fills as rows: against a slow reading of the definitions, against a cut future, and where prices know nothing. */
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../../src/random/rng.ts';
import { openDuck } from '../../../src/tables/duck.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { tradeFeatures } from '../../../src/wallets/trade-features/columns.ts';
import { describeTrades, type TradeFeatureOptions } from '../../../src/wallets/trade-features.ts';
import { temporaryFolder } from '../../support/stage.ts';
import {
  makeWorld,
  priceOf,
  truncate,
  type World,
  type WorldTrade,
  worldStart,
  writeWorld,
} from '../../support/world.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
type Row = Record<string, unknown>;

const given: TradeFeatureOptions = {
  horizon: '12h',
  tolerance: '6h',
  payouts: true,
  costs: { halfSpread: 0.01, feeRate: 0.02, feeExponent: 1 },
  minHistory: 4,
  spreadWindow: '6h',
  sampleRows: null,
};

async function rowsOf(world: World, options = given): Promise<Row[]> {
  const folder = await temporaryFolder();
  const sources = await writeWorld(world, folder);
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  try {
    const file = path.join(folder, 'rows.parquet');
    await describeTrades(duck, sources, options, makeRng('sample'), file, () => undefined);
    return [...(await readParquet(file)).rows];
  } finally {
    duck.close();
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Every row looks at every trade. */
function oracle(world: World): Row[] {
  const last = (world.trades.at(-1) as WorldTrade).time;
  const resolution = new Map(world.resolutions.map((r) => [r.market, r]));
  const category = new Map(world.markets.map((m) => [m.market, m.category]));
  const knowableAt = (t: WorldTrade): number => resolution.get(t.market)?.knowableAt ?? Number.POSITIVE_INFINITY;
  const payout = (t: WorldTrade): number => {
    const first = resolution.get(t.market)?.payout0 as number;
    return t.outcomeIndex === 0 ? first : 1 - first;
  };
  const token = (t: WorldTrade): string | number | null => t.token ?? t.outcomeIndex;
  const sign = (t: WorldTrade): number => (t.side === 'BUY' ? 1 : -1);
  return world.trades.flatMap((t, seq) => {
    if (token(t) === null || t.shares === 0 || t.time >= knowableAt(t)) return [];
    const price = priceOf(t) as number;
    const before = world.trades.filter((o) => o.time < t.time);
    const own = before.filter((o) => o.wallet === t.wallet);
    const sizes = own.map((o) => o.usd);
    const deviation = Math.sqrt(sum(sizes.map((u) => (u - mean(sizes)) ** 2)) / (sizes.length - 1));
    const settled = own.filter((o) => o.outcomeIndex !== null && o.time < knowableAt(o) && knowableAt(o) < t.time);
    const shares = sum(settled.map((o) => o.shares));
    const earned = sum(settled.map((o) => sign(o) * (payout(o) * o.shares - o.usd) - (o.fee ?? 0)));
    const same = (o: WorldTrade): boolean => o.market === t.market && token(o) === token(t) && o.shares > 0;
    const taken = (side: string) => before.findLast((o) => same(o) && o.role === 'taker' && o.side === side);
    const [bought, sold] = [taken('BUY'), taken('SELL')];
    const recent = [bought, sold].every((o) => o !== undefined && o.time >= t.time - 6 * HOUR);
    const first = world.trades.find((o) => o.wallet === t.wallet) as WorldTrade;
    const end = t.time + 12 * HOUR;
    const exit = world.trades.findLast((o) => same(o) && o.time <= end) as WorldTrade;
    const cost = (p: number): number => 0.01 + 0.02 * p * (1 - p);
    const netMove =
      end > last
        ? null
        : t.outcomeIndex !== null && knowableAt(t) <= end
          ? sign(t) * (payout(t) - price) - cost(price)
          : exit.time < end - 6 * HOUR
            ? null
            : sign(t) * ((priceOf(exit) as number) - price) - cost(price) - cost(priceOf(exit) as number);
    return [
      {
        trade: String(seq),
        event: t.event,
        wallet: t.wallet,
        price,
        isBuy: Number(t.side === 'BUY'),
        isTaker: t.role == null ? null : Number(t.role === 'taker'),
        usd: t.usd / 1e6,
        sizeZ: sizes.length >= 4 ? (t.usd - mean(sizes)) / deviation : null,
        walletFills: own.length,
        walletDays: (t.time - first.time) / DAY,
        walletSettledFills: settled.length,
        walletEdge: shares > 0 ? earned / shares : null,
        marketVolumeUsd: sum(before.filter((o) => o.market === t.market && o.role !== 'maker').map((o) => o.usd)) / 1e6,
        spread: recent
          ? Math.max(0, (priceOf(bought as WorldTrade) as number) - (priceOf(sold as WorldTrade) as number))
          : null,
        hoursToEnd: null,
        isPolitics: Number(category.get(t.market) === 'politics'),
        isSports: Number(category.get(t.market) === 'sports'),
        isCrypto: Number(category.get(t.market) === 'crypto'),
        netMove,
        profitable: netMove === null ? null : Number(netMove > 0),
      },
    ];
  });
}

describe('fills as rows', () => {
  it('are those of a slow and independent reading of their definitions', async () => {
    const known = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const world = makeWorld({ seed, wallets: 5, markets: 5, trades: 400, days: 6 });
        const [actual, expected] = [await rowsOf(world), oracle(world)];
        expect(actual.map((row) => row['trade'])).toEqual(expected.map((row) => row['trade']));
        actual.forEach((row, i) => {
          for (const [name, value] of Object.entries(expected[i] as Row)) {
            if (typeof value === 'number') {
              const error = Math.abs((row[name] as number) - value) / Math.max(1, Math.abs(value));
              expect(error, `${name} of ${String(row['trade'])}`).toBeLessThan(1e-9);
              known.set(name, (known.get(name) ?? 0) + 1);
            } else expect(row[name], `${name} of ${String(row['trade'])}`).toEqual(value);
          }
        });
      }),
      { numRuns: 3, seed: 11 },
    );
    for (const { name } of tradeFeatures) if (name !== 'hoursToEnd') expect(known.get(name), name).toBeGreaterThan(5);
    expect(known.get('netMove')).toBeGreaterThan(50);
  });

  it('keep every feature when the future is cut off, and every label that was known by then; later ones are masked', async () => {
    const world = makeWorld({ seed: 21, wallets: 10, markets: 10, trades: 600, days: 20 });
    const whole = new Map((await rowsOf(world)).map((row) => [row['trade'], row]));
    const rng = makeRng('cuts');
    let [kept, masked] = [0, 0];
    for (let k = 0; k < 20; k++) {
      const cut = truncate(world, worldStart + DAY + rng.below(19 * DAY));
      const end = (cut.trades.at(-1) as WorldTrade).time * 1000;
      for (const row of await rowsOf(cut)) {
        const full = whole.get(row['trade']) as Row;
        const isKnown = (row['labelEnd'] as Date).getTime() <= end;
        if (isKnown) expect(row).toEqual(full);
        else expect(row).toEqual({ ...full, netMove: null, profitable: null });
        if (isKnown && row['netMove'] !== null) kept++;
        if (!isKnown && full['netMove'] !== null) masked++;
      }
    }
    expect(kept).toBeGreaterThan(500);
    expect(masked).toBeGreaterThan(20);
  });

  it('do not depend on which outcome is called 0', async () => {
    const world = makeWorld({ seed: 22, wallets: 10, markets: 10, trades: 400, days: 20 });
    const swapped: World = {
      ...world,
      trades: world.trades.map((t) => ({
        ...t,
        outcomeIndex: t.outcomeIndex === null ? null : t.outcomeIndex === 0 ? 1 : 0,
      })),
      resolutions: world.resolutions.map((r) => ({ ...r, payout0: 1 - r.payout0 })),
    };
    expect(await rowsOf(swapped)).toEqual(await rowsOf(world));
  });

  it('turn the label round with the side, and lose the costs once either way', async () => {
    const world = makeWorld({ seed: 23, wallets: 10, markets: 10, trades: 400, days: 8 });
    const turned: World = {
      ...world,
      trades: world.trades.map((t) => ({ ...t, side: t.side === 'BUY' ? 'SELL' : 'BUY' })),
    };
    const free = { ...given, costs: { halfSpread: 0, feeRate: 0, feeExponent: 1 } };
    const [one, other] = [await rowsOf(world, free), await rowsOf(turned, free)];
    const labelled = one.filter((row) => row['netMove'] !== null);
    expect(labelled.length).toBeGreaterThan(50);
    one.forEach((row, i) => {
      if (row['netMove'] !== null) expect(other[i]?.['netMove']).toBeCloseTo(-(row['netMove'] as number), 12);
    });
    const dear = await rowsOf(world);
    dear.forEach((row, i) => {
      if (row['netMove'] !== null) expect(row['netMove'] as number).toBeLessThan(one[i]?.['netMove'] as number);
    });
  });
});

/**
 * Prices that know nothing: a walk with even steps in each market, bought now as one token and now as the other.
 */
function fairWorld(): World {
  const rng = makeRng('fair');
  const trades: WorldTrade[] = [];
  const markets = Array.from({ length: 150 }, (_, k) => ({ market: `m${k}`, event: `m${k}`, category: null }));
  for (const { market } of markets) {
    let price = 0.3 + 0.4 * rng.uniform();
    for (let step = 0; step < 100; step++) {
      price += 0.01 * rng.normal();
      const outcomeIndex = rng.below(2) as 0 | 1;
      const time = worldStart + step * 1800 + rng.below(1800);
      const usd = Math.round((outcomeIndex === 0 ? price : 1 - price) * 10e6);
      trades.push({
        time,
        wallet: `w${rng.below(50)}`,
        market,
        event: market,
        outcomeIndex,
        side: 'BUY',
        usd,
        shares: 10e6,
      });
    }
  }
  return { trades: trades.sort((a, b) => a.time - b.time), markets, resolutions: [] };
}

describe('where prices know nothing', () => {
  const world = fairWorld();
  const BREAK = 1 / 2.05;
  const gap = (labels: readonly { price: number; profitable: boolean }[]): number => {
    const rate = (side: typeof labels): number => side.filter((l) => l.profitable).length / side.length;
    return rate(labels.filter((l) => l.price < BREAK)) - rate(labels.filter((l) => l.price >= BREAK));
  };

  it('a label on the same token is as often good below the price of 0.488 as above it', async () => {
    const free = { ...given, horizon: '6h', tolerance: '1h', costs: { halfSpread: 0, feeRate: 0, feeExponent: 1 } };
    const rows = (await rowsOf(world, free)).filter((row) => row['profitable'] !== null);
    expect(rows.length).toBeGreaterThan(8000);
    const labels = rows.map((row) => ({ price: row['price'] as number, profitable: row['profitable'] === 1 }));
    expect(Math.abs(gap(labels))).toBeLessThan(0.08);
  });

  it('a label by market alone, which takes the other token for a move of the price, is not', () => {
    const byMarket = new Map<string, WorldTrade[]>();
    for (const t of world.trades) byMarket.set(t.market, [...(byMarket.get(t.market) ?? []), t]);
    const labels = world.trades.flatMap((t) => {
      const later = t.time + 6 * HOUR;
      const near = (byMarket.get(t.market) as WorldTrade[]).filter((o) => Math.abs(o.time - later) <= HOUR);
      if (near.length === 0) return [];
      const nearest = near.reduce((a, b) => (Math.abs(b.time - later) < Math.abs(a.time - later) ? b : a));
      const [price, future] = [priceOf(t) as number, priceOf(nearest) as number];
      return [{ price, profitable: (future - price) / price > 0.05 }];
    });
    expect(gap(labels)).toBeGreaterThan(0.3);
  });
});
