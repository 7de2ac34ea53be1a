/** Facts of trades as our own writer stores them are those of the same trades as DuckDB writes them. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factFiles } from '../../src/facts/layout.ts';
import { factsOf } from '../../src/facts/make.ts';
import { sendStored } from '../../src/facts/stored.ts';
import { type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { JobPool } from '../../src/tables/jobs.ts';
import { parquetFiles } from '../../src/tables/parquet-files.ts';
import { temporaryFolder } from '../support/stage.ts';
import { storedCopy, storeTrades } from '../support/stored-tables.ts';
import { makeWorld, type World, type WorldTrade, writeWorld } from '../support/world.ts';

/** A world as poly_data knows it: every trade names a token and a role, and makers their counterparty. */
function plainWorld(size: Parameters<typeof makeWorld>[0], counterparties: 'some' | 'all' | 'none'): World {
  const world = makeWorld(size);
  const trades = world.trades.map((trade, i): WorldTrade & { counterparty: string | null } => ({
    ...trade,
    outcomeIndex: trade.outcomeIndex ?? 0,
    token: `${trade.market} ${trade.outcomeIndex ?? 0}`,
    role: i % 2 === 0 ? 'maker' : 'taker',
    counterparty:
      counterparties === 'none' || (counterparties === 'some' && i % 2 === 1)
        ? null
        : `0x${((i * 7) % 31).toString(16).padStart(4, '0')}`,
    fee: i % 5 === 0 ? null : (trade.fee ?? 0),
  }));
  return { ...world, trades };
}

async function onDuck<T>(use: (duck: Duck, folder: string) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  try {
    return await use(duck, folder);
  } finally {
    duck.close();
  }
}

const limits = (scratch: string, threads = 1) => ({ threads, memoryMb: 256, scratch, bucketFills: 40, jobRows: 50 });

async function tablesOf(duck: Duck, folder: string): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {};
  for (const [name, table] of Object.entries(factFiles(folder)))
    tables[name] = await duck.rows(
      `SELECT COLUMNS(*)::VARCHAR FROM read_parquet([${parquetFiles(table).map(quote).join(', ')}])`,
    );
  return tables;
}

describe('facts of stored trades', () => {
  it('are those of the same trades in another file, whatever the groups, the threads and the cache', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer({ min: 0, max: 1e6 }),
          trades: fc.integer({ min: 1, max: 300 }),
          wallets: fc.integer({ min: 1, max: 40 }),
        }),
        fc.constantFrom('some' as const, 'all' as const, 'none' as const),
        fc.constantFrom(1, 7, 64, 1000),
        fc.constantFrom(1, 1, 2),
        fc.constantFrom(0, 1e9),
        async (size, counterparties, groupRows, threads, cachedBytes) =>
          onDuck(async (duck, folder) => {
            const { trades } = await writeWorld(plainWorld(size, counterparties), folder);
            const stored = await storedCopy(duck, trades, path.join(folder, 'stored.parquet'), groupRows);
            const [one, other] = [path.join(folder, 'one'), path.join(folder, 'other')];
            const extent = await factsOf(duck, trades, one, limits(folder));
            const own = { ...limits(folder, threads), cachedBytes };
            expect(await factsOf(duck, stored, other, own)).toEqual(extent);
            expect(await tablesOf(duck, other)).toEqual(await tablesOf(duck, one));
          }),
      ),
      { numRuns: 15 },
    );
  });

  const trades = plainWorld({ seed: 5, trades: 200, wallets: 20 }, 'some');
  const send = (change: string): Promise<boolean> =>
    onDuck(async (duck, folder) => {
      const files = await writeWorld(trades, folder);
      const stored = path.join(folder, 'stored.parquet');
      await storeTrades(
        duck,
        `(SELECT * REPLACE (${change}) FROM read_parquet(${quote(files.trades)}) ORDER BY seq)`,
        stored,
        64,
      );
      const facts = path.join(folder, 'facts');
      await mkdir(facts);
      const sent = await sendStored(duck, new JobPool(limits(folder)), stored, facts, limits(folder));
      return sent !== undefined;
    });

  it('are made without a database', async () => {
    expect(await send('seq AS seq')).toBe(true);
  });

  it.each([
    ['one market for all tokens but one', `CASE WHEN seq = 150 THEN 'm x' ELSE market END AS market`],
    ['two events of a market', `CASE WHEN seq >= 100 THEN event || 'x' ELSE event END AS event`],
    ['a token of both outcomes', `CASE WHEN seq >= 100 THEN 1 - outcomeIndex ELSE outcomeIndex END AS outcomeIndex`],
    ['no token', `CASE WHEN seq = 100 THEN NULL ELSE token END AS token`],
    ['an empty token', `CASE WHEN seq = 100 THEN '' ELSE token END AS token`],
    ['no role', `CASE WHEN seq = 100 THEN NULL ELSE role END AS role`],
    ['another side', `CASE WHEN seq = 100 THEN 'HOLD' ELSE side END AS side`],
    ['a third outcome', `CASE WHEN seq = 100 THEN 2 ELSE outcomeIndex END AS outcomeIndex`],
    ['no wallet', `CASE WHEN seq = 100 THEN NULL ELSE wallet END AS wallet`],
  ])('are left to DuckDB where the trades have %s', async (_, change) => {
    expect(await send(change)).toBe(false);
  });

  it.each([
    ['a negative amount', 'CASE WHEN seq = 30 THEN -usd - 1 ELSE usd END AS usd', /negative amount/],
    ['an amount beyond 2^53', 'CASE WHEN seq = 30 THEN 10000000000 ELSE shares END AS shares', /amount beyond/],
    ['a repeated seq', 'CASE WHEN seq = 30 THEN seq - 1 ELSE seq END AS seq', /1 trades repeat a seq/],
    ['a seq out of order', 'CASE WHEN seq = 30 THEN seq - 2 ELSE seq END AS seq', /greater seq/],
    ['another side', `CASE WHEN seq = 30 THEN 'HOLD' ELSE side END AS side`, /1 trades have a side/],
    [
      'a time before the one before',
      'CASE WHEN seq = 64 THEN "time" - INTERVAL 100 DAY ELSE "time" END AS "time"',
      /seq does not follow time/,
    ],
  ])('are refused where trades have %s', async (_, change, message) => {
    await onDuck(async (duck, folder) => {
      const files = await writeWorld(trades, folder);
      const stored = path.join(folder, 'stored.parquet');
      await duck.run(`CREATE TABLE changed AS SELECT * REPLACE (${change}) FROM
        (SELECT * FROM read_parquet(${quote(files.trades)}) ORDER BY seq)`);
      await storeTrades(duck, 'changed', stored, 64);
      await expect(factsOf(duck, stored, path.join(folder, 'facts'), limits(folder))).rejects.toThrow(message);
    });
  });
});
