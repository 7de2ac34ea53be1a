/** Files of fills in, as the chain or the data API gives them; canonical trades and their markets out. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { categorySql } from '../categories.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { copyRows } from './copy-rows.ts';
import type { RawTable } from './csv.ts';
import { readWideCsv } from './csv-rows.ts';
import { describeFills, type FillFiles, type LoadedFile } from './describe-fills.ts';
import { loadDataApiTrades } from './load-data-api.ts';
import { checkLogs, type LogCounts, logColumns } from './logs.ts';
import { orderFilledColumns, orderFilledSql, refuseUnknownColumns } from './order-filled.ts';
import { countRefused } from './refused.ts';

export interface FillPaths {
  /** Canonical markets that name the tokens; null if there are none. */
  readonly knownMarkets: string | null;
  readonly trades: string;
  readonly markets: string;
  /** A folder for temporary files. */
  readonly scratch: string;
}

/** Columns of the view `fills`, in which the good rows of all files are, beside `file`. */
const fillColumns =
  '"row", place, fingerprint, time, market, event, title, slug, token, outcome, outcomeIndex, wallet, counterparty, role, side, usd, shares, fee, "order", "transaction"';

/** Imports files of one format. Stops with one `FathomError` if they cannot be trusted. */
export async function importFills(
  duck: Duck,
  options: FillFiles,
  paths: FillPaths,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  await loadTokens(duck, paths.knownMarkets);
  if (paths.knownMarkets === null && options.format !== 'data-api' && options.unknownTokens === 'reject')
    throw new FathomError('data', 'the chain names tokens, not markets, and no markets are given', {
      hint: 'connect markets: { from: ... } of source.polymarket-markets, or set unknownTokens: own-market',
    });
  const loaded: LoadedFile[] = [];
  const parts: string[] = [];
  for (const [i, file] of options.files.entries()) {
    const checked = path.join(paths.scratch, `checked-${i}.parquet`);
    loaded.push(
      options.format === 'data-api'
        ? await loadDataApiTrades(duck, file, checked, options)
        : await loadChain(duck, file, checked, options),
    );
    parts.push(
      `SELECT ${i} AS file, ${fillColumns} FROM read_parquet(${quote(checked)}) WHERE reason IS NULL AND "isFill"`,
    );
  }
  // A view of files: a table would lie in memory, or uncompressed on the disk.
  await duck.run(`CREATE VIEW fills AS ${parts.join(' UNION ALL ')}`);
  const [held] = await duck.rows<{ rows: number }>('SELECT count(*)::DOUBLE AS "rows" FROM fills');
  if (held?.rows === 0)
    throw new FathomError('data', `there is no fill in ${loaded.map(({ name }) => name).join(', ')}`, {
      hint: 'an empty feed is not written as an empty table: leave the file out, or ask for other dates',
    });

  await rankFills(duck, options);
  await copyCanonical(
    duck,
    'trades',
    `SELECT seq, time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side,
       usd::DOUBLE / shares::DOUBLE AS price, usd, shares, fee, "order" AS orderHash,
       ${orderGroupSql('"order"')} AS orderGroup, "transaction"
     FROM ranks JOIN fills USING (file, "row")`,
    paths.trades,
  );
  await copyCanonical(duck, 'markets', marketsSql(paths.knownMarkets), paths.markets);
  return describeFills(duck, options, loaded, paths.trades);
}

/** Makes the table `tokens`: token, market, event, outcome and its index. */
async function loadTokens(duck: Duck, markets: string | null): Promise<void> {
  const known = markets === null ? null : `read_parquet(${quote(markets)})`;
  const of = (
    i: number,
  ): string => `SELECT token${i} AS token, market, event, outcome${i} AS outcome, ${i} AS outcomeIndex
    FROM ${known} WHERE token${i} IS NOT NULL`;
  await duck.run(
    known === null
      ? 'CREATE TABLE tokens (token VARCHAR, market VARCHAR, event VARCHAR, outcome VARCHAR, outcomeIndex INTEGER)'
      : `CREATE TABLE tokens AS ${of(0)} UNION ALL ${of(1)}`,
  );
  const [twice] = await duck.rows<{ token: string }>(
    'SELECT token FROM tokens GROUP BY token HAVING count(*) > 1 ORDER BY token LIMIT 1',
  );
  if (twice !== undefined)
    throw new FathomError('data', `token ${twice.token} stands for two outcomes or markets in the markets given`);
}

