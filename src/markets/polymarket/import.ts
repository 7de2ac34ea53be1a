/** Polymarket files in, canonical tables out, with an account of every row. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { rejectionFigure, tradeFigures, tradeTotals } from '../describe.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { type RawTable, readCsv } from './csv.ts';
import { checkDataApi, dataApiColumns, dataApiMarkets } from './data-api.ts';
import {
  checkPolyDataMarkets,
  checkPolyDataTrades,
  polyDataMarketColumns,
  polyDataMarkets,
  polyDataTradeColumns,
} from './poly-data.ts';
import { countRefused, type Refused } from './refused.ts';
import { checkResolutions, resolutionColumns, resolutionRows } from './resolutions.ts';

export interface PolymarketFiles {
  readonly format: 'data-api-csv' | 'poly-data-v1';
  readonly trades: string;
  readonly markets?: string | undefined;
  readonly resolutions?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly duplicates: 'keep' | 'drop-exact';
  readonly maxRejected: number;
}

export interface ImportPaths {
  readonly trades: string;
  readonly markets: string;
  readonly resolutions: string;
  /** A folder for temporary files. */
  readonly scratch: string;
}

/** Imports one set of files. Stops with one `FathomError` at `file:line` if they cannot be trusted. */
export async function importPolymarket(
  duck: Duck,
  files: PolymarketFiles,
  paths: ImportPaths,
  log: (line: string) => void,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const temporary = (name: string): string => path.join(paths.scratch, `${name}.parquet`);
  const checked = temporary('checked');
  const quality: Quality[] = [];
  const notes: string[] = [];
  const noteCut = (raw: RawTable): void => {
    if (!raw.survey.endsInLineBreak)
      notes.push(`${raw.name} does not end in a line break; its last row is complete, but the file may be cut.`);
  };

  let raw: RawTable;
  if (files.format === 'data-api-csv') {
    raw = await readCsv(duck, files.trades, dataApiColumns, temporary('raw'));
    await checkDataApi(duck, raw, files.timeZone as string, checked);
  } else {
    const checkedMarkets = temporary('checked-markets');
    const rawMarkets = await readCsv(duck, files.markets as string, polyDataMarketColumns, temporary('raw-markets'));
    await checkPolyDataMarkets(duck, rawMarkets, checkedMarkets);
    const refused = await countRefused(duck, rawMarkets, checkedMarkets, files.maxRejected);
    quality.push(await marketsQuality(duck, rawMarkets, checkedMarkets, refused));
    noteCut(rawMarkets);
    raw = await readCsv(duck, files.trades, polyDataTradeColumns, temporary('raw'));
    await checkPolyDataTrades(duck, raw, checkedMarkets, checked);
  }
  log(`read ${raw.rows + raw.malformed.length} rows of ${files.trades}`);
  const refused = await countRefused(duck, raw, checked, files.maxRejected);
  noteCut(raw);

  // The numbers on their own first: sorting whole rows twice costs more than all checks.
  await duck.run(`CREATE OR REPLACE TABLE ranks AS
    SELECT "row", row_number() OVER (ORDER BY time, "row") - 1 AS seq FROM (SELECT "row", time
      FROM read_parquet(${quote(checked)}) WHERE reason IS NULL
      ${files.duplicates === 'keep' ? '' : 'QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY "row") = 1'})`);
  await copyCanonical(
    duck,
    'trades',
    `SELECT ranks.seq, time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side,
       usd::DOUBLE / shares::DOUBLE AS price, usd, shares, NULL::DECIMAL(18, 6) AS fee,
       ${orderGroupSql} AS orderGroup, "transaction"
     FROM ranks JOIN read_parquet(${quote(checked)}) USING ("row")`,
    paths.trades,
  );
  const marketRows =
    files.format === 'data-api-csv' ? dataApiMarkets(checked) : polyDataMarkets(temporary('checked-markets'));
  await copyCanonical(duck, 'markets', marketRows, paths.markets);

  const totals = await tradeTotals(duck, paths.trades);
  const tradesQuality = await qualityOfTrades(duck, files, raw, checked, refused, totals.from, totals.to);
  quality.unshift(tradesQuality);

  let resolved: number | null = null;
  if (files.resolutions !== undefined) {
    const rawResolutions = await readCsv(duck, files.resolutions, resolutionColumns, temporary('raw-resolutions'));
    const checkedResolutions = temporary('checked-resolutions');
    await checkResolutions(duck, rawResolutions, checkedResolutions);
    const refusedResolutions = await countRefused(duck, rawResolutions, checkedResolutions, files.maxRejected);
    await copyCanonical(duck, 'resolutions', resolutionRows(checkedResolutions, paths.markets), paths.resolutions);
    resolved = await countOf(duck, `read_parquet(${quote(paths.resolutions)})`);
    quality.push(await resolutionsQuality(rawResolutions, refusedResolutions, resolved));
    noteCut(rawResolutions);
  } else {
    notes.push(
      'Without resolutions settled profit is unknown; totals here are marked at the last price of each token.',
    );
  }

  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      rejected: refused.rows,
      duplicates: tradesQuality.duplicates.count,
      wallets: totals.wallets,
      markets: totals.markets,
      tokens: totals.tokens,
      usd: totals.usd,
      resolved,
    },
    quality,
    notes,
  };
  const rejected = rejectionFigure(tradesQuality);
  return {
    metrics,
    figures: [...(await tradeFigures(duck, paths.trades, totals)), ...(rejected === undefined ? [] : [rejected])],
  };
}

