/**
 * Made-up files of Polymarket trades, as poly_data writes them (version 1), of any size: trades.csv, markets.csv and
 * resolutions.csv (which is ours). All values come from hashes of row numbers, so the same size gives the same bytes.
 *
 * Heavy tails where the venue has them: half of the sides of matches belong to 1 % of the wallets, a few markets get
 * most of the trades, sizes are log-normal. Each match is two rows, the maker's fill and the taker's summary whose taker
 * is an exchange contract; three in ten matches mint (both sides buy, one of each token). Unlike the venue's, wallets
 * choose their markets independently, so they come back to a market less often than people do.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Rows, wallets and markets of the sizes that are measured. */
export const sizes = {
  '1m': { rows: 1_000_000, wallets: 30_000, markets: 6_000 },
  '10m': { rows: 10_000_000, wallets: 300_000, markets: 60_000 },
  '100m': { rows: 100_000_000, wallets: 1_500_000, markets: 300_000 },
};

const words = [
  'the senate race',
  'an election in Ohio',
  'the fed cutting rates',
  'Trump speaking',
  'the NFL final',
  'the NBA finals',
  'a UFC fight',
  'the premier league match',
  'bitcoin above its high',
  'the price of ethereum',
  'a solana etf',
  'rain in Seattle',
  'the best picture',
  'a record of visitors',
  'a launch',
  'the top film',
];

/** The first of 730 days. */
const start = "TIMESTAMP '2023-07-01'";
const seconds = (sql) => `${start} + to_seconds(${sql})`;

/** Makes the three files in `folder` if they are not there, and returns their paths and the bytes of the trades. */
export async function makePolyData(folder, { rows, wallets, markets }, memoryMb = 2000) {
  const files = Object.fromEntries(
    ['trades', 'markets', 'resolutions'].map((name) => [name, path.join(folder, `${name}.csv`)]),
  );
  if (!existsSync(files.trades)) await generate(folder, files, { rows, wallets, markets }, memoryMb);
  return { ...files, bytes: statSync(files.trades).size };
}

