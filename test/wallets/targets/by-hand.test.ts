/** Every target of one wallet worked out by hand, and the bot score of wallets that are as regular as can be. */
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDuck } from '../../../src/tables/duck.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import type { WalletFills } from '../../../src/wallets/facts.ts';
import { makeBotScore } from '../../../src/wallets/targets/bot.ts';
import { targetFamilies } from '../../../src/wallets/targets/columns.ts';
import { targetWallets } from '../../../src/wallets/targets.ts';
import { temporaryFolder } from '../../support/stage.ts';
import { worldStart as start, type World, type WorldTrade, writeWorld } from '../../support/world.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

const fill = (
  time: number,
  wallet: string,
  side: 'BUY' | 'SELL',
  shares: number,
  price: number,
  more: Partial<WorldTrade> = {},
): WorldTrade => ({
  time: start + time,
  wallet,
  market: 'm0',
  event: 'e0',
  outcomeIndex: 0,
  side,
  shares: shares * 1e6,
  usd: Math.round(shares * price * 1e6),
  role: 'taker',
  ...more,
});

const world: World = {
  trades: [
    fill(HOUR, 'a', 'BUY', 10, 0.2, { market: 'm1', event: 'e1' }),
    fill(DAY + HOUR, 'x', 'BUY', 10, 0.6),
    fill(DAY + 2 * HOUR, 'x', 'BUY', 10, 0.6),
    // The date is day 2.
    fill(2 * DAY + HOUR, 'y', 'BUY', 10, 0.4),
    fill(2 * DAY + 2 * HOUR, 'y', 'BUY', 10, 0.45),
    fill(2 * DAY + 3 * HOUR, 'y', 'BUY', 10, 0.5),
    fill(3 * DAY, 'a', 'BUY', 100, 0.5),
    fill(3 * DAY + HOUR / 2, 'y', 'BUY', 10, 0.52),
    fill(3 * DAY + HOUR, 'z', 'BUY', 10, 0.54),
    fill(4 * DAY, 'a', 'SELL', 40, 0.55, { role: 'maker' }),
    fill(4 * DAY + HOUR / 2, 'x', 'SELL', 10, 0.5),
    fill(9 * DAY, 'z', 'BUY', 10, 0.2, { market: 'm1', event: 'e1' }),
  ],
  markets: [
    { market: 'm0', event: 'e0', category: 'politics' },
    { market: 'm1', event: 'e1', category: 'crypto' },
  ],
  resolutions: [{ market: 'm0', payout0: 1, knowableAt: start + 5.5 * DAY }],
};

