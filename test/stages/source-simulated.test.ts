import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { categoryOf } from '../../src/markets/categories.ts';
import run from '../../src/stages/run/source-simulated.ts';
import definition from '../../src/stages/source-simulated.ts';
import { columnsOfParquet, type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { none } from '../markets/simulated/worlds.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const tables = ['trades', 'markets', 'events', 'resolutions', 'feeSchedules', 'truth', 'marketTruth'];
const ports = [...tables, 'metrics', 'figures'];
const small = { wallets: 300, markets: 80, days: 60, tradesPerWallet: 8 };

async function hashes(result: StageResult): Promise<string[]> {
  return Promise.all(
    ports.map(async (port) =>
      createHash('sha256')
        .update(await result.bytes(port))
        .digest('hex'),
    ),
  );
}

describe('source.simulated', () => {
  let duck: Duck;
  let world: StageResult;
  const one = async (sql: string): Promise<Record<string, unknown>> =>
    (await duck.rows<Record<string, unknown>>(sql))[0] as Record<string, unknown>;

  beforeAll(async () => {
    duck = await openDuck({ threads: 2, memoryMb: 1000, scratch: await temporaryFolder() });
    world = await runStage(definition, run, { params: {} });
    for (const port of tables)
      await duck.run(`CREATE VIEW ${port} AS SELECT * FROM read_parquet(${quote(world.path(port))})`);
  });

  it('makes the default world of 100,000 to 300,000 fills', async () => {
    const metrics = await world.metrics();
    expect(metrics.scalars['rows']).toBeGreaterThan(100_000);
    expect(metrics.scalars['rows']).toBeLessThan(300_000);
    expect(metrics.quality?.[0]?.rowsKept).toBe(metrics.scalars['rows']);
    const figures = await world.figures();
    expect(new Set(figures.map((figure) => figure.id)).size).toBe(figures.length);
    expect(figures.every((figure) => figure.section === 'data')).toBe(true);
  });

  it('stores canonical columns with roles and exact amounts', async () => {
    const columns = await columnsOfParquet(duck, world.path('trades'));
    expect(columns?.map((column) => column.name)).toEqual([
      ...['seq', 'time', 'market', 'event', 'token', 'outcome', 'outcomeIndex', 'wallet', 'counterparty', 'role'],
      ...['side', 'price', 'usd', 'shares', 'fee', 'orderHash', 'orderGroup', 'transaction'],
    ]);
    const types = await duck.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM trades`);
    const typeOf = Object.fromEntries(types.map((row) => [row.column_name, row.column_type]));
    expect(typeOf).toMatchObject({
      seq: 'BIGINT',
      time: 'TIMESTAMP',
      outcomeIndex: 'INTEGER',
      price: 'DOUBLE',
      usd: 'DECIMAL(18,6)',
      shares: 'DECIMAL(18,6)',
    });
    const facts = await one(`SELECT
      bool_and(wallet SIMILAR TO '0x[0-9a-f]{40}' AND wallet <> counterparty)::BOOLEAN AS addresses,
      bool_and(length(token) IN (77, 78)) AS tokens, bool_and(price > 0 AND price < 1) AS prices,
      bool_and(usd > 0 AND shares > 0) AS amounts, bool_and(seq = file_row_number) AS numbered,
      max(seq)::DOUBLE + 1 AS rows FROM read_parquet(${quote(world.path('trades'))}, file_row_number = true)`);
    expect(facts).toMatchObject({ addresses: true, tokens: true, prices: true, amounts: true, numbered: true });
    expect(facts['rows']).toBe((await world.metrics()).scalars['rows']);
    const order = await one(`SELECT count(*)::INTEGER AS bad FROM (SELECT time < lag(time) OVER (ORDER BY seq) AS back
      FROM trades) WHERE back`);
    expect(order['bad']).toBe(0);
  });

  it('conserves tokens and cash between maker and taker', async () => {
    // Rows come in pairs: maker, then taker.
    const pairs = `SELECT seq // 2 AS pair, min(seq) AS first, count(*) AS n, count(DISTINCT shares) AS sizes,
        count(DISTINCT "transaction") AS transactions, count(DISTINCT token) AS tokens, count(DISTINCT side) AS sides,
        sum(usd) AS usd, any_value(shares) AS shares, count(DISTINCT usd) AS prices,
        string_agg(role, ' ' ORDER BY seq) AS roles, max(wallet) = max(counterparty) AND min(wallet) = min(counterparty) AS mutual
      FROM trades GROUP BY pair`;
    const facts =
      await one(`SELECT bool_and(n = 2 AND sizes = 1 AND transactions = 1 AND roles = 'maker taker' AND mutual) AS paired,
        bool_and(CASE WHEN tokens = 1 THEN sides = 2 AND prices = 1 ELSE sides = 1 AND usd = shares END) AS conserved,
        count(*) FILTER (tokens = 2 AND sides = 1)::INTEGER AS minted FROM (${pairs})`);
    expect(facts['paired']).toBe(true);
    expect(facts['conserved']).toBe(true);
    expect(facts['minted']).toBeGreaterThan(0);
  });

  it('lets nobody sell what he does not hold', async () => {
    const facts = await one(`SELECT min(held)::DOUBLE AS least FROM (SELECT
      sum(CASE side WHEN 'BUY' THEN shares ELSE -shares END) OVER (PARTITION BY wallet, token ORDER BY seq) AS held
      FROM trades)`);
    expect(facts['least']).toBe(0);
  });

  it('trades only while a market is open, and resolves it two hours after', async () => {
    const facts = await one(`SELECT
        count(*) FILTER (t.time < m.createdAt OR t.time >= m.closedAt)::INTEGER AS outside,
        count(*) FILTER (m.market IS NULL OR m.event <> t.event)::INTEGER AS strangers
      FROM trades t LEFT JOIN markets m USING (market)`);
    expect(facts).toEqual({ outside: 0, strangers: 0 });
    const delays = await one(`SELECT min(epoch(finalAt - closedAt)) AS least, max(epoch(finalAt - closedAt)) AS most,
        bool_and(knowableAt = finalAt AND payout0 + payout1 = 1) AS sound, count(*)::INTEGER AS n,
        count(*) FILTER (payout0 = 0.5)::INTEGER AS fifty
      FROM resolutions JOIN markets USING (market)`);
    expect(delays['least']).toBeGreaterThanOrEqual(7200);
    expect(delays['most']).toBeLessThan(9000);
    expect(delays['sound']).toBe(true);
    expect(delays['fifty']).toBeGreaterThan(0);
    expect(delays['n']).toBeLessThan(400);
  });

  it('asks questions whose words tell their category', async () => {
    const rows = await duck.rows<{ question: string; category: string }>(`SELECT question, category FROM markets`);
    expect(rows.length).toBe(400);
    for (const { question, category } of rows) expect(categoryOf(question)).toBe(category);
  });

  it('names each wallet once in the truth, with its first fill', async () => {
    const facts = await one(`SELECT count(*)::INTEGER AS wallets, count(DISTINCT wallet)::INTEGER AS distinct_wallets,
        count(*) FILTER (firstActiveAt IS DISTINCT FROM f.first)::INTEGER AS wrong,
        count(*) FILTER (archetype NOT IN ('skilled', 'freshInsider') AND edge <> 0)::INTEGER AS planted
      FROM truth LEFT JOIN (SELECT wallet, min(time) AS first FROM trades GROUP BY wallet) f
        USING (wallet)`);
    expect(facts).toEqual({ wallets: 2000, distinct_wallets: 2000, wrong: 0, planted: 0 });
  });

  it('gives each kind its habits', async () => {
    const rows = await duck.rows<Record<string, number | string>>(`SELECT archetype, count(*)::DOUBLE AS fills,
        avg((role = 'maker')::INTEGER) AS maker, median(usd)::DOUBLE AS usd, avg(price) FILTER (side = 'BUY') AS price,
        count(DISTINCT wallet)::DOUBLE AS wallets, count(DISTINCT (wallet, market))::DOUBLE AS places
      FROM trades JOIN truth USING (wallet) GROUP BY archetype`);
    const of = Object.fromEntries(rows.map((row) => [row['archetype'], row])) as Record<
      string,
      Record<string, number> | undefined
    >;
    expect(of['marketMaker']?.['maker']).toBeGreaterThan(0.9);
    expect(of['favouriteBuyer']?.['price']).toBeGreaterThan(0.75);
    expect(of['whale']?.['usd']).toBeGreaterThan(20 * (of['casual']?.['usd'] as number));
    // An insider is in one market only, large, and not there before.
    expect(of['freshInsider']?.['places']).toBe(of['freshInsider']?.['wallets']);
    expect(of['freshInsider']?.['usd']).toBeGreaterThan(100);
    const sides = await one(`SELECT min(share) AS least FROM (SELECT wallet, avg((outcomeIndex = 0)::INTEGER) AS share
      FROM trades JOIN truth USING (wallet) WHERE archetype = 'marketMaker' GROUP BY wallet)`);
    expect(sides['least']).toBeGreaterThan(0.2);
    // Times between a bot's orders hardly vary; those of casual wallets do.
    const gaps = await duck.rows<{
      archetype: string;
      variation: number;
    }>(`SELECT archetype, median(variation) AS variation
      FROM (SELECT archetype, wallet, stddev_pop(gap) / avg(gap) AS variation FROM
        (SELECT archetype, wallet, epoch(time) - lag(epoch(time)) OVER (PARTITION BY wallet ORDER BY seq) AS gap
         FROM trades JOIN truth USING (wallet) WHERE archetype IN ('bot', 'casual'))
        WHERE gap > 0 GROUP BY archetype, wallet HAVING count(*) >= 20) GROUP BY archetype`);
    const variation = Object.fromEntries(gaps.map((row) => [row.archetype, row.variation]));
    expect(variation['bot']).toBeLessThan(0.6);
    expect(variation['casual']).toBeGreaterThan(1.2);
  });

  it('gives the same bytes for a seed whatever the threads, and other bytes for another', async () => {
    const [first, again, threads, other] = await Promise.all([
      runStage(definition, run, { params: small, seed: 7 }).then(hashes),
      runStage(definition, run, { params: small, seed: 7 }).then(hashes),
      runStage(definition, run, { params: small, seed: 7, threads: 2 }).then(hashes),
      runStage(definition, run, { params: small, seed: 8 }).then(hashes),
    ]);
    expect(again).toEqual(first);
    expect(threads).toEqual(first);
    // Without fees there are no schedules to differ.
    for (const [i, port] of ports.entries()) expect(other[i] === first[i]).toBe(port === 'feeSchedules');
  });

  it('writes schedules of fees, disputes and exclusive events as canonical tables', async () => {
    const fees = [
      { fromDay: 10, rate: 0.05 },
      { fromDay: 30.5, rate: 0.02, exponent: 2, takerOnly: false, rebateShare: 0.2 },
    ];
    const result = await runStage(definition, run, {
      params: { ...small, fees, disputes: { share: 0.3 }, events: { exclusiveShare: 1 } },
    });
    const of = (table: string): string => `read_parquet(${quote(result.path(table))})`;
    const schedule = await one(`SELECT count(*)::INTEGER AS n, count(DISTINCT market)::INTEGER AS markets,
      epoch_ms(max(effectiveFrom))::DOUBLE AS last, max(exponent) AS exponent FROM ${of('feeSchedules')}`);
    const last = Date.parse('2025-01-31T12:00:00Z');
    expect(schedule).toEqual({ n: 160, markets: 80, last, exponent: 2 });
    const resolved = await one(`SELECT bool_and(r.proposedAt < r.finalAt AND knowableAt = r.finalAt) AS sound,
      max(epoch(r.finalAt - r.proposedAt)) > 7200 AS later, bool_and(r.finalAt = t.finalAt AND r.proposedAt = t.proposedAt) AS same
      FROM ${of('resolutions')} r JOIN ${of('marketTruth')} t USING (market)`);
    expect(resolved).toEqual({ sound: true, later: true, same: true });
    const events = await one(`SELECT bool_and(negRisk) AS exclusive, bool_and(winners = 1) AS one FROM ${of('events')}
      JOIN (SELECT event, sum(happens::INTEGER) AS winners FROM ${of('markets')} JOIN ${of('marketTruth')} USING (market)
        GROUP BY event HAVING count(*) > 1) USING (event)`);
    expect(events).toEqual({ exclusive: true, one: true });
    const charged = await one(`SELECT bool_and((fee = 0) = (time < TIMESTAMP '2025-01-11')) AS fromThen
      FROM ${of('trades')} WHERE role = 'taker' AND usd > 1 AND price BETWEEN 0.05 AND 0.95`);
    expect(charged['fromThen']).toBe(true);
  });

  it('gives the same bytes on two threads where there is work for two: many row groups, several shards', async () => {
    const whole = await runStage(definition, run, { params: {}, threads: 2 });
    expect(await hashes(whole)).toEqual(await hashes(world));
    const params = { ...small, shards: 3, archetypes: { washTrader: 10, copier: 5 }, events: { exclusiveShare: 0.3 } };
    const [one, two] = await Promise.all([
      runStage(definition, run, { params, threads: 1 }).then(hashes),
      runStage(definition, run, { params, threads: 2 }).then(hashes),
    ]);
    expect(two).toEqual(one);
  });

  it('runs in worlds without market makers, without casual wallets, and of one market', async () => {
    for (const params of [
      { ...small, archetypes: { ...none, casual: 1 } },
      { ...small, archetypes: { ...none, marketMaker: 1, skilled: 1 } },
      { ...small, markets: 1 },
    ]) {
      const result = await runStage(definition, run, { params });
      expect((await result.metrics()).scalars['rows']).toBeGreaterThan(0);
    }
    const silent = await runStage(definition, run, { params: { ...small, archetypes: { ...none, bot: 1 } } });
    expect((await silent.metrics()).scalars['rows']).toBe(0);
  });

  it('refuses parameters that mean nothing', () => {
    const parse = (params: unknown) => definition.params.safeParse(params).success;
    expect(parse({ wallets: 3 })).toBe(false);
    expect(parse({ archetypes: { casual: -1 } })).toBe(false);
    expect(parse({ startDate: '2025-13-01' })).toBe(false);
    expect(parse({ wallet: 100 })).toBe(false);
    expect(parse({})).toBe(true);
  });
});
