import { describe, expect, it } from 'vitest';
import type { Figure } from '../../src/contract/figure.ts';
import { makeRng } from '../../src/random/rng.ts';
import definition from '../../src/stages/markets-describe.ts';
import run from '../../src/stages/run/markets-describe.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import { type World, type WorldTrade, worldStart, writeWorld } from '../support/world.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

async function describeIn(world: World, params: object = {}, resolved = true, threads?: number): Promise<StageResult> {
  const files = await writeWorld(world, await temporaryFolder());
  return runStage(definition, run, {
    params: { resamples: 200, ...params },
    inputs: {
      ...{ trades: [files.trades], markets: [files.markets] },
      ...(resolved ? { resolutions: [files.resolutions] } : {}),
    },
    ...(threads === undefined ? {} : { threads }),
  });
}

/** Markets that close after two days; two days before that the price was `early`, two hours before `late`. */
function marketsAt(list: readonly { early: number; late: number; happened: 0 | 1; event?: string }[]): World {
  const trades: WorldTrade[] = [];
  list.forEach(({ early, late, event }, k) => {
    const market = `m${String(k).padStart(4, '0')}`;
    const common = { wallet: 'w', market, event: event ?? market, side: 'BUY', shares: 10_000_000 } as const;
    trades.push({ ...common, time: worldStart, outcomeIndex: 0, usd: Math.round(1e7 * early), role: 'taker' });
    // Three more fills, of the other outcome: still one market.
    for (let i = 0; i < 3; i++)
      trades.push({
        ...common,
        time: worldStart + 46 * HOUR,
        outcomeIndex: 1,
        usd: Math.round(1e7 * (1 - late)),
        role: 'maker',
      });
  });
  const resolutions = list.map(({ happened }, k) => ({
    ...{ market: `m${String(k).padStart(4, '0')}`, payout0: happened, knowableAt: worldStart + 2 * DAY },
  }));
  const markets = list.map(({ event }, k) => {
    const market = `m${String(k).padStart(4, '0')}`;
    return { market, event: event ?? market, category: k % 2 === 0 ? 'sports' : 'crypto' };
  });
  return { trades: trades.sort((a, b) => a.time - b.time), markets, resolutions };
}

const figureOf = async (result: StageResult, id: string): Promise<Figure | undefined> =>
  (await result.figures()).find((figure) => figure.id === id);