describe('targets worked out by hand', () => {
  let a: Record<string, unknown>;
  let x: Record<string, unknown>;
  beforeAll(async () => {
    const folder = await temporaryFolder();
    const sources = await writeWorld(world, folder);
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
    const file = path.join(folder, 'out.parquet');
    const date = new Date((start + 2 * DAY) * 1000).toISOString();
    try {
      await targetWallets(
        duck,
        sources,
        {
          asOf: { every: '1d', from: date, to: date, lookback: '2d' },
          minTrades: 1,
          horizon: '4d',
          families: targetFamilies,
          baselines: true,
          settleWithin: '1d',
          style: { recent: '1d', trend: '2d' },
          influenceWindow: '1h',
          closingLead: '2h',
        },
        file,
        () => undefined,
      );
    } finally {
      duck.close();
    }
    const { rows } = await readParquet(file);
    expect(rows.map((row) => row['wallet'])).toEqual(['a', 'x']);
    [a, x] = rows as [Record<string, unknown>, Record<string, unknown>];
  });
  const expectClose = (row: Record<string, unknown>, expected: Record<string, number>): void => {
    for (const [name, value] of Object.entries(expected)) expect(row[name], name).toBeCloseTo(value, 10);
  };

  it('outcomes and ranks of edge', () => {
    // 100 x (1 - .5) - 40 x (1 - .55) = 32 on 140 shares; x sold 10 at .5 of what pays 1.
    expectClose(a, { nextEdge: 32 / 140, nextPnlUsd: 32, nextProfitable: 1, nextVolumeUsd: 72, nextTradeCount: 2 });
    expectClose(x, { nextEdge: -0.5, nextPnlUsd: -5, nextProfitable: 0 });
    expectClose(a, { nextEdgeRank: 0.75, nextReturnRank: 0.75 });
    expectClose(x, { nextEdgeRank: 0.25, nextReturnRank: 0.25 });
  });

  it('style', () => {
    // Purchase: a day of .40 .45 .50, two days of .60 .60 .40 .45 .50 (mean .51, sd .08).
    // Sale: a day of .50 .52 .54, two days of .40 .45 .50 .50 .52 .54 (mean .485, variance .01315 / 6).
    const [recent1, recent2] = [Math.sqrt(0.005 / 3), Math.sqrt(0.0008 / 3)];
    const trend2 = Math.sqrt(0.01315 / 6);
    const [z1, z2] = [-0.1 / (Math.sqrt(12) * 0.08), 0.14 / (Math.sqrt(12) * trend2)];
    const mean = (first: number, second: number): number => (50 * first + 22 * second) / 72;
    expectClose(a, {
      nextMomentum: mean(Math.SQRT1_2, -Math.SQRT1_2),
      nextMeanReversion: mean(-0.05 / (2 * recent1), 0.02 / (2 * recent2)),
      nextVolatilityTrading: mean((recent1 - 0.08) / (recent1 + 0.08), (recent2 - trend2) / (recent2 + trend2)),
      nextTrendFollowing: mean(z1, -z2),
      nextContrarian: mean(0, Math.SQRT1_2),
      // 80 of 140 shares are matched by the other side, 22 of 72 USD waited.
      nextMarketMaking: (80 / 140) * (22 / 72),
    });
  });

  it('risk', () => {
    // Equity at the midnights of days 2 to 6: 0, 0, 100 x .54 - 50, 60 x .50 - 28, 60 - 28; ten tokens of m1 stay at .20.
    // At stake: 2 + 50 on day 3, 2 + 54 on day 4.
    const changes = [0, 4, -2, 30];
    const squares = changes.map((c) => (c - 8) ** 2).reduce((sum, s) => sum + s, 0);
    expectClose(a, { nextDrawdown: 2 / 56, nextDailyVolatility: Math.sqrt(squares / 3) / 56 });
  });

  it('influence', () => {
    // From .50 to .54 after the purchase, from .54 to .50 after the sale; the token fell by .10 in 96 hours.
    expectClose(a, {
      nextPriceImpact: 0.04 + (0.1 / 96) * (28 / 72),
      nextFollowers: (50 * 2 + 22 * 1) / 72,
      nextExcessFollowers: (50 * 2 + 22 * 1) / 72,
    });
  });

  it('sophistication', () => {
    // The closing price is .50: the purchase is even, the sale gained 40 x .05. Nobody judged the sale of x later.
    expectClose(a, { nextClosingLineValue: 2 / 140, nextMakerShare: 22 / 72, nextBreadth: 1 });
    expect(x['nextClosingLineValue']).toBeNull();
    expectClose(a, { nextSophistication: (0.5 + 0.75 + 0.5) / 3 });
    expectClose(x, { nextSophistication: (0.25 + 0.5) / 2 });
  });

  it('baselines: the same before the date, the mean of the date where that is unknown', () => {
    // a bought for 2 USD in two days, x for 12; the horizon is twice as long.
    expectClose(a, { pastVolumeUsd: 4, pastTradeCount: 2, pastBreadth: 1, pastMakerShare: 0 });
    expectClose(x, { pastVolumeUsd: 24, pastTradeCount: 4 });
    // Nothing was settled: no edge, of anybody.
    expect([a['pastEdge'], x['pastEdge'], a['pastBotScore']]).toEqual([null, null, null]);
    // a's purchase was the first trade of m1; x's second fill was preceded by the first, and both prices stayed.
    expectClose(x, { pastPriceImpact: 0 });
    expect(a['pastPriceImpact']).toBe(x['pastPriceImpact']);
  });

  it('is known at the end of the window, since its outcome was known before', () => {
    expect([a['labelEnd'], a['windowEnd'], a['settledAt']]).toEqual(Array(3).fill(new Date((start + 6 * DAY) * 1000)));
    expect(a['nextBotScore']).toBeNull();
  });
});

describe('the bot score', () => {
  const score = (times: readonly number[], usd: readonly number[], reaction: readonly number[]): number => {
    const fills = {
      count: times.length,
      time: Float64Array.from(times, (t) => t * 1e6),
      usd: Float64Array.from(usd, (u) => u * 1e6),
    } as unknown as WalletFills;
    return makeBotScore()(fills, Float64Array.from(reaction), 0, times.length);
  };
  const count = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

  it('is 1 for equal gaps, sizes and reactions around the clock', () => {
    const hourly = count(48).map((k) => k * HOUR);
    expect(score(hourly, Array(48).fill(5), Array(48).fill(2e6))).toBeCloseTo(1, 12);
  });

  it('leaves out reactions where there are too few, and gives nothing for one hour of the day', () => {
    const daily = count(15).map((k) => k * DAY);
    // (.35 + .25 + 0) / .80
    expect(score(daily, Array(15).fill(5), Array(15).fill(Number.NaN))).toBeCloseTo(0.75, 12);
  });

  it('is not fooled by one large order among sizes that differ', () => {
    const sizes = count(16).map((k) => 1.9 ** k);
    const hours = count(16).map((k) => k * HOUR * 1.5);
    const spread = score(hours, sizes, Array(16).fill(Number.NaN));
    expect(score(hours, [...sizes.slice(1), 1e9], Array(16).fill(Number.NaN))).toBeCloseTo(spread, 12);
  });

  it('counts the parts of one moment as one action, and says nothing below fifteen', () => {
    const times = count(30).map((k) => Math.floor(k / 2) * DAY);
    expect(score(times, Array(30).fill(5), Array(30).fill(Number.NaN))).toBeCloseTo(0.75, 12);
    expect(score(times.slice(2), Array(28).fill(5), Array(28).fill(Number.NaN))).toBeNaN();
  });

  it('is 0 for gaps, sizes and hours as irregular as can be', () => {
    const times = count(20).map((k) => 2 ** k / 100);
    const sizes = count(20).map((k) => 10 ** (k / 2 - 4));
    expect(
      score(
        times.map((t) => t / 100),
        sizes,
        Array(20).fill(Number.NaN),
      ),
    ).toBeLessThan(0.05);
  });
});
