import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { positionOf, rankOf } from '../../src/markets/snapshots/rows.ts';
import run from '../../src/stages/run/source-polymarket-snapshots.ts';
import definition from '../../src/stages/source-polymarket-snapshots.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const capturedAt = '2026-07-18T02:00:00+02:00';
const wallet = (n: number): string => `0x${n.toString(16).padStart(40, 'A')}`;

const position = (more: object = {}): Record<string, unknown> => ({
  proxyWallet: wallet(1),
  asset: '700',
  conditionId: `0x${'0B'.repeat(32)}`,
  size: 100.25,
  avgPrice: 0.4,
  curPrice: 1,
  initialValue: 40.1,
  currentValue: 100.25,
  cashPnl: 60.15,
  realizedPnl: -3,
  totalBought: 120,
  redeemable: true,
  negativeRisk: false,
  eventSlug: 'final',
  outcome: 'Yes',
  outcomeIndex: 0,
  ...more,
});
const rank = (n: number, more: object = {}): Record<string, unknown> => ({
  rank: String(n),
  proxyWallet: wallet(n),
  vol: 10 * n,
  pnl: -n,
  ...more,
});

async function read(params: {
  positions?: unknown;
  leaderboard?: unknown;
  maxRejected?: number;
}): Promise<StageResult> {
  const folder = await temporaryFolder();
  const save = async (name: string, rows: unknown): Promise<string[]> => {
    if (rows === undefined) return [];
    await writeFile(path.join(folder, name), JSON.stringify(rows));
    return [path.join(folder, name)];
  };
  return runStage(definition, run, {
    params: {
      ...params,
      capturedAt,
      positions: await save('p.json', params.positions),
      leaderboard: await save('l.json', params.leaderboard),
    },
  });
}

describe('source.polymarket-snapshots', () => {
  it('reads positions and ranks as of the moment they were taken', async () => {
    const result = await read({
      positions: [position(), position({ asset: '800', eventSlug: '', outcomeIndex: 999 })],
      leaderboard: [rank(2), rank(1)],
    });
    const asOf = new Date('2026-07-18T00:00:00Z');
    const [first, second] = (await readParquet(result.path('positions'))).rows;
    expect(first).toEqual({
      asOf,
      wallet: wallet(1).toLowerCase(),
      market: `0x${'0b'.repeat(32)}`,
      event: 'final',
      token: '700',
      outcome: 'Yes',
      outcomeIndex: 0,
      shares: 100.25,
      sharesBought: 120,
      averagePrice: 0.4,
      lastPrice: 1,
      costUsd: 40.1,
      valueUsd: 100.25,
      unrealizedUsd: 60.15,
      realizedUsd: -3,
      redeemable: true,
      negRisk: false,
    });
    expect(second).toMatchObject({ token: '800', event: `0x${'0b'.repeat(32)}`, outcomeIndex: null });
    expect((await readParquet(result.path('leaderboard'))).rows).toEqual(
      [1, 2].map((n) => ({ asOf, rank: n, wallet: wallet(n).toLowerCase(), volumeUsd: 10 * n, profitUsd: -n })),
    );
    expect((await result.metrics()).scalars).toEqual({ positions: 2, leaderboard: 2, rejected: 0, duplicates: 0 });
  });

  it('counts a row repeated alike once, and refuses one that differs', async () => {
    const rows = [rank(1), rank(1), rank(1, { pnl: 7 }), rank(2)];
    const result = await read({ leaderboard: rows, maxRejected: 0.5 });
    expect((await result.metrics()).quality?.[0]).toMatchObject({
      rowsRead: 4,
      rowsKept: 2,
      duplicates: { count: 1 },
      rejected: [{ reason: 'row: differs from an earlier one of the same snapshot', count: 1, first: 'l.json:1' }],
    });
    await expect(read({ leaderboard: rows })).rejects.toThrow('1 of 4 rows are refused');
  });

  it('takes an empty answer for one: nothing is held', async () => {
    const result = await read({ positions: [] });
    expect((await readParquet(result.path('positions'))).rows).toEqual([]);
    expect((await result.metrics()).quality?.[0]?.facts).toEqual([{ label: 'The feed is empty', value: 1 }]);
  });

  it.each([
    [{ proxyWallet: '0x1' }, 'proxyWallet: not an address'],
    [{ asset: '' }, 'asset: not a token id'],
    [{ conditionId: '' }, 'conditionId: not a hash'],
    [{ size: -1 }, 'size: negative'],
    [{ size: 0.0000001 }, 'size: more than six decimals or too large'],
    [{ totalBought: 0.0000001 }, 'totalBought: more than six decimals or too large'],
    [{ curPrice: 1.01 }, 'curPrice: outside [0, 1]'],
    [{ avgPrice: -0.01 }, 'avgPrice: outside [0, 1]'],
    [{ cashPnl: '5' }, 'cashPnl: missing or of a wrong type'],
  ])('refuses a position with %o', (wrong, reason) => {
    expect(positionOf(position(wrong))).toEqual({ reason });
  });

  it.each([
    [{ proxyWallet: '' }, 'proxyWallet: not an address'],
    [{ rank: '0' }, 'rank: not a number from 1'],
    [{ vol: -1 }, 'vol: negative'],
    [{ pnl: null }, 'pnl: missing or of a wrong type'],
  ])('refuses a rank with %o', (wrong, reason) => {
    expect(rankOf(rank(1, wrong))).toEqual({ reason });
    expect(rankOf(undefined)).toEqual({ reason: 'not JSON' });
  });

  it('asks when the snapshot was taken, and for a snapshot', () => {
    expect(definition.params.safeParse({ positions: ['a'] }).success).toBe(false);
    expect(definition.params.safeParse({ positions: ['a'], capturedAt: '2026-07-18T02:00:00' }).success).toBe(false);
    expect(definition.params.safeParse({ capturedAt }).success).toBe(false);
    expect(definition.params.safeParse({ positions: ['a'], capturedAt }).success).toBe(true);
  });
});

describe.skipIf(!shared)(`recorded snapshots (${whyNoShared})`, () => {
  it('reads an answer of each', async () => {
    const file = (name: string): string => sharedFile('data', 'polymarket', `data-api-${name}.json`);
    const params = { positions: [file('positions')], leaderboard: [file('leaderboard')], capturedAt };
    const result = await runStage(definition, run, { params });
    expect((await result.metrics()).scalars).toEqual({ positions: 2, leaderboard: 50, rejected: 0, duplicates: 0 });
    const held = (await readParquet(result.path('positions'))).rows;
    expect(held.map(({ shares }) => shares)).toEqual([440_000, 2_251_963.1237]);
  });
});
