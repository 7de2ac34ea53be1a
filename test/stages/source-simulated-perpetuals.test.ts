import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { perpetualColumns } from '../../src/markets/hyperliquid/canonical.ts';
import { Positions, skilledDirection } from '../../src/markets/simulated/perpetuals/exchange.ts';
import { makePaths } from '../../src/markets/simulated/perpetuals/prices.ts';
import { makeRng } from '../../src/random/rng.ts';
import features from '../../src/stages/features-hyperliquid.ts';
import runFeatures from '../../src/stages/run/features-hyperliquid.ts';
import run from '../../src/stages/run/source-simulated-perpetuals.ts';
import definition, { params as schema } from '../../src/stages/source-simulated-perpetuals.ts';
import { type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const tables = ['fills', 'quotes', 'candles', 'truth'];
const small = { wallets: 200, coins: 3, days: 4, tradesPerWallet: 10 };

describe('source.simulated-perpetuals', () => {
  let duck: Duck;
  let world: StageResult;
  const one = async (sql: string): Promise<Record<string, unknown>> =>
    (await duck.rows<Record<string, unknown>>(sql))[0] as Record<string, unknown>;

  beforeAll(async () => {
    duck = await openDuck({ threads: 2, memoryMb: 1000, scratch: await temporaryFolder() });
    world = await runStage(definition, run, { params: { ...small, kinds: { skilled: 20 } } });
    for (const table of tables)
      await duck.run(`CREATE VIEW ${table} AS SELECT * FROM read_parquet(${quote(world.path(table))})`);
  });

  it('writes the canonical columns of a perpetual exchange', async () => {
    for (const table of ['fills', 'quotes', 'candles'] as const) {
      const types = await duck.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM ${table}`);
      expect(types.map((row) => [row.column_name, row.column_type])).toEqual(
        perpetualColumns[table].map(({ name, type }) => [name, type.replace(', ', ',')]),
      );
    }
    const facts = await one(`SELECT count(*)::DOUBLE AS rows, bool_and(seq = file_row_number) AS numbered,
      bool_and(wallet SIMILAR TO '0x[0-9a-f]{40}' AND wallet <> counterparty) AS addresses,
      bool_and(price > 0 AND size > 0 AND fee >= 0 AND feeUsd = fee AND knowableAt > time) AS sound,
      bool_and(usd::DECIMAL(38, 16) = price::DECIMAL(19, 8) * size::DECIMAL(19, 8)) AS exact,
      count(DISTINCT coin)::INTEGER AS coins
      FROM read_parquet(${quote(world.path('fills'))}, file_row_number = true)`);
    expect(facts).toMatchObject({ numbered: true, addresses: true, sound: true, exact: true, coins: 3 });
    expect(facts['rows']).toBe((await world.metrics()).scalars['rows']);
    expect(facts['rows']).toBeGreaterThan(3000);
  });

  it('gives each match a maker and a taker, and nobody anything for nothing', async () => {
    const facts = await one(`SELECT bool_and(n = 2 AND roles = 2 AND sides = 2 AND prices = 1 AND sizes = 1) AS paired
      FROM (SELECT tradeId, count(*) AS n, count(DISTINCT role) AS roles, count(DISTINCT side) AS sides,
        count(DISTINCT price) AS prices, count(DISTINCT size) AS sizes FROM fills GROUP BY tradeId)`);
    expect(facts['paired']).toBe(true);
    // Positions before each fill are those that the fills before it leave.
    const chain = await one(`SELECT bool_and(startPosition = coalesce(before, 0)) AS chained FROM (SELECT startPosition,
      sum(CASE side WHEN 'BUY' THEN size ELSE -size END) OVER (PARTITION BY wallet, coin ORDER BY seq
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM fills)`);
    expect(chain['chained']).toBe(true);
    const words = await one(`SELECT bool_and(CASE direction
        WHEN 'Open Long' THEN side = 'BUY' AND startPosition >= 0 WHEN 'Open Short' THEN side = 'SELL' AND startPosition <= 0
        WHEN 'Close Long' THEN side = 'SELL' AND startPosition >= size WHEN 'Close Short' THEN side = 'BUY' AND -startPosition >= size
        WHEN 'Long > Short' THEN side = 'SELL' AND startPosition > 0 AND size > startPosition
        WHEN 'Short > Long' THEN side = 'BUY' AND startPosition < 0 AND size > -startPosition END) AS told,
        count(DISTINCT direction)::INTEGER AS kinds FROM fills`);
    expect(words).toEqual({ told: true, kinds: 6 });
  });

  it('trades outside the best quotes of the moment, never between, and bids below asks', async () => {
    const quotes = await one(
      `SELECT bool_and(bid > 0 AND bid < ask AND bidSize > 0 AND askSize > 0) AS sound FROM quotes`,
    );
    expect(quotes['sound']).toBe(true);
    const facts = await one(`SELECT bool_and(CASE WHEN (f.side = 'BUY') = (f.role = 'taker') THEN f.price >= q.ask
        ELSE f.price <= q.bid END) AS outside, count(*)::DOUBLE AS n
      FROM fills f ASOF JOIN quotes q ON f.coin = q.coin AND f.time >= q.time`);
    expect(facts['outside']).toBe(true);
    expect(facts['n']).toBe((await world.metrics()).scalars['rows']);
  });

  it('makes candles of the matches of each minute', async () => {
    const facts = await one(`SELECT bool_and(low <= open AND open <= high AND low <= close AND close <= high) AS sound,
      bool_and(knowableAt > closesAt) AS late, sum(trades)::DOUBLE AS trades FROM candles`);
    expect(facts).toMatchObject({ sound: true, late: true });
    expect(facts['trades']).toBe(((await world.metrics()).scalars['rows'] as number) / 2);
  });

  it('pays skilled accounts the planted edge over the horizon, and others nothing', async () => {
    const [skilled, others] = await duck.rows<{ n: number; excess: number; error: number; earned: number }>(
      `SELECT skilled, count(*)::DOUBLE AS n, avg(earned - edge) AS excess, stddev(earned - edge) / sqrt(count(*)) AS error,
         avg(earned) AS earned
       FROM (SELECT t.archetype = 'skilled' AS skilled, t.edgeBps AS edge,
           CASE f.side WHEN 'BUY' THEN 1 ELSE -1 END * ((l.bid + l.ask) / (q.bid + q.ask) - 1)::DOUBLE * 1e4 AS earned
         FROM fills f JOIN truth t USING (wallet)
           JOIN quotes q ON q.coin = f.coin AND q.time = f.time - INTERVAL 1 SECOND * (second(f.time) % 5)
           JOIN quotes l ON l.coin = q.coin AND l.time = q.time + INTERVAL 1 HOUR
         WHERE (f.orderId::INTEGER % 2 = 0) AND (t.archetype = 'casual' OR t.archetype = 'skilled' AND direction LIKE 'Open%'))
       GROUP BY skilled ORDER BY skilled DESC`,
    );
    expect(skilled?.n).toBeGreaterThan(300);
    expect(Math.abs(skilled?.excess as number)).toBeLessThan(4 * (skilled?.error as number));
    expect(skilled?.earned).toBeGreaterThan(2 * (skilled?.error as number));
    expect(Math.abs(others?.excess as number)).toBeLessThan(4 * (others?.error as number));
  });

  it('gives the same bytes whatever the threads, others for another seed', async () => {
    const bytes = async (seed: number, threads: number): Promise<string[]> => {
      const result = await runStage(definition, run, { params: small, seed, threads });
      return Promise.all(
        [...tables, 'metrics', 'figures'].map(async (port) =>
          createHash('sha256')
            .update(await result.bytes(port))
            .digest('hex'),
        ),
      );
    };
    const [first, threads, other] = await Promise.all([bytes(3, 1), bytes(3, 2), bytes(4, 1)]);
    expect(threads).toEqual(first);
    for (const [i, hash] of other.entries()) expect(hash).not.toBe(first[i]);
  });

  it('can be described by features.hyperliquid', async () => {
    const inputs = Object.fromEntries(['fills', 'quotes', 'candles'].map((port) => [port, [world.path(port)]]));
    const result = await runStage(features, runFeatures, { params: { asOf: { every: '1d', lookback: '2d' } }, inputs });
    expect((await result.bytes('table')).length).toBeGreaterThan(1000);
  });
});

describe('perpetual prices', () => {
  it('have no trend, fat tails, and volatility in clusters', () => {
    const params = { ...schema.parse({}), days: 40, coins: 2, quoteSeconds: 30 };
    const [path] = makePaths(params, makeRng(1));
    const mid = path?.mid as Float64Array;
    const returns = Array.from(mid.subarray(1), (price, i) => price / (mid[i] as number) - 1);
    const n = returns.length;
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const variance = mean(returns.map((r) => r * r));
    expect(Math.abs(mean(returns))).toBeLessThan(4 * Math.sqrt(variance / n));
    expect(Math.sqrt(variance * 2880)).toBeGreaterThan(0.025);
    expect(Math.sqrt(variance * 2880)).toBeLessThan(0.06);
    const lagged = (values: readonly number[], lag: number): number => {
      const centre = mean(values);
      const pairs = values.slice(lag).map((value, i) => (value - centre) * ((values[i] as number) - centre));
      return mean(pairs) / mean(values.map((value) => (value - centre) ** 2));
    };
    expect(Math.abs(lagged(returns, 1))).toBeLessThan(5 / Math.sqrt(n));
    expect(
      lagged(
        returns.map((r) => r * r),
        100,
      ),
    ).toBeGreaterThan(0.03);
    expect(mean(returns.map((r) => r ** 4)) / variance ** 2).toBeGreaterThan(3.3);
  });
});

describe('skilledDirection', () => {
  it('earns its edge on average whatever the coming move', () => {
    const rng = makeRng('direction');
    for (const [move, edge] of [
      [0.004, 12],
      [-0.002, 15],
      [0.01, -8],
    ] as const) {
      const path = { mid: Float64Array.from([100, 100 * (1 + move)]) };
      const n = 100_000;
      let sum = 0;
      for (let i = 0; i < n; i++)
        sum += skilledDirection({ horizonMinutes: 1, quoteSeconds: 60 }, edge, path, 0, rng.uniform()) * move * 1e4;
      expect(Math.abs(sum / n - edge)).toBeLessThan((4 * Math.abs(move) * 1e4) / Math.sqrt(n));
    }
    const path = { mid: Float64Array.from([100, 100.01]) };
    expect(skilledDirection({ horizonMinutes: 1, quoteSeconds: 60 }, 12, path, 0, 0.1)).toBe(0);
  });
});

describe('Positions', () => {
  it('realise all that a wallet earns once it is flat again', () => {
    const trade = fc.record({ size: fc.integer({ min: -50, max: 50 }), price: fc.integer({ min: 1, max: 10_000 }) });
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 30 }), fc.integer({ min: 1, max: 10_000 }), (trades, last) => {
        const positions = new Positions(2, 2);
        let cash = 0;
        let realised = 0;
        for (const { size, price } of [...trades, { size: Number.NaN, price: last }]) {
          const signed = Number.isNaN(size) ? -positions.size(1, 1) : size;
          cash -= signed * price;
          realised += positions.trade(1, 1, signed, price);
        }
        expect(positions.size(1, 1)).toBeCloseTo(0, 12);
        expect(realised).toBeCloseTo(cash, 6);
        expect(positions.size(0, 1)).toBe(0);
      }),
    );
  });
});
