/**
 * From trades as any source has them to rows on their way to the buckets of their wallets, by SQL: DuckDB groups what the
 * trades name, and the threads find the numbers of names by their hashes.
 */
import path from 'node:path';
import { FathomError } from '../errors.ts';
import { copyToParquet, type Duck, quote } from '../tables/duck.ts';
import { runJobs } from '../tables/jobs.ts';
import { parquetFiles, parquetRelation } from '../tables/parquet-files.ts';
import { refuseNameless } from './check.ts';
import type { TokenLists } from './lay-work.ts';
import { factFiles, TOKEN_UNKNOWN } from './layout.ts';
import type { FactsOptions } from './make.ts';
import { marketColumns, tokenColumns, walletColumns } from './name-columns.ts';
import { bucketBounds } from './read.ts';
import openRouteWork, { type NameKeys, type RouteJob, type RouteShared } from './route-work.ts';
import type { Sent } from './sort.ts';

const routing = { open: openRouteWork, url: new URL('./route-work.js', import.meta.url) };

/** Trades that a thread takes at a time. */
const JOB_ROWS = 1_000_000;

/** SQL for what a trade was in: its token, or its outcome where a source names no tokens. Unique within a market. */
const tokenOf = (trade: string): string => `coalesce(${trade}.token, 'outcome ' || ${trade}.outcomeIndex, '')`;

/** Writes the names that trades have, and sends the trades on their way. */
export async function sendQueried(duck: Duck, trades: string, folder: string, options: FactsOptions): Promise<Sent> {
  const files = factFiles(folder);
  const relation = parquetRelation(trades);
  const { scratch, threads } = options;
  try {
    await numberNames(duck, relation, trades);
    await copyToParquet(duck, 'SELECT * FROM fact_wallets ORDER BY wallet', files.wallets, walletColumns);
    await copyToParquet(
      duck,
      'SELECT DISTINCT market, marketName AS name, event, eventName FROM fact_tokens ORDER BY market',
      files.markets,
      marketColumns,
    );
    await copyToParquet(
      duck,
      `SELECT token, market, name, outcome FROM fact_tokens WHERE token <> ${TOKEN_UNKNOWN} ORDER BY token`,
      files.tokens,
      tokenColumns,
    );
    const buckets = await bucketBounds(duck, folder, options.bucketFills);
    const shared = { ...(await writeKeys(duck, scratch, options.hash ?? 'hash')), buckets };
    const jobs = await jobsOf(duck, trades, scratch, options.jobRows ?? JOB_ROWS);
    // Each waits for its database and its file a third of the time: one more keeps the cores busy.
    const most = Math.max(1, Math.min(threads + 1, jobs.length));
    const routed = await runJobs(routing, shared, jobs, { ...options, threads: most });
    return { routed, files: jobs.map(({ target }) => target), buckets, tokens: await readTokens(duck) };
  } finally {
    await duck.run(
      'DROP TABLE IF EXISTS fact_wallets; DROP TABLE IF EXISTS fact_tokens; DROP TABLE IF EXISTS fact_keys',
    );
  }
}

