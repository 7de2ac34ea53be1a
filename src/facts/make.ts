/** Makes a folder of facts from canonical trades. */
import { mkdir } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import type { ColumnSpec } from '../tables/columns.ts';
import { copyToParquet, type Duck, quote } from '../tables/duck.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { checkTrades, type Extent } from './check.ts';
import { factFiles, OUTCOME_UNKNOWN, ROLE_MAKER, ROLE_TAKER, ROLE_UNKNOWN, TOKEN_UNKNOWN } from './layout.ts';

const factColumns: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Number of the wallet' },
  { name: 'seq', role: 'info', description: 'seq of the trade' },
  { name: 'market', role: 'info', description: 'Number of the market' },
  { name: 'token', role: 'info', description: 'Number of the token; -1 if the trade names neither token nor outcome' },
  { name: 'time', role: 'time', unit: 'microseconds', description: 'Since 1970, UTC' },
  { name: 'usd', role: 'info', unit: '1e-6 USD', description: 'Cash paid or received' },
  { name: 'shares', role: 'info', unit: '1e-6 tokens', description: 'Tokens bought or sold' },
  { name: 'fee', role: 'info', unit: '1e-6 USD', description: 'Fee paid; null if unknown' },
  {
    name: 'flags',
    role: 'info',
    description: 'Bit 0: bought; bits 1-2: outcome 0, 1, 2 unknown; bits 3-4: 0 taker, 1 maker, 2 unknown',
  },
  { name: 'counterparty', role: 'info', description: 'Number of the wallet on the other side; null if unknown' },
];

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

/** SQL for what a trade was in: its token, or its outcome where a source names no tokens. Unique within a market. */
const tokenOf = (trade: string): string => `coalesce(${trade}.token, 'outcome ' || ${trade}.outcomeIndex, '')`;

/**
 * SQL for an amount in whole 1e-6. Up to a billion the nearest double times 10^6 is off by less than a quarter, so that
 * rounding gives the number itself; beyond, 128-bit decimals do, four times as slow.
 */
const micros = (sql: string): string => `CASE WHEN abs(${sql}) < 1000000000 THEN round(${sql}::DOUBLE * 1000000)::BIGINT
    ELSE (${sql}::DECIMAL(38, 6) * 1000000)::BIGINT END`;

/**
 * Checks the trades and writes their facts into `folder`, out of core. The files have the same bytes whatever the
 * threads and the memory limit of `duck`.
 *
 * @param trades path of canonical trades, one Parquet file or a folder of them, ordered by seq
 */
export async function factsOf(duck: Duck, trades: string, folder: string): Promise<Extent> {
  const files = factFiles(folder);
  const relation = `read_parquet([${parquetFiles(trades).map(quote).join(', ')}])`;
  const extent = await checkTrades(duck, relation, trades);
  await mkdir(folder, { recursive: true });
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
    await copyToParquet(
      duck,
      `SELECT w.wallet, t.seq, k.market, k.token, epoch_us(t."time") AS "time", ${micros('t.usd')} AS usd,
         ${micros('t.shares')} AS shares, ${micros('t.fee')} AS fee,
         ((t.side = 'BUY')::INTEGER + 2 * coalesce(t.outcomeIndex, ${OUTCOME_UNKNOWN})
           + 8 * CASE t.role WHEN 'taker' THEN ${ROLE_TAKER} WHEN 'maker' THEN ${ROLE_MAKER} ELSE ${ROLE_UNKNOWN} END)::UTINYINT AS flags,
         c.wallet AS counterparty
       FROM ${relation} t JOIN fact_wallets w ON w.address = t.wallet LEFT JOIN fact_wallets c ON c.address = t.counterparty
         JOIN fact_tokens k ON k.marketName = t.market AND k.key = ${tokenOf('t')}
       ORDER BY w.wallet, t.seq`,
      files.facts,
      factColumns,
    );
    const [written] = await duck.rows<{ rows: number }>(
      `SELECT count(*)::DOUBLE AS "rows" FROM read_parquet(${quote(files.facts)})`,
    );
    if (written?.rows !== extent.rows)
      throw new FathomError('internal', `${written?.rows} facts were made of ${extent.rows} trades of ${trades}`);
  } finally {
    await duck.run('DROP TABLE IF EXISTS fact_wallets; DROP TABLE IF EXISTS fact_tokens');
  }
  return extent;
}

/** Makes the tables `fact_wallets` and `fact_tokens`, with the numbers of all that the trades name. */
async function numberNames(duck: Duck, relation: string, trades: string): Promise<void> {
  await duck.run(`CREATE TABLE fact_wallets AS
    SELECT (row_number() OVER (ORDER BY place) - 1)::INTEGER AS wallet, address, fills::BIGINT AS fills, firstAt FROM (
      SELECT address, min(place) AS place, sum(fills) AS fills, min("time") AS firstAt FROM (
        SELECT wallet AS address, 2 * seq::HUGEINT AS place, 1 AS fills, "time" FROM ${relation}
        UNION ALL SELECT counterparty, 2 * seq::HUGEINT + 1, 0, NULL FROM ${relation} WHERE counterparty IS NOT NULL)
      GROUP BY address)`);
  await duck.run(`CREATE TABLE fact_tokens AS
    WITH present AS (SELECT market, event, token, outcomeIndex, min(seq) AS place FROM ${relation} GROUP BY ALL),
    named AS (SELECT t.market AS marketName, ${tokenOf('t')} AS key, min(t.place) AS place,
        arg_min(t.event, t.place) AS eventName, min(t.token) AS name, min(t.outcomeIndex) AS outcome,
        max(t.outcomeIndex) AS otherOutcome
      FROM present t GROUP BY ALL),
    placed AS (SELECT * REPLACE (first_value(eventName) OVER market AS eventName),
        min(place) OVER (PARTITION BY marketName) AS marketPlace FROM named
      WINDOW market AS (PARTITION BY marketName ORDER BY place))
    SELECT CASE key WHEN '' THEN ${TOKEN_UNKNOWN} ELSE row_number() OVER (PARTITION BY key = '' ORDER BY place) - 1
        END::INTEGER AS token, (dense_rank() OVER (ORDER BY marketPlace) - 1)::INTEGER AS market,
      (dense_rank() OVER (ORDER BY eventPlace) - 1)::INTEGER AS event, marketName, eventName, key, name, outcome,
      otherOutcome
    FROM (SELECT *, min(place) OVER (PARTITION BY eventName) AS eventPlace FROM placed)`);
  const [torn] = await duck.rows<{ key: string; marketName: string }>(
    'SELECT key, marketName FROM fact_tokens WHERE outcome <> otherOutcome ORDER BY token LIMIT 1',
  );
  if (torn !== undefined)
    throw new FathomError('data', `${trades}: token "${torn.key}" of market "${torn.marketName}" is both outcomes`);
}
