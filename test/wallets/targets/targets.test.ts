/** All families of targets: against a slow reading of their definitions, against a cut future, and their properties. */
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRng } from '../../../src/random/rng.ts';
import { openDuck } from '../../../src/tables/duck.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { targetFamilies, targets } from '../../../src/wallets/targets/columns.ts';
import { type TargetOptions, targetWallets } from '../../../src/wallets/targets.ts';
import { temporaryFolder } from '../../support/stage.ts';
import { oracleTargetRows } from '../../support/target-oracle.ts';
import { makeWorld, truncate, type World, type WorldTrade, worldStart, writeWorld } from '../../support/world.ts';

const DAY = 86_400;
type Row = Record<string, unknown>;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const options = (changes: Partial<TargetOptions> = {}): TargetOptions => ({
  asOf: { every: '2d', from: iso(worldStart + 6 * DAY), lookback: '6d' },
  minTrades: 1,
  horizon: '4d',
  families: targetFamilies,
  baselines: true,
  settleWithin: '5d',
  style: { recent: '2d', trend: '5d' },
  influenceWindow: '6h',
  closingLead: '2h',
  ...changes,
});

async function targetsOf(world: World, given: TargetOptions): Promise<Row[]> {
  const folder = await temporaryFolder();
  const sources = await writeWorld(world, folder);
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  try {
    const file = path.join(folder, 'out.parquet');
    await targetWallets(duck, sources, given, file, () => undefined);
    return (await readParquet(file)).rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v instanceof Date ? v.getTime() / 1000 : v])),
    );
  } finally {
    duck.close();
  }
}

/** A world with runs of trades in few tokens, so that paths, followers and actions are dense enough to say something. */
const busyWorld = (seed: number): World => {
  const world = makeWorld({ seed, wallets: 5, markets: 6, trades: 400, days: 20 });
  const rng = makeRng('busy', seed);
  return {
    ...world,
    trades: world.trades.map((t) => (rng.uniform() < 0.1 ? { ...t, wallet: '0x0001', side: 'BUY' as const } : t)),
  };
};

describe('targets', () => {
  it('are the rows of a slow and independent reading of their definitions', async () => {
    const known = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const world = busyWorld(seed);
        const last = (world.trades.at(-1) as WorldTrade).time;
        const dates = Array.from({ length: 7 }, (_, k) => worldStart + (6 + 2 * k) * DAY).filter((t) => t <= last);
        const actual = await targetsOf(world, options());
        const expected = oracleTargetRows(world, {
          dates,
          lookback: 6 * DAY,
          horizon: 4 * DAY,
          minTrades: 1,
          settleWithin: 5 * DAY,
          recent: 2 * DAY,
          trend: 5 * DAY,
          influence: 6 * 3600,
          closingLead: 2 * 3600,
        });
        expect(actual.map((r) => [r['asOf'], r['wallet']])).toEqual(expected.map((r) => [r['asOf'], r['wallet']]));
        actual.forEach((row, i) => {
          for (const [name, value] of Object.entries(expected[i] as Row)) {
            const where = `${name} of ${String(row['wallet'])} as of ${String(row['asOf'])}`;
            if (typeof value === 'number' && typeof row[name] === 'number') {
              expect(Math.abs(row[name] - value) / Math.max(1, Math.abs(value)), where).toBeLessThan(1e-9);
              known.set(name, (known.get(name) ?? 0) + 1);
            } else expect(row[name], where).toEqual(value);
          }
        });
      }),
      { numRuns: 3, seed: 3 },
    );
    // Every target was there to be compared, not only absent on both sides.
    for (const { name } of targets) expect(known.get(name) ?? 0, name).toBeGreaterThan(5);
  }, 60_000);

  it('are identical when the future is cut off after they were known, and masked when it is cut off before', async () => {
    const world = makeWorld({ seed: 8, wallets: 8, markets: 16, trades: 800, days: 40 });
    const given = options({ asOf: { every: '2d', from: iso(worldStart + 6 * DAY), lookback: '6d' } });
    const whole = new Map((await targetsOf(world, given)).map((row) => [`${row['asOf']} ${row['wallet']}`, row]));
    const rng = makeRng('cuts');
    let [kept, masked, pasts] = [0, 0, 0];
    for (let k = 0; k < 20; k++) {
      const cut = truncate(world, worldStart + (12 + rng.below(28)) * DAY + rng.below(DAY));
      const end = (cut.trades.at(-1) as WorldTrade).time;
      for (const row of await targetsOf(cut, given)) {
        const full = whole.get(`${row['asOf']} ${row['wallet']}`) as Row;
        const dateRows = [...whole.values()].filter((other) => other['asOf'] === row['asOf']);
        const dateEnd = Math.max(...dateRows.map((other) => other['settledAt'] as number));
        for (const { name, known } of targets) {
          const at = known === 'window' ? full['windowEnd'] : known === 'settlement' ? full['settledAt'] : dateEnd;
          if ((at as number) <= end) {
            expect(row[name], name).toBe(full[name]);
            kept += Number(row[name] !== null);
          } else {
            expect(row[name], name).toBeNull();
            masked += Number(full[name] !== null);
          }
          // What came before the date knows nothing of what came after it.
          const past = name.replace('next', 'past');
          expect(row[past], past).toBe(full[past]);
          pasts += Number(row[past] !== null);
        }
        if ((full['labelEnd'] as number) <= end) expect(row['labelEnd']).toBe(full['labelEnd']);
        expect(row['labelEnd'] as number).toBeGreaterThanOrEqual(row['windowEnd'] as number);
      }
    }
    expect(Math.min(kept, masked, pasts)).toBeGreaterThan(1000);
  }, 60_000);
});

