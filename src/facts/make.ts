/** Makes a folder of facts from canonical trades. */
import { mkdir } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import type { ColumnSpec } from '../tables/columns.ts';
import { copyToParquet, type Duck, quote } from '../tables/duck.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { checkTrades, type Extent, refuseNameless } from './check.ts';
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

/** Few columns have fewer values in a row group, and looking for more of them takes longer than it saves. */
const DICTIONARY_LIMIT = 3000;

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
 * @param hash SQL function of one text or two that rarely gives the same number twice
 */
export async function factsOf(duck: Duck, trades: string, folder: string, hash = 'hash'): Promise<Extent> {
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
    // A fill without a counterparty has the hash of null, which must be no wallet's either.
    const walletKey = await keyBy(duck, hash, '(SELECT address FROM fact_wallets UNION ALL SELECT NULL)', 'address');
    const tokenKey = await keyBy(duck, hash, 'fact_tokens', 'marketName, key');
    const wallets = `(SELECT wallet, ${walletKey('address')} AS name FROM fact_wallets)`;
    await copyToParquet(
      duck,
      `SELECT w.wallet, t.seq, k.market, k.token, epoch_us(t."time") AS "time", ${micros('t.usd')} AS usd,
         ${micros('t.shares')} AS shares, ${micros('t.fee')} AS fee,
         ((t.side = 'BUY')::INTEGER + 2 * coalesce(t.outcomeIndex, ${OUTCOME_UNKNOWN})
           + 8 * CASE t.role WHEN 'taker' THEN ${ROLE_TAKER} WHEN 'maker' THEN ${ROLE_MAKER} ELSE ${ROLE_UNKNOWN} END)::UTINYINT AS flags,
         c.wallet AS counterparty
       FROM ${relation} t JOIN ${wallets} w ON w.name = ${walletKey('t.wallet')}
         LEFT JOIN ${wallets} c ON c.name = ${walletKey('t.counterparty')}
         JOIN (SELECT market, token, ${tokenKey('marketName, key')} AS name FROM fact_tokens) k
           ON k.name = ${tokenKey(`t.market, ${tokenOf('t')}`)}
       ORDER BY w.wallet, t.seq`,
      files.facts,
      factColumns,
      DICTIONARY_LIMIT,
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

/**
 * SQL of what stands for texts where they are looked up: their hash, as long as all of `relation` differ in it, since
 * comparing numbers takes half the time; else the texts themselves.
 */
async function keyBy(
  duck: Pick<Duck, 'rows'>,
  hash: string,
  relation: string,
  texts: string,
): Promise<(texts: string) => string> {
  const [found] = await duck.rows<{ differ: boolean }>(
    `SELECT count(*) = count(DISTINCT ${hash}(${texts})) AS differ FROM ${relation}`,
  );
  return found?.differ === true ? (of) => `${hash}(${of})` : (of) => `row(${of})`;
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
