import { beforeAll, describe, expect, it } from 'vitest';
import { countRange } from '../../src/evaluation/proportion.ts';
import runWorld from '../../src/stages/run/source-simulated.ts';
import run from '../../src/stages/run/wallets-discover.ts';
import worldDefinition from '../../src/stages/source-simulated.ts';
import definition from '../../src/stages/wallets-discover.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import { makeWorld, truncate, type World, type WorldTrade, worldStart, writeWorld } from '../support/world.ts';

const DAY = 86_400;

async function discoverIn(world: World, params: object, threads?: number): Promise<StageResult> {
  const files = await writeWorld(world, await temporaryFolder());
  return runStage(definition, run, {
    params,
    inputs: { trades: [files.trades], markets: [files.markets], resolutions: [files.resolutions] },
    ...(threads === undefined ? {} : { threads }),
  });
}

const rowsOf = async (result: StageResult): Promise<readonly Record<string, unknown>[]> =>
  (await readParquet(result.path('table'))).rows;

/** Wallets that each buy outcome 0 of the same events at 0.4; `wins` of them come true. */
function callers(events: number, wins: Readonly<Record<string, number>>): World {
  const trades: WorldTrade[] = [];
  const markets = [];
  const resolutions = [];
  let k = 0;
  for (const [wallet, won] of Object.entries(wins))
    for (let i = 0; i < events; i++, k++) {
      const market = `m${String(k).padStart(5, '0')}`;
      const bought = { wallet, market, event: `e-${market}`, outcomeIndex: 0, side: 'BUY' } as const;
      trades.push({ ...bought, time: worldStart + k, usd: 4_000_000, shares: 10_000_000 });
      // More of it at another price: the same event, not another bet.
      trades.push({ ...bought, time: worldStart + k, usd: 900_000, shares: 1_000_000 });
      markets.push({ market, event: `e-${market}`, category: 'sports' });
      resolutions.push({ market, payout0: Number(i < won), knowableAt: worldStart + DAY });
    }
  return { trades, markets, resolutions };
}