async function generate(folder, files, { rows, wallets, markets }, memoryMb) {
  mkdirSync(folder, { recursive: true });
  const scratch = path.join(folder, 'scratch');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: `${memoryMb}MB`,
    temp_directory: scratch,
    preserve_insertion_order: 'true',
  });
  const duck = await instance.connect();
  const matches = path.join(folder, 'matches.parquet');
  try {
    await duck.run(`
      CREATE MACRO uniform(i, stream) AS (hash(i * 1000 + stream) >> 11)::DOUBLE / 9007199254740992;
      CREATE MACRO address(w) AS '0x' || md5('wallet ' || w) || left(md5('more ' || w), 8);
      CREATE MACRO digits(k, stream) AS (hash(k, stream)::HUGEINT + 10000000000000000000)::VARCHAR
        || lpad(hash(k, stream + 1)::VARCHAR, 20, '7') || lpad(hash(k, stream + 2)::VARCHAR, 20, '3')
        || left(lpad(hash(k, stream + 3)::VARCHAR, 20, '9'), 17);
      CREATE MACRO heavy(i, stream, n) AS CASE WHEN uniform(i, stream) < 0.5
        THEN floor(0.01 * n * pow(uniform(i, stream + 1), 2))
        ELSE floor(0.01 * n) + floor(0.99 * n * pow(uniform(i, stream + 1), 2)) END::INTEGER;
      CREATE TABLE market AS SELECT k, 200000 + k AS id, k // 3 AS event,
          [${words.map((word) => `'${word}'`).join(', ')}][1 + (hash(k, 1) % ${words.length})::INTEGER] AS words,
          (uniform(k, 2) * 86400 * 700)::BIGINT AS opens,
          CASE WHEN uniform(k, 3) < 0.23 THEN 3600 + uniform(k, 4) * 82800
            WHEN uniform(k, 3) < 0.68 THEN 86400 + uniform(k, 4) * 518400
            ELSE 604800 + uniform(k, 4) * 173 * 86400 END::BIGINT AS lasts,
          0.02 + 0.96 * uniform(k, 5) AS chance
        FROM range(${markets}) t(k)`);
    await duck.run(`COPY (SELECT strftime(${seconds('opens')}, '%Y-%m-%dT%H:%M:%SZ') AS "createdAt", id,
          'Will there be ' || words || ', number ' || k || '?' AS question, 'Yes' AS answer1, 'No' AS answer2,
          event % 5 = 0 AS neg_risk, 'market-' || k AS market_slug, digits(k, 10) AS token1, digits(k, 20) AS token2,
          '0x' || sha256('condition ' || k) AS condition_id, round(1e5 * uniform(k, 6), 2) AS volume,
          'event-' || event AS ticker, strftime(${seconds('opens + lasts')}, '%Y-%m-%d %H:%M:%S+00') AS "closedTime"
        FROM market ORDER BY k) TO '${files.markets}' (HEADER)`);
    await duck.run(`COPY (SELECT id AS market_id, payout AS payout1, 1 - payout AS payout2,
          strftime(${seconds('opens + lasts + 7200')}, '%Y-%m-%dT%H:%M:%SZ') AS final_at
        FROM (SELECT *, CASE WHEN uniform(k, 7) < 0.01 THEN 0.5 WHEN uniform(k, 8) < chance THEN 1 ELSE 0 END AS payout
          FROM market WHERE uniform(k, 9) < 0.93)
        ORDER BY id) TO '${files.resolutions}' (HEADER)`);
    await duck.run(`COPY (SELECT i, m.id, (m.opens + uniform(i, 101) * m.lasts)::BIGINT AS "at",
          greatest(1, least(99, round(100 * (0.1 + 0.8 * m.chance) + 30 * (uniform(i, 102) - 0.5))))::INTEGER AS cents,
          -- Hundredths of a token, log-normal.
          greatest(100, round(100 * exp(3 + 1.6 * sqrt(-2 * ln(1 - uniform(i, 103)))
            * cos(6.283185307179586 * uniform(i, 104)))))::BIGINT AS lots,
          heavy(i, 105, ${wallets}) AS maker, heavy(i, 107, ${wallets}) AS taker, (hash(i, 3) % 20)::INTEGER AS kind
        FROM (SELECT i, floor(${markets} * pow(uniform(i, 100), 3))::INTEGER AS k FROM range(${rows / 2}) t(i))
          JOIN market m USING (k) ORDER BY "at", i) TO '${matches}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
    // kind: 0-5 mints, 6-12 the maker buys, 13-19 the maker sells; even ones are in the first token.
    await duck.run(`COPY (SELECT strftime(${seconds('"at"')}, '%Y-%m-%dT%H:%M:%S.000000') AS "timestamp", id AS market_id,
          address(CASE WHEN own THEN maker ELSE taker END) AS maker,
          CASE WHEN own THEN address(taker) WHEN i % 3 = 0 THEN '0xc5d563a36ae78145c45a50134d48a1215220f80a'
            ELSE '0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e' END AS taker,
          CASE WHEN (kind % 2 = 0) <> (kind < 6 AND own) THEN 'token1' ELSE 'token2' END AS nonusdc_side,
          CASE WHEN buys THEN 'BUY' ELSE 'SELL' END AS maker_direction,
          CASE WHEN buys THEN 'SELL' ELSE 'BUY' END AS taker_direction,
          (own_cents * lots / 1e4) / (lots / 1e2) AS price, own_cents * lots / 1e4 AS usd_amount,
          lots / 1e2 AS token_amount, '0x' || sha256('match ' || i) AS "transactionHash"
        FROM (SELECT *, CASE WHEN kind < 6 AND own THEN 100 - cents ELSE cents END AS own_cents,
            kind < 6 OR (kind < 13) = own AS buys
          FROM (SELECT *, unnest([true, false]) AS own FROM read_parquet('${matches}'))))
      TO '${files.trades}.part' (FORMAT csv, HEADER)`);
    renameSync(`${files.trades}.part`, files.trades);
  } finally {
    duck.closeSync();
    instance.closeSync();
    rmSync(matches, { force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}
