/** Features and labels of single fills, worked out by hand. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../../src/random/rng.ts';
import { copyToParquet, openDuck } from '../../../src/tables/duck.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { describeTrades, type TradeFeatureOptions } from '../../../src/wallets/trade-features.ts';
import { temporaryFolder } from '../../support/stage.ts';
import { worldStart as start, type World, type WorldTrade, writeWorld } from '../../support/world.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
type Row = Record<string, unknown>;

const options = (changes: Partial<TradeFeatureOptions> = {}): TradeFeatureOptions => ({
  horizon: '6h',
  tolerance: '1h',
  payouts: true,
  costs: { halfSpread: 0.01, feeRate: 0, feeExponent: 1 },
  minHistory: 2,
  spreadWindow: '2h',
  sampleRows: null,
  ...changes,
});

interface Extra {
  /** SQL for the rows of quotes and events. */
  readonly quotes?: string;
  readonly events?: string;
}

async function describeWorld(world: World, given = options(), extra: Extra = {}, seed = 1): Promise<Row[]> {
  const folder = await temporaryFolder();
  const sources = await writeWorld(world, folder);
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  const made: Record<string, string> = {};
  try {
    for (const [name, sql] of Object.entries(extra) as [string, string][]) {
      made[name] = path.join(folder, `${name}.parquet`);
      const [row] = await duck.rows<Row>(sql);
      const columns = Object.keys(row as Row).map((column) => ({ name: column, role: 'info' as const }));
      await copyToParquet(duck, sql, made[name], columns);
    }
    const file = path.join(folder, 'rows.parquet');
    await describeTrades(duck, { ...sources, ...made }, given, makeRng('sample', seed), file, () => undefined);
    return [...(await readParquet(file)).rows];
  } finally {
    duck.close();
  }
}

const fill = (time: number, wallet: string, changes: Partial<WorldTrade> & { price: number }): WorldTrade => {
  const { price, ...more } = changes;
  const shares = more.shares ?? 10e6;
  return {
    time: start + time,
    wallet,
    market: 'm0',
    event: 'e0',
    outcomeIndex: 0,
    side: 'BUY',
    role: 'taker',
    ...more,
    shares,
    usd: Math.round(shares * price),
  };
};

const world: World = {
  trades: [
    // 0 to 2: a buys for 2 USD in m1, which pays nothing; then 4 and 6 USD.
    fill(0, 'a', { market: 'm1', event: 'e1', price: 0.2 }),
    fill(1 * DAY, 'a', { price: 0.4 }),
    fill(1 * DAY + HOUR, 'a', { price: 0.6 }),
    // 3, 4: takers on both sides, and the maker of the second match.
    fill(2 * DAY, 'x', { price: 0.5 }),
    fill(2 * DAY + 10 * MINUTE, 'y', { side: 'SELL', price: 0.47 }),
    fill(2 * DAY + 10 * MINUTE, 'z', { role: 'maker', price: 0.47 }),
    // 6: the fill that is looked at, and 7, another part of the same order.
    fill(2 * DAY + HOUR, 'a', { price: 0.5, shares: 24e6 }),
    fill(2 * DAY + HOUR, 'a', { price: 0.5, shares: 2e6 }),
    // 8: on the other token, at the price of neither; 9: the price at the horizon of 6.
    fill(2 * DAY + 6.9 * HOUR, 'x', { outcomeIndex: 1, price: 0.9 }),
    fill(2 * DAY + 6.5 * HOUR + HOUR / 2, 'x', { price: 0.6 }),
    // 10: a sells; 11 is too old to be the price at its horizon.
    fill(3 * DAY, 'a', { side: 'SELL', price: 0.7 }),
    fill(3 * DAY + 4 * HOUR, 'y', { price: 0.5 }),
    // 12: bought an hour before the outcome is public; 13 after it.
    fill(5 * DAY - HOUR, 'y', { price: 0.8 }),
    fill(5 * DAY, 'z', { price: 0.99 }),
    fill(9 * DAY, 'z', { market: 'm1', event: 'e1', price: 0.01 }),
  ],
  markets: [
    { market: 'm0', event: 'e0', category: 'sports' },
    { market: 'm1', event: 'e1', category: null },
  ],
  resolutions: [
    { market: 'm0', payout0: 1, knowableAt: start + 5 * DAY },
    { market: 'm1', payout0: 0, knowableAt: start + 1.5 * DAY },
  ],
};
const at = (rows: readonly Row[], seq: number): Row => rows.find((row) => row['trade'] === String(seq)) as Row;

