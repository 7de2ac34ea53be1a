/** Rows of markets of all files to canonical tables, after what contradicts itself has stopped the import. */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { categorySql } from '../categories.ts';
import type { Source } from '../records/tally.ts';
import { copyCanonical } from '../write-canonical.ts';

export interface MarketPaths {
  readonly markets: string;
  readonly events: string;
  readonly resolutions: string;
  readonly feeSchedules: string;
  /** A folder for temporary files. */
  readonly scratch: string;
}

/** Columns of a row of `MarketFacts` on its way to DuckDB, and whence it came. */
export const marketRowColumns = {
  n: 'BIGINT',
  file: 'INTEGER',
  place: 'BIGINT',
  market: 'VARCHAR',
  event: 'VARCHAR',
  question: 'VARCHAR',
  slug: 'VARCHAR',
  outcome0: 'VARCHAR',
  outcome1: 'VARCHAR',
  token0: 'VARCHAR',
  token1: 'VARCHAR',
  createdAt: 'BIGINT',
  closedAt: 'BIGINT',
  updatedAt: 'BIGINT',
  payout0: 'DOUBLE',
  finalAt: 'BIGINT',
  knowableAt: 'BIGINT',
  eventFacts: 'STRUCT(title VARCHAR, slug VARCHAR, negRisk BOOLEAN, startAt BIGINT, endAt BIGINT, closedAt BIGINT)',
  fee: 'STRUCT(rate DOUBLE, exponent DOUBLE, takerOnly BOOLEAN, rebateShare DOUBLE)',
} as const;

/** Makes the tables `market_rows`, and `payouts` of those that have paid. */
export async function createMarketRows(duck: Duck, relation: string): Promise<void> {
  await duck.run(`CREATE TABLE market_rows AS SELECT * FROM ${relation};
    CREATE TABLE payouts AS SELECT market, payout0, finalAt, knowableAt, file, place FROM market_rows WHERE payout0 IS NOT NULL`);
}

interface Contradiction {
  readonly subject: string;
  readonly file: number;
  readonly place: number;
  readonly otherFile: number;
  readonly otherPlace: number;
}

/** A market has one pair of tokens, a token one market and outcome, a market one payout. Whatever says otherwise stops. */
export async function refuseContradictions(duck: Duck, sources: readonly Source[]): Promise<void> {
  const claims = [
    {
      sql: "SELECT market AS subject, token0 || ' ' || token1 AS claim, file, place FROM market_rows",
      what: (market: string) => `market ${market} has two pairs of tokens`,
    },
    {
      sql: `SELECT token0 AS subject, market || ' 0' AS claim, file, place FROM market_rows
        UNION ALL SELECT token1, market || ' 1', file, place FROM market_rows`,
      what: (token: string) => `token ${token} stands for two outcomes or markets`,
    },
    {
      sql: 'SELECT market AS subject, payout0::VARCHAR AS claim, file, place FROM payouts',
      what: (market: string) => `market ${market} has two different resolutions`,
    },
  ];
  for (const { sql, what } of claims) {
    const [found] = await duck.rows<Contradiction>(`WITH claims AS (${sql}),
      firsts AS (SELECT subject, arg_min({claim: claim, file: file, place: place}, (file, place)) AS a FROM claims GROUP BY subject)
      SELECT subject, file, place::DOUBLE AS place, a.file AS "otherFile", a.place::DOUBLE AS "otherPlace"
      FROM claims JOIN firsts USING (subject) WHERE claim <> a.claim ORDER BY file, place, subject LIMIT 1`);
    if (found === undefined) continue;
    const source = sources[found.file] as Source;
    const other = sources[found.otherFile] as Source;
    throw new FathomError(
      'data',
      `${what(found.subject)}; the other one is ${other.file}:${await other.lineOf(found.otherPlace)}`,
      {
        at: { file: source.file, line: await source.lineOf(found.place) },
        hint: 'One of the two is wrong: find out which, and take it out.',
      },
    );
  }
}

