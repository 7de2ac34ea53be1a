import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/facts/make.ts';
import { type Duck, openDuck } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { parquetFiles } from '../../src/tables/parquet-files.ts';
import { type ProfileOptions, type ProfileRun, profileWallets } from '../../src/wallets/profile.ts';
import { type TargetOptions, targetWallets } from '../../src/wallets/targets.ts';
import { oracleProfiles, oracleTargets } from '../support/profile-oracle.ts';
import { temporaryFolder } from '../support/stage.ts';
import {
  makeWorld,
  type World,
  type WorldFiles,
  type WorldTrade,
  withDetails,
  worldStart,
  writeWorld,
} from '../support/world.ts';

const DAY = 86_400;
type Row = Record<string, unknown>;

async function onDuck<T>(
  world: World,
  use: (duck: Duck, sources: WorldFiles, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await temporaryFolder();
  const sources = await writeWorld(world, folder);
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  try {
    return await use(duck, sources, folder);
  } finally {
    duck.close();
  }
}

/** Rows with times as seconds, so that they compare with the oracle's. */
async function rowsOf(file: string): Promise<Row[]> {
  const { rows } = await readParquet(file);
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v instanceof Date ? v.getTime() / 1000 : v])),
  );
}

const profilesOf = (world: World, options: ProfileOptions, settings: Partial<ProfileRun> = {}): Promise<Row[]> =>
  onDuck(world, async (duck: Duck, sources: WorldFiles, folder) => {
    const file = path.join(folder, 'out.parquet');
    const facts = path.join(folder, 'facts');
    await factsOf(duck, sources.trades, facts, { threads: 1, memoryMb: 256, scratch: folder });
    const run = { threads: 1, memoryMb: 256, scratch: folder, ...settings };
    await profileWallets(duck, { ...sources, facts }, options, file, run);
    return (await Promise.all(parquetFiles(file).map(rowsOf))).flat();
  });

const targetsOf = (world: World, options: TargetOptions): Promise<Row[]> =>
  onDuck(world, async (duck, sources, folder) => {
    const file = path.join(folder, 'out.parquet');
    await targetWallets(duck, sources, options, file, () => undefined);
    return rowsOf(file);
  });