describe('wallets.discover', () => {
  it('finds who wins more than the prices say, and no one else', async () => {
    const result = await discoverIn(callers(50, { sharp: 38, fair: 20, dull: 12 }), {});
    const rows = await rowsOf(result);
    expect(rows.map((row) => [row['wallet'], row['bets'], row['found']])).toEqual([
      ['dull', 50, false],
      ['fair', 50, false],
      ['sharp', 50, true],
    ]);
    const sharp = rows[2] as Record<string, number>;
    expect(sharp['edge']).toBeCloseTo(0.36, 12);
    expect(sharp['standardError']).toBeCloseTo(Math.sqrt(0.24 / 50), 12);
    // The sum of the binomial chances of 38 to 50 wins at 0.4.
    expect((sharp['p'] as number) / 2.4955604216347324e-7).toBeCloseTo(1, 9);
    expect(sharp['q']).toBeCloseTo(3 * (sharp['p'] as number), 12);
    // 38 wins of 11 shares, 50 costs of 4.9 USD.
    expect(sharp['pnlUsd']).toBeCloseTo(38 * 11 - 50 * 4.9, 9);
    expect(sharp['largestEventShare']).toBeCloseTo(1 / 38, 9);
    const { findings, scalars } = await result.metrics();
    expect(findings?.[0]).toMatchObject({ verdict: 'yes', estimate: { value: 1 }, n: 3 });
    expect(scalars).toMatchObject({ tested: 3, found: 1, bets: 150, 'bets.pending': 0 });
  });

  it('does not change when every fill is there twice', async () => {
    const world = callers(40, { sharp: 30, fair: 15 });
    const doubled = { ...world, trades: world.trades.flatMap((trade) => [trade, trade]) };
    const of = async (w: World) => (await rowsOf(await discoverIn(w, {}))).map(({ p, z, edge }) => [p, z, edge]);
    expect(await of(doubled)).toEqual(await of(world));
  });

  it('takes a sale as a purchase of the other outcome, and fees as part of the price', async () => {
    const world = callers(30, { seller: 6, payer: 12 });
    const trades = world.trades.map((trade) =>
      trade.wallet === 'seller' ? { ...trade, side: 'SELL' as const, fee: 100_000 } : { ...trade, fee: 200_000 },
    );
    const rows = await rowsOf(await discoverIn({ ...world, trades }, {}));
    const [payer, seller] = rows as [Record<string, number>, Record<string, number>];
    expect(payer['meanPrice']).toBeCloseTo(0.42, 12);
    expect(payer['edge']).toBeCloseTo(12 / 30 - 0.42, 12);
    expect(seller['meanPrice']).toBeCloseTo(1 - 0.39, 12);
    expect(seller['winRate']).toBeCloseTo(24 / 30, 12);
  });

  it('screens out a wallet whose gains rest on one event, unless told not to', async () => {
    const world = callers(50, { sharp: 38 });
    const trades = world.trades.map((trade, i) => (i === 1 ? { ...trade, shares: 900_000_000 } : trade));
    const screened = await discoverIn({ ...world, trades }, {});
    expect((await rowsOf(screened))[0]).toMatchObject({ significant: true, found: false });
    expect((await screened.metrics()).findings?.[0]?.sentence).toContain('1 other would pass');
    const all = await discoverIn({ ...world, trades }, { largestEventShare: null });
    expect((await rowsOf(all))[0]).toMatchObject({ significant: true, found: true });
  });

  it('waits for the outcome of the first fill, rather than take a later one of the event', async () => {
    const world = callers(40, { one: 20 });
    // The first fills are in a market that never resolves; those that were first follow them.
    const waiting = world.trades
      .filter((_, i) => i < 20)
      .map((trade) => ({ ...trade, market: `x${trade.market}`, time: trade.time - DAY }));
    const result = await discoverIn({ ...world, trades: [...waiting, ...world.trades] }, { minEvents: 20 });
    expect((await result.metrics()).scalars).toMatchObject({ bets: 30, 'bets.pending': 10 });
  });

  it('answers that nothing is shown, and what would show it', async () => {
    const result = await discoverIn(callers(50, { fair: 20, dull: 12 }), {});
    const finding = (await result.metrics()).findings?.[0];
    expect(finding).toMatchObject({ verdict: 'undecided', headline: 'None shown.' });
    expect(finding?.decides).toMatch(/events of one wallet/);
    const few = await discoverIn(callers(5, { fair: 2 }), {});
    expect((await few.metrics()).findings?.[0]).toMatchObject({ headline: 'Nobody to test.' });
    expect(await few.figures()).toEqual([]);
  });

  describe('in a random world with every oddity', () => {
    const world = makeWorld({ seed: 11, wallets: 12, markets: 60, trades: 3000, days: 60 });
    const params = { minEvents: 4 };

    it('gives the same bytes with one and two threads, and with the future cut off', async () => {
      for (const day of [20, 33, 47]) {
        const date = worldStart + day * DAY;
        const asOf = new Date(date * 1000).toISOString().slice(0, 10);
        for (const more of [{}, { null: 'recalibrated', recalibrateBy: ['role', 'category', 'timeToClose'] }]) {
          const whole = await discoverIn(world, { ...params, ...more, asOf });
          const cut = await discoverIn(truncate(world, date), { ...params, ...more, asOf }, 1);
          expect((await rowsOf(whole)).length).toBeGreaterThan(3);
          expect(Buffer.compare(await whole.bytes('table'), await cut.bytes('table'))).toBe(0);
        }
      }
    });

    it('counts every pair of a wallet and an event once', async () => {
      const { scalars } = await (await discoverIn(world, params)).metrics();
      const pairs = new Set(world.trades.filter(({ shares }) => shares > 0).map((t) => `${t.wallet} ${t.event}`)).size;
      const [bets, ...rest] = ['', '.pending', '.void', '.late', '.unclear'].map((s) => scalars[`bets${s}`] as number);
      expect([bets, ...rest].reduce((a, b) => (a as number) + (b as number), 0)).toBe(pairs);
      for (const count of rest) expect(count).toBeGreaterThan(0);
    });
  });

  it('refuses resolutions that pay neither all, half nor nothing', async () => {
    const world = callers(3, { one: 1 });
    const [first, ...others] = world.resolutions;
    const wrong = { ...world, resolutions: [{ ...(first as World['resolutions'][number]), payout0: 0.3 }, ...others] };
    await expect(discoverIn(wrong, {})).rejects.toThrow(/market "m00000" has no one payout/);
  });
});

