/** Polymarket files in, canonical tables out, with an account of every row. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { parquetFiles } from '../../tables/parquet-files.ts';
import { rejectionFigure, type TradeCounts, type TradeTotals, tradeFigures } from '../describe.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { type RawTable, readCsv } from './csv.ts';
import { refuseSchemaChange } from './csv-rows.ts';
import { checkDataApi, dataApiColumns, dataApiMarkets } from './data-api.ts';
import { importPieces, type PieceImport } from './import-pieces.ts';
import { type CheckedMarkets, mergeMissingMarkets } from './missing-markets.ts';
import { checkPolyDataMarkets, polyDataMarketColumns, polyDataMarkets } from './poly-data.ts';
import { countRefused, type Refused, summariseRefused } from './refused.ts';
import { checkResolutions, resolutionColumns, resolutionRows } from './resolutions.ts';
import { policyTotals, qualityOfTrades, summedTotals } from './trades-quality.ts';

export interface PolymarketFiles {
  readonly format: 'data-api-csv' | 'poly-data-v1';
  readonly trades: string;
  readonly markets?: string | undefined;
  readonly missingMarkets?: string | undefined;
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

/** What the threads that read the trades may take, and how they are watched. */
export type ImportLimits = Pick<PieceImport, 'threads' | 'memoryMb' | 'pieceBytes' | 'progress'>;

/** What a reader of trades leaves besides the trades and the markets. */
interface ReadTrades {
  readonly quality: Quality;
  readonly rejected: number;
  readonly totals: TradeTotals;
  readonly counted: TradeCounts;
}

/** Imports one set of files. Stops with one `FathomError` at `file:line` if they cannot be trusted. */
export async function importPolymarket(
  duck: Duck,
  files: PolymarketFiles,
  paths: ImportPaths,
  limits: ImportLimits,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const temporary = (name: string): string => path.join(paths.scratch, `${name}.parquet`);
  const quality: Quality[] = [];
  const notes: string[] = [];
  const noteCut = (name: string, endsInLineBreak: boolean): void => {
    if (!endsInLineBreak) notes.push(`${name} does not end in a line break: the file may be cut.`);
  };
  const read =
    files.format === 'data-api-csv'
      ? await readDataApi(duck, files, paths, noteCut)
      : await readPolyData(duck, files, paths, limits, quality, noteCut);
  quality.unshift(read.quality);

  let resolved: number | null = null;
  if (files.resolutions !== undefined) {
    const rawResolutions = await readCsv(duck, files.resolutions, resolutionColumns, temporary('raw-resolutions'));
    const checkedResolutions = temporary('checked-resolutions');
    await refuseSchemaChange(rawResolutions);
    await checkResolutions(duck, rawResolutions, checkedResolutions);
    const refusedResolutions = await countRefused(duck, rawResolutions, checkedResolutions, files.maxRejected);
    await copyCanonical(duck, 'resolutions', resolutionRows(checkedResolutions, paths.markets), paths.resolutions);
    resolved = await countOf(duck, `read_parquet(${quote(paths.resolutions)})`);
    quality.push(await resolutionsQuality(rawResolutions, refusedResolutions, resolved));
    noteCut(rawResolutions.name, rawResolutions.survey.endsInLineBreak);
  } else {
    notes.push(
      'Without resolutions settled profit is unknown; totals here are marked at the last price of each token.',
    );
  }

  const { totals } = read;
  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      rejected: read.rejected,
      duplicates: read.quality.duplicates.count,
      wallets: totals.wallets,
      markets: totals.markets,
      tokens: totals.tokens,
      usd: totals.usd,
      resolved,
    },
    quality,
    notes,
  };
  const rejected = rejectionFigure(read.quality);
  return {
    metrics,
    figures: [
      ...(await tradeFigures(duck, paths.trades, totals, read.counted)),
      ...(rejected === undefined ? [] : [rejected]),
    ],
  };
}

