import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rowOf, wholeMicros } from '../../src/markets/activity/rows.ts';
import settleDefinition from '../../src/stages/markets-settle.ts';
import settle from '../../src/stages/run/markets-settle.ts';
import run from '../../src/stages/run/source-polymarket-activity.ts';
import definition from '../../src/stages/source-polymarket-activity.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const wallet = `0x${'A1'.repeat(20)}`;
const market = `0x${'0b'.repeat(32)}`;

/** A row as the API gives it; times count seconds from 1 January 2026. */
function row(time: number, type: string, size: number, usdcSize: number, more: object = {}): object {
  return {
    proxyWallet: wallet,
    timestamp: 1_767_225_600 + time,
    conditionId: market,
    type,
    size,
    usdcSize,
    transactionHash: `0x${'c'.repeat(64)}`,
    price: 0,
    asset: '',
    side: '',
    outcomeIndex: 999,
    title: 'Bitcoin up or down?',
    slug: 'btc-updown',
    eventSlug: 'btc',
    outcome: '',
    ...more,
  };
}

const trade = (
  time: number,
  side: string,
  size: number,
  usd: number,
  outcomeIndex: number,
  more: object = {},
): object =>
  row(time, 'TRADE', size, usd, {
    side,
    outcomeIndex,
    asset: `${outcomeIndex + 1}00`,
    outcome: outcomeIndex === 0 ? 'Up' : 'Down',
    price: usd / size,
    ...more,
  });

/** Oldest first; files have the newest first. */
const story = [
  row(0, 'SPLIT', 100, 100),
  trade(1, 'SELL', 40, 14, 0),
  trade(2, 'BUY', 11.988287999999999, 9.999996, 0, { price: 0.8 }),
  row(3, 'MERGE', 50, 50),
  row(4, 'REDEEM', 50, 50),
  row(5, 'REWARD', 3, 3, { conditionId: '' }),
  row(6, 'MAKER_REBATE', 1.5, 1.5, { conditionId: '' }),
  row(7, 'TAKER_REBATE', 0.25, 0.25, { conditionId: '' }),
];

async function imported(rows: readonly unknown[], params: object = {}): Promise<StageResult> {
  const file = path.join(await temporaryFolder(), 'activity.json');
  await writeFile(file, JSON.stringify(rows.toReversed()));
  return runStage(definition, run, { params: { files: [file], ...params } });
}

const settled = (result: StageResult, folder?: string): Promise<StageResult> =>
  runStage(settleDefinition, settle, {
    params: { fees: 'none' },
    inputs: { trades: [result.path('trades')], markets: [result.path('markets')], flows: [result.path('flows')] },
    ...(folder === undefined ? {} : { folder }),
  });