describe('worlds with known truth', () => {
  const discoverWorld = async (world: object, params: object, seed: number) => {
    const made = await runStage(worldDefinition, runWorld, { params: world, seed });
    const inputs = Object.fromEntries(
      ['trades', 'markets', 'resolutions', 'truth'].map((port) => [port, [made.path(port)]]),
    );
    return runStage(definition, run, { params, inputs, seed });
  };
  const scalarsOf = async (result: StageResult) => (await result.metrics()).scalars as Record<string, number>;

  it('without skill: any discovery in no more of ten seeds than chance allows', async () => {
    const none = {
      wallets: 150,
      markets: 200,
      days: 100,
      tradesPerWallet: 25,
      halfSpread: 0,
      impactScale: 0,
      longshotBias: 0,
    };
    let any = 0;
    for (let seed = 0; seed < 10; seed++) {
      const { found, tested } = await scalarsOf(
        await discoverWorld({ ...none, archetypes: { skilled: 0, freshInsider: 0 } }, { minEvents: 20 }, seed),
      );
      expect(tested).toBeGreaterThan(30);
      if ((found as number) > 0) any++;
    }
    expect(any).toBeLessThanOrEqual(countRange(new Float64Array(10).fill(0.05), 0.05).high);
  });

  describe('with planted skill', () => {
    const planted = { mean: 0.2, sd: 0.05 };
    const world = {
      ...{ wallets: 400, markets: 1500, days: 180, tradesPerWallet: 20, skilledEdge: planted },
      archetypes: { skilled: 30, freshInsider: 0 },
    };
    let result: StageResult;
    beforeAll(async () => {
      result = await discoverWorld(world, { planted }, 3);
    });

    it('precision holds its rate and recall lies in the range of the predicted power', async () => {
      const found = await scalarsOf(result);
      expect(found['skilledTested']).toBeGreaterThan(40);
      expect(found['precision.high']).toBeGreaterThanOrEqual(0.95);
      expect(found['recall']).toBeGreaterThanOrEqual(found['predictedPower.low'] as number);
      expect(found['recall']).toBeLessThanOrEqual(found['predictedPower.high'] as number);
      // The range says something: half of the power that is there, or twice, would lie outside.
      expect((found['predictedPower.high'] as number) - (found['predictedPower.low'] as number)).toBeLessThan(0.35);
      const { findings } = await result.metrics();
      expect(findings?.map(({ verdict }) => verdict)).toEqual(['yes', 'yes']);
    });

    it('draws p-values, edges and the wallets found', async () => {
      const figures = await result.figures();
      expect(figures.map(({ id, section }) => [id, section])).toEqual([
        ['edges-of-best-wallets', 'answer'],
        ['p-values', 'wallets'],
        ['p-values-against-luck', 'wallets'],
        ['best-wallets', 'wallets'],
      ]);
      const histogram = figures[1];
      if (histogram?.kind !== 'histogram') throw new Error('no histogram');
      const total = histogram.groups.flatMap(({ counts }) => counts).reduce((a, b) => a + b, 0);
      expect(total).toBe((await scalarsOf(result))['tested']);
    });
  });
});

describe('a longshot bias', () => {
  // Favourites at 0.7 win 8 times in 10, longshots at 0.3 twice: to buy favourites takes no skill.
  const trades: WorldTrade[] = [];
  const resolutions: World['resolutions'][number][] = [];
  for (let k = 0; k < 80 * 40; k++) {
    const [wallet, bet] = [k % 80, Math.floor(k / 80)];
    const favourite = wallet < 60;
    const market = `m${String(k).padStart(5, '0')}`;
    trades.push({
      ...{ time: worldStart + k, wallet: `w${String(wallet).padStart(2, '0')}`, market, event: market },
      ...{ outcomeIndex: 0, side: 'BUY', usd: favourite ? 7_000_000 : 3_000_000, shares: 10_000_000, role: 'taker' },
    });
    const wins = wallet === 7 ? 39 : favourite ? 32 : 8;
    resolutions.push({ market, payout0: Number((bet * 7) % 40 < wins), knowableAt: worldStart + DAY });
  }
  const markets = resolutions.map(({ market }) => ({ market, event: market, category: 'other' }));
  const world: World = { trades, markets, resolutions };
  const zOf = async (params: object) => {
    const result = await discoverIn(world, { ...params, falseDiscoveryRate: 0.25 });
    const z = (await rowsOf(result)).map((row) => row['z'] as number);
    return { z, found: (await result.metrics()).scalars['found'], scalars: (await result.metrics()).scalars };
  };

  it('looks like skill where prices are taken as they are, and not where they are recalibrated', async () => {
    const [plain, fitted] = [await zOf({}), await zOf({ null: 'recalibrated' })];
    expect(plain.z[3]).toBeCloseTo((32 - 28) / Math.sqrt(40 * 0.21), 9);
    expect(plain.z[70]).toBeCloseTo((8 - 12) / Math.sqrt(40 * 0.21), 9);
    for (const wallet of [3, 70]) expect(Math.abs(fitted.z[wallet] as number)).toBeLessThan(0.15);
    // logit(0.8) / logit(0.7)
    expect(fitted.scalars['null.slope']).toBeCloseTo(1.636, 1);
    // One of five folds of wallets and one of events are left out; here no bet lies in both.
    expect(fitted.scalars['null.events']).toBeCloseTo(80 * 40 * 0.6, 6);
    // All who buy favourites seem to have skill; it is the one who wins 39 of 40.
    expect([plain.found, fitted.found]).toEqual([60, 1]);
    expect(fitted.z[7]).toBeGreaterThan(2.5);
  });

  it('may be fitted by role, category and time to close without more of it', async () => {
    const all = await zOf({ null: 'recalibrated', recalibrateBy: ['role', 'category', 'timeToClose'] });
    expect(Math.abs(all.z[3] as number)).toBeLessThan(0.15);
  });
});
