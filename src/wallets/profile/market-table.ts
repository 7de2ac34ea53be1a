/** What is known of every traded market, by the numbers that facts give. */
import { FathomError } from '../../errors.ts';
import { factFiles } from '../../facts/layout.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { streamNumbers } from '../../tables/stream.ts';
import { topicSql } from './original-words.ts';

export const categories = ['politics', 'sports', 'crypto', 'other'] as const;

/** Paths of the folder of facts and of the canonical tables beside it. */
export interface ProfileSources {
  readonly facts: string;
  readonly markets: string;
  readonly resolutions?: string | undefined;
  /** Table of `wallet` and `fundedAt`. */
  readonly funding?: string | undefined;
}

/** All arrays lie in shared memory, so that worker threads read the same ones. Times in microseconds. */
export interface MarketTable {
  readonly count: number;
  readonly tokenCount: number;
  /** Number of the market's event. */
  readonly event: Int32Array;
  /** Index into `categories`. */
  readonly category: Uint8Array;
  /** Twice the payout of each outcome: 0, 1 or 2. */
  readonly half0: Uint8Array;
  readonly half1: Uint8Array;
  /** When the payout could be known; Infinity while it is not. */
  readonly knowableAt: Float64Array;
  /** When it closed or its payout could be known, whichever came first; Infinity while neither is known. */
  readonly closedAt: Float64Array;
  /** NaN if unknown. */
  readonly createdAt: Float64Array;
  /** Bits of `topics` that its words hold, for `definitions: original`; 0 where they are not asked for. */
  readonly topics: Uint8Array;
}

export const sharedFloats = (size: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * size));
export const sharedInts = (size: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * size));
const sharedBytes = (size: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(size));

/**
 * Reads the markets and leaves them in the database as table `market_facts` (market, event, half0, half1, knowableAt,
 * closedAt; times in microseconds, null while unknown). Without resolutions no market is ever resolved.
 *
 * @param topics true to look for words in slugs and questions, which takes as long as all else
 */
export async function readMarketTable(
  duck: Duck,
  sources: ProfileSources,
  { topics = false }: { readonly topics?: boolean } = {},
): Promise<MarketTable> {
  for (const [path, name] of [
    [sources.markets, 'markets'],
    [sources.resolutions, 'resolutions'],
  ] as const) {
    if (path === undefined) continue;
    const [twice] = await duck.rows<{ market: string }>(
      `SELECT market FROM ${parquetRelation(path)} GROUP BY market HAVING count(*) > 1 ORDER BY market LIMIT 1`,
    );
    if (twice !== undefined)
      throw new FathomError('data', `${path}: market "${twice.market}" has several rows among the ${name}`);
  }
  const has = await columnsOf(duck, sources.markets);
  const listed = (name: string, type: string): string => (has.has(name) ? `m."${name}"` : `NULL::${type}`);
  const resolutions =
    sources.resolutions === undefined
      ? '(SELECT NULL::VARCHAR AS market, NULL::DOUBLE AS payout0, NULL::DOUBLE AS payout1, NULL::TIMESTAMP AS knowableAt WHERE false)'
      : parquetRelation(sources.resolutions);
  const list = categories.map((c) => quote(c)).join(', ');
  const numbered = factFiles(sources.facts);
  await duck.run(`CREATE OR REPLACE TABLE market_facts AS
    SELECT f.market, f.event, coalesce(list_position([${list}], m.category), 4) - 1 AS category,
      r.market IS NOT NULL AND r.knowableAt IS NOT NULL AS resolved, 2 * r.payout0 AS half0, 2 * r.payout1 AS half1,
      epoch_us(r.knowableAt) AS knowableAt,
      least(epoch_us(r.knowableAt), epoch_us(${listed('closedAt', 'TIMESTAMP')})) AS closedAt,
      epoch_us(${listed('createdAt', 'TIMESTAMP')}) AS createdAt,
      ${topics ? topicSql(listed('slug', 'VARCHAR'), listed('question', 'VARCHAR')) : 0} AS topics
    FROM read_parquet(${quote(numbered.markets)}) f LEFT JOIN ${parquetRelation(sources.markets)} m ON m.market = f.name
      LEFT JOIN ${resolutions} r ON r.market = f.name`);
  const [odd] = await duck.rows<{ half0: number; half1: number }>(
    `SELECT half0::DOUBLE AS half0, half1::DOUBLE AS half1 FROM market_facts
     WHERE resolved AND NOT coalesce(half0 IN (0, 1, 2) AND half0 + half1 = 2, false) ORDER BY market LIMIT 1`,
  );
  if (odd !== undefined)
    throw new FathomError(
      'data',
      `${sources.resolutions}: a market pays ${odd.half0 / 2} and ${odd.half1 / 2}; payouts are 0, 0.5 or 1 and sum to 1`,
    );
  const [size] = await duck.rows<{ markets: number; tokens: number }>(
    `SELECT count(*)::DOUBLE AS markets,
       (SELECT coalesce(max(token) + 1, 0) FROM read_parquet(${quote(numbered.tokens)}))::DOUBLE AS tokens
     FROM market_facts`,
  );
  const count = size?.markets ?? 0;
  const table: MarketTable = {
    count,
    tokenCount: size?.tokens ?? 0,
    event: sharedInts(count),
    category: sharedBytes(count),
    half0: sharedBytes(count),
    half1: sharedBytes(count),
    knowableAt: sharedFloats(count),
    closedAt: sharedFloats(count),
    createdAt: sharedFloats(count),
    topics: sharedBytes(count),
  };
  const sql = `SELECT market::DOUBLE, event::DOUBLE, category::DOUBLE, half0::DOUBLE, half1::DOUBLE, knowableAt::DOUBLE,
      closedAt::DOUBLE, createdAt::DOUBLE, topics::DOUBLE FROM market_facts ORDER BY market`;
  const never = (time: number): number => (Number.isNaN(time) ? Number.POSITIVE_INFINITY : time);
  await streamNumbers(duck, sql, count, (columns, rows) => {
    for (let i = 0; i < rows; i++) {
      const [k, event, category, half0, half1, knowable, closed, created, topics] = columns.map((c) => c[i] as number);
      const at = k as number;
      table.event[at] = event as number;
      table.category[at] = category as number;
      table.half0[at] = half0 as number;
      table.half1[at] = half1 as number;
      table.knowableAt[at] = never(knowable as number);
      table.closedAt[at] = never(closed as number);
      table.createdAt[at] = created as number;
      table.topics[at] = topics as number;
    }
  });
  return table;
}

/** Names of the columns of a table. */
export async function columnsOf(duck: Pick<Duck, 'rows'>, path: string): Promise<ReadonlySet<string>> {
  const rows = await duck.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${parquetRelation(path)}`);
  return new Set(rows.map((row) => row.column_name));
}