describe('properties of targets', () => {
  const world = busyWorld(5);
  let rows: Row[];
  beforeAll(async () => {
    rows = await targetsOf(world, options());
  });

  it('keep to their bounds', () => {
    const bounds: Record<string, [number, number]> = {
      nextMomentum: [-1, 1],
      nextMeanReversion: [-1, 1],
      nextVolatilityTrading: [-1, 1],
      nextMarketMaking: [0, 1],
      nextTrendFollowing: [-1, 1],
      nextContrarian: [0, 1],
      nextDrawdown: [0, Number.POSITIVE_INFINITY],
      nextDailyVolatility: [0, Number.POSITIVE_INFINITY],
      nextEdgeRank: [0, 1],
      nextReturnRank: [0, 1],
      nextBotScore: [0, 1],
      nextFollowers: [0, 4],
      nextMakerShare: [0, 1],
      nextBreadth: [1, 3],
      nextSophistication: [0, 1],
    };
    for (const [name, [low, high]] of Object.entries(bounds)) {
      const values = rows.map((row) => row[name]).filter((value): value is number => value !== null);
      expect(values.length, name).toBeGreaterThan(0);
      for (const value of values) {
        expect(value, name).toBeGreaterThanOrEqual(low);
        expect(value, name).toBeLessThanOrEqual(high + 1e-12);
      }
    }
  });

  it('do not depend on which outcome is called 0', async () => {
    const swapped: World = {
      ...world,
      trades: world.trades.map((t) => ({
        ...t,
        outcomeIndex: t.outcomeIndex === null ? null : t.outcomeIndex === 0 ? 1 : 0,
      })),
      resolutions: world.resolutions.map((r) => ({ ...r, payout0: 1 - r.payout0 })),
    };
    expect(await targetsOf(swapped, options())).toEqual(rows);
  });

  it('do not depend on whether an order fills at once or in two halves, but for the number of fills', async () => {
    const even = {
      ...world,
      trades: world.trades.map((t) => ({ ...t, usd: 2 * t.usd, shares: 2 * t.shares, fee: 0 })),
    };
    const half = (t: WorldTrade): WorldTrade => ({ ...t, usd: t.usd / 2, shares: t.shares / 2 });
    const halves: World = { ...even, trades: even.trades.flatMap((t) => [half(t), half(t)]) };
    // Three prices make a path; the halves double their number, so only what asks for no path is compared.
    const free = targets.filter(
      ({ family, name }) => family !== 'style' && name !== 'nextTradeCount' && name !== 'nextPriceImpact',
    );
    const [whole, parts] = [await targetsOf(even, options()), await targetsOf(halves, options())];
    parts.forEach((row, i) => {
      for (const { name } of free) {
        const [a, b] = [row[name], whole[i]?.[name]];
        if (typeof a === 'number' && typeof b === 'number') expect(a, name).toBeCloseTo(b, 9);
        else expect(a, name).toBe(b);
      }
    });
  });
});
