import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../src/facts/make.ts';
import definition from '../../src/stages/markets-settle.ts';
import run from '../../src/stages/run/markets-settle.ts';
import simulate from '../../src/stages/run/source-simulated.ts';
import simulated from '../../src/stages/source-simulated.ts';
import { openDuck, quote } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { parquetFiles } from '../../src/tables/parquet-files.ts';
import { formatMoment } from '../../src/tables/time.ts';
import { type TestFlow, writeFlows } from '../markets/settlement/fixture.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import {
  makeWorld,
  truncate,
  type World,
  type WorldFiles,
  type WorldTrade,
  worldStart,
  writeWorld,
} from '../support/world.ts';

type Row = Record<string, unknown>;
const DAY = 86_400;
const at = (seconds: number): string => formatMoment(seconds * 1e6);

async function settle(
  files: WorldFiles,
  params: object = {},
  options: { flows?: string; facts?: string; feeSchedules?: string; threads?: number; resolutions?: boolean } = {},
): Promise<StageResult> {
  return runStage(definition, run, {
    params,
    inputs: {
      trades: [files.trades],
      markets: [files.markets],
      ...(options.resolutions === false ? {} : { resolutions: [files.resolutions] }),
      ...(options.flows === undefined ? {} : { flows: [options.flows] }),
      ...(options.facts === undefined ? {} : { facts: [options.facts] }),
      ...(options.feeSchedules === undefined ? {} : { feeSchedules: [options.feeSchedules] }),
    },
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
}

/** Rows in the order of the file, or of the files of a folder. */
async function storedRows(result: StageResult, port: string): Promise<Row[]> {
  const parts = await Promise.all(parquetFiles(result.path(port)).map((file) => readParquet(file)));
  return parts.flatMap(({ rows }) => rows);
}

/** Rows by wallet, market, outcome and token, each null last; the file has the order of the numbers. */
async function rowsOf(result: StageResult): Promise<readonly Row[]> {
  const rows = await storedRows(result, 'ledger');
  const last = (value: unknown): string | number => (value ?? '\uffff') as string | number;
  const keys = ['wallet', 'market', 'outcomeIndex', 'token'];
  return rows.toSorted((a, b) => {
    const key = keys.find((name) => a[name] !== b[name]);
    return key === undefined ? 0 : String(last(a[key])) < String(last(b[key])) ? -1 : 1;
  });
}
const checkOf = async (result: StageResult): Promise<Record<string, string>> =>
  Object.fromEntries(((await result.metrics()).checks ?? []).map(({ name, verdict }) => [name, verdict]));
const sum = (rows: readonly Row[], column: string): number =>
  rows.reduce((total, row) => total + Math.round(((row[column] as number | null) ?? 0) * 2e6), 0) / 2e6;

/** A fill of 1e6-scaled shares at a price; token of the market's outcome. */
function fill(
  time: number,
  wallet: string,
  side: 'BUY' | 'SELL',
  shares: number,
  price: number,
  more: object = {},
): WorldTrade {
  return {
    time: worldStart + time,
    wallet,
    market: 'm',
    event: 'e',
    outcomeIndex: 0,
    side,
    usd: Math.round(shares * price * 1e6),
    shares: shares * 1e6,
    ...more,
  };
}

const worldOf = (trades: readonly WorldTrade[], payout0?: number): World => ({
  trades,
  markets: [{ market: 'm', event: 'e', category: 'crypto' }],
  resolutions: payout0 === undefined ? [] : [{ market: 'm', payout0, knowableAt: worldStart + 1000 }],
});

async function settled(
  trades: readonly WorldTrade[],
  payout0?: number,
  params: object = {},
  flows?: readonly TestFlow[],
): Promise<{ rows: readonly Row[]; result: StageResult }> {
  const folder = await temporaryFolder();
  const files = await writeWorld(worldOf(trades, payout0), folder);
  const result = await settle(files, params, flows === undefined ? {} : { flows: await writeFlows(flows, folder) });
  return { rows: await rowsOf(result), result };
}

describe('markets.settle in a simulated world', () => {
  let files: WorldFiles;
  let plain: StageResult;

  beforeAll(async () => {
    const params = { wallets: 200, markets: 60, days: 60, tradesPerWallet: 8, fiftyFiftyShare: 0.1 };
    const world = await runStage(simulated, simulate, { params });
    files = {
      trades: world.path('trades'),
      markets: world.path('markets'),
      resolutions: world.path('resolutions'),
    };
    plain = await settle(files);
  });

  it('conserves cash to the last millionth: winners win what losers lose', async () => {
    expect(await checkOf(plain)).toEqual({
      'Ledger adds up': 'pass',
      'Cash conserved': 'pass',
      'No negative holdings': 'pass',
    });
    const rows = await rowsOf(plain);
    const of = rows.filter(({ status }) => status === 'settled');
    expect(of.length).toBeGreaterThan(500);
    expect(
      of.some(({ settlementUsd, netShares }) => settlementUsd === (netShares as number) / 2 && settlementUsd !== 0),
    ).toBe(true);
    expect(sum(of, 'settledPnlUsd')).toBe(0);
    const { scalars } = await plain.metrics();
    expect(scalars['settledPnlUsd']).toBe(0);
    expect(scalars['share.unresolved']).toBeGreaterThan(0);
    expect(scalars['rows']).toBe(rows.length);
  });

  it('with fees, wallets together lose exactly the fees', async () => {
    for (const params of [{ fees: 'curve', makerRebateShare: 0.2 }, { fees: 'profit' }]) {
      const result = await settle(files, params);
      const of = (await rowsOf(result)).filter(({ status }) => status === 'settled');
      expect(sum(of, 'feeUsd')).toBeGreaterThan(0);
      expect(sum(of, 'settledPnlUsd')).toBe(-sum(of, 'feeUsd'));
    }
  });

  it('gives the same bytes on one thread and on two', async () => {
    const [one, two] = await Promise.all([settle(files, {}, { threads: 1 }), settle(files, {}, { threads: 2 })]);
    expect(await one.bytes('ledger')).toEqual(await two.bytes('ledger'));
    expect(await one.metrics()).toEqual(await two.metrics());
    expect(await one.figures()).toEqual(await two.figures());
  });

  it('draws figures of section data', async () => {
    const figures = await plain.figures();
    expect(figures.map(({ id, section }) => `${section} ${id}`)).toEqual([
      'data settled-profit',
      'data unresolved-positions',
    ]);
    const [histogram] = figures;
    if (histogram?.kind !== 'histogram') throw new Error('no histogram');
    const wallets = histogram.groups.flatMap(({ counts }) => counts).reduce((a, b) => a + b, 0);
    expect(wallets).toBeGreaterThan(50);
    for (const { counts } of histogram.groups) expect(counts.length).toBe(histogram.edges.length - 1);
  });
});

describe('markets.settle in random worlds', () => {
  /** Ledger straight from its definition: sums over filtered fills. Not for names of tokens shared by several rows. */
  function oracle(world: World): Map<string, { cash: number; net: number; pnl: number | null }> {
    const found = new Map<string, { cash: number; net: number; pnl: number | null }>();
    for (const trade of world.trades) {
      const key = `${trade.wallet} ${trade.market} ${trade.outcomeIndex ?? 'unknown'}`;
      const row = found.get(key) ?? { cash: 0, net: 0, pnl: null };
      const sign = trade.side === 'BUY' ? 1 : -1;
      row.cash -= sign * trade.usd;
      row.net += sign * trade.shares;
      found.set(key, row);
    }
    for (const [key, row] of found) {
      const [, market, outcome] = key.split(' ');
      const known = world.resolutions.find((resolution) => resolution.market === market);
      if (known === undefined || outcome === 'unknown') continue;
      row.pnl = row.cash + row.net * (outcome === '0' ? known.payout0 : 1 - known.payout0);
    }
    return found;
  }

  it.each([1, 2, 3])('equals sums over fills, seed %i', async (seed) => {
    const base = makeWorld({ seed });
    // The oracle keeps what cannot be known apart by outcome alone.
    const world = { ...base, trades: base.trades.map((trade) => ({ ...trade, token: null })) };
    const result = await settle(await writeWorld(world, await temporaryFolder()), { fees: 'none' });
    const rows = await rowsOf(result);
    const expected = oracle(world);
    expect(rows.length).toBe(expected.size);
    for (const row of rows) {
      const wanted = expected.get(`${row['wallet']} ${row['market']} ${row['outcomeIndex'] ?? 'unknown'}`);
      expect(Math.round((row['cashUsd'] as number) * 1e6)).toBe(wanted?.cash);
      expect(Math.round((row['netShares'] as number) * 1e6)).toBe(wanted?.net);
      const pnl = row['settledPnlUsd'] as number | null;
      expect(pnl === null ? null : Math.round(pnl * 2e6) / 2).toBe(wanted?.pnl ?? null);
    }
    expect((await checkOf(result))['Ledger adds up']).toBe('pass');
    // Random sales of what was never bought: said, not hidden.
    expect((await checkOf(result))['No negative holdings']).toBe('undecided');
    expect((await checkOf(result))['Cash conserved']).toBe('undecided');
  });

  it.each([4, 5])('uses nothing from asOf on: the cut world gives the same bytes, seed %i', async (seed) => {
    const world = makeWorld({ seed });
    const folder = await temporaryFolder();
    const whole = await writeWorld(world, path.join(folder, 'whole'));
    const flows: TestFlow[] = world.trades.slice(0, 200).map(({ time, wallet, market, shares }, i) => ({
      wallet,
      time: time + (i % 3),
      market,
      ...(i % 2 === 0
        ? { kind: 'split', usd: -shares, shares0: shares, shares1: shares }
        : { kind: 'redeem', usd: shares, shares0: null, shares1: null }),
    }));
    await writeFlows(flows, path.join(folder, 'whole'));
    for (const days of [7, 31.25, 59]) {
      const end = worldStart + days * DAY;
      const past = path.join(folder, `${days}`);
      const cut = await writeWorld(truncate(world, end), past);
      const before = flows.filter(({ time }) => time < end);
      const asked = await settle(
        whole,
        { asOf: at(end), fees: 'curve' },
        { flows: path.join(folder, 'whole/flows.parquet') },
      );
      const given = await settle(cut, { fees: 'curve' }, { flows: await writeFlows(before, past) });
      expect(await asked.bytes('ledger')).toEqual(await given.bytes('ledger'));
      expect((await asked.metrics()).scalars).toEqual((await given.metrics()).scalars);
      const late = (await rowsOf(asked)).filter(
        (row) =>
          (row['knowableAt'] as Date).getTime() >= end * 1000 || (row['happenedAt'] as Date).getTime() >= end * 1000,
      );
      expect(late).toEqual([]);
    }
  });
});

describe('markets.settle by hand', () => {
  it('settles winners, losers never redeemed, and 50-50', async () => {
    const trades = [
      fill(1, 'a', 'BUY', 100, 0.4),
      fill(2, 'a', 'BUY', 50, 0.55),
      fill(3, 'a', 'SELL', 120, 0.6),
      fill(4, 'a', 'BUY', 30, 0.7),
    ];
    for (const [payout, settlement, pnl] of [
      [1, 60, 43.5],
      [0, 0, -16.5],
      [0.5, 30, 13.5],
    ] as const) {
      const { rows } = await settled(trades, payout, { fees: 'none' });
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        status: 'settled',
        boughtShares: 180,
        soldShares: 120,
        netShares: 60,
        costUsd: 34.5,
        cashUsd: -16.5,
        realisedPnlUsd: 18,
        settlementUsd: settlement,
        settledPnlUsd: pnl,
        markUsd: null,
      });
      const final = new Date((worldStart + 1000) * 1000);
      expect(rows[0]).toMatchObject({ knowableAt: final, happenedAt: final, closedAt: final });
    }
  });

  it('keeps half millionths: a 50-50 payout of an odd number of them', async () => {
    const { rows } = await settled([{ ...fill(1, 'a', 'BUY', 1, 0.5), shares: 1_000_001 }], 0.5);
    expect(rows[0]).toMatchObject({ settlementUsd: 0.5000005, settledPnlUsd: 0.0000005 });
  });

  it('marks open positions apart, at the last price of anybody', async () => {
    const { rows, result } = await settled([fill(1, 'a', 'BUY', 10, 0.5), fill(9, 'b', 'BUY', 1, 0.7)]);
    expect(rows[0]).toMatchObject({
      status: 'open',
      settledPnlUsd: null,
      settlementUsd: null,
      markUsd: 7,
      markedPnlUsd: 2,
      closedAt: null,
      markedAt: new Date((worldStart + 9) * 1000),
      knowableAt: new Date((worldStart + 1) * 1000),
    });
    expect((await result.metrics()).scalars).toMatchObject({ 'positions.open': 2, 'share.unresolved': 1 });
  });

  it('an outcome counts only after it was knowable, not when it was', async () => {
    const trades = [fill(1, 'a', 'BUY', 10, 0.5)];
    const at1000 = await settled(trades, 1, { asOf: at(worldStart + 1000) });
    expect(at1000.rows[0]).toMatchObject({ status: 'open', settledPnlUsd: null });
    const at1001 = await settled(trades, 1, { asOf: at(worldStart + 1001) });
    expect(at1001.rows[0]).toMatchObject({ status: 'settled', settledPnlUsd: 5 });
  });

  it('a sale without a holding is a purchase of the other token in profit, and is said', async () => {
    const short = await settled([fill(1, 'a', 'SELL', 10, 0.3)], 0);
    const other = await settled([fill(1, 'a', 'BUY', 10, 0.7, { outcomeIndex: 1 })], 0);
    expect(short.rows[0]).toMatchObject({ netShares: -10, costUsd: -3, realisedPnlUsd: 0, settledPnlUsd: 3 });
    expect(other.rows[0]).toMatchObject({ netShares: 10, costUsd: 7, settledPnlUsd: 3 });
    expect((await checkOf(short.result))['No negative holdings']).toBe('undecided');
    expect((await checkOf(other.result))['No negative holdings']).toBe('pass');
  });

  it('charges by each rule', async () => {
    const trades = [
      fill(1, 'a', 'BUY', 100, 0.6, { role: 'taker', fee: 1_500_000 }),
      fill(2, 'b', 'BUY', 100, 0.5, { role: 'maker' }),
    ];
    const feesOf = async (params: object): Promise<unknown[]> =>
      (await settled(trades, 1, params)).rows.map(({ feeUsd }) => feeUsd);
    expect(await feesOf({ fees: 'none' })).toEqual([0, 0]);
    expect(await feesOf({ fees: 'recorded' })).toEqual([1.5, 0]);
    expect(await feesOf({ fees: 'profit' })).toEqual([0.8, 1]);
    expect(await feesOf({ fees: 'profit', winningFeeBase: 'payout' })).toEqual([2, 2]);
    expect(await feesOf({ fees: 'profit', winningFeeBase: 'stake' })).toEqual([1.2, 1]);
    // Crypto: 100 x 0.07 x 0.24; makers get a fifth of 100 x 0.07 x 0.25.
    expect(await feesOf({ fees: 'curve' })).toEqual([1.68, 0]);
    expect(await feesOf({ fees: 'curve', makerRebateShare: 0.2 })).toEqual([1.68, -0.35]);
    expect(await feesOf({ fees: 'curve', curveFrom: at(worldStart + 2) })).toEqual([0, 0]);
    const { result } = await settled(trades, 1);
    expect((await result.metrics()).scalars['fees.unknown']).toBe(1);
  });

  it('finds the outcome of a token in the markets, or on another of its fills', async () => {
    const trades = [
      fill(1, 'a', 'BUY', 10, 0.5, { token: 't1', outcomeIndex: null }),
      fill(2, 'b', 'BUY', 10, 0.5, { token: 't0', outcomeIndex: null }),
      fill(3, 'b', 'BUY', 10, 0.5, { token: 't0' }),
    ];
    const world = worldOf(trades, 0);
    const listed = world.markets.map((market) => ({ ...market, token0: null, token1: 't1' }));
    const rows = await rowsOf(await settle(await writeWorld({ ...world, markets: listed }, await temporaryFolder())));
    expect(rows.map(({ outcomeIndex, token, settledPnlUsd }) => [outcomeIndex, token, settledPnlUsd])).toEqual([
      [1, 't1', 5],
      [0, 't0', -10],
    ]);
  });

  it('settles nothing of which the outcome is unknown, and marks nothing that has no name', async () => {
    const unknown = { outcomeIndex: null };
    const trades = [fill(1, 'a', 'BUY', 10, 0.5, { ...unknown, token: 't7' }), fill(2, 'b', 'BUY', 10, 0.5, unknown)];
    const { rows, result } = await settled(trades, 1);
    expect(rows.map(({ status, markUsd, settledPnlUsd }) => [status, markUsd, settledPnlUsd])).toEqual([
      ['open', 5, null],
      ['open', null, null],
    ]);
    expect((await result.metrics()).scalars['markedPnlUsd']).toBeNull();
  });

  it.each([
    [
      [fill(1, 'a', 'BUY', 1, 0.5, { token: 't' }), fill(1, 'a', 'BUY', 1, 0.5, { token: 't', outcomeIndex: 1 })],
      'is both outcomes',
    ],
    [[fill(1, 'a', 'BUY', 3e9, 0.5)], 'sums stay exact up to'],
    [[{ ...fill(1, 'a', 'BUY', 1, 0.5), usd: -1 }], '1 trades have a negative amount'],
  ])('refuses data that contradict themselves or pass what is exact (%#)', async (trades, message) => {
    await expect(settled(trades, 1)).rejects.toThrow(message);
  });

  it('refuses a flow that creates money', async () => {
    const flow: TestFlow = {
      wallet: 'a',
      time: worldStart,
      market: 'm',
      kind: 'split',
      usd: -10,
      shares0: 20,
      shares1: 20,
    };
    await expect(settled([fill(1, 'a', 'BUY', 1, 0.5)], 1, {}, [flow])).rejects.toThrow(/1 flows split for anything/);
  });
});

