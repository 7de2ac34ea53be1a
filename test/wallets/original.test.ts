import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/facts/make.ts';
import { openDuck } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { parquetFiles } from '../../src/tables/parquet-files.ts';
import { type ProfileRun, profileWallets } from '../../src/wallets/profile.ts';
import { temporaryFolder } from '../support/stage.ts';
import { makeWorld, type World, type WorldTrade, withDetails, worldStart, writeWorld } from '../support/world.ts';

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

interface Written {
  readonly files: readonly string[];
  readonly bytes: Buffer;
  readonly rows: readonly Record<string, unknown>[];
}

async function written(of: World, asOf: object, settings: Partial<ProfileRun>, minTrades = 1): Promise<Written> {
  const folder = await temporaryFolder();
  const sources = await writeWorld(of, folder);
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  try {
    const facts = path.join(folder, 'facts');
    await factsOf(duck, sources.trades, facts, { threads: 1, memoryMb: 256, scratch: folder });
    const table = path.join(folder, 'out.parquet');
    const run = { threads: 1, memoryMb: 256, scratch: folder, ...settings };
    const options = { asOf: { every: '1d', lookback: '1000d', ...asOf }, minTrades, definitions: 'original' } as const;
    await profileWallets(duck, { ...sources, facts }, options, table, run);
    const files = parquetFiles(table);
    return {
      files: files.map((file) => path.basename(file)),
      bytes: Buffer.concat(await Promise.all(files.map((file) => readFile(file)))),
      rows: (await Promise.all(files.map(async (file) => (await readParquet(file)).rows))).flat(),
    };
  } finally {
    duck.close();
  }
}

async function original(asOf: object, bucketFills = 100): Promise<Map<unknown, Record<string, unknown>>> {
  const { rows } = await written(world, asOf, { bucketFills });
  return new Map(rows.map((row) => [row['wallet'], row]));
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

describe('alphaScore', () => {
  const large = withDetails(makeWorld({ seed: 7, wallets: 30, trades: 1500, days: 40 }), 7);
  // Windows that fills leave, wallets without a row at some dates, dates without any.
  const asOf = { from: new Date((worldStart - 2 * DAY) * 1000).toISOString().slice(0, 10), lookback: '5d' };
  const of = (settings: Partial<ProfileRun>): Promise<Written> =>
    written(large, asOf, { bucketFills: 300, ...settings }, 3);

  it('has the same values in parts, which are written with it, as in one file, which is merged with it', async () => {
    const one = await of({});
    expect(one.files).toEqual(['out.parquet']);
    expect(new Set(one.rows.map((row) => row['alphaScore'])).size).toBeGreaterThan(100);
    const parts = await of({ rowsOfOneFile: 10 });
    expect(parts.files.length).toBeGreaterThan(2);
    const key = (row: Record<string, unknown>): string => `${(row['asOf'] as Date).toISOString()} ${row['wallet']}`;
    expect([...parts.rows].sort((a, b) => (key(a) < key(b) ? -1 : 1))).toEqual(one.rows);
    expect((await of({ rowsOfOneFile: 10, threads: 2 })).bytes.equals(parts.bytes)).toBe(true);
  });

  it('has the same rows in one file of parts that were written with it, and the same bytes with any threads', async () => {
    const one = await of({});
    const merged = await of({ rowsOfOneFile: one.rows.length });
    expect(merged.files).toEqual(one.files);
    expect(merged.rows).toEqual(one.rows);
    expect((await of({ threads: 2 })).bytes.equals(one.bytes)).toBe(true);
    const again = await of({ rowsOfOneFile: one.rows.length, threads: 2 });
    expect(again.bytes.equals(merged.bytes)).toBe(true);
  });
});

it('refuses amounts of which sums would not be exact', async () => {
  const trades = [fill(1, 'a', 'm0', 'BUY', 5e9), fill(2, 'a', 'm0', 'SELL', 5e9), fill(9, 'b', 'm0', 'BUY', 1)];
  await expect(written({ ...world, trades }, { from: 'end' }, {})).rejects.toThrow(/one wallet trades 10000000000 USD/);
  const apart = { from: new Date((worldStart + 1.5 * DAY) * 1000).toISOString(), lookback: '1d' };
  await expect(written({ ...world, trades }, apart, {})).resolves.toMatchObject({ files: ['out.parquet'] });
});
