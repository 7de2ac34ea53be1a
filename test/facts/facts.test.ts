import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FactReader, type Facts } from '../../src/facts/fact-reader.ts';
import { COUNTERPARTY_UNKNOWN, factFiles, isBuy, outcomeOf, roleOf, TOKEN_UNKNOWN } from '../../src/facts/layout.ts';
import { factsOf } from '../../src/facts/make.ts';
import { bucketBounds, extentOfFacts } from '../../src/facts/read.ts';
import run from '../../src/stages/run/wallets-facts.ts';
import definition from '../../src/stages/wallets-facts.ts';
import { copyToParquet, type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { parquetFiles } from '../../src/tables/parquet-files.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';
import { factTypes, storeTable } from '../support/stored-tables.ts';
import { makeWorld, truncate, type World, type WorldTrade, worldStart, writeWorld } from '../support/world.ts';

type Trade = WorldTrade & { readonly counterparty?: string | null };
type Row = Record<string, unknown>;

/** A world whose trades name counterparties now and then, some of whom never trade themselves. */
function withCounterparties(world: World): World {
  const trades = world.trades.map(
    (trade, i): Trade => ({
      ...trade,
      counterparty: i % 3 === 0 ? null : `0x${((i * 7) % 31).toString(16).padStart(4, '0')}`,
    }),
  );
  return { ...world, trades };
}

async function onDuck<T>(
  use: (duck: Duck, folder: string) => Promise<T>,
  options: { threads?: number; memoryMb?: number } = {},
): Promise<T> {
  const folder = await temporaryFolder();
  const duck = await openDuck({ threads: options.threads ?? 1, memoryMb: options.memoryMb ?? 512, scratch: folder });
  try {
    return await use(duck, folder);
  } finally {
    duck.close();
  }
}

const limits = (scratch: string) => ({ threads: 1, memoryMb: 256, scratch });

const rowsOf = async (file: string): Promise<Row[]> => (await readParquet(file)).rows as Row[];

interface Tables {
  readonly facts: Row[];
  readonly wallets: Row[];
  readonly markets: Row[];
  readonly tokens: Row[];
}

const tablesOf = (world: World): Promise<Tables> =>
  onDuck(async (duck, folder) => {
    const { trades } = await writeWorld(world, folder);
    const target = path.join(folder, 'facts');
    await factsOf(duck, trades, target, limits(folder));
    const files = factFiles(target);
    return {
      facts: await rowsOf(files.facts),
      wallets: await rowsOf(files.wallets),
      markets: await rowsOf(files.markets),
      tokens: await rowsOf(files.tokens),
    };
  });

/** The trades that facts tell of, by the names of their numbers. */
function named({ facts, wallets, markets, tokens }: Tables): Map<number, Row> {
  const roles = ['taker', 'maker', null];
  return new Map(
    facts.map((fact) => {
      const flags = fact['flags'] as number;
      const market = markets[fact['market'] as number] as Row;
      const token = fact['token'] === TOKEN_UNKNOWN ? undefined : tokens[fact['token'] as number];
      if (token !== undefined) expect(token['market']).toBe(fact['market']);
      const outcome = outcomeOf(flags);
      return [
        Number(fact['seq']),
        {
          time: Number(fact['time']) / 1e6,
          wallet: wallets[fact['wallet'] as number]?.['address'],
          counterparty: fact['counterparty'] == null ? null : wallets[fact['counterparty'] as number]?.['address'],
          market: market['name'],
          event: market['eventName'],
          token: token?.['name'] ?? null,
          outcomeIndex: outcome === 2 ? null : outcome,
          side: isBuy(flags) === 1 ? 'BUY' : 'SELL',
          usd: Number(fact['usd']),
          shares: Number(fact['shares']),
          role: roles[roleOf(flags)],
          fee: fact['fee'] == null ? null : Number(fact['fee']),
        },
      ];
    }),
  );
}

const size = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  trades: fc.integer({ min: 1, max: 60 }),
  wallets: fc.integer({ min: 1, max: 12 }),
});

