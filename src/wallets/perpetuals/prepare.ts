/** Puts fills beside what the market looked like: tables in DuckDB, out of core, in an order that cannot vary. */
import { FathomError } from '../../errors.ts';
import { type Duck, identifier, quote } from '../../tables/duck.ts';
import { createNumberTable, streamNumbers } from '../../tables/stream.ts';
import type { Tuple } from '../../tuple.ts';
import { type Ages, contextColumns, kinds, makeMatcher, mergedColumns, walkBook } from './context.ts';

/** Canonical tables of a perpetual exchange, as Parquet files. */
export interface PerpetualSources {
  readonly fills: string;
  readonly quotes?: string | undefined;
  readonly books?: string | undefined;
  readonly candles?: string | undefined;
  readonly transactions?: string | undefined;
}

export interface ContextOptions {
  readonly ages: Ages;
  /** How long after an execution its impact is measured, microseconds. */
  readonly impactHorizon: number;
  /** Candles of this length are used: `1m`. */
  readonly candleInterval: string;
}

export interface Extent {
  readonly wallets: number;
  readonly coins: number;
  readonly fills: number;
  readonly executions: number;
  /** Microseconds from which the first and the last fill was known. */
  readonly first: number;
  readonly last: number;
}

const micros = (column: string): string => `epoch_us(${column})::DOUBLE`;

/** Makes `wallet_ids` (id, wallet), `coin_ids`, `fill_rows` and `executions` of the fills. */
export async function prepareFills(duck: Duck, { fills }: PerpetualSources): Promise<Extent> {
  const file = `read_parquet(${quote(fills)})`;
  await duck.run(`CREATE TABLE wallet_ids AS
      SELECT (row_number() OVER (ORDER BY wallet) - 1)::DOUBLE AS id, wallet FROM (SELECT DISTINCT wallet FROM ${file});
    CREATE TABLE coin_ids AS
      SELECT (row_number() OVER (ORDER BY coin) - 1)::DOUBLE AS id, coin FROM (SELECT DISTINCT coin FROM ${file});
    CREATE TABLE party_ids AS
      SELECT (row_number() OVER (ORDER BY counterparty) - 1)::DOUBLE AS id, counterparty
      FROM (SELECT DISTINCT counterparty FROM ${file} WHERE counterparty IS NOT NULL)`);
  // An order's fills of one moment; where neither order nor transaction is told, each fill is on its own.
  await duck.run(`CREATE TABLE fill_rows AS SELECT f.*, w.id AS walletId, c.id AS coinId, p.id AS partyId,
      min(seq) OVER (PARTITION BY f.wallet, f.coin, "time", knowableAt, side, role, orderId,
        CASE WHEN orderId IS NULL THEN "transaction" END,
        CASE WHEN orderId IS NULL AND "transaction" IS NULL THEN seq END) AS execution
    FROM ${file} f JOIN wallet_ids w USING (wallet) JOIN coin_ids c USING (coin) LEFT JOIN party_ids p USING (counterparty)`);
  await duck.run(`CREATE TABLE executions AS SELECT execution, any_value(coinId) AS coinId, any_value("time") AS "time",
      any_value(timeResolutionMs) AS timeResolutionMs, any_value(side) AS side, any_value(role) AS role,
      sum(size) AS size, sum(usd) AS usd FROM fill_rows GROUP BY execution`);
  const [extent] = await duck.rows<Extent>(
    `SELECT (SELECT count(*) FROM wallet_ids)::DOUBLE AS wallets, (SELECT count(*) FROM coin_ids)::DOUBLE AS coins,
       count(*)::DOUBLE AS fills, (SELECT count(*) FROM executions)::DOUBLE AS executions,
       ${micros('min(knowableAt)')} AS "first", ${micros('max(knowableAt)')} AS "last" FROM fill_rows`,
  );
  const found = extent as Extent;
  if (found.fills === 0)
    throw new FathomError('data', 'there is no fill of any wallet', {
      hint: 'Trades without users say nothing of wallets: bring trades with users, or the fills of accounts.',
    });
  return found;
}