export interface MarketCounts {
  readonly markets: number;
  readonly events: number;
  readonly resolutions: number;
  readonly feeSchedules: number;
  /** Rows that count, by number of the file. */
  readonly keptOfFile: ReadonlyMap<number, number>;
}

const time = (column: string): string => `make_timestamp(${column}) AS ${column.split('.').at(-1)}`;

/** Writes the four tables from `market_rows` and `payouts`. */
export async function writeMarketTables(duck: Duck, paths: MarketPaths): Promise<MarketCounts> {
  await duck.run(`CREATE TABLE last_rows AS SELECT * FROM market_rows
    QUALIFY row_number() OVER (PARTITION BY market ORDER BY updatedAt DESC NULLS LAST, n DESC) = 1`);
  await copyCanonical(
    duck,
    'markets',
    `SELECT market, event, question, slug, ${categorySql("question || ' ' || coalesce(slug, '')")} AS category,
       outcome0, outcome1, token0, token1, ${time('createdAt')}, ${time('closedAt')} FROM last_rows`,
    paths.markets,
  );
  await copyCanonical(
    duck,
    'events',
    `SELECT event, title, slug, ${categorySql("coalesce(title, '') || ' ' || coalesce(slug, '')")} AS category, negRisk,
       ${time('startAt')}, ${time('endAt')}, ${time('closedAt')}
     FROM (SELECT event, unnest(eventFacts) FROM (SELECT event, eventFacts FROM last_rows WHERE eventFacts IS NOT NULL
       QUALIFY row_number() OVER (PARTITION BY event ORDER BY updatedAt DESC NULLS LAST, n DESC) = 1))`,
    paths.events,
  );
  // Where sources agree on the payout but not on the time, the latest is the safe one.
  await copyCanonical(
    duck,
    'resolutions',
    `SELECT market, any_value(payout0) AS payout0, 1 - any_value(payout0) AS payout1, NULL AS proposedAt,
       make_timestamp(max(finalAt)) AS finalAt, make_timestamp(coalesce(max(finalAt), min(knowableAt))) AS knowableAt
     FROM payouts GROUP BY market`,
    paths.resolutions,
  );
  await copyCanonical(duck, 'feeSchedules', feeScheduleSql, paths.feeSchedules);
  const count = async (file: string): Promise<number> => {
    const [row] = await duck.rows<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM read_parquet(${quote(file)})`);
    return row?.n ?? 0;
  };
  const kept = await duck.rows<{ file: number; rows: number }>(
    'SELECT file, count(*)::DOUBLE AS "rows" FROM last_rows GROUP BY file ORDER BY file',
  );
  return {
    markets: await count(paths.markets),
    events: await count(paths.events),
    resolutions: await count(paths.resolutions),
    feeSchedules: await count(paths.feeSchedules),
    keptOfFile: new Map(kept.map(({ file, rows }) => [file, rows])),
  };
}

/**
 * A row shows a schedule, not since when it holds: the oldest row's is taken to hold from the opening of the market, a
 * different one from the moment at which a row first shows it.
 */
const feeScheduleSql = `
  SELECT market, make_timestamp(CASE WHEN before IS NULL THEN coalesce(createdAt, updatedAt) ELSE updatedAt END) AS effectiveFrom,
    fee.rate AS rate, fee.exponent AS exponent, fee.takerOnly AS takerOnly, fee.rebateShare AS rebateShare
  FROM (SELECT *, lag(fee) OVER (PARTITION BY market ORDER BY updatedAt NULLS FIRST, n) AS before
    FROM market_rows WHERE fee IS NOT NULL)
  WHERE (before IS NULL OR before <> fee) AND coalesce(createdAt, updatedAt) IS NOT NULL
    AND (before IS NULL OR updatedAt IS NOT NULL)`;
