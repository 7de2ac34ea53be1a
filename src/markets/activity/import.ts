/** Activity of wallets in, canonical trades, flows and markets out, with an account of every row. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { copyToParquet, type Duck } from '../../tables/duck.ts';
import { categorySql } from '../categories.ts';
import { rejectionFigure, tradeFigures, tradeTotals } from '../describe.ts';
import { flowColumns, flowKinds, flowOrder } from '../flows.ts';
import { jsonRecords } from '../records/json.ts';
import { type JsonLines, jsonLinesSql, writeJsonLines } from '../records/json-lines.ts';
import { Tally } from '../records/tally.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { type ActivityRow, rowOf } from './rows.ts';

export interface ActivityOptions {
  readonly files: readonly string[];
  readonly duplicates: 'keep' | 'drop-exact';
  readonly maxRejected: number;
}

export interface ActivityPaths {
  readonly trades: string;
  readonly flows: string;
  readonly markets: string;
  /** A folder for temporary files. */
  readonly scratch: string;
}

/** Columns of a row on its way to DuckDB: what `ActivityRow` says, amounts in whole 1e-6, and where it stood. */
const columns = {
  file: 'INTEGER',
  place: 'BIGINT',
  kind: 'VARCHAR',
  time: 'BIGINT',
  wallet: 'VARCHAR',
  market: 'VARCHAR',
  event: 'VARCHAR',
  title: 'VARCHAR',
  slug: 'VARCHAR',
  transaction: 'VARCHAR',
  token: 'VARCHAR',
  outcome: 'VARCHAR',
  outcomeIndex: 'INTEGER',
  side: 'VARCHAR',
  usd: 'BIGINT',
  shares: 'BIGINT',
  beyondPrice: 'BIGINT',
  shares0: 'BIGINT',
  shares1: 'BIGINT',
} as const;

/** Imports activity files. Stops with one `FathomError` if they cannot be trusted. */
export async function importActivity(
  duck: Duck,
  options: ActivityOptions,
  paths: ActivityPaths,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const rowsFile = path.join(paths.scratch, 'activity.jsonl');
  const rows = writeJsonLines(rowsFile);
  const outcomes = new Map<string, string>();
  const files: { name: string; tally: Tally; rejected: Quality['rejected'] }[] = [];
  for (const [i, file] of options.files.entries()) {
    const tally = new Tally();
    await takeRows(file, i, tally, outcomes, rows);
    const name = path.basename(file);
    const rejected = await tally.rejected({ file, name, lineOf: async (line) => line }, options.maxRejected);
    files.push({ name, tally, rejected });
  }
  await rows.close();
  await orderRows(duck, rowsFile, options.duplicates);

  const counts = await countRows(duck);
  if (counts.fills === 0)
    throw new FathomError('data', `${options.files.join(', ')}: there is no trade in the activity`, {
      hint: 'ask the API for type=TRADE too: without fills there is nothing to settle',
    });
  await writeTables(duck, paths);

  const totals = await tradeTotals(duck, paths.trades);
  const quality: Quality[] = [];
  for (const [i, { name, tally, rejected }] of files.entries())
    quality.push(await qualityOf(duck, i, name, tally, rejected, options.duplicates));
  const kinds = await duck.rows<{ kind: string; n: number; usd: number }>(
    `SELECT kind, count(*)::DOUBLE AS n, (sum(usd) / 1e6)::DOUBLE AS usd FROM activity WHERE kept AND kind <> 'fill' GROUP BY kind`,
  );
  const ofKind = (kind: string) => kinds.find((found) => found.kind === kind);
  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      flows: kinds.reduce((sum, { n }) => sum + n, 0),
      rejected: files.reduce((sum, { tally }) => sum + tally.refused, 0),
      duplicates: quality.reduce((sum, { duplicates }) => sum + duplicates.count, 0),
      wallets: counts.wallets,
      markets: totals.markets,
      usd: totals.usd,
      redeemedUsd: ofKind('redeem')?.usd ?? 0,
      rewardsUsd: (ofKind('reward')?.usd ?? 0) + (ofKind('rebate')?.usd ?? 0),
      'fills.beyondPrice': counts.beyond,
      beyondPriceUsd: counts.beyondUsd,
      ...Object.fromEntries(
        flowKinds.filter((kind) => ofKind(kind) !== undefined).map((kind) => [`flows.${kind}`, ofKind(kind)?.n ?? 0]),
      ),
    },
    quality,
    notes: [
      'Cash and tokens of the venue are after fees, so the price of a fill is all-in; settle with fees: none.',
      'The API lists the activity of the wallets asked for: the other side of a match is mostly not in the data.',
    ],
  };
  const rejections = quality.map(rejectionFigure).filter((figure) => figure !== undefined);
  return {
    metrics,
    figures: [
      ...(await tradeFigures(duck, paths.trades, totals)),
      ...rejections.map((figure, i) => (i === 0 ? figure : { ...figure, id: `${figure.id}-${i + 1}` })),
    ],
  };
}

/** Good rows of a file, streamed to `rows`; what becomes of the others, to `tally`. */
async function takeRows(
  file: string,
  number: number,
  tally: Tally,
  outcomes: Map<string, string>,
  rows: JsonLines,
): Promise<void> {
  for await (const { line, value } of jsonRecords(file)) {
    const place = tally.rows++;
    const row = rowOf(value);
    const reason = 'reason' in row ? row.reason : contradiction(row, outcomes);
    if (reason !== undefined) tally.refuse(reason, line);
    else await rows.write({ file: number, place, ...row });
  }
}

