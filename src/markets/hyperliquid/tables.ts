/** From staged rows to canonical tables: repeated rows, contradictions, times of use, order. All in SQL, out of core. */
import { copyToParquet, type Duck, identifier, quote } from '../../tables/duck.ts';
import { type PerpetualTable, perpetualColumns } from './canonical.ts';
import type { Staging } from './staging.ts';

const PLACE = 'file, line, item';

/** Columns that tell one record from another; `keep` leaves repeated ones of the first four tables in. */
const identity: Readonly<Record<PerpetualTable, string>> = {
  // The same match may be in the trades of a coin and in the fills of an account; there it has more to say.
  fills: `wallet, coin, side, price, size, tradeId, CASE WHEN tradeId IS NULL THEN concat_ws(' ', time, role, direction,
    startPosition, closedPnlUsd, fee, orderId, "transaction") END`,
  prints: 'coin, time, side, price, size, buyer, seller, tradeId',
  quotes: 'coin, time, bid, bidSize, ask, askSize',
  books: 'coin, time, bids, asks',
  candles: 'coin, "interval", time',
  blocks: 'block',
  transactions: '"transaction"',
};

/** Values in which two rows of one key may not differ. */
const values: Partial<Record<PerpetualTable, string>> = {
  candles: 'closesAt, open, high, low, close, volume, trades',
  blocks: 'time, hash',
  transactions: 'block, wallet, recipient, valueHype, callsContract',
};

/** What was left out of a table, by file. */
export interface LeftOut {
  readonly file: number;
  readonly repeated: number;
  readonly contradicting: number;
  /** First line of a contradicting row; null without one. */
  readonly line: number | null;
}

/**
 * Makes the DuckDB table `checked_<table>`: staged rows with `seenAt`, from when on they count, and `verdict`, which is
 * `first`, `repeated` (it says nothing new) or `contradicting` (it differs from an earlier row of the same key).
 */
export async function judge(duck: Duck, staging: Staging, table: PerpetualTable): Promise<readonly LeftOut[]> {
  const differing = values[table];
  const best = table === 'fills' ? `startPosition IS NULL, ${PLACE}` : PLACE;
  const over = `OVER (PARTITION BY ${identity[table]} ORDER BY ${best})`;
  const source = table === 'candles' ? finishedCandles(staging) : staging.relation(table);
  const verdict =
    differing === undefined
      ? `CASE WHEN row_number() ${over} = 1 THEN 'first' ELSE 'repeated' END`
      : `CASE WHEN row_number() ${over} = 1 THEN 'first'
          WHEN (first_value(row(${differing})) ${over}) IS NOT DISTINCT FROM row(${differing}) THEN 'repeated'
          ELSE 'contradicting' END`;
  await duck.run(`CREATE OR REPLACE TABLE ${checked(table)} AS SELECT *, ${verdict} AS verdict FROM ${source}`);
  // A match that names its users is one record though it makes two fills: it counts as a print.
  const records = table === 'fills' ? 'AND counterparty IS NULL' : '';
  return duck.rows<LeftOut>(
    `SELECT file::DOUBLE AS file, count(DISTINCT (line, item)) FILTER (verdict = 'repeated' ${records})::DOUBLE AS repeated,
       count(*) FILTER (verdict = 'contradicting')::DOUBLE AS contradicting,
       min(line) FILTER (verdict = 'contradicting')::DOUBLE AS line
     FROM ${checked(table)} GROUP BY file ORDER BY file`,
  );
}

const checked = (table: PerpetualTable): string => identifier(`checked_${table}`);

/**
 * Candles that are known to be complete. A recorder's are, from their receipt. A feed of updates says so only by the
 * first message of a later candle of the same coin and interval: until then the last update may be followed by another.
 */
function finishedCandles(staging: Staging): string {
  const staged = staging.relation('candles');
  return `(SELECT s.*, CASE WHEN s.complete THEN s.receivedAt ELSE l.laterAt END AS seenAt
    FROM ${staged} s JOIN (
      SELECT coin, "interval", time, min(firstAt) OVER (PARTITION BY coin, "interval" ORDER BY time DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS laterAt
      FROM (SELECT coin, "interval", time, min(receivedAt) AS firstAt FROM ${staged} GROUP BY ALL)) l
    USING (coin, "interval", time)
    WHERE s.complete OR s.receivedAt <= l.laterAt
    QUALIFY s.complete OR row_number() OVER (PARTITION BY coin, "interval", time, s.complete
      ORDER BY s.receivedAt DESC, file DESC, line DESC, item DESC) = 1)`;
}

/** Candles that were still forming when the recording ended, and updates that a later one replaced. */
export async function unfinishedCandles(duck: Duck, staging: Staging): Promise<{ forming: number; replaced: number }> {
  const [found] = await duck.rows<{ forming: number; replaced: number }>(
    `SELECT count(DISTINCT (coin, "interval", time))::DOUBLE AS forming,
       ((SELECT count(*) FROM ${staging.relation('candles')}) - (SELECT count(*) FROM ${checked('candles')}) - count(*))::DOUBLE AS replaced
     FROM ${staging.relation('candles')} ANTI JOIN ${checked('candles')} USING (coin, "interval", time)`,
  );
  return found as { forming: number; replaced: number };
}

const stamp = (column: string): string => `make_timestamp(${column})`;