/** Makes the tables `fact_wallets` and `fact_tokens`, with the numbers of all that the trades name. */
async function numberNames(duck: Duck, relation: string, trades: string): Promise<void> {
  await duck.run(`CREATE TABLE fact_wallets AS
    SELECT (row_number() OVER (ORDER BY place) - 1)::INTEGER AS wallet, address, fills::BIGINT AS fills, firstAt FROM (
      SELECT address, min(place) AS place, count("time") AS fills, min("time") AS firstAt FROM (
        SELECT wallet AS address, 2 * seq AS place, "time" FROM ${relation}
        UNION ALL SELECT counterparty, 2 * seq + 1, NULL FROM ${relation} WHERE counterparty IS NOT NULL)
      GROUP BY address)`);
  await duck.run(`CREATE TABLE fact_tokens AS
    WITH present AS (SELECT market, event, token, outcomeIndex, min(seq) AS place FROM ${relation} GROUP BY ALL),
    named AS (SELECT t.market AS marketName, ${tokenOf('t')} AS key, min(t.place) AS place,
        arg_min(t.event, t.place) AS eventName, min(t.token) AS name, min(t.outcomeIndex) AS outcome,
        max(t.outcomeIndex) AS otherOutcome, bool_or(t.market IS NULL OR t.event IS NULL) AS nameless
      FROM present t GROUP BY ALL),
    placed AS (SELECT * REPLACE (first_value(eventName) OVER market AS eventName),
        min(place) OVER (PARTITION BY marketName) AS marketPlace FROM named
      WINDOW market AS (PARTITION BY marketName ORDER BY place))
    SELECT CASE key WHEN '' THEN ${TOKEN_UNKNOWN} ELSE row_number() OVER (PARTITION BY key = '' ORDER BY place) - 1
        END::INTEGER AS token, (dense_rank() OVER (ORDER BY marketPlace) - 1)::INTEGER AS market,
      (dense_rank() OVER (ORDER BY eventPlace) - 1)::INTEGER AS event, marketName, eventName, key, name, outcome,
      otherOutcome, nameless
    FROM (SELECT *, min(place) OVER (PARTITION BY eventName) AS eventPlace FROM placed)`);
  const [known] = await duck.rows<{ lacking: boolean }>(
    `SELECT EXISTS (FROM fact_wallets WHERE address IS NULL) OR EXISTS (FROM fact_tokens WHERE nameless) AS lacking`,
  );
  if (known?.lacking === true) await refuseNameless(duck, relation, trades);
  const [torn] = await duck.rows<{ key: string; marketName: string }>(
    'SELECT key, marketName FROM fact_tokens WHERE outcome <> otherOutcome ORDER BY token LIMIT 1',
  );
  if (torn !== undefined)
    throw new FathomError('data', `${trades}: token "${torn.key}" of market "${torn.marketName}" is both outcomes`);
}

/**
 * Writes what stands for names, with their numbers: their hash, as long as all differ in it, since comparing numbers
 * takes half the time; else what a join by the names themselves finds.
 */
async function writeKeys(duck: Duck, scratch: string, hash: string): Promise<Omit<RouteShared, 'buckets'>> {
  const file = (name: string): string => path.join(scratch, `${name}.parquet`);
  const copy = (query: string, name: string): Promise<void> =>
    duck.run(`COPY (${query}) TO ${quote(file(name))} (FORMAT parquet)`);
  const differ = async (relation: string, key: string): Promise<boolean> => {
    const [found] = await duck.rows<{ differ: boolean }>(
      `SELECT count(*) = count(DISTINCT ${key}) AS differ FROM ${relation}`,
    );
    return found?.differ === true;
  };
  await duck.run(
    'CREATE OR REPLACE TABLE fact_keys AS SELECT *, (row_number() OVER (ORDER BY token, market) - 1)::INTEGER AS number FROM fact_tokens',
  );
  // A fill without a counterparty has the hash of null, which must be no wallet's either.
  const unlike =
    (await differ('(SELECT address FROM fact_wallets UNION ALL SELECT NULL)', `${hash}(address)`)) &&
    (await differ('fact_tokens', `${hash}(marketName, key)`));
  const files = { wallets: file('wallet-keys'), tokens: file('token-keys') };
  await copy(
    `SELECT ${unlike ? `${hash}(address)` : 'wallet'} AS key, wallet AS number FROM fact_wallets`,
    'wallet-keys',
  );
  await copy(`SELECT ${unlike ? `${hash}(marketName, key)` : 'number'} AS key, number FROM fact_keys`, 'token-keys');
  if (unlike) {
    const keys: NameKeys = {
      wallet: `${hash}(t.wallet)`,
      other: `${hash}(t.counterparty)`,
      token: `${hash}(t.market, ${tokenOf('t')})`,
      joins: '',
    };
    return { ...files, keys, prepare: '' };
  }
  await copy('SELECT address, wallet FROM fact_wallets', 'wallet-names');
  await copy('SELECT marketName, key, number FROM fact_keys', 'token-names');
  const keys: NameKeys = {
    wallet: 'w.wallet',
    // No wallet has it.
    other: 'coalesce(c.wallet, 4294967296)',
    token: 'k.number',
    joins: `LEFT JOIN wallet_names w ON w.address = t.wallet LEFT JOIN wallet_names c ON c.address = t.counterparty
      LEFT JOIN token_names k ON k.marketName = t.market AND k.key = ${tokenOf('t')}
      ORDER BY t.seq`,
  };
  const prepare = `CREATE TABLE wallet_names AS FROM read_parquet(${quote(file('wallet-names'))});
    CREATE TABLE token_names AS FROM read_parquet(${quote(file('token-names'))})`;
  return { ...files, keys, prepare };
}