function expectRows(actual: readonly Row[], expected: readonly Row[]): void {
  expect(actual.map((r) => [r['asOf'], r['wallet']])).toEqual(expected.map((r) => [r['asOf'], r['wallet']]));
  actual.forEach((row, i) => {
    expect(new Set(Object.keys(row))).toEqual(new Set(Object.keys(expected[i] as Row)));
    for (const [name, value] of Object.entries(expected[i] as Row)) {
      const where = `${name} of ${String(row['wallet'])}`;
      if (typeof value === 'number' && typeof row[name] === 'number') {
        // Marks are rounded to whole 1e-6 USD.
        const scale = name === 'markedPnlUsd' ? 1 : 1e-3 * Math.max(1, Math.abs(value));
        expect(Math.abs((row[name] - value) / scale), `${where}: ${row[name]} for ${value}`).toBeLessThan(1e-6);
      } else expect(row[name], where).toEqual(value);
    }
  });
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Two wallets, two events; every number below is worked out by hand in the test. */
const ledger: World = {
  trades: [
    // a buys 100 YES at 0.40 and 50 NO at 0.70 of m0, sells 20 YES at 0.55; m0 pays YES.
    {
      time: worldStart + 3600,
      wallet: 'a',
      market: 'm0',
      event: 'e0',
      outcomeIndex: 0,
      side: 'BUY',
      usd: 40e6,
      shares: 100e6,
      role: 'taker',
      fee: 1e6,
    },
    {
      time: worldStart + 7200,
      wallet: 'a',
      market: 'm0',
      event: 'e0',
      outcomeIndex: 1,
      side: 'BUY',
      usd: 35e6,
      shares: 50e6,
      role: 'maker',
    },
    {
      time: worldStart + DAY,
      wallet: 'a',
      market: 'm0',
      event: 'e0',
      outcomeIndex: 0,
      side: 'SELL',
      usd: 11e6,
      shares: 20e6,
      role: 'maker',
    },
    // b sells 10 NO of m1 at 0.30: a mint's other half. m1 pays 50-50.
    {
      time: worldStart + DAY + 1,
      wallet: 'b',
      market: 'm1',
      event: 'e1',
      outcomeIndex: 1,
      side: 'SELL',
      usd: 3e6,
      shares: 10e6,
    },
    // a buys 30 NO of m1 at 0.10.
    {
      time: worldStart + DAY + 3600,
      wallet: 'a',
      market: 'm1',
      event: 'e1',
      outcomeIndex: 1,
      side: 'BUY',
      usd: 3e6,
      shares: 30e6,
      role: 'taker',
    },
    // From the moment m0's outcome is public: no skill in buying YES at 0.99.
    {
      time: worldStart + 2 * DAY,
      wallet: 'b',
      market: 'm0',
      event: 'e0',
      outcomeIndex: 0,
      side: 'BUY',
      usd: 99e6,
      shares: 100e6,
    },
    {
      time: worldStart + 9 * DAY,
      wallet: 'c',
      market: 'm2',
      event: 'e2',
      outcomeIndex: 0,
      side: 'BUY',
      usd: 1e6,
      shares: 4e6,
    },
  ],
  markets: [
    { market: 'm0', event: 'e0', category: 'politics' },
    { market: 'm1', event: 'e1', category: 'crypto' },
    { market: 'm2', event: 'e2', category: null },
  ],
  resolutions: [
    { market: 'm0', payout0: 1, knowableAt: worldStart + 2 * DAY },
    { market: 'm1', payout0: 0.5, knowableAt: worldStart + 4 * DAY },
  ],
};

const ledgerDates = { every: '1d', from: iso(worldStart + 2 * DAY), to: iso(worldStart + 5 * DAY), lookback: '30d' };

describe('profiles of a ledger worked out by hand', () => {
  const rows = profilesOf(ledger, { asOf: ledgerDates, minTrades: 1 });
  const row = async (wallet: string, day: number): Promise<Row> =>
    (await rows).find((r) => r['wallet'] === wallet && r['asOf'] === worldStart + day * DAY) as Row;

  it('counts a resolution only strictly after it could be known', async () => {
    expect(await row('a', 2)).toMatchObject({
      settledPnlUsd: null,
      settledPositions: 0,
      winRate: null,
      edge: null,
      roi: null,
      unsettledPositions: 2,
    });
    // m0: 100 x (1 - .4) - 1 fee + 50 x (0 - .7) - 20 x (1 - .55) = 59 - 35 - 9 = 15, on 170 shares and 75 USD bought.
    expect(await row('a', 3)).toMatchObject({
      settledPnlUsd: 15,
      settledPositions: 1,
      winRate: 1,
      edge: 15 / 170,
      roi: 15 / 75,
      edgeStandardError: null,
      unsettledPositions: 1,
    });
  });

  it('settles 50-50 and both tokens, buys and sales alike', async () => {
    // m1: 30 x (.5 - .1) = 12. Together 27 on 200 shares and 78 USD; clusters e0 (15, 170), e1 (12, 30).
    const edge = 27 / 200;
    const error = Math.sqrt(2 * ((15 - edge * 170) ** 2 + (12 - edge * 30) ** 2)) / 200;
    const a = await row('a', 5);
    expect(a).toMatchObject({
      settledPnlUsd: 27,
      settledPositions: 2,
      winRate: 1,
      edge,
      roi: 27 / 78,
      unsettledPositions: 0,
    });
    expect(a['edgeStandardError']).toBeCloseTo(error, 12);
    // b: -10 x (.5 - .3) = -2; its purchase of m0 came after the outcome was public.
    expect(await row('b', 5)).toMatchObject({
      settledPnlUsd: -2,
      settledPositions: 1,
      winRate: 0,
      edge: -0.2,
      roi: null,
      unsettledPositions: 0,
    });
  });

  it('marks each token held at its own last price before the date, apart from settled profit', async () => {
    // As of day 2: YES of m0 last traded at .55, NO of m0 at .70, NO of m1 at .10.
    // m0: -40 - 35 + 11 - 1 + 80 x .55 + 50 x .70 = 14; m1: -3 + 30 x .1 = 0.
    expect((await row('a', 2))['markedPnlUsd']).toBeCloseTo(14, 9);
    // b as of day 2: +3 - 10 x .1 = 2; as of day 5: -2 settled and 100 x (1 - .99) = 1 late.
    expect((await row('b', 2))['markedPnlUsd']).toBeCloseTo(2, 9);
    expect((await row('b', 5))['markedPnlUsd']).toBeCloseTo(-1, 9);
  });

  it('describes activity', async () => {
    const a = await row('a', 2);
    expect(a).toMatchObject({
      tradeCount: 4,
      activeDays: 2,
      marketCount: 2,
      eventCount: 2,
      domainPoliticsShare: 0.75,
      domainCryptoShare: 0.25,
      domainFocus: 0.625,
      aggressionMeanUsd: 89 / 4,
      aggressionMaxUsd: 40,
      netFlowUsd: -67,
      investedUsd: 78,
      buyShare: 0.75,
      meanPrice: 89 / 200,
      longshotShare: 1 / 3,
      makerShare: 0.5,
    });
    expect(a['tenureDays']).toBeCloseTo(2 - 1 / 24, 12);
    expect(a['diversification']).toBeCloseTo(1 - (86 / 89) ** 2 - (3 / 89) ** 2, 12);
    // Hours 1, 2, 0 and 1 of the day.
    expect(a['hourEntropy']).toBeCloseTo((1.5 * Math.LN2) / Math.log(24), 12);
    expect(await row('b', 2)).toMatchObject({
      makerShare: null,
      longshotShare: null,
      burstiness: null,
      sizeVariation: null,
      hourEntropy: 0,
    });
  });
});

describe('tokens whose outcome is not known', () => {
  const fill = (day: number, wallet: string, token: string | null, changes: Partial<WorldTrade> = {}): WorldTrade => ({
    time: worldStart + day * DAY,
    wallet,
    market: 'm0',
    event: 'e0',
    token,
    outcomeIndex: null,
    side: 'BUY',
    usd: 40e6,
    shares: 100e6,
    ...changes,
  });
  const world = (tokens: readonly [string | null, string | null]): World => ({
    ...ledger,
    trades: [
      fill(0, 'a', tokens[0]),
      fill(0.1, 'b', tokens[1], { usd: 55e6 }),
      fill(0.2, 'c', tokens[0], { usd: 50e6, side: 'SELL' }),
      fill(4, 'c', tokens[0], { usd: 90e6 }),
    ],
  });
  const asOf = { ...ledgerDates, from: iso(worldStart + DAY), to: iso(worldStart + 4 * DAY) };
  const of = (rows: readonly Row[], wallet: string): Row | undefined =>
    rows.find((r) => r['wallet'] === wallet && r['asOf'] === worldStart + 4 * DAY);

  it('are marked at their own price and never settled, though the market is resolved', async () => {
    const rows = await profilesOf(world(['home', 'away']), { asOf, minTrades: 1 });
    // Home last changed hands at .50 before day 4, away at .55.
    expect(of(rows, 'a')).toMatchObject({ markedPnlUsd: 10, settledPnlUsd: null, edge: null, unsettledPositions: 1 });
    expect(of(rows, 'b')).toMatchObject({ markedPnlUsd: 0, settledPnlUsd: null });
    expect(of(rows, 'c')).toMatchObject({ markedPnlUsd: 0, settledPnlUsd: null });
  });

  it('have no mark if the source names neither token nor outcome', async () => {
    const rows = await profilesOf(world([null, null]), { asOf, minTrades: 1 });
    for (const wallet of ['a', 'b', 'c']) expect(of(rows, wallet)).toMatchObject({ markedPnlUsd: null });
  });
});

describe('large amounts', () => {
  it('keeps a fill of 20 million USD exact', async () => {
    const trade = { ...(ledger.trades[0] as WorldTrade), usd: 20_000_000_000_001, shares: 40_000_000_000_003 };
    const world = { ...ledger, trades: [trade, ...ledger.trades.slice(1)] };
    const rows = await profilesOf(world, { asOf: ledgerDates, minTrades: 1 });
    expect(rows.find((r) => r['wallet'] === 'a')).toMatchObject({ aggressionMaxUsd: 20_000_000.000001 });
  });
});

describe('buckets of wallets', () => {
  const world = withDetails(makeWorld({ seed: 4, wallets: 30, trades: 1500, days: 40 }), 4);
  const options: ProfileOptions = { asOf: { every: '1d', lookback: '20d' }, minTrades: 1 };
  const written = (settings: Partial<ProfileRun>): Promise<{ files: string[]; bytes: Buffer }> =>
    onDuck(world, async (duck, sources, folder) => {
      const file = path.join(folder, 'out.parquet');
      await factsOf(duck, sources.trades, path.join(folder, 'facts'), { threads: 1, memoryMb: 256, scratch: folder });
      const run = { threads: 1, memoryMb: 256, scratch: folder, ...settings };
      await profileWallets(duck, { ...sources, facts: path.join(folder, 'facts') }, options, file, run);
      const files = parquetFiles(file);
      return {
        files: files.map((name) => path.basename(name)),
        bytes: Buffer.concat(await Promise.all(files.map((name) => readFile(name)))),
      };
    });

  it('give the same bytes with any size and any threads', async () => {
    const one = await written({});
    for (const settings of [{ bucketFills: 100 }, { bucketFills: 100, threads: 2 }, { bucketFills: 1 }])
      expect(Buffer.compare((await written(settings)).bytes, one.bytes)).toBe(0);
  });

  it('are the parts of a table too large for one file, each in order, together the same rows', async () => {
    const settings = { bucketFills: 300, rowsOfOneFile: 10 };
    const one = await written(settings);
    expect(one.files.length).toBeGreaterThan(2);
    expect(one.files[1]).toBe('part-001.parquet');
    expect((await written({ ...settings, threads: 2 })).bytes.equals(one.bytes)).toBe(true);
    const rows = await profilesOf(world, options, settings);
    const key = (row: Row): string => `${row['asOf']} ${row['wallet']}`;
    const sorted = [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted).not.toEqual(rows);
    expect(sorted).toEqual(await profilesOf(world, options));
  });
});

describe('against definitions', () => {
  it('measures wallets that are busier than those before', async () => {
    const seed = 3;
    const world = withDetails(makeWorld({ seed, wallets: 2, markets: 90, trades: 3000, days: 20 }), seed);
    // Fills of the first wallets: 5, 65 and 130; the others have some hundred each.
    const walletOf = (i: number): number => [5, 70, 200].filter((end) => i >= end).length + (i < 200 ? 0 : i % 25);
    const trades = world.trades.map((trade, i) => ({ ...trade, wallet: `0xw${walletOf(i)}` }));
    const dates = Array.from({ length: 10 }, (_, k) => worldStart + 2 * (k + 1) * DAY).filter(
      (time) => time <= (trades.at(-1) as { time: number }).time,
    );
    const asOf = { every: '2d', from: iso(dates[0] as number), lookback: '15d' };
    const oracle = oracleProfiles({ ...world, trades }, { dates, lookback: 15 * DAY, minTrades: 1 });
    expectRows(await profilesOf({ ...world, trades }, { asOf, minTrades: 1 }), oracle);
  });

  it('gives the rows of a slow and independent reading of the definitions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 3, max: 20 }),
        fc.integer({ min: 1, max: 3 }),
        async (seed, lookback, minTrades) => {
          const world = withDetails(makeWorld({ seed, wallets: 6, markets: 8, trades: 150, days: 20 }), seed);
          const last = (world.trades.at(-1) as { time: number }).time;
          const dates = Array.from({ length: 20 }, (_, k) => worldStart + (k + 1) * DAY).filter((t) => t <= last);
          const asOf = { every: '1d', from: iso(dates[0] as number), lookback: `${lookback}d` };
          const oracle = { dates, lookback: lookback * DAY, minTrades };
          expectRows(await profilesOf(world, { asOf, minTrades }), oracleProfiles(world, oracle));
          expectRows(
            await targetsOf(world, { asOf, minTrades, horizon: '4d' }),
            oracleTargets(world, { ...oracle, horizon: 4 * DAY }),
          );
        },
      ),
      { numRuns: 8, seed: 7 },
    );
  });
});