/** The rows that `makeMatcher` takes, in its order. */
function mergedRows(sources: PerpetualSources, options: ContextOptions): string {
  const numbers = (values: readonly string[]): string =>
    [...values, ...Array.from({ length: 7 - values.length }, () => 'NULL')]
      .map((value, i) => `(${value})::DOUBLE AS ${mergedColumns[i + 3]}`)
      .join(', ');
  const rows = (kind: number, at: string, values: readonly string[], tie: string, from: string): string =>
    `SELECT coinId AS coin, (${at})::DOUBLE AS moment, ${kind}::DOUBLE AS kind, ${numbers(values)}, (${tie})::BIGINT AS tie FROM ${from}`;
  const file = (path: string): string =>
    `(SELECT t.*, c.id AS coinId FROM read_parquet(${quote(path)}, file_row_number = true) t JOIN coin_ids c USING (coin))`;
  const uncertainty = 'timeResolutionMs * 1000';
  const parts = [
    rows(kinds.execution, 'epoch_us("time")', ['execution', uncertainty], 'execution', 'executions'),
    rows(
      kinds.later,
      `epoch_us("time") + ${options.impactHorizon}`,
      ['execution', uncertainty],
      'execution',
      'executions',
    ),
  ];
  const { quotes, books, candles } = sources;
  if (quotes !== undefined)
    parts.push(
      rows(kinds.quote, 'epoch_us(knowableAt)', ['bid', 'bidSize', 'ask', 'askSize'], 'file_row_number', file(quotes)),
    );
  if (books !== undefined)
    parts.push(
      rows(
        kinds.book,
        'epoch_us(knowableAt)',
        ['snapshot'],
        'snapshot',
        `(SELECT DISTINCT coinId, knowableAt, snapshot FROM ${file(books)})`,
      ),
    );
  if (candles !== undefined) {
    const ours = `(SELECT * FROM ${file(candles)} WHERE "interval" = ${quote(options.candleInterval)})`;
    const prices = ['open', 'high', 'low', 'close'];
    parts.push(
      rows(
        kinds.candle,
        'epoch_us("time")',
        [...prices, 'volume', 'epoch_us(closesAt) + 999', 'epoch_us(knowableAt)'],
        'file_row_number',
        ours,
      ),
      rows(kinds.complete, 'epoch_us(knowableAt)', [...prices, 'epoch_us("time")'], 'epoch_us("time")', ours),
    );
  }
  return `SELECT ${mergedColumns.join(', ')} FROM (${parts.join(' UNION ALL ')}) ORDER BY coin, moment, kind, tie`;
}

