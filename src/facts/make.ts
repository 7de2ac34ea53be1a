/** Makes a folder of facts from canonical trades. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { FathomError } from '../errors.ts';
import type { ColumnSpec } from '../tables/columns.ts';
import { copyToParquet, type Duck, quote } from '../tables/duck.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { type Extent, refuseNameless } from './check.ts';
import { factFiles, TOKEN_UNKNOWN } from './layout.ts';
import { sortTrades, tokenOf } from './sort.ts';

const walletColumns: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Number, by first appearance as wallet or counterparty' },
  { name: 'address', role: 'info' },
  { name: 'fills', role: 'info', description: 'Fills of its own' },
  { name: 'firstAt', role: 'info', description: 'Its first fill, UTC; null if it is only ever a counterparty' },
];

const marketColumns: readonly ColumnSpec[] = [
  { name: 'market', role: 'id', description: 'Number, by first trade' },
  { name: 'name', role: 'info', description: 'Id of the market' },
  { name: 'event', role: 'group', description: 'Number of the event, by first trade' },
  { name: 'eventName', role: 'info', description: 'Id of the event' },
];

const tokenColumns: readonly ColumnSpec[] = [
  { name: 'token', role: 'id', description: 'Number, by first trade' },
  { name: 'market', role: 'info', description: 'Number of its market' },
  { name: 'name', role: 'info', description: 'Id of the token; null if the trades do not name it' },
  { name: 'outcome', role: 'info', description: '0 or 1; null if no trade tells' },
];

export interface FactsOptions {
  readonly threads: number;
  /** For the databases of all threads together. */
  readonly memoryMb: number;
  /** A folder for what lies between trades and facts. */
  readonly scratch: string;
  /** SQL function of one text or two that rarely gives the same number twice. */
  readonly hash?: string | undefined;
  /** Fills of a bucket of wallets; see `bucketBounds`. */
  readonly bucketFills?: number | undefined;
  /** Trades that a thread takes at a time. */
  readonly jobRows?: number | undefined;
}

/**
 * Checks the trades and writes their facts into `folder`, out of core. The files have the same bytes whatever the
 * threads and the memory.
 *
 * @param trades path of canonical trades, one Parquet file or a folder of them, ordered by seq
 */
export async function factsOf(duck: Duck, trades: string, folder: string, options: FactsOptions): Promise<Extent> {
  const files = factFiles(folder);
  const relation = `read_parquet([${parquetFiles(trades).map(quote).join(', ')}])`;
  const scratch = path.join(options.scratch, 'facts-rows');
  await mkdir(folder, { recursive: true });
  await mkdir(scratch, { recursive: true });
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
    return await sortTrades(duck, trades, folder, { ...options, scratch });
  } finally {
    await duck.run(
      'DROP TABLE IF EXISTS fact_wallets; DROP TABLE IF EXISTS fact_tokens; DROP TABLE IF EXISTS fact_keys',
    );
    await rm(scratch, { recursive: true, force: true });
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