describe('facts', () => {
  it('say of every trade what the trade says', async () => {
    await fc.assert(
      fc.asyncProperty(size, async (worldSize) => {
        const world = withCounterparties(makeWorld(worldSize));
        const found = named(await tablesOf(world));
        expect(found.size).toBe(world.trades.length);
        world.trades.forEach((trade, seq) => {
          expect(found.get(seq)).toEqual({ ...trade, token: trade.token ?? null });
        });
      }),
      { numRuns: 12 },
    );
  });

  it('number by first appearance, so that cutting the future off renumbers nothing', async () => {
    const world = withCounterparties(makeWorld({ seed: 11, trades: 300, wallets: 15 }));
    const all = await tablesOf(world);
    expect(all.facts.map((fact) => [fact['wallet'], Number(fact['seq'])])).toEqual(
      all.facts
        .map((fact) => [fact['wallet'] as number, Number(fact['seq'])] as const)
        .sort(([a, s], [b, t]) => a - b || s - t),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 * 86_400 }), async (seconds) => {
        const cut = truncate(world, worldStart + seconds);
        fc.pre(cut.trades.length > 0);
        const before = await tablesOf(cut);
        const names = (rows: readonly Row[], keys: readonly string[]): unknown[] =>
          rows.map((row) => keys.map((key) => row[key]));
        expect(before.facts).toEqual(all.facts.filter((fact) => Number(fact['seq']) < cut.trades.length));
        for (const [table, keys] of [
          ['wallets', ['wallet', 'address']],
          ['markets', ['market', 'name', 'event', 'eventName']],
          ['tokens', ['token', 'market', 'name']],
        ] as const)
          expect(names(before[table], keys)).toEqual(names(all[table], keys).slice(0, before[table].length));
      }),
      { numRuns: 12 },
    );
  });

  it('count the fills of each wallet and its first one', async () => {
    const world = withCounterparties(makeWorld({ seed: 3, trades: 200, wallets: 20 }));
    const { wallets } = await tablesOf(world);
    expect(wallets.some((wallet) => Number(wallet['fills']) === 0)).toBe(true);
    for (const wallet of wallets) {
      const own = world.trades.filter((trade) => trade.wallet === wallet['address']);
      expect(Number(wallet['fills'])).toBe(own.length);
      expect((wallet['firstAt'] as Date | null)?.getTime() ?? null).toBe(
        own[0] === undefined ? null : own[0].time * 1000,
      );
    }
  });

  it('have the same bytes with one and two threads and with little memory, from one file or several', async () => {
    const bytes = await onDuck(async (duck, folder) => {
      const trades = path.join(folder, 'many.parquet');
      const rows = `SELECT i AS seq, make_timestamp(1740787200000000 + i * 1000000) AS "time", 'm' || (hash(i) % 500) AS market,
          'e' || (hash(i) % 500 // 3) AS event, repeat('7', 60) || (hash(i) % 1000) AS token, NULL::VARCHAR AS outcome,
          (hash(i) % 2)::INTEGER AS outcomeIndex, repeat('a', 38) || (hash(i, 1) % 3000) AS wallet,
          repeat('a', 38) || (hash(i, 2) % 3000) AS counterparty, 'maker' AS "role", 'BUY' AS side, 0.5 AS price,
          1::DECIMAL(18, 6) AS usd, 2::DECIMAL(18, 6) AS shares, NULL::DECIMAL(18, 6) AS fee, NULL::VARCHAR AS "transaction"
        FROM range(400000) t(i)`;
      const columns = [
        'seq',
        'time',
        'market',
        'event',
        'token',
        'outcome',
        'outcomeIndex',
        'wallet',
        'counterparty',
        'role',
      ];
      const specs = [...columns, 'side', 'price', 'usd', 'shares', 'fee', 'transaction'].map((name) => ({
        name,
        role: 'info' as const,
      }));
      await copyToParquet(duck, rows, trades, specs);
      const parts = path.join(folder, 'parts.parquet');
      await duck.run(`COPY (FROM (${rows})) TO ${quote(parts)} (FORMAT parquet, ROW_GROUPS_PER_FILE 1)`);
      const found: Buffer[][] = [];
      for (const [threads, memoryMb, table, jobRows] of [
        [1, 1000, trades, undefined],
        [2, 1000, parts, 200_000],
        [2, 64, trades, 100_000],
      ] as const)
        found.push(
          await onDuck(
            async (other, scratch) => {
              const target = path.join(scratch, 'made');
              await factsOf(other, table, target, { threads, memoryMb, scratch, bucketFills: 50_000, jobRows });
              const parts = Object.values(factFiles(target)).flatMap(parquetFiles);
              return Promise.all(parts.map((file) => readFile(file)));
            },
            { threads, memoryMb },
          ),
        );
      return found;
    });
    expect(bytes[0]?.length).toBe(8 + 3);
    expect(bytes[0]?.[0]?.length).toBeGreaterThan(100_000);
    for (const other of bytes.slice(1))
      expect(other.map((file, i) => file.equals(bytes[0]?.[i] as Buffer))).toEqual(Array(8 + 3).fill(true));
  });

  const faults: readonly [string, Partial<Record<string, string>>, RegExp][] = [
    ['no wallet', { wallet: 'NULL' }, /1 trades lack a value/],
    ['no market', { market: 'NULL' }, /1 trades lack a value/],
    ['no event', { event: 'NULL' }, /1 trades lack a value/],
    ['no time', { time: 'NULL' }, /1 trades lack a value/],
    ['another side', { side: "'HOLD'" }, /1 trades have a side/],
    ['a negative amount', { usd: '-usd - 1' }, /negative amount/],
    ['a third outcome', { outcomeIndex: '2' }, /outcomeIndex that is neither/],
    ['another role', { role: "'both'" }, /role that is neither/],
    ['an amount beyond 2^53', { shares: '10000000000' }, /amount beyond/],
    ['a repeated seq', { seq: 'seq - 1' }, /1 trades repeat a seq/],
    ['a seq out of order', { seq: 'seq - 2' }, /greater seq/],
    ['no seq', { seq: 'NULL' }, /lack a seq/],
    ['a time before the one before', { time: '"time" - INTERVAL 100 DAY' }, /seq does not follow time/],
    [
      'a token of both outcomes',
      { token: "'same'", market: "'m9'", outcomeIndex: '1 - coalesce(outcomeIndex, 0)' },
      /both outcomes/,
    ],
  ];
  it.each(faults)('refuse trades with %s', async (_, replaced, message) => {
    await onDuck(async (duck, folder) => {
      const { trades } = await writeWorld(makeWorld({ seed: 2, trades: 50 }), folder);
      const bad = path.join(folder, 'bad.parquet');
      const list = Object.entries(replaced).map(
        ([name, sql]) => `CASE WHEN seq = 30 THEN ${sql} ELSE "${name}" END AS "${name}"`,
      );
      const both =
        replaced['token'] === undefined
          ? ''
          : "UNION ALL SELECT * REPLACE (50 AS seq, 'same' AS token, 'm9' AS market, 0 AS outcomeIndex) FROM last UNION ALL SELECT * REPLACE (51 AS seq, 'same' AS token, 'm9' AS market, 1 AS outcomeIndex) FROM last";
      await duck.run(`COPY (WITH last AS (FROM read_parquet(${quote(trades)}) WHERE seq = 49)
        SELECT * REPLACE (${list.join(', ')}) FROM read_parquet(${quote(trades)}) ${both}) TO ${quote(bad)} (FORMAT parquet)`);
      await expect(factsOf(duck, bad, path.join(folder, 'facts'), limits(folder))).rejects.toThrow(message);
    });
  });

  it('refuse trades out of order, wherever their file is cut', async () => {
    await onDuck(async (duck, folder) => {
      const table = path.join(folder, 'many.parquet');
      for (const [seq, time, message] of [
        ['CASE i WHEN 3000 THEN 6000 WHEN 6000 THEN 3000 ELSE i END', 'i', /greater seq/],
        ['CASE i WHEN 6000 THEN 5999 ELSE i END', 'i', /repeat a seq/],
        ['i', 'CASE WHEN i < 4096 THEN i + 9000 ELSE i END', /seq does not follow time/],
      ] as const) {
        await duck.run(`COPY (SELECT ${seq} AS seq, make_timestamp(1740787200000000 + 1000000 * (${time})) AS "time", 'm' AS market,
            'e' AS event, 'x' AS token, 0 AS outcomeIndex, 'w' || i % 7 AS wallet, NULL::VARCHAR AS counterparty, 'maker' AS "role",
            'BUY' AS side, 1::DECIMAL(18, 6) AS usd, 2::DECIMAL(18, 6) AS shares, NULL::DECIMAL(18, 6) AS fee
          FROM range(10000) t(i)) TO ${quote(table)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
        for (const jobRows of [1000, 1e6])
          await expect(
            factsOf(duck, table, path.join(folder, 'facts'), { ...limits(folder), jobRows }),
          ).rejects.toThrow(message);
      }
    });
  });

  it('refuse an empty table', async () => {
    await onDuck(async (duck, folder) => {
      const { trades } = await writeWorld({ trades: [], markets: [], resolutions: [] }, folder);
      await expect(factsOf(duck, trades, path.join(folder, 'facts'), limits(folder))).rejects.toThrow(/no trades/);
    });
  });
});

describe('names of the same hash', () => {
  it('are told apart by their text', async () => {
    const world = withCounterparties(makeWorld({ seed: 11, trades: 500, wallets: 20 }));
    await onDuck(async (duck, folder) => {
      const { trades } = await writeWorld(world, folder);
      const [plain, weak] = [path.join(folder, 'plain'), path.join(folder, 'weak')];
      await duck.run('CREATE MACRO weak(a, b := NULL) AS 7');
      await factsOf(duck, trades, plain, limits(folder));
      await factsOf(duck, trades, weak, { ...limits(folder), hash: 'weak' });
      for (const name of ['facts', 'wallets', 'markets', 'tokens'] as const)
        expect(await readFile(factFiles(weak)[name])).toEqual(await readFile(factFiles(plain)[name]));
    });
  });
});

describe('reading facts', () => {
  const world = withCounterparties(makeWorld({ seed: 7, trades: 3000, wallets: 50 }));

  it('gives every fill once, in buckets of whole wallets, whatever their size', async () => {
    await onDuck(async (duck, folder) => {
      const { trades } = await writeWorld(world, folder);
      const target = path.join(folder, 'facts');
      const extent = await factsOf(duck, trades, target, limits(folder));
      expect(await extentOfFacts(target)).toEqual(extent);
      for (const bucketSize of [1, 100, 1000, 1e6]) {
        const buckets = await bucketBounds(duck, target, bucketSize);
        expect(buckets[0]?.from).toBe(0);
        buckets.slice(1).forEach((bucket, i) => {
          expect(bucket.from).toBe(buckets[i]?.to);
        });
        const seen = new Set<number>();
        const reader = new FactReader(target, bucketSize === 1000 ? 0 : undefined);
        let reuse: Facts<'seq' | 'fee' | 'wallet' | 'counterparty' | 'flags'> | undefined;
        for (const bucket of buckets) {
          const facts = await reader.read(bucket, ['seq', 'fee', 'wallet', 'counterparty', 'flags'], reuse);
          expect(facts.rows).toBe(bucket.fills);
          for (let i = 0; i < facts.rows; i++) {
            const seq = facts.seq[i] as number;
            const trade = world.trades[seq] as Trade;
            expect(facts.fee[i]).toBe(trade.fee ?? Number.NaN);
            expect(facts.counterparty[i] === COUNTERPARTY_UNKNOWN).toBe(trade.counterparty == null);
            expect(isBuy(facts.flags[i] as number)).toBe(trade.side === 'BUY' ? 1 : 0);
            expect(facts.wallet[i]).toBeGreaterThanOrEqual(bucket.from);
            expect(facts.wallet[i]).toBeLessThan(bucket.to);
            seen.add(seq);
          }
          reuse = facts;
        }
        expect(seen.size).toBe(world.trades.length);
      }
    });
  });

  it('stops if the file is in another order or lacks rows', async () => {
    await onDuck(async (duck, folder) => {
      const { trades } = await writeWorld(world, folder);
      const target = path.join(folder, 'facts');
      await factsOf(duck, trades, target, limits(folder));
      const [bucket] = await bucketBounds(duck, target);
      const { facts } = factFiles(target);
      const good = await readFile(facts);
      const other = path.join(folder, 'other.parquet');
      const rewrite = async (query: string, groupRows: number): Promise<void> => {
        await writeFile(facts, good);
        await storeTable(duck, `(${query})`, other, groupRows, factTypes);
        await writeFile(facts, await readFile(other));
      };
      const read = () => new FactReader(target).read(bucket as NonNullable<typeof bucket>, ['usd', 'fee']);
      const right = await read();
      expect(right.rows).toBe(3000);
      for (const groupRows of [7, 1000]) {
        await rewrite(`FROM read_parquet(${quote(facts)})`, groupRows);
        expect(await read()).toEqual(right);
        await rewrite(`FROM read_parquet(${quote(facts)}) ORDER BY seq`, groupRows);
        await expect(read()).rejects.toThrow(/order of wallet and seq/);
        await rewrite(`FROM read_parquet(${quote(facts)}) ORDER BY wallet // 2, seq`, groupRows);
        await expect(read()).rejects.toThrow(/order of wallet and seq/);
        await rewrite(`FROM read_parquet(${quote(facts)}) LIMIT 2999`, groupRows);
        await expect(read()).rejects.toThrow(/2999 of 3000/);
      }
      await duck.run(`COPY (FROM read_parquet(${quote(other)})) TO ${quote(facts)} (FORMAT parquet)`);
      await expect(read()).rejects.toThrow(/no facts as wallets.facts writes them/);
    });
  });
});

describe('wallets.facts', () => {
  it('writes the folder and counts what is in it', async () => {
    const world = withCounterparties(makeWorld({ seed: 4, trades: 500, wallets: 20 }));
    const files = await writeWorld(world, await temporaryFolder());
    const result = await runStage(definition, run, { params: {}, inputs: { trades: [files.trades] } });
    const { scalars } = await result.metrics();
    expect(scalars['fills']).toBe(500);
    expect(scalars['wallets']).toBe(new Set(world.trades.map((trade) => trade.wallet)).size);
    expect(scalars['markets']).toBe(new Set(world.trades.map((trade) => trade.market)).size);
    expect(scalars['events']).toBe(new Set(world.trades.map((trade) => trade.event)).size);
    const rows = await rowsOf(factFiles(result.path('facts')).facts);
    expect(rows.length).toBe(500);
  });
});