async function countOf(duck: Duck, relation: string): Promise<number> {
  const [row] = await duck.rows<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM ${relation}`);
  return (row as { n: number }).n;
}

async function qualityOfTrades(
  duck: Duck,
  files: PolymarketFiles,
  raw: RawTable,
  checked: string,
  refused: Refused,
  from: number | null,
  to: number | null,
): Promise<Quality> {
  const policy = files.duplicates;
  const good = `(SELECT * FROM read_parquet(${quote(checked)}) WHERE reason IS NULL)`;
  const keep = await totalsOf(duck, good);
  const distinct = await countOf(duck, `(SELECT DISTINCT fingerprint FROM ${good})`);
  const firsts = `(SELECT * FROM ${good} QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY "row") = 1)`;
  const drop = distinct === keep.rows ? keep : await totalsOf(duck, firsts);
  const rowsRead = raw.rows + raw.malformed.length;
  return {
    source: raw.name,
    rowsRead,
    rowsKept: policy === 'keep' ? keep.rows : drop.rows,
    rejected: refused.byReason,
    duplicates: { count: keep.rows - drop.rows, policy },
    totals: [
      { label: 'Fills', keep: keep.rows, dropExact: drop.rows, unit: 'rows' },
      { label: 'Volume', keep: keep.usd, dropExact: drop.usd, unit: 'USD' },
      {
        label: 'Profit and loss of all wallets, marked at the last price',
        keep: keep.marked,
        dropExact: drop.marked,
        unit: 'USD',
      },
    ],
    ...(from === null || to === null ? {} : { from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
    facts: [
      { label: 'Wallets', value: keep.wallets },
      { label: 'Markets', value: keep.markets },
      { label: 'Tokens', value: keep.tokens },
      ...(files.format === 'data-api-csv'
        ? [
            { label: 'Time zone of the file', value: files.timeZone as string },
            { label: 'Fills in an hour that clocks repeat, read as standard time', value: keep.repeated },
          ]
        : [{ label: 'Volume counted once a match (fills of takers)', value: keep.takerUsd, unit: 'USD' }]),
    ],
  };
}

interface PolicyTotals {
  readonly rows: number;
  readonly usd: number;
  readonly takerUsd: number;
  /** Cash flow plus net tokens at the token's last price, USD. */
  readonly marked: number;
  readonly wallets: number;
  readonly markets: number;
  readonly tokens: number;
  readonly repeated: number;
}

/** Exact sums; the value of each token's net position is rounded to a millionth before it is added. */
async function totalsOf(duck: Duck, relation: string): Promise<PolicyTotals> {
  const [row] = await duck.rows<PolicyTotals>(`WITH good AS ${relation},
    positions AS (SELECT token, sum(CASE side WHEN 'BUY' THEN -usd ELSE usd END) AS cash,
        sum(CASE side WHEN 'BUY' THEN shares ELSE -shares END) AS net,
        last(usd::DOUBLE / shares::DOUBLE ORDER BY time, "row") AS price FROM good GROUP BY token)
    SELECT count(*)::DOUBLE AS "rows", coalesce(sum(usd), 0)::DOUBLE AS usd,
      coalesce(sum(usd) FILTER (role = 'taker'), 0)::DOUBLE AS "takerUsd",
      count(DISTINCT wallet)::DOUBLE AS wallets, count(DISTINCT market)::DOUBLE AS markets,
      count(DISTINCT token)::DOUBLE AS tokens, count(*) FILTER ("repeated")::DOUBLE AS "repeated",
      (SELECT coalesce(sum(cash + (net::DOUBLE * price)::DECIMAL(38, 6)), 0)::DOUBLE FROM positions) AS marked
    FROM good`);
  return row as PolicyTotals;
}

async function marketsQuality(duck: Duck, raw: RawTable, checked: string, refused: Refused): Promise<Quality> {
  const [found] = await duck.rows<{ kept: number; again: number; unreadable: number }>(
    `SELECT count(*) FILTER (occurrence = 1)::DOUBLE AS kept, count(*) FILTER (occurrence > 1)::DOUBLE AS again,
       count(*) FILTER (occurrence = 1 AND "unreadable")::DOUBLE AS "unreadable" FROM read_parquet(${quote(checked)})`,
  );
  const { kept, again, unreadable } = found as { kept: number; again: number; unreadable: number };
  return {
    source: raw.name,
    rowsRead: raw.rows + raw.malformed.length,
    rowsKept: kept,
    rejected: refused.byReason,
    duplicates: { count: again, policy: 'the first row of a market counts' },
    facts: [{ label: 'Markets whose opening or closing time cannot be read', value: unreadable }],
  };
}

async function resolutionsQuality(raw: RawTable, refused: Refused, kept: number): Promise<Quality> {
  const good = raw.rows + raw.malformed.length - refused.rows;
  return {
    source: raw.name,
    rowsRead: raw.rows + raw.malformed.length,
    rowsKept: kept,
    rejected: refused.byReason,
    duplicates: { count: 0, policy: 'a market repeated alike counts once' },
    facts: [{ label: 'Rows of markets not imported, or repeated', value: good - kept }],
  };
}