describe('a fill', () => {
  it('is described by its own terms and by what happened strictly before it', async () => {
    const row = at(await describeWorld(world), 6);
    // Earlier sizes 2, 4, 6: mean 4, sample deviation 2. The other part of the order is no past.
    expect(row).toMatchObject({
      event: 'e0',
      wallet: 'a',
      market: 'm0',
      price: 0.5,
      isBuy: 1,
      isTaker: 1,
      usd: 12,
      sizeZ: 4,
      walletFills: 3,
      walletSettledFills: 1,
      walletEdge: -0.2,
      // 4 + 6 + 5 + 4.70; the maker's side of the last match is the same money.
      marketVolumeUsd: 19.7,
      isSports: 1,
      isPolitics: 0,
      isCrypto: 0,
      hoursToEnd: null,
    });
    expect(row['walletDays']).toBeCloseTo(2 + 1 / 24, 12);
    expect(row['spread']).toBeCloseTo(0.03, 12);
    expect(row['time']).toEqual(new Date((start + 2 * DAY + HOUR) * 1000));
    expect(row['labelEnd']).toEqual(new Date((start + 2 * DAY + 7 * HOUR) * 1000));
  });

  it('is unknown where its past is too short', async () => {
    const rows = await describeWorld(world, options({ minHistory: 3 }));
    expect(at(rows, 0)).toMatchObject({ sizeZ: null, walletFills: 0, walletDays: 0, walletEdge: null, spread: null });
    expect(at(rows, 0)).toMatchObject({ marketVolumeUsd: 0, walletSettledFills: 0, isSports: 0 });
    expect(at(rows, 2)).toMatchObject({ sizeZ: null, walletFills: 2 });
    expect(at(rows, 6)).toMatchObject({ sizeZ: 4 });
    // No taker sold yet, or too long ago.
    expect(at(rows, 4)).toMatchObject({ spread: null });
    expect(at(rows, 10)).toMatchObject({ spread: null });
  });

  it('takes the spread of the last quote and the planned end of an event that was announced', async () => {
    const moment = (seconds: number): string => `make_timestamp(${(start + seconds) * 1e6}::BIGINT)`;
    const quotes = `SELECT * FROM (VALUES ('m0', '0', ${moment(2 * DAY)}, 0.44, 0.48), ('m0', '0', ${moment(2 * DAY + HOUR)}, 0.1, 0.9)) q(market, token, "time", bid, ask) ORDER BY "time"`;
    const events = `SELECT * FROM (VALUES ('e0', ${moment(DAY)}, ${moment(4 * DAY)}), ('e1', NULL, ${moment(4 * DAY)})) e(event, startAt, endAt) ORDER BY event`;
    const rows = await describeWorld(world, options(), { quotes, events });
    expect(at(rows, 6)['spread']).toBeCloseTo(0.04, 12);
    expect(at(rows, 6)).toMatchObject({ hoursToEnd: 47 });
    // Nobody said when the end of e1 was announced.
    expect(at(rows, 0)).toMatchObject({ hoursToEnd: null, spread: null });
    // Quotes are older than the window.
    expect(at(rows, 10)).toMatchObject({ hoursToEnd: 24, spread: null });
  });

  it('is judged on its own token, by its direction, after costs', async () => {
    const rows = await describeWorld(world);
    // .60 at the horizon, though the other token trades at .90 nearer to it; a cent of costs each way.
    expect(at(rows, 6)['netMove']).toBeCloseTo(0.6 - 0.5 - 0.02, 12);
    expect(at(rows, 6)['profitable']).toBe(1);
    // Two hours before the horizon of the sale the price was .50: older than the tolerance.
    expect(at(rows, 10)).toMatchObject({ netMove: null, profitable: null });
    const patient = await describeWorld(world, options({ tolerance: '3h' }));
    expect(at(patient, 10)['netMove']).toBeCloseTo(0.7 - 0.5 - 0.02, 12);
    // The last trade of the data is the fill itself.
    expect(at(rows, 12)['netMove']).toBeCloseTo(1 - 0.8 - 0.01, 12);
  });

  it('is worth its payout once that is public, unless only prices are to count', async () => {
    const rows = await describeWorld(world, options({ payouts: false, tolerance: '5h' }));
    // .99 five hours before the horizon, at the moment of the outcome.
    expect(at(rows, 12)['netMove']).toBeCloseTo(0.99 - 0.8 - 0.02, 12);
  });

  it('pays fees on both ends', async () => {
    const costs = { halfSpread: 0, feeRate: 0.04, feeExponent: 1 };
    const rows = await describeWorld(world, options({ costs }));
    expect(at(rows, 6)['netMove']).toBeCloseTo(0.1 - 0.04 * 0.25 - 0.04 * 0.24, 12);
    expect(at(rows, 12)['netMove']).toBeCloseTo(0.2 - 0.04 * 0.16, 12);
  });

  it('has no row once the outcome is public, and no label where the data end before the horizon', async () => {
    const rows = await describeWorld(world);
    expect(rows.map((row) => row['trade'])).toEqual(Array.from({ length: 13 }, (_, seq) => String(seq)));
    const short = await describeWorld({ ...world, trades: world.trades.slice(0, 12) });
    expect(at(short, 11)).toMatchObject({ netMove: null, labelEnd: new Date((start + 3 * DAY + 10 * HOUR) * 1000) });
  });

  it('is drawn by the seed, as many as asked for', async () => {
    const draw = async (seed: number): Promise<unknown[]> =>
      (await describeWorld(world, options({ sampleRows: 6 }), {}, seed)).map((row) => row['trade']);
    const all = new Map((await describeWorld(world)).map((row) => [row['trade'], row]));
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
    const sample = await describeWorld(world, options({ sampleRows: 6 }));
    expect(sample.length).toBeGreaterThan(2);
    expect(sample.length).toBeLessThanOrEqual(6);
    for (const row of sample) expect(row).toEqual(all.get(row['trade']));
  });

  it('refuses a tolerance as long as the horizon and quotes that cross', async () => {
    await expect(describeWorld(world, options({ tolerance: '6h' }))).rejects.toThrow('shorter than horizon');
    const crossed = `SELECT 'm0' AS market, '0' AS token, make_timestamp(1) AS "time", 0.5 AS bid, 0.4 AS ask`;
    await expect(describeWorld(world, options(), { quotes: crossed })).rejects.toThrow('1 quotes ask less');
  });
});
