import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/facts/make.ts';
import { openDuck } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { profileWallets } from '../../src/wallets/profile.ts';
import { temporaryFolder } from '../support/stage.ts';
import { type World, type WorldTrade, worldStart, writeWorld } from '../support/world.ts';

const DAY = 86_400;
const fill = (day: number, wallet: string, market: string, side: 'BUY' | 'SELL', usd: number): WorldTrade => ({
  time: worldStart + day * DAY,
  wallet,
  market,
  event: market,
  outcomeIndex: 0,
  side,
  usd: usd * 1e6,
  shares: 100e6,
});

/** Netflix holds etf, and software holds war: two markets of neither crypto nor politics. */
const world: World = {
  trades: [
    fill(1, 'a', 'm0', 'BUY', 40),
    fill(2, 'a', 'm0', 'SELL', 50),
    fill(3, 'a', 'm1', 'BUY', 60),
    fill(3, 'b', 'm2', 'SELL', 30),
    fill(10.5, 'c', 'm1', 'BUY', 20),
    fill(10.5, 'c', 'm0', 'BUY', 80),
  ],
  markets: [
    { market: 'm0', event: 'm0', category: 'other', question: 'Most watched on Netflix?', createdAt: worldStart },
    {
      market: 'm1',
      event: 'm1',
      category: 'other',
      question: 'Best software vs best film?',
      createdAt: worldStart + DAY,
    },
    { market: 'm2', event: 'm2', category: 'other', question: null, slug: 'weather-in-rome' },
  ],
  // m1 pays what a bought: the original counts its purchase as lost all the same.
  resolutions: [{ market: 'm1', payout0: 1, knowableAt: worldStart + 5 * DAY }],
};

async function original(asOf: object, bucketFills = 100): Promise<Map<unknown, Record<string, unknown>>> {
  const folder = await temporaryFolder();
  const sources = await writeWorld(world, folder);
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  try {
    const facts = path.join(folder, 'facts');
    await factsOf(duck, sources.trades, facts, { threads: 1, memoryMb: 256, scratch: folder });
    const file = path.join(folder, 'out.parquet');
    const run = { threads: 1, memoryMb: 256, scratch: folder, bucketFills };
    const options = {
      asOf: { every: '1d', lookback: '1000d', ...asOf },
      minTrades: 1,
      definitions: 'original',
    } as const;
    await profileWallets(duck, { ...sources, facts }, options, file, run);
    return new Map((await readParquet(file)).rows.map((row) => [row['wallet'], row]));
  } finally {
    duck.close();
  }
}

describe('the original definitions', () => {
  it('give the numbers of the reference pipeline, worked out by hand', async () => {
    const rows = await original({ from: 'end' });
    // a: 100 bought, 50 sold; from day 1 to the last fill of anyone on day 10.5: 9 whole days.
    expect(rows.get('a')).toMatchObject({
      tenureDays: 9,
      aggressionAvgUsd: 50,
      frequencyTradesDaily: 3 / 9,
      domainFocusSportsPct: 100 / 3,
      domainFocusPoliticsPct: 100 / 3,
      domainFocusCryptoPct: 200 / 3,
      diversificationMarketsCount: 2,
      totalInvested: 100,
      totalNetPnl: -50,
      wins: 1,
      uniqueMarkets: 2,
      avgTimeToImpactHours: 36,
      convictionAvgBuyUsd: 50,
      roiPct: -50,
      winRatePct: 50,
    });
    // b bought nothing, and its market has no time of creation: zeros.
    expect(rows.get('b')).toMatchObject({
      tenureDays: 7,
      totalInvested: 0,
      totalNetPnl: 30,
      wins: 1,
      avgTimeToImpactHours: 0,
      convictionAvgBuyUsd: 0,
      roiPct: 0,
      winRatePct: 100,
      domainFocusCryptoPct: 0,
    });
    // c began with the last fill: tenure 0, pace by one day.
    expect(rows.get('c')).toMatchObject({ tenureDays: 0, frequencyTradesDaily: 2, roiPct: -100, winRatePct: 0 });
    // Alpha is against the plain mean of -50, 0 and -100.
    expect([...rows.values()].map((row) => row['alphaScore'])).toEqual([0, 50, -50]);
  });

  it('know only the window, as if it were the whole dump', async () => {
    const day = new Date((worldStart + 3 * DAY) * 1000).toISOString().slice(0, 10);
    const rows = await original({ from: day, to: day });
    expect([...rows.keys()]).toEqual(['a']);
    expect(rows.get('a')).toMatchObject({ tenureDays: 1, totalNetPnl: 10, wins: 1, roiPct: 25, alphaScore: 0 });
  });

  it('give the same mean whatever the buckets', async () => {
    expect(await original({ from: 'end' }, 1)).toEqual(await original({ from: 'end' }));
  });
});