/** A token is one outcome of one market; a row that says otherwise is damaged. */
function contradiction(row: ActivityRow, outcomes: Map<string, string>): string | undefined {
  if (row.kind !== 'fill') return undefined;
  const meaning = `${row.market} ${row.outcomeIndex}`;
  const known = outcomes.get(row.token);
  if (known === undefined) outcomes.set(row.token, meaning);
  return known === undefined || known === meaning ? undefined : 'asset: another outcome or market in an earlier row';
}

/**
 * Makes the table `activity`: all good rows, with `kept`, `again` (equal to an earlier one) and `seq`, the order in which
 * they happened. The API lists the newest first, so rows of one moment are numbered from the end of such a file.
 */
async function orderRows(duck: Duck, rowsFile: string, duplicates: ActivityOptions['duplicates']): Promise<void> {
  const content = Object.keys(columns)
    .filter((name) => name !== 'file' && name !== 'place')
    .map((name) => `coalesce("${name}"::VARCHAR, '')`);
  await duck.run(`CREATE TABLE activity AS
    WITH counted AS (SELECT *, row_number() OVER (PARTITION BY md5_number(concat_ws(chr(31), ${content.join(', ')}))
        ORDER BY file, place) > 1 AS again
      FROM ${jsonLinesSql(rowsFile, columns)}),
    directions AS (SELECT file, CASE WHEN arg_min("time", place) >= arg_max("time", place) THEN -1 ELSE 1 END AS direction
      FROM counted GROUP BY file)
    SELECT *, ${duplicates === 'keep' ? 'true' : 'NOT again'} AS kept,
      row_number() OVER (ORDER BY "time", file, direction * place) AS seq FROM counted JOIN directions USING (file)`);
}

interface Counts {
  readonly fills: number;
  readonly wallets: number;
  /** Fills whose cash is not size times price, and by how much, USD. */
  readonly beyond: number;
  readonly beyondUsd: number;
}

async function countRows(duck: Duck): Promise<Counts> {
  const [counts] = await duck.rows<Counts>(
    `SELECT count(*) FILTER (kind = 'fill')::DOUBLE AS fills, count(DISTINCT wallet)::DOUBLE AS wallets,
       count(*) FILTER (abs(beyondPrice) > 1)::DOUBLE AS beyond,
       (coalesce(sum(beyondPrice) FILTER (abs(beyondPrice) > 1), 0) / 1e6)::DOUBLE AS "beyondUsd"
     FROM activity WHERE kept`,
  );
  return counts as Counts;
}

async function qualityOf(
  duck: Duck,
  file: number,
  name: string,
  tally: Tally,
  rejected: Quality['rejected'],
  policy: ActivityOptions['duplicates'],
): Promise<Quality> {
  const [found] = await duck.rows<{ kept: number; again: number; from: number | null; to: number | null }>(
    `SELECT count(*) FILTER (kept)::DOUBLE AS kept, count(*) FILTER (again)::DOUBLE AS again,
       min("time")::DOUBLE AS "from", max("time")::DOUBLE AS "to" FROM activity WHERE file = ${file}`,
  );
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
  return {
    source: name,
    rowsRead: tally.rows,
    rowsKept: found?.kept ?? 0,
    rejected,
    duplicates: { count: found?.again ?? 0, policy },
    ...(found?.from == null || found.to === null ? {} : { from: iso(found.from), to: iso(found.to) }),
    ...(tally.rows === 0 ? { facts: [{ label: 'The feed is empty', value: 1 }] } : {}),
  };
}

const money = (column: string): string =>
  `("${column}"::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS "${column}"`;
const time = 'make_timestamp("time" * 1000000) AS "time"';

async function writeTables(duck: Duck, paths: ActivityPaths): Promise<void> {
  await copyCanonical(
    duck,
    'trades',
    `SELECT row_number() OVER (ORDER BY seq) - 1 AS seq, ${time}, market, coalesce(event, market) AS event, token, outcome,
       outcomeIndex, wallet, NULL AS counterparty, NULL AS role, side, usd::DOUBLE / shares::DOUBLE AS price, ${money('usd')},
       ${money('shares')}, NULL AS fee, NULL AS orderHash, ${orderGroupSql()} AS orderGroup, "transaction" FROM activity WHERE kept AND kind = 'fill'`,
    paths.trades,
  );
  const order = flowOrder.map((name) => `"${name}"`).join(', ');
  await copyToParquet(
    duck,
    `SELECT wallet, ${time}, market, kind, ${['usd', 'shares0', 'shares1'].map(money).join(', ')}, "transaction"
     FROM activity WHERE kept AND kind <> 'fill' ORDER BY ${order}`,
    paths.flows,
    flowColumns,
  );
  // Of each thing what the first row says that says anything.
  const first = (column: string, filter = 'true'): string =>
    `arg_min(${column}, seq) FILTER (${column} IS NOT NULL AND ${filter})`;
  const ofOutcome = (column: string, i: number): string => `${first(column, `outcomeIndex = ${i}`)} AS ${column}${i}`;
  await copyCanonical(
    duck,
    'markets',
    `SELECT *, ${categorySql("coalesce(question, '') || ' ' || coalesce(slug, '')")} AS category, NULL AS createdAt,
       NULL AS closedAt
     FROM (SELECT market, coalesce(${first('event')}, market) AS event, ${first('title')} AS question,
         ${first('slug')} AS slug, ${ofOutcome('outcome', 0)}, ${ofOutcome('outcome', 1)}, ${ofOutcome('token', 0)},
         ${ofOutcome('token', 1)}
       FROM activity WHERE kept AND market IS NOT NULL GROUP BY market)`,
    paths.markets,
  );
}