describe('source.polymarket-activity', () => {
  it('makes fills and flows of a story that a settlement can follow', async () => {
    const result = await imported(story);
    const trades = (await readParquet(result.path('trades'))).rows;
    expect(trades.map(({ seq, side, usd, shares }) => [seq, side, usd, shares])).toEqual([
      [0n, 'SELL', 14, 40],
      [1n, 'BUY', 9.999996, 11.988288],
    ]);
    expect(trades[0]).toMatchObject({ wallet: wallet.toLowerCase(), market, event: 'btc', token: '100', fee: null });
    const flows = (await readParquet(result.path('flows'))).rows;
    expect(flows.map(({ kind, usd, shares0, shares1 }) => [kind, usd, shares0, shares1])).toEqual([
      ['split', -100, 100, 100],
      ['merge', 50, -50, -50],
      ['redeem', 50, null, null],
      ['reward', 3, null, null],
      ['rebate', 1.5, null, null],
      ['rebate', 0.25, null, null],
    ]);
    const markets = (await readParquet(result.path('markets'))).rows;
    expect(markets).toMatchObject([
      { market, question: 'Bitcoin up or down?', category: 'crypto', token0: '100', token1: null },
    ]);
    expect((await result.metrics()).scalars).toMatchObject({
      rows: 2,
      flows: 6,
      rejected: 0,
      'flows.rebate': 2,
      rewardsUsd: 4.75,
      redeemedUsd: 50,
      'fills.beyondPrice': 1,
    });

    const ledger = await settled(result);
    const rows = (await readParquet(ledger.path('ledger'))).rows;
    // Outcome 1: 100 from the split, 50 merged, 50 redeemed. Outcome 0: 100 - 40 + 11.988288 - 50, and redeemed for nothing.
    expect(rows.map(({ outcomeIndex, status, netShares }) => [outcomeIndex, status, netShares])).toEqual([
      [0, 'closed', 0],
      [1, 'closed', 0],
      [null, 'cash', 0],
    ]);
    const cash = rows.reduce((sum, { cashUsd }) => sum + Math.round((cashUsd as number) * 1e6), 0);
    expect(cash).toBe((-100 + 14 + 50 + 50 + 4.75) * 1e6 - 9_999_996);
  });

  it('gives the same bytes however the pages are cut, and drops what overlaps if asked', async () => {
    const folder = await temporaryFolder();
    const newest = story.toReversed();
    await writeFile(path.join(folder, 'a.json'), JSON.stringify(newest.slice(0, 5)));
    await writeFile(
      path.join(folder, 'b.jsonl'),
      newest
        .slice(4)
        .map((r) => `${JSON.stringify(r)}\n`)
        .join(''),
    );
    const files = ['a.json', 'b.jsonl'].map((name) => path.join(folder, name));
    const pages = await runStage(definition, run, { params: { files, duplicates: 'drop-exact' } });
    const whole = await imported(story);
    for (const port of ['trades', 'flows', 'markets']) expect(await pages.bytes(port)).toEqual(await whole.bytes(port));
    expect((await pages.metrics()).scalars).toMatchObject({ duplicates: 1, rejected: 0 });
    const kept = await runStage(definition, run, { params: { files } });
    expect((await kept.metrics()).scalars).toMatchObject({ duplicates: 1, flows: 7, rows: 2 });
  });

  it('counts what it refuses, and stops beyond the share allowed', async () => {
    const bad = [
      row(1, 'CONVERSION', 10, 5),
      row(1, 'SPLIT', 10, 9),
      row(1, 'DANCE', 1, 1),
      trade(1, 'BUY', 1.0000005, 0.5, 0),
      trade(1, 'BUY', 1, 0.5, 0, { asset: '200' }),
      trade(1, 'BUY', 1, 0.5, 1, { asset: '200' }),
    ];
    await expect(imported([...story, ...bad])).rejects.toThrow(/5 of 14 rows are refused/);
    const result = await imported([...story, ...bad], { maxRejected: 0.5 });
    const [quality] = (await result.metrics()).quality ?? [];
    expect(quality?.rejected.map(({ reason }) => reason)).toEqual([
      'asset: another outcome or market in an earlier row',
      'outcomeIndex: neither 0 nor 1 in a conversion',
      'size: more than six decimals or too large',
      'split: dollars and pairs differ',
      'type: unknown (DANCE)',
    ]);
    expect((await result.figures()).some(({ id }) => id === 'rejected-rows')).toBe(true);
  });

  it.each([
    [{ proxyWallet: '0x12' }, 'proxyWallet: not an address'],
    [{ timestamp: 1_767_225_600_000 }, 'timestamp: milliseconds, not seconds'],
    [{ timestamp: 1_767_225_600_000_000 }, 'timestamp: microseconds, not seconds'],
    [{ timestamp: '2026-01-01' }, 'timestamp: missing or of a wrong type'],
    [{ conditionId: 'x' }, 'conditionId: not a hash'],
    [{ conditionId: '' }, 'conditionId: empty'],
    [{ size: '3' }, 'size: missing or of a wrong type'],
    [{ usdcSize: -1 }, 'usdcSize: negative'],
    [{ side: '' }, 'side: not BUY or SELL'],
    [{ size: 0 }, 'size: zero'],
    [{ asset: 'abc' }, 'asset: not a token id'],
    [{ outcomeIndex: 999 }, 'outcomeIndex: neither 0 nor 1 in a trade'],
  ])('refuses a trade with %o', (wrong, reason) => {
    expect(rowOf({ ...trade(1, 'BUY', 1, 0.5, 0), ...wrong })).toEqual({ reason });
  });

  it('reads conversions, and tokens and markets that rows do not name', async () => {
    const conversion = row(3, 'CONVERSION', 20, 5, { outcomeIndex: 1, asset: '200' });
    const result = await imported([
      trade(0, 'BUY', 40, 12, 1),
      conversion,
      row(4, 'REWARD', 1, 1, { conditionId: '', outcomeIndex: 999 }),
    ]);
    const flows = (await readParquet(result.path('flows'))).rows;
    expect(flows.map(({ kind, market: of, usd, shares0, shares1 }) => [kind, of, usd, shares0, shares1])).toEqual([
      ['conversion', market, 5, 0, -20],
      ['reward', null, 1, null, null],
    ]);
    expect((await result.metrics()).scalars).toMatchObject({ 'flows.conversion': 1, 'flows.reward': 1 });
  });

  it('groups the fills of one wallet, transaction, token and side', async () => {
    const other = { transactionHash: `0x${'d'.repeat(64)}` };
    const result = await imported([
      trade(1, 'BUY', 1, 0.5, 0),
      trade(1, 'BUY', 2, 1, 0, { proxyWallet: wallet.toLowerCase() }),
      trade(2, 'SELL', 1, 0.5, 0),
      trade(3, 'BUY', 1, 0.5, 1),
      trade(4, 'BUY', 1, 0.5, 0, other),
      trade(5, 'BUY', 1, 0.5, 0, { transactionHash: '' }),
    ]);
    const groups = (await readParquet(result.path('trades'))).rows.map(({ orderGroup }) => orderGroup);
    expect(groups[0]).toBe(groups[1]);
    expect(new Set(groups).size).toBe(5);
    expect(groups[5]).toBeNull();
    expect((await result.metrics()).scalars).toMatchObject({ wallets: 1 });
  });

  it('says which feed is empty, and stops where all are', async () => {
    const folder = await temporaryFolder();
    const save = async (name: string, text: string | Uint8Array): Promise<string> => {
      await writeFile(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const empty = await save('empty.json', '[]');
    const full = await save('full.json', JSON.stringify([trade(1, 'BUY', 1, 0.5, 0)]));
    const result = await runStage(definition, run, { params: { files: [empty, full] } });
    expect((await result.metrics()).quality?.[0]).toMatchObject({
      rowsRead: 0,
      facts: [{ label: 'The feed is empty', value: 1 }],
    });
    const stops = (file: string): Promise<unknown> => runStage(definition, run, { params: { files: [file] } });
    await expect(stops(empty)).rejects.toThrow('there is no trade in the activity');
    const zipped = await save(
      'cut.jsonl.gz',
      gzipSync(story.map((one) => `${JSON.stringify(one)}\n`).join('')).subarray(0, 120),
    );
    await expect(stops(zipped)).rejects.toThrow('the gzip stream is cut');
  });

  it('names the line of the first row of each fault', async () => {
    const file = path.join(await temporaryFolder(), 'activity.jsonl');
    const rows = [
      trade(1, 'BUY', 1, 0.5, 0),
      row(1, 'SPLIT', 10, 9),
      '',
      trade(1, 'BUY', -1, 0.5, 0),
      trade(1, 'BUY', -2, 0.5, 0),
    ];
    await writeFile(file, `${rows.map((one) => (one === '' ? '{"cut"' : JSON.stringify(one))).join('\n')}\n`);
    const result = await runStage(definition, run, { params: { files: [file], maxRejected: 0.9 } });
    expect((await result.metrics()).quality?.[0]?.rejected).toEqual([
      { reason: 'size: negative', count: 2, first: 'activity.jsonl:4' },
      { reason: 'not JSON', count: 1, first: 'activity.jsonl:3' },
      { reason: 'split: dollars and pairs differ', count: 1, first: 'activity.jsonl:2' },
    ]);
  });

  it('takes the noise of doubles, and nothing more, for millionths', () => {
    expect(wholeMicros(11.988287999999999)).toBe(11_988_288);
    expect(wholeMicros(10_980_911.728675)).toBe(10_980_911_728_675);
    expect(wholeMicros(1.0000005)).toBeUndefined();
    expect(wholeMicros(1e12)).toBeUndefined();
  });

  it('stops at a file that is cut', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'cut.json');
    await writeFile(file, JSON.stringify(story).slice(0, -20));
    await expect(runStage(definition, run, { params: { files: [file] } })).rejects.toThrow('not whole JSON');
  });
});