async function countOf(duck: Duck, relation: string): Promise<number> {
  const [row] = await duck.rows<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM ${relation}`);
  return (row as { n: number }).n;
}

/** Makes `contexts` (one row an execution, `contextColumns`), `laters` (execution, laterMid) and `walks`. */
export async function prepareContexts(
  duck: Duck,
  sources: PerpetualSources,
  options: ContextOptions,
): Promise<{ steps: number }> {
  const contexts = await createNumberTable(duck, 'contexts', contextColumns);
  const laters = await createNumberTable(duck, 'laters', ['execution', 'laterMid']);
  const matcher = makeMatcher(
    options.ages,
    (context) => contexts.append(context),
    (execution, mid) => laters.append([execution, mid]),
  );
  const sql = mergedRows(sources, options);
  const row = new Float64Array(mergedColumns.length);
  await streamNumbers(duck, sql, await countOf(duck, `(${sql})`), (columns, rows) => {
    for (let i = 0; i < rows; i++) {
      for (let c = 0; c < row.length; c++) row[c] = (columns[c] as Float64Array)[i] as number;
      matcher.push(row);
    }
  });
  contexts.finish();
  laters.finish();
  await walkBooks(duck, sources);
  return { steps: matcher.steps };
}

const LEVELS_OF_DEPTH = 5;

/** Makes `walks`: for executions with a book, its middle, the cost of taking their size from it, and its depth. */
async function walkBooks(duck: Duck, { books }: PerpetualSources): Promise<void> {
  const walks = await createNumberTable(duck, 'walks', ['execution', 'bookMid', 'walkPrice', 'depth']);
  if (books === undefined) {
    walks.finish();
    return;
  }
  const sql = `SELECT x.execution::DOUBLE AS execution, x.size::DOUBLE AS wanted,
      ((b.side = 'ASK') = (x.side = 'BUY'))::INTEGER::DOUBLE AS opposite, b.level::DOUBLE AS level,
      b.price::DOUBLE AS price, b.size::DOUBLE AS size
    FROM contexts c JOIN executions x ON x.execution = c.execution::BIGINT
      JOIN read_parquet(${quote(books)}) b ON b.snapshot = CASE WHEN NOT isnan(c.snapshot) THEN c.snapshot::BIGINT END`;
  let execution = Number.NaN;
  let wanted = 0;
  let ownBest = Number.NaN;
  let levels: { price: number; size: number }[] = [];
  const finish = (): void => {
    if (Number.isNaN(execution)) return;
    const best = levels[0]?.price ?? Number.NaN;
    const depth = levels.slice(0, LEVELS_OF_DEPTH).reduce((sum, { size }) => sum + size, 0);
    walks.append([execution, (best + ownBest) / 2, walkBook(levels, wanted), depth > 0 ? depth : Number.NaN]);
  };
  const rows = await countOf(duck, `(${sql})`);
  await streamNumbers(duck, `${sql} ORDER BY execution, opposite, level`, rows, (columns, n) => {
    const [ids, sizes, opposite, level, prices, amounts] = columns as Tuple<Float64Array, 6>;
    for (let i = 0; i < n; i++) {
      if (ids[i] !== execution) {
        finish();
        execution = ids[i] as number;
        wanted = sizes[i] as number;
        ownBest = Number.NaN;
        levels = [];
      }
      if (opposite[i] === 1) levels.push({ price: prices[i] as number, size: amounts[i] as number });
      else if (level[i] === 0) ownBest = prices[i] as number;
    }
  });
  finish();
  walks.finish();
}

/** SQL for the fields of a fill, in the order of `fillFields`, by wallet in the order in which fills became known. */
export function fillStream(impactHorizon: number): string {
  const first = 'f.execution = f.seq';
  const atFirst = (value: string, name: string): string =>
    `CASE WHEN ${first} THEN ${value} END AS ${identifier(name)}`;
  const context = contextColumns
    .slice(contextColumns.indexOf('pastOpen'))
    .map((name) => `c.${identifier(name)}`)
    .join(', ');
  return `SELECT walletId AS wallet, ${micros('f."time"')} AS "time", ${micros('f.knowableAt')} AS knowableAt,
      f.coinId AS coin, (starts_with(f.coin, '@') OR contains(f.coin, '/'))::INTEGER::DOUBLE AS spot,
      f.partyId AS counterparty, CASE f.side WHEN 'BUY' THEN 1 ELSE -1 END::DOUBLE AS sign,
      CASE f.role WHEN 'maker' THEN 1 WHEN 'taker' THEN 0 END::DOUBLE AS maker,
      f.price::DOUBLE AS price, f.size::DOUBLE AS size, f.usd::DOUBLE AS usd,
      f.startPosition::DOUBLE AS startPosition, f.closedPnlUsd::DOUBLE AS closedPnlUsd, f.feeUsd::DOUBLE AS feeUsd,
      CASE WHEN f.feeToken = f.coin THEN f.fee ELSE 0 END::DOUBLE AS feeCoins,
      ${atFirst('x.usd::DOUBLE', 'executionUsd')}, ${atFirst('x.size::DOUBLE', 'executionSize')},
      c.bid, c.bidSize, c.ask, c.askSize, k.bookMid, k.walkPrice, k.depth, ${context},
      l.laterMid, ${atFirst(`${micros('f."time"')} + ${impactHorizon}`, 'laterAt')}
    FROM fill_rows f
      LEFT JOIN executions x ON x.execution = f.seq
      LEFT JOIN contexts c ON c.execution = f.seq
      LEFT JOIN laters l ON l.execution = f.seq
      LEFT JOIN walks k ON k.execution = f.seq
    ORDER BY walletId, f.knowableAt, f.seq`;
}

/**
 * Makes `chain_rows`: by wallet and date what was recorded of its transactions on the EVM chain. Null for dates in whose
 * window no transaction of anybody was recorded: then nobody looked.
 */
export async function prepareTransactions(
  duck: Duck,
  { transactions }: PerpetualSources,
  dates: Float64Array,
  lookback: number,
): Promise<void> {
  if (transactions === undefined) {
    await duck.run('CREATE TABLE chain_rows (walletId DOUBLE, "asOf" DOUBLE, n DOUBLE, calls DOUBLE, hype DOUBLE)');
    await duck.run('CREATE TABLE chain_dates ("asOf" DOUBLE)');
    return;
  }
  const table = await createNumberTable(duck, 'chain_grid', ['asOf']);
  for (const asOf of dates) table.append([asOf]);
  table.finish();
  const known = `(SELECT wallet, callsContract, valueHype, ${micros('knowableAt')} AS moment FROM read_parquet(${quote(transactions)}))`;
  const inWindow = `t.moment < d."asOf" AND t.moment >= d."asOf" - ${lookback}`;
  await duck.run(`CREATE TABLE chain_rows AS
      SELECT w.id AS walletId, d."asOf", count(*)::DOUBLE AS n, count(*) FILTER (callsContract)::DOUBLE AS calls,
        sum(valueHype)::DOUBLE AS hype
      FROM ${known} t JOIN wallet_ids w USING (wallet) JOIN chain_grid d ON ${inWindow} GROUP BY ALL;
    CREATE TABLE chain_dates AS SELECT DISTINCT d."asOf" FROM ${known} t JOIN chain_grid d ON ${inWindow}`);
}