/** Rows of a canonical table in its order, from `checked_<table>`. */
function rowsOf(table: PerpetualTable, duplicates: 'keep' | 'drop-exact'): string {
  const ofEvents = ['fills', 'prints', 'quotes', 'books'].includes(table);
  const from = `FROM ${checked(table)} c WHERE ${ofEvents && duplicates === 'keep' ? 'true' : "verdict = 'first'"}`;
  const times = `${stamp('c.time')} AS time, ${stamp('c.receivedAt')} AS receivedAt`;
  const usable = 'greatest(c.time, c.receivedAt)';
  const knowable = `${stamp(usable)} AS knowableAt`;
  const place = 'c.file, c.line, c.item';
  switch (table) {
    case 'fills':
      return `SELECT c.* REPLACE (${times}), row_number() OVER (ORDER BY c.time, ${place}) - 1 AS seq,
        ${stamp('greatest(c.receivedAt, c.time + c.timeResolutionMs * 1000 - 1)')} AS knowableAt ${from} ORDER BY seq`;
    case 'prints':
      return `SELECT c.* REPLACE (${times}), ${knowable}, row_number() OVER (ORDER BY c.time, ${place}) - 1 AS seq
        ${from} ORDER BY seq`;
    case 'quotes':
      return `SELECT c.* REPLACE (${times}), ${knowable} ${from} ORDER BY c.coin, ${usable}, c.time, ${place}`;
    case 'books': {
      const levels = (side: 'BID' | 'ASK', column: string): string =>
        `SELECT snapshot, coin, time, receivedAt, knowableAt, '${side}' AS side, unnest(string_split(${column}, ' ')) AS one,
           generate_subscripts(string_split(${column}, ' '), 1) - 1 AS "level" FROM snapshots WHERE ${column} IS NOT NULL`;
      return `WITH snapshots AS (SELECT c.* REPLACE (${times}), ${knowable},
          row_number() OVER (ORDER BY c.coin, ${usable}, c.time, ${place}) - 1 AS snapshot ${from})
        SELECT *, split_part(one, ':', 1) AS price, split_part(one, ':', 2) AS size,
          nullif(split_part(one, ':', 3), '') AS orders
        FROM (${levels('BID', 'bids')} UNION ALL ${levels('ASK', 'asks')}) ORDER BY snapshot, side, "level"`;
    }
    case 'candles':
      return `SELECT c.* REPLACE (${stamp('c.time')} AS time, ${stamp('c.closesAt')} AS closesAt),
        ${stamp('greatest(c.closesAt, c.seenAt)')} AS knowableAt ${from} ORDER BY c.coin, c."interval", c.time`;
    case 'blocks':
      return `SELECT c.* REPLACE (${times}), ${knowable} ${from} ORDER BY c.block`;
    case 'transactions':
      return `SELECT c.* REPLACE (${stamp('c.receivedAt')} AS receivedAt), ${stamp('b.time')} AS time,
        ${stamp('greatest(b.time, c.receivedAt)')} AS knowableAt
        FROM ${checked(table)} c LEFT JOIN (SELECT block, time FROM checked_blocks WHERE verdict = 'first') b USING (block)
        WHERE c.verdict = 'first' ORDER BY c.block, c.place, c."transaction"`;
  }
}

/** Writes a canonical table from what `judge` left in DuckDB. */
export async function writeTable(
  duck: Duck,
  table: PerpetualTable,
  duplicates: 'keep' | 'drop-exact',
  file: string,
): Promise<void> {
  const columns = perpetualColumns[table];
  const typed = columns.map(({ name, type }) => `${identifier(name)}::${type} AS ${identifier(name)}`).join(', ');
  await copyToParquet(
    duck,
    `SELECT ${typed} FROM (${rowsOf(table, duplicates)})`,
    file,
    columns.map(({ type: _, ...spec }) => spec),
  );
}

/** What a table holds and how gapless it is. */
export interface Coverage {
  readonly rows: number;
  readonly coins: number | null;
  /** UTC milliseconds; null in an empty table. */
  readonly from: number | null;
  readonly to: number | null;
  /** Longest time between two rows of one coin, seconds; null below two rows. */
  readonly longestGap: number | null;
  /** Median of receipt less exchange time, milliseconds; null where receipt is unknown. */
  readonly delay: number | null;
}

export async function coverageOf(duck: Duck, table: PerpetualTable, file: string): Promise<Coverage> {
  const names = perpetualColumns[table].map(({ name }) => name);
  const coins = names.includes('coin') ? 'count(DISTINCT coin)::DOUBLE' : 'NULL';
  const rows = table === 'books' ? 'count(DISTINCT snapshot)' : 'count(*)';
  const delay =
    table !== 'candles' && names.includes('receivedAt')
      ? 'median((epoch_us(receivedAt) - epoch_us(time)) / 1000)::DOUBLE'
      : 'NULL::DOUBLE';
  const [found] = await duck.rows<Coverage>(
    `SELECT ${rows}::DOUBLE AS "rows", ${coins} AS coins, epoch_ms(min(time))::DOUBLE AS "from",
       epoch_ms(max(time))::DOUBLE AS "to", (max(gap) / 1e6)::DOUBLE AS "longestGap", ${delay} AS delay
     FROM (SELECT *, epoch_us(time) - lag(epoch_us(time)) OVER (${coins === 'NULL' ? '' : 'PARTITION BY coin '}ORDER BY time) AS gap FROM read_parquet(${quote(file)}))`,
  );
  return found as Coverage;
}