describe.skipIf(!shared)(`recorded activity (${whyNoShared})`, () => {
  it('reads every row of 500, and settles it', async () => {
    const files = [sharedFile('data', 'polymarket', 'data-api-activity-500.json')];
    const result = await runStage(definition, run, { params: { files } });
    expect((await result.metrics()).scalars).toMatchObject({
      rows: 298,
      flows: 202,
      'flows.redeem': 201,
      'flows.rebate': 1,
      rejected: 0,
      duplicates: 0,
      wallets: 1,
    });
    const ledger = await settled(result);
    const checks = (await ledger.metrics()).checks ?? [];
    expect(checks[0]).toMatchObject({ name: 'Ledger adds up', verdict: 'pass' });
    // One wallet alone: the other sides are not in the data, and that is said.
    expect(checks[1]?.verdict).toBe('undecided');
  });

  it('reads the mixed page with rewards and rebates', async () => {
    const files = [sharedFile('data', 'polymarket', 'data-api-activity_all.json')];
    const result = await runStage(definition, run, { params: { files } });
    expect((await result.metrics()).scalars).toMatchObject({
      rows: 42,
      flows: 8,
      'flows.redeem': 2,
      'flows.reward': 4,
      'flows.rebate': 2,
      rejected: 0,
    });
  });

  it('says that a page of redemptions alone has nothing to settle', async () => {
    const files = [sharedFile('data', 'polymarket', 'data-api-activity.json')];
    await expect(runStage(definition, run, { params: { files } })).rejects.toThrow('there is no trade in the activity');
  });
});