/** Fills of the data API: some thousand rows, in no order. */
async function readDataApi(
  duck: Duck,
  files: PolymarketFiles,
  paths: ImportPaths,
  noteCut: (name: string, endsInLineBreak: boolean) => void,
): Promise<ReadTrades> {
  const checked = path.join(paths.scratch, 'checked.parquet');
  const raw = await readCsv(duck, files.trades, dataApiColumns, path.join(paths.scratch, 'raw.parquet'));
  await refuseSchemaChange(raw);
  await checkDataApi(duck, raw, files.timeZone as string, checked);
  const refused = await countRefused(duck, raw, checked, files.maxRejected);
  noteCut(raw.name, raw.survey.endsInLineBreak);
  const drop = 'QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY "row") = 1';
  // The numbers on their own first: sorting whole rows twice costs more than all checks.
  await duck.run(`CREATE OR REPLACE TABLE ranks AS
    SELECT "row", row_number() OVER (ORDER BY time, "row") - 1 AS seq FROM (SELECT "row", time
      FROM read_parquet(${quote(checked)}) WHERE reason IS NULL ${files.duplicates === 'keep' ? '' : drop});
    CREATE OR REPLACE TABLE all_ranks AS SELECT "row", row_number() OVER (ORDER BY time, "row") AS place
      FROM read_parquet(${quote(checked)}) WHERE reason IS NULL`);
  await copyCanonical(
    duck,
    'trades',
    `SELECT ranks.seq, time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side,
       usd::DOUBLE / shares::DOUBLE AS price, usd, shares, NULL::DECIMAL(18, 6) AS fee,
       NULL AS orderHash, ${orderGroupSql()} AS orderGroup, "transaction"
     FROM ranks JOIN read_parquet(${quote(checked)}) USING ("row")`,
    paths.trades,
  );
  await copyCanonical(duck, 'markets', dataApiMarkets(checked), paths.markets);
  const good = `(SELECT * FROM read_parquet(${quote(checked)}) JOIN all_ranks USING ("row") WHERE reason IS NULL`;
  const totals = {
    keep: await policyTotals(duck, `${good})`, 'place', 'wallets_kept'),
    drop: await policyTotals(duck, `${good} ${drop})`, 'place', 'wallets_dropped'),
  };
  const repeatedHour = await countOf(duck, `${good} AND "repeated")`);
  const kept = files.duplicates === 'keep';
  return {
    quality: qualityOfTrades({
      source: raw.name,
      rowsRead: raw.rows + raw.malformed.length,
      refused,
      policy: files.duplicates,
      ...totals,
      more: [
        { label: 'Time zone of the file', value: files.timeZone as string },
        { label: 'Fills in an hour that clocks repeat, read as standard time', value: repeatedHour },
      ],
    }),
    rejected: refused.rows,
    totals: kept ? totals.keep : totals.drop,
    counted: { byWallet: kept ? 'wallets_kept' : 'wallets_dropped' },
  };
}

/** Fills as poly_data has them: any number of them, usually in order of time. Adds the account of the markets file. */
async function readPolyData(
  duck: Duck,
  files: PolymarketFiles,
  paths: ImportPaths,
  limits: ImportLimits,
  quality: Quality[],
  noteCut: (name: string, endsInLineBreak: boolean) => void,
): Promise<ReadTrades> {
  const checkMarkets = async (file: string, name: string): Promise<CheckedMarkets> => {
    const checked = path.join(paths.scratch, `checked-${name}.parquet`);
    const raw = await readCsv(duck, file, polyDataMarketColumns, path.join(paths.scratch, `raw-${name}.parquet`));
    await refuseSchemaChange(raw);
    await checkPolyDataMarkets(duck, raw, checked);
    const refused = await countRefused(duck, raw, checked, files.maxRejected);
    quality.push(await marketsQuality(duck, raw, checked, refused));
    noteCut(raw.name, raw.survey.endsInLineBreak);
    return { raw, checked };
  };
  const writeMarkets = async (): Promise<void> => {
    const main = await checkMarkets(files.markets as string, 'markets');
    const markets =
      files.missingMarkets === undefined
        ? polyDataMarkets(main.checked)
        : await mergeMissingMarkets(duck, main, await checkMarkets(files.missingMarkets, 'missing-markets'));
    await copyCanonical(duck, 'markets', markets, paths.markets);
  };
  const imported = await importPieces(duck, {
    file: files.trades,
    markets: paths.markets,
    ready: writeMarkets(),
    target: paths.trades,
    scratch: paths.scratch,
    duplicates: files.duplicates,
    ...limits,
  });
  const refused = summariseRefused(files.trades, imported.rowsRead, imported.refused, files.maxRejected);
  noteCut(path.basename(files.trades), imported.endsInLineBreak);
  const trades = `read_parquet([${parquetFiles(paths.trades).map(quote).join(', ')}])`;
  const totals =
    imported.sums === null
      ? await policyTotals(duck, trades, 'seq', 'wallets_kept')
      : await summedTotals(duck, imported.sums);
  const others =
    imported.repeated === 0
      ? totals
      : await policyTotals(duck, otherPolicy(trades, files.duplicates, imported.repeats), 'seq', 'wallets_other');
  return {
    quality: qualityOfTrades({
      source: path.basename(files.trades),
      rowsRead: imported.rowsRead,
      refused,
      policy: files.duplicates,
      ...(files.duplicates === 'keep' ? { keep: totals, drop: others } : { keep: others, drop: totals }),
      more: [{ label: 'Volume counted once a match (fills of takers)', value: totals.takerUsd, unit: 'USD' }],
    }),
    rejected: refused.rows,
    totals,
    counted: imported.sums ?? { byWallet: 'wallets_kept' },
  };
}

/** The trades as they would be under the other policy on duplicates. */
function otherPolicy(trades: string, policy: PolymarketFiles['duplicates'], repeats: readonly string[]): string {
  const list = `read_parquet([${repeats.map(quote).join(', ')}])`;
  return policy === 'keep'
    ? `(SELECT t.* FROM ${trades} t ANTI JOIN ${list} r ON r.seq = t.seq)`
    : `(SELECT * FROM ${trades} UNION ALL SELECT t.* FROM ${trades} t JOIN ${list} r ON r.seq = t.seq)`;
}

async function countOf(duck: Duck, relation: string): Promise<number> {
  const [row] = await duck.rows<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM ${relation}`);
  return (row as { n: number }).n;
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