describe('flows', () => {
  const flow = (
    time: number,
    kind: TestFlow['kind'],
    usd: number,
    shares0: number | null,
    shares1: number | null,
  ): TestFlow => ({
    wallet: 'a',
    time: worldStart + time,
    market: kind === 'reward' || kind === 'rebate' ? null : 'm',
    kind,
    usd: usd * 1e6,
    shares0: shares0 === null ? null : shares0 * 1e6,
    shares1: shares1 === null ? null : shares1 * 1e6,
  });
  const price = fill(1, 'b', 'BUY', 1, 0.3);

  it('a split costs by the last prices before it, half and half without any', async () => {
    const split = [flow(5, 'split', -100, 100, 100)];
    const known = await settled([price], undefined, {}, split);
    expect(known.rows.slice(0, 2).map(({ costUsd, netShares }) => [costUsd, netShares])).toEqual([
      [30, 100],
      [70, 100],
    ]);
    // A price of the same moment or later is not known yet.
    const later = await settled([{ ...price, time: worldStart + 5 }], undefined, {}, split);
    expect(later.rows.slice(0, 2).map(({ costUsd }) => costUsd)).toEqual([50, 50]);
    // The token that nobody traded is marked at the other's complement.
    expect(known.rows[1]).toMatchObject({ markUsd: 70, markedPnlUsd: 0 });
  });

  it('splitting, selling a side, merging the rest: cash tells the profit', async () => {
    const trades = [price, fill(6, 'a', 'SELL', 40, 0.35)];
    const flows = [flow(5, 'split', -100, 100, 100), flow(7, 'merge', 60, -60, -60)];
    const { rows, result } = await settled(trades, 0, { fees: 'none' }, flows);
    const mine = rows.filter(({ wallet }) => wallet === 'a');
    expect(mine.map(({ netShares, receivedShares, givenShares }) => [netShares, receivedShares, givenShares])).toEqual([
      [0, 100, 60],
      [40, 100, 60],
    ]);
    // Paid 100, got 14 and 60, and 40 tokens of outcome 1 pay.
    expect(sum(mine, 'settledPnlUsd')).toBe(14);
    expect(sum(mine, 'realisedPnlUsd') + 0).toBe(sum(mine, 'cashUsd') + sum(mine, 'costUsd'));
    expect((await checkOf(result))['Ledger adds up']).toBe('pass');
  });

  it('a redemption changes when cash comes, not what is won; nothing is paid twice', async () => {
    const trades = [fill(1, 'a', 'BUY', 50, 0.6), fill(2, 'a', 'BUY', 10, 0.4, { outcomeIndex: 1 })];
    const kept = await settled(trades, 1, { fees: 'profit' });
    const redeemed = await settled(trades, 1, { fees: 'profit' }, [flow(2000, 'redeem', 50, null, null)]);
    const columns = ({ rows }: { rows: readonly Row[] }) =>
      rows.map(({ settledPnlUsd, feeUsd }) => [settledPnlUsd, feeUsd]);
    expect(columns(redeemed)).toEqual(columns(kept));
    expect(columns(kept)).toEqual([
      [19.6, 0.4],
      [-4, 0],
    ]);
    expect(redeemed.rows.map(({ netShares, settlementUsd, cashUsd }) => [netShares, settlementUsd, cashUsd])).toEqual([
      [0, 0, 20],
      [0, 0, -4],
    ]);
    expect((await redeemed.result.metrics()).scalars['redemptions.otherThanPayout']).toBe(0);
  });

  it('without resolutions a redemption goes to the token whose holding it equals, and closes the market', async () => {
    const trades = [fill(1, 'a', 'BUY', 50, 0.6), fill(2, 'a', 'BUY', 10, 0.4, { outcomeIndex: 1 })];
    const { rows, result } = await settled(trades, undefined, {}, [flow(2000, 'redeem', 10, null, null)]);
    expect(rows.map(({ status, realisedPnlUsd }) => [status, realisedPnlUsd])).toEqual([
      ['closed', -30],
      ['closed', 6],
    ]);
    expect((await result.metrics()).scalars['redemptions.ofUnknownTokens']).toBe(0);
  });

  it('a redemption that the payouts do not explain is counted', async () => {
    const { result } = await settled([fill(1, 'a', 'BUY', 50, 0.6)], 1, {}, [flow(2000, 'redeem', 49, null, null)]);
    expect((await result.metrics()).scalars['redemptions.otherThanPayout']).toBe(1);
  });

  it('flows of one event, moment and wallet are one conversion: cost goes over with the tokens', async () => {
    const no = { outcomeIndex: 1 as const };
    const trades = [
      { ...fill(1, 'b', 'BUY', 1, 0.1), market: 'x' },
      { ...fill(2, 'b', 'BUY', 1, 0.3), market: 'y' },
      fill(3, 'a', 'BUY', 100, 0.6, no),
      { ...fill(4, 'a', 'BUY', 100, 0.8, no), market: 'n' },
    ];
    const conversion = (market: string, usd: number, shares0: number, shares1: number): TestFlow => ({
      ...flow(5, 'conversion', usd, shares0, shares1),
      market,
    });
    const markets = ['m', 'n', 'x', 'y'].map((market) => ({ market, event: 'e', category: 'politics' }));
    const folder = await temporaryFolder();
    const files = await writeWorld({ trades, markets, resolutions: [] }, folder);
    const list = [
      conversion('m', 100, 0, -100),
      conversion('n', 0, 0, -100),
      conversion('x', 0, 100, 0),
      conversion('y', 0, 100, 0),
    ];
    const result = await settle(files, { fees: 'none' }, { flows: await writeFlows(list, folder) });
    // Paid 60 and 80, got 100 back: YES of the two others cost 40, as 1 to 3 by their last prices.
    expect(
      (await rowsOf(result))
        .filter(({ wallet, receivedShares, givenShares }) => wallet === 'a' && receivedShares !== givenShares)
        .map(({ market, outcomeIndex, netShares, costUsd, realisedPnlUsd }) => [
          market,
          outcomeIndex,
          netShares,
          costUsd,
          realisedPnlUsd,
        ]),
    ).toEqual([
      ['m', 1, 0, 0, 0],
      ['n', 1, 0, 0, 0],
      ['x', 0, 100, 10, 0],
      ['y', 0, 100, 30, 0],
    ]);
    expect((await checkOf(result))['Ledger adds up']).toBe('pass');
  });

  it('a wallet may have flows and nobody any fills', async () => {
    const flows = [
      flow(5, 'split', -10, 10, 10),
      flow(2000, 'redeem', 10, null, null),
      flow(2001, 'reward', 1, null, null),
    ];
    const { rows, result } = await settled([], 1, { fees: 'none' }, flows);
    expect(rows.map(({ outcomeIndex, status, settledPnlUsd }) => [outcomeIndex, status, settledPnlUsd])).toEqual([
      [0, 'settled', 5],
      [1, 'settled', -5],
      [null, 'cash', 1],
    ]);
    expect((await checkOf(result))['Ledger adds up']).toBe('pass');
  });

  it('a market that is only split in has its rows too', async () => {
    const split = [{ ...flow(5, 'split', -10, 10, 10), market: 'elsewhere' }];
    const { rows, result } = await settled([price], 1, {}, split);
    expect(rows.map(({ market, outcomeIndex, netShares }) => [market, outcomeIndex, netShares])).toEqual([
      ['elsewhere', 0, 10],
      ['elsewhere', 1, 10],
      ['m', 0, 1],
    ]);
    expect((await result.metrics()).scalars['markedPnlUsd']).toBeNull();
  });

  it('rewards and rebates are cash without tokens', async () => {
    const { rows, result } = await settled([price], 1, {}, [
      flow(5, 'reward', 2, null, null),
      flow(6, 'rebate', 0.5, null, null),
    ]);
    expect(rows.filter(({ wallet }) => wallet === 'a')).toMatchObject([
      { status: 'cash', market: null, token: null, cashUsd: 2.5, settledPnlUsd: 2.5, netShares: 0 },
    ]);
    expect((await checkOf(result))['Ledger adds up']).toBe('pass');
  });
});

