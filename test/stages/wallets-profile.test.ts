import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRng } from '../../src/random/rng.ts';
import run from '../../src/stages/run/wallets-profile.ts';
import definition from '../../src/stages/wallets-profile.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import {
  makeWorld,
  truncate,
  type World,
  type WorldFiles,
  withDetails,
  worldStart,
  writeWorld,
} from '../support/world.ts';

const DAY = 86_400;
const world = withDetails(makeWorld({ seed: 11, wallets: 40, markets: 30, trades: 3000, days: 60 }), 11);
const params = { asOf: { every: '2d', lookback: '20d' }, minTrades: 2 };
let folder: string;

async function profile(
  of: World,
  name: string,
  options: { threads?: number; params?: object } = {},
): Promise<StageResult> {
  const files: WorldFiles = await writeWorld(of, path.join(folder, name));
  return runStage(definition, run, {
    params: options.params ?? params,
    inputs: {
      trades: [files.trades],
      markets: [files.markets],
      resolutions: [files.resolutions],
      ...(files.funding === undefined ? {} : { funding: [files.funding] }),
    },
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
}

describe('wallets.profile', () => {
  let whole: StageResult;
  beforeAll(async () => {
    folder = await temporaryFolder();
    whole = await profile(world, 'whole');
  });

  it('orders rows by date and wallet and says what each column is', async () => {
    const { columns, rows } = await readParquet(whole.path('table'));
    const keys = rows.map((row) => `${(row['asOf'] as Date).toISOString()} ${row['wallet']}`);
    expect(keys).toEqual([...keys].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(keys).size).toBe(keys.length);
    expect(columns?.slice(0, 2).map((c) => c.role)).toEqual(['id', 'time']);
    expect(columns?.find((c) => c.name === 'markedPnlUsd')?.role).toBe('info');
    expect(columns?.filter((c) => c.role === 'feature').map((c) => c.name)).toContain('edge');
    expect(rows.every((row) => (row['tradeCount'] as number) >= 2)).toBe(true);
    const first = (rows[0] as { asOf: Date }).asOf.getTime() / 1000;
    expect(first).toBeGreaterThanOrEqual((world.trades[0]?.time as number) + 20 * DAY);
    expect(first % (2 * DAY)).toBe(0);
  });

  it('gives the same bytes with one and two threads', async () => {
    const [one, two] = [await profile(world, 'one', { threads: 1 }), await profile(world, 'two', { threads: 2 })];
    for (const port of ['table', 'metrics', 'figures'])
      expect(Buffer.compare(await one.bytes(port), await two.bytes(port))).toBe(0);
  });

  it('knows nothing of what came later: cutting the data changes no earlier row', async () => {
    const all = (await readParquet(whole.path('table'))).rows;
    const dates = [...new Set(all.map((row) => (row['asOf'] as Date).getTime() / 1000))];
    // Exactly on a date, one second beside it, and 18 moments at random.
    const rng = makeRng('cuts', 1);
    const random = Array.from({ length: 18 }, () => worldStart + 24 * DAY + rng.below(35 * DAY));
    for (const cut of [dates[7] as number, (dates[12] as number) + 1, ...random]) {
      const rest = truncate(world, cut);
      const last = rest.trades.at(-1)?.time as number;
      const cutRows = (await readParquet((await profile(rest, `cut-${cut}`)).path('table'))).rows;
      const earlier = all.filter((row) => (row['asOf'] as Date).getTime() / 1000 <= last);
      expect(cutRows.length).toBeGreaterThan(20);
      expect(cutRows).toEqual(earlier);
    }
  });

  it('would notice a resolution that is used before it could be known', async () => {
    const early = {
      ...world,
      resolutions: world.resolutions.map((r) => ({ ...r, knowableAt: r.knowableAt - 5 * DAY })),
    };
    const changed = (await readParquet((await profile(early, 'early')).path('table'))).rows;
    expect(changed).not.toEqual((await readParquet(whole.path('table'))).rows);
  });

  it('reports dates, unknown values and figures', async () => {
    const metrics = await whole.metrics();
    expect(metrics.scalars['dates']).toBe(
      new Set((await readParquet(whole.path('table'))).rows.map((r) => String(r['asOf']))).size,
    );
    expect(metrics.scalars['missing.edge']).toBeGreaterThan(0);
    const figures = await whole.figures();
    expect(figures.map((f) => [f.id, f.section])).toEqual([
      ['wallets-by-date', 'data'],
      ['largest-wallets', 'wallets'],
      ['volume-concentration', 'wallets'],
      ['settled-profit', 'wallets'],
      ['price-calibration', 'data'],
    ]);
    expect(metrics.findings).toEqual([]);
    expect(JSON.stringify(figures)).not.toMatch(/truth|skill/i);
    const histogram = figures[3];
    if (histogram?.kind !== 'histogram') throw new Error('not a histogram');
    expect(histogram.edges.length).toBe((histogram.groups[0]?.counts.length ?? 0) + 1);
    expect(histogram.groups[0]?.counts.reduce((a, b) => a + b, 0)).toBe(metrics.scalars['lastDate.walletsSettled']);
    const calibration = figures[4];
    if (calibration?.kind !== 'line') throw new Error('not a line');
    const [series] = calibration.series;
    expect(series?.x.length).toBe(10);
    series?.y.forEach((y, i) => {
      expect(series.low?.[i]).toBeLessThanOrEqual(y as number);
      expect(series.high?.[i]).toBeGreaterThanOrEqual(y as number);
    });
  });

  it('leaves profit unknown without resolutions', async () => {
    const files = await writeWorld(world, path.join(folder, 'unresolved'));
    const result = await runStage(definition, run, {
      params,
      inputs: { trades: [files.trades], markets: [files.markets] },
    });
    const { rows } = await readParquet(result.path('table'));
    expect(
      rows.every((row) => row['settledPnlUsd'] === null && row['edge'] === null && row['settledPositions'] === 0),
    ).toBe(true);
    const figures = await result.figures();
    expect(figures.map((f) => f.id)).toEqual([
      'wallets-by-date',
      'largest-wallets',
      'volume-concentration',
      'marked-profit',
    ]);
    expect(figures[3]?.title).toContain('at the last price; nothing is settled');
    const table = figures[1];
    if (table?.kind !== 'table') throw new Error('not a table');
    expect(table.rows.length).toBe(20);
    expect(table.rows.every((row) => row[4] === null)).toBe(true);
    // Wallets whose mark is not known are left out, and counted, not taken for even.
    const last = rows.filter((row) => String(row['asOf']) === String(rows.at(-1)?.['asOf']));
    const known = last.map((row) => row['markedPnlUsd']).filter((value) => value !== null) as number[];
    expect(known.length).toBeLessThan(last.length);
    expect((await result.metrics()).scalars).toMatchObject({
      'lastDate.walletsMarked': known.length,
      'lastDate.walletsAheadAtMark': known.filter((value) => value >= 0.01).length,
      'lastDate.walletsBehindAtMark': known.filter((value) => value <= -0.01).length,
    });
  });

  it('answers only if asked, and of profit at the mark only where nothing is settled', async () => {
    const files = await writeWorld(world, path.join(folder, 'asked'));
    const inputs = { trades: [files.trades], markets: [files.markets] };
    const asked = { ...params, describe: 'findings' };
    const settled = await profile(world, 'settled', { params: asked });
    expect((await settled.metrics()).findings?.map((f) => f.metric)).toEqual(['volume share of the largest 10 %']);
    expect((await settled.figures()).filter((f) => f.section === 'answer').map((f) => f.id)).toEqual(['volume-shares']);
    const open = await runStage(definition, run, { params: asked, inputs });
    expect((await open.metrics()).findings?.map((f) => f.metric)).toEqual([
      'volume share of the largest 10 %',
      'share of wallets ahead at the last price',
    ]);
    const nothing = await runStage(definition, run, { params: { ...params, describe: 'nothing' }, inputs });
    expect(await nothing.figures()).toEqual([]);
    expect(Buffer.compare(await nothing.bytes('table'), await open.bytes('table'))).toBe(0);
  });

  it('stops with a fix when there is no date or no sense', async () => {
    await expect(profile(world, 'short', { params: { asOf: { lookback: '90d' } } })).rejects.toMatchObject({
      code: 'data',
      hint: expect.stringContaining('asOf.from'),
    });
    const trade = world.trades[0] as World['trades'][0];
    await expect(profile({ ...world, trades: [] }, 'empty')).rejects.toMatchObject({
      message: expect.stringContaining('no trades'),
    });
    await expect(profile({ ...world, trades: [{ ...trade, usd: -1 }] }, 'negative')).rejects.toMatchObject({
      message: expect.stringContaining('1 trades have a negative amount'),
    });
    const thirds = world.resolutions.map((r) => ({ ...r, payout0: 0.3 }));
    await expect(profile({ ...world, resolutions: thirds }, 'thirds')).rejects.toMatchObject({
      message: expect.stringContaining('0.3'),
    });
    const rich = { ...trade, usd: 5e15, shares: 1e15 };
    await expect(profile({ ...world, trades: [rich, ...world.trades] }, 'rich')).rejects.toMatchObject({
      message: expect.stringContaining('exact'),
    });
  });
});