/** Checks OrderFilled events or raw logs, and writes all rows with their reason to `checked`. */
async function loadChain(duck: Duck, file: string, checked: string, options: FillFiles): Promise<LoadedFile> {
  const needed = options.format === 'logs' ? logColumns : orderFilledColumns;
  const raw = await readWideCsv(duck, file, needed, `${checked}.raw`);
  let relation: string;
  let counts: LogCounts | undefined;
  if (options.format === 'logs') {
    counts = await checkLogs(duck, raw, options.cutTransactions === 'drop', `${checked}.logs`);
    relation = `read_parquet(${quote(`${checked}.logs`)})`;
  } else {
    refuseUnknownColumns(file, raw.survey.header);
    relation = `(SELECT *, true AS "isFill" FROM (${orderFilledSql(raw, options.feeUnit)}))`;
  }
  const unknown = options.unknownTokens === 'reject' ? "WHEN t.token IS NULL THEN 'token: in none of the markets'" : '';
  await copyRows(
    duck,
    `SELECT c.* EXCLUDE (reason), CASE WHEN c.reason IS NOT NULL THEN c.reason ${unknown} END AS reason,
       coalesce(t.market, c.token) AS market, coalesce(t.event, c.token) AS event, NULL::VARCHAR AS title,
       NULL::VARCHAR AS slug, t.outcome, t.outcomeIndex
     FROM ${relation} c LEFT JOIN tokens t USING (token)`,
    checked,
  );
  const refused = await countRefused(duck, raw, checked, options.maxRejected);
  return {
    name: raw.name,
    rowsRead: raw.rows + raw.malformed.length,
    rejected: refused.byReason,
    facts: factsOf(raw, counts, options),
  };
}

function factsOf(raw: RawTable, counts: LogCounts | undefined, options: FillFiles): LoadedFile['facts'] {
  const cut = raw.survey.endsInLineBreak
    ? []
    : [{ label: 'The file does not end in a line break; its last row is complete, but it may be cut', value: 1 }];
  if (counts === undefined) return cut;
  return [
    ...cut,
    { label: 'Transactions', value: counts.transactions },
    { label: "OrdersMatched that only confirm the taker's OrderFilled", value: counts.confirming },
    { label: 'OrdersMatched that stand in for one that is not in the file', value: counts.standingIn },
    {
      label: `Transactions not whole in the file, ${options.cutTransactions === 'keep' ? 'their fills kept' : 'left out'}`,
      value: counts.cut,
    },
  ];
}

/**
 * Makes the table `ranks`: the rows that count with their number. Rows of one moment stay as they happened, which in a
 * file that lists the newest first is from its end.
 */
async function rankFills(duck: Duck, { duplicates, format }: FillFiles): Promise<void> {
  // The data API lists the newest first, so a page of one moment is from its end too.
  const newestFirst = `arg_min(time, place) ${format === 'data-api' ? '>=' : '>'} arg_max(time, place)`;
  const firsts =
    duplicates === 'keep' ? '' : 'QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY file, "row") = 1';
  await duck.run(`CREATE TABLE ranks AS
    WITH directions AS (SELECT file, CASE WHEN ${newestFirst} THEN -1 ELSE 1 END AS direction
      FROM fills GROUP BY file)
    SELECT file, "row", row_number() OVER (ORDER BY time, file, direction * place) - 1 AS seq
    FROM (SELECT file, "row", place, time, direction FROM fills JOIN directions USING (file) ${firsts})`);
}

/** Markets in which there are fills: as given, else as far as the rows themselves tell of them. */
function marketsSql(knownMarkets: string | null): string {
  const of = (column: string, i: number): string => `max(${column}) FILTER (outcomeIndex = ${i}) AS ${column}${i}`;
  const told = `SELECT market, min(event) AS event, min(title) AS question, min(slug) AS slug,
      ${categorySql("coalesce(min(title), '') || ' ' || coalesce(min(slug), '')")} AS category,
      ${[0, 1].flatMap((i) => [of('outcome', i), of('token', i)]).join(', ')}, NULL AS createdAt, NULL AS closedAt
    FROM fills GROUP BY market`;
  if (knownMarkets === null) return told;
  const known = `(SELECT * FROM read_parquet(${quote(knownMarkets)}) WHERE market IN (SELECT market FROM fills))`;
  return `SELECT * FROM ${known} UNION ALL BY NAME SELECT * FROM (${told}) WHERE market NOT IN (SELECT market FROM ${known})`;
}