describe('buckets of wallets', () => {
  const params = { fees: 'profit', history: true };
  let files: WorldFiles;
  let flows: string;
  let whole: StageResult;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    const world = makeWorld({ seed: 9 });
    files = await writeWorld(world, folder);
    flows = await writeFlows(
      [...world.trades.slice(0, 60), { ...(world.trades[0] as WorldTrade), wallet: 'only flows' }].map(
        ({ time, wallet, market, shares }, i) => ({
          wallet,
          time: time + (i % 3),
          market,
          ...(i % 2 === 0
            ? { kind: 'split', usd: -shares, shares0: shares, shares1: shares }
            : { kind: 'redeem', usd: shares, shares0: null, shares1: null }),
        }),
      ),
      folder,
    );
    whole = await settle(files, params, { flows });
  });

  it('give the same rows however they are cut, and the same bytes with any number of threads', async () => {
    const cut = { ...params, bucketFills: 60 };
    const [one, two] = [
      await settle(files, cut, { flows, threads: 1 }),
      await settle(files, cut, { flows, threads: 2 }),
    ];
    for (const port of ['ledger', 'history']) {
      const parts = parquetFiles(one.path(port));
      expect(parts.length).toBeGreaterThan(4);
      expect(parquetFiles(two.path(port)).map((file) => path.basename(file))).toEqual(
        parts.map((file) => path.basename(file)),
      );
      for (const [i, file] of parquetFiles(two.path(port)).entries())
        expect(await readFile(file)).toEqual(await readFile(parts[i] as string));
      const rows = await storedRows(whole, port);
      expect(rows.length).toBeGreaterThan(100);
      expect(await storedRows(one, port)).toEqual(rows);
    }
    expect(await two.metrics()).toEqual(await whole.metrics());
    expect(await two.figures()).toEqual(await whole.figures());
  });

  it('read facts that are made already, and show numbers in place of names if asked', async () => {
    const folder = await temporaryFolder();
    const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: folder });
    try {
      const facts = path.join(folder, 'facts');
      await factsOf(duck, files.trades, facts, { threads: 1, memoryMb: 256, scratch: folder });
      const named = await settle(files, params, { flows, facts });
      expect(await named.bytes('ledger')).toEqual(await whole.bytes('ledger'));
      const numbered = await settle(files, { ...params, names: false }, { flows, facts });
      const file = (name: string): string =>
        `read_parquet(${quote(path.join(numbered.path('names'), `${name}.parquet`))})`;
      for (const port of ['ledger', 'history']) {
        const [plain] = await duck.rows<{ gone: number; rows: number }>(
          `SELECT count(*)::DOUBLE AS "rows", (SELECT count(*)::DOUBLE FROM (FROM read_parquet(${quote(whole.path(port))}) EXCEPT ALL
             SELECT w.address AS wallet, m.name AS market, t.name AS token, r.* EXCLUDE (wallet, market, token)
             FROM read_parquet(${quote(numbered.path(port))}) r JOIN ${file('wallets')} w USING (wallet)
               LEFT JOIN ${file('markets')} m ON m.market = r.market LEFT JOIN ${file('tokens')} t ON t.token = r.token)) AS gone
           FROM read_parquet(${quote(numbered.path(port))})`,
        );
        expect(plain).toEqual({ gone: 0, rows: (await storedRows(whole, port)).length });
        const keys = (await storedRows(numbered, port)).map((row) =>
          (port === 'ledger' ? ['wallet', 'token', 'market'] : ['wallet', 'knowableAt', 'token', 'market', 'step']).map(
            (name) => (row[name] === null ? Number.POSITIVE_INFINITY : Number(row[name])),
          ),
        );
        const order = (a: number[], b: number[]): number => {
          const at = a.findIndex((value, i) => value !== b[i]);
          return at < 0 ? 0 : (a[at] as number) < (b[at] as number) ? -1 : 1;
        };
        expect(keys).toEqual(keys.toSorted(order));
      }
    } finally {
      duck.close();
    }
  });

  it('keep a history that adds up to the ledger by wallet, and to what was knowable at any moment', async () => {
    const history = await storedRows(whole, 'history');
    const ledger = await rowsOf(whole);
    const wallets = [...new Set(ledger.map(({ wallet }) => wallet))];
    expect(wallets).toContain('only flows');
    for (const wallet of wallets) {
      const [past, rows] = [history, ledger].map((all) => all.filter((row) => row['wallet'] === wallet)) as [
        Row[],
        Row[],
      ];
      const settledRows = rows.filter(({ settledPnlUsd }) => settledPnlUsd !== null);
      const others = rows.filter(({ settledPnlUsd }) => settledPnlUsd === null);
      expect(sum(past, 'pnlUsd')).toBeCloseTo(
        sum(settledRows, 'settledPnlUsd') + sum(others, 'realisedPnlUsd') - sum(others, 'feeUsd'),
        6,
      );
    }
    for (const day of [5, 20, 40]) {
      const moment = worldStart + day * DAY;
      const then = await settle(files, { ...params, asOf: at(moment) }, { flows });
      const known = history.filter((row) => (row['knowableAt'] as Date).getTime() < moment * 1000);
      expect(await storedRows(then, 'history')).toEqual(known);
      const late = ledger.filter((row) => (row['knowableAt'] as Date).getTime() < moment * 1000);
      const marks = { markUsd: 0, markedPnlUsd: 0, markedAt: 0 };
      const early = (await rowsOf(then)).map((row) => ({ ...row, ...marks }));
      for (const row of late) expect(early).toContainEqual({ ...row, ...marks });
    }
  });
});