/** Parts of the trades in their order, of about equal size. */
async function jobsOf(duck: Duck, trades: string, scratch: string, jobRows: number): Promise<RouteJob[]> {
  const files = parquetFiles(trades);
  const groups = await duck.rows<{ file: number; rows: number; least: number | null; greatest: number | null }>(
    `SELECT (list_position([${files.map(quote).join(', ')}], file_name) - 1)::DOUBLE AS file,
       row_group_num_rows::DOUBLE AS "rows", try_cast(stats_min_value AS BIGINT)::DOUBLE AS least,
       try_cast(stats_max_value AS BIGINT)::DOUBLE AS greatest
     FROM parquet_metadata([${files.map(quote).join(', ')}]) WHERE path_in_schema = 'seq' ORDER BY file, row_group_id`,
  );
  const jobs: RouteJob[] = [];
  let relations: string[] = [];
  let rows = 0;
  const end = (): void => {
    if (relations.length > 0) jobs.push({ relations, target: path.join(scratch, `rows-${jobs.length}`) });
    [relations, rows] = [[], 0];
  };
  for (const [index, file] of files.entries()) {
    const own = groups.filter((group) => group.file === index);
    const relation = `read_parquet(${quote(file)})`;
    const total = own.reduce((sum, group) => sum + group.rows, 0);
    const cuttable = total > jobRows && own.every(({ least, greatest }) => least !== null && greatest !== null);
    if (!cuttable) {
      relations.push(relation);
      rows += total;
      if (rows >= jobRows) end();
      continue;
    }
    end();
    let from = Number.NEGATIVE_INFINITY;
    own.forEach((group, i) => {
      rows += group.rows;
      if (rows < jobRows && i < own.length - 1) return;
      // Trades that are out of order, or lack a seq, are in no range or in two: the count tells.
      const to = i === own.length - 1 ? Number.POSITIVE_INFINITY : (group.greatest as number);
      const above = Number.isFinite(from) ? `seq > ${from}` : 'true';
      const below = Number.isFinite(to) ? `seq <= ${to}` : 'true';
      relations.push(`(SELECT * FROM ${relation} WHERE ${above} AND ${below})`);
      from = to;
      end();
    });
  }
  end();
  return jobs;
}

/** Market and number of each token by its key. */
async function readTokens(duck: Duck): Promise<TokenLists> {
  const rows = await duck.rows<{ market: number; token: number }>(
    'SELECT market, token FROM fact_keys ORDER BY number',
  );
  const lists = [0, 1].map(() => new Int32Array(new SharedArrayBuffer(4 * rows.length))) as [Int32Array, Int32Array];
  rows.forEach(({ market, token }, key) => {
    lists[0][key] = market;
    lists[1][key] = token;
  });
  return { marketOf: lists[0], tokenOf: lists[1] };
}