describe('markets.describe', () => {
  it('scores one observation a market, at each time to the close', async () => {
    const list = [
      { early: 0.2, late: 0.9, happened: 1 },
      { early: 0.2, late: 0.1, happened: 0 },
      { early: 0.6, late: 0.9, happened: 1 },
      { early: 0.6, late: 0.4, happened: 0 },
    ] as const;
    const result = await describeIn(marketsAt(list), { hoursToClose: [24, 1] });
    const { scalars } = await result.metrics();
    const brier = (0.8 ** 2 + 0.2 ** 2 + 0.4 ** 2 + 0.6 ** 2) / 4;
    expect(scalars['resolved']).toBe(4);
    expect(scalars['brier']).toBeCloseTo(brier, 12);
    // Two groups: at 0.2 and 0.6, each with half of its markets.
    expect(scalars['reliability']).toBeCloseTo((0.3 ** 2 + 0.1 ** 2) / 2, 12);
    expect(scalars['resolution']).toBeCloseTo(0, 12);
    const table = await figureOf(result, 'scores-of-prices');
    if (table?.kind !== 'table') throw new Error('no table');
    expect(table.rows.map(([label, n]) => [label, n])).toEqual([
      ['24 hours before', 4],
      ['24 hours before, crypto', 2],
      ['24 hours before, sports', 2],
      ['1 hour before', 4],
    ]);
    expect(table.rows[3]?.[3]).toBeCloseTo((0.1 ** 2 + 0.1 ** 2 + 0.1 ** 2 + 0.4 ** 2) / 4, 9);
    // Brier is reliability less resolution plus uncertainty where prices do not differ within a group.
    for (const [, , , score, reliability, resolution, uncertainty] of table.rows.slice(0, 1) as number[][])
      expect(score).toBeCloseTo((reliability as number) - (resolution as number) + (uncertainty as number), 12);
    expect(table.rows[0]?.[7]).toBeNull();
  });

  it('sees longshots that are too dear, and prices that are right', async () => {
    const world = (bias: number): World => {
      const rng = makeRng('longshots', bias);
      return marketsAt(
        Array.from({ length: 800 }, (_, k) => {
          const logit = 5 * rng.uniform() - 2.5;
          const happened = rng.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
          const price = 1 / (1 + Math.exp(-(1 - bias) * logit));
          return { early: price, late: price, happened, event: `e${Math.floor(k / 2)}` };
        }),
      );
    };
    const [right, biased] = [await describeIn(world(0)), await describeIn(world(0.4))];
    const slopes = await Promise.all(
      [right, biased].map(async (result) => {
        const { scalars } = await result.metrics();
        return [scalars['longshotSlope'] as number, scalars['longshotSlope.error'] as number] as const;
      }),
    );
    const [[fair, fairError], [steep, steepError]] = slopes as [readonly [number, number], readonly [number, number]];
    expect(Math.abs(fair - 1)).toBeLessThan(3 * fairError);
    expect(Math.abs(steep - 1 / 0.6)).toBeLessThan(3 * steepError);
    expect((await figureOf(biased, 'longshot-slope'))?.title).toMatch(/^Longshots were too dear/);
    const curve = await figureOf(right, 'reliability-of-prices');
    if (curve?.kind !== 'line') throw new Error('no curve');
    expect(curve.series[0]?.x).toHaveLength(10);
    expect(curve.subtitle).toContain('800 markets of 400 events');
    expect(curve.title).toMatch(/in (8|9|10) of 10 groups/);
  });

  it('counts a match once, and names the days without a fill', async () => {
    const world = marketsAt([{ early: 0.5, late: 0.5, happened: 1 }]);
    const later = { ...(world.trades[0] as WorldTrade), time: worldStart + 5 * DAY };
    const result = await describeIn({ ...world, trades: [...world.trades, later] }, {}, false);
    const { scalars } = await result.metrics();
    // Two purchases of 5 USD by takers; the makers' rows are the other side of them.
    expect(scalars).toMatchObject({ days: 3, daysMissing: 3, usd: 10, markets: 1, fills: 5 });
    const coverage = await figureOf(result, 'coverage-by-day');
    expect(coverage?.title).toBe('Fills on 3 of 6 days; the longest gap is 3 days');
    expect(coverage?.caption).toContain('2025-03-03 to 2025-03-05');
    if (coverage?.kind !== 'line') throw new Error('no line');
    expect(coverage.series[0]?.y).toEqual([5, 0, 0, 0, 0, 5]);
    // Without resolutions nothing is said of prices.
    expect((await result.figures()).map(({ id }) => id)).toEqual(['coverage-by-day', 'volume-by-market']);
  });

  it('gives the same bytes with one and two threads', async () => {
    const world = marketsAt(
      Array.from({ length: 30 }, (_, k) => ({ early: 0.05 + k / 32, late: 0.5, happened: k % 3 === 0 ? 1 : 0 })),
    );
    const [one, two] = [await describeIn(world, {}, true, 1), await describeIn(world, {}, true, 2)];
    for (const port of ['metrics', 'figures'])
      expect(Buffer.compare(await one.bytes(port), await two.bytes(port))).toBe(0);
  });

  it('refuses prices beyond a dollar', async () => {
    const world = marketsAt([{ early: 1.5, late: 0.5, happened: 1 }]);
    await expect(describeIn(world)).rejects.toThrow(/outside 0 to 1/);
  });
});