describe('fee schedules', () => {
  it('charge what holds at the time of the fill, nothing before the first, and count markets without one', async () => {
    const folder = await temporaryFolder();
    const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: folder });
    const feeSchedules = path.join(folder, 'feeSchedules.parquet');
    try {
      const from = (seconds: number): string => `make_timestamp(${worldStart + seconds}::BIGINT * 1000000)`;
      await duck.run(`COPY (SELECT * FROM (VALUES
        ('m', ${from(10)}, 0.05::DOUBLE, 1::DOUBLE, true, 0.2::DOUBLE), ('m', ${from(20)}, 0.25::DOUBLE, 2::DOUBLE, false, 0::DOUBLE))
        t(market, effectiveFrom, rate, exponent, takerOnly, rebateShare) ORDER BY 1, 2) TO ${quote(feeSchedules)} (FORMAT parquet)`);
    } finally {
      duck.close();
    }
    const taker = { role: 'taker' as const };
    const trades = [
      fill(9, 'a', 'BUY', 100, 0.5, taker),
      fill(10, 'b', 'BUY', 100, 0.5, taker),
      fill(11, 'c', 'BUY', 100, 0.5, { role: 'maker' }),
      fill(20, 'd', 'BUY', 100, 0.5, taker),
      fill(21, 'e', 'SELL', 100, 0.2, { role: 'maker' }),
      { ...fill(22, 'f', 'BUY', 100, 0.5, taker), market: 'other' },
      fill(23, 'g', 'BUY', 100, 0.5, { role: null }),
    ];
    const files = await writeWorld(worldOf(trades), folder);
    const result = await settle(files, { fees: 'curve' }, { feeSchedules });
    // 100 x 0.05 x 0.25; a fifth of it back; then 100 x 0.25 x 0.25^2, and of makers too: 100 x 0.25 x 0.16^2.
    expect((await rowsOf(result)).map(({ feeUsd }) => feeUsd)).toEqual([0, 1.25, -0.25, 1.5625, 0.64, 0, 1.5625]);
    expect((await result.metrics()).scalars).toMatchObject({ 'fees.unscheduled': 1, 'fees.unknownRole': 1 });
    const early = await settle(files, { fees: 'curve', asOf: at(worldStart + 20) }, { feeSchedules });
    expect((await rowsOf(early)).map(({ feeUsd }) => feeUsd)).toEqual([0, 1.25, -0.25]);
  });
});
