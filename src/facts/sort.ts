/**
 * Sorts trades into facts, out of core: every thread puts numbers in place of names and sends the rows to the buckets of
 * their wallets; then each bucket is laid wallet by wallet. Trades come in order of seq, so that nothing is compared.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { FathomError } from '../errors.ts';
import { type Duck, quote } from '../tables/duck.ts';
import { runJobs } from '../tables/jobs.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { checkTrades, type Extent } from './check.ts';
import openLayWork, { type LayJob, type LayShared, ROW_BYTES } from './lay-work.ts';
import { factFiles, factPart } from './layout.ts';
import type { FactsOptions } from './make.ts';
import { type Bucket, bucketBounds } from './read.ts';
import openRouteWork, { type NameKeys, type Routed, type RouteJob, type RouteShared } from './route-work.ts';

const routing = { open: openRouteWork, url: new URL('./route-work.js', import.meta.url) };
const laying = { open: openLayWork, url: new URL('./lay-work.js', import.meta.url) };

/** Trades that a thread takes at a time. */
const JOB_ROWS = 1_000_000;

/** SQL for what a trade was in: its token, or its outcome where a source names no tokens. Unique within a market. */
export const tokenOf = (trade: string): string => `coalesce(${trade}.token, 'outcome ' || ${trade}.outcomeIndex, '')`;

/**
 * Writes the facts of trades whose wallets and tokens are in the tables `fact_wallets` and `fact_tokens`, and whose
 * wallets are in the folder. Stops if something is wrong with a trade.
 */
export async function sortTrades(duck: Duck, trades: string, folder: string, options: FactsOptions): Promise<Extent> {
  const { scratch, threads } = options;
  const buckets = await bucketBounds(duck, folder, options.bucketFills);
  const shared = { ...(await writeKeys(duck, scratch, options.hash ?? 'hash')), buckets };
  const jobs = await jobsOf(duck, trades, scratch, options.jobRows ?? JOB_ROWS);
  const run = (most: number, count: number) => ({ ...options, threads: Math.max(1, Math.min(most, count)) });
  // Each waits for its database and its file a third of the time: one more keeps the cores busy.
  const routed = await runJobs(routing, shared, jobs, run(threads + 1, jobs.length));
  const extent = await extentOf(duck, trades, jobs, routed, buckets);
  const { facts } = factFiles(folder);
  if (buckets.length > 1) await mkdir(facts, { recursive: true });
  const lists = await readTokens(duck);
  const pieces = piecesOf(buckets.length, jobs, routed);
  const lays = buckets.map(
    (bucket, index): LayJob => ({
      bucket,
      pieces: pieces[index] ?? [],
      target: buckets.length > 1 ? factPart(folder, bucket.from) : facts,
    }),
  );
  const written = await runJobs(laying, lists, lays, run(threads, lays.length));
  const rows = written.reduce((sum, count) => sum + count, 0);
  if (rows !== extent.rows)
    throw new FathomError('internal', `${rows} facts were made of ${extent.rows} trades of ${trades}`);
  return extent;
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

/** The extent of the trades; stops if they are not what they should be. */
async function extentOf(
  duck: Duck,
  trades: string,
  jobs: readonly RouteJob[],
  routed: readonly Routed[],
  buckets: readonly Bucket[],
): Promise<Extent> {
  const some = routed.filter(({ rows }) => rows > 0);
  const rows = some.reduce((sum, job) => sum + job.rows, 0);
  const ordered = some.every((job, i) => {
    const before = some[i - 1];
    return before === undefined || (job.firstSeq > before.lastSeq && job.first >= before.last);
  });
  const [first, last] = [some[0], some.at(-1)];
  const expected = buckets.reduce((sum, { fills }) => sum + fills, 0);
  if (first !== undefined && last !== undefined && ordered && rows === expected && !some.some(({ faulty }) => faulty))
    return { rows, first: first.first, last: last.last };
  const relation = `read_parquet([${parquetFiles(trades).map(quote).join(', ')}])`;
  await checkTrades(duck, relation, trades);
  throw new FathomError('internal', `${rows} of ${expected} trades were read in ${jobs.length} parts of ${trades}`);
}

/** Where the rows of each bucket are, in order of the trades. */
function piecesOf(buckets: number, jobs: readonly RouteJob[], routed: readonly Routed[]): LayJob['pieces'][] {
  const pieces: LayJob['pieces'][number][][] = Array.from({ length: buckets }, () => []);
  routed.forEach(({ batches }, job) => {
    const { target: file } = jobs[job] as RouteJob;
    for (const batch of batches) {
      let { from } = batch;
      batch.rows.forEach((rows, bucket) => {
        if (rows > 0) pieces[bucket]?.push({ file, from, rows });
        from += rows * ROW_BYTES;
      });
    }
  });
  return pieces;
}

/** Market and number of each token by its key. */
async function readTokens(duck: Duck): Promise<LayShared> {
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
