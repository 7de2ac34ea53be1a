/** Polymarket files in, canonical tables out, with an account of every row. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { rejectionFigure, type TradeCounts, type TradeTotals, tradeFigures } from '../describe.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { type RawTable, readCsv } from './csv.ts';
import { refuseSchemaChange } from './csv-rows.ts';
import { checkDataApi, dataApiColumns, dataApiMarkets } from './data-api.ts';
import { type ImportedTrades, importPieces, type PieceImport } from './import-pieces.ts';
import { type MarketNames, readMarketNames } from './market-names.ts';
import { type CheckedMarkets, mergeMissingMarkets } from './missing-markets.ts';
import { checkPolyDataMarkets, polyDataMarketColumns, polyDataMarkets } from './poly-data.ts';
import { countRefused, type Refused, summariseRefused } from './refused.ts';
import { type ImportedResolutions, importResolutions } from './resolutions.ts';
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
  readonly resolutions: ImportedResolutions | undefined;
}

/** Reads the resolutions, if there are any, once the canonical markets stand there. */
type ReadResolutions = () => Promise<ImportedResolutions | undefined>;

/** Imports one set of files. Stops with one `FathomError` at `file:line` if they cannot be trusted. */
export async function importPolymarket(
  duck: Duck,
  files: PolymarketFiles,
  paths: ImportPaths,
  limits: ImportLimits,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const quality: Quality[] = [];
  const notes: string[] = [];
  const noteCut = (name: string, endsInLineBreak: boolean): void => {
    if (!endsInLineBreak) notes.push(`${name} does not end in a line break: the file may be cut.`);
  };
  const readResolutions: ReadResolutions = async () =>
    files.resolutions === undefined ? undefined : importResolutions(duck, files.resolutions, paths, files.maxRejected);
  const read =
    files.format === 'data-api-csv'
      ? await readDataApi(duck, files, paths, noteCut, readResolutions)
      : await readPolyData(duck, files, paths, limits, quality, noteCut, readResolutions);
  quality.unshift(read.quality);
  const { totals, resolutions } = read;
  if (resolutions !== undefined) {
    quality.push(resolutions.quality);
    noteCut(resolutions.name, resolutions.endsInLineBreak);
  } else {
    notes.push(
      'Without resolutions settled profit is unknown; totals here are marked at the last price of each token.',
    );
  }

  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      rejected: read.rejected,
      duplicates: read.quality.duplicates.count,
      wallets: totals.wallets,
      markets: totals.markets,
      tokens: totals.tokens,
      usd: totals.usd,
      resolved: resolutions?.kept ?? null,
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
  readResolutions: ReadResolutions,
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
    resolutions: await readResolutions(),
  };
}

/**
 * Fills as poly_data has them: any number of them, usually in order of time. Adds the account of the markets file. The
 * resolutions are read beside the trades, when the database has nothing else to do; what is wrong with markets and
 * trades is told first.
 */
async function readPolyData(
  duck: Duck,
  files: PolymarketFiles,
  paths: ImportPaths,
  limits: ImportLimits,
  quality: Quality[],
  noteCut: (name: string, endsInLineBreak: boolean) => void,
  readResolutions: ReadResolutions,
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
  const writeMarkets = async (): Promise<MarketNames> => {
    const main = await checkMarkets(files.markets as string, 'markets');
    if (files.missingMarkets !== undefined) {
      const missing = await checkMarkets(files.missingMarkets, 'missing-markets');
      await copyCanonical(duck, 'markets', await mergeMissingMarkets(duck, main, missing), paths.markets);
      return readMarketNames(duck, `read_parquet(${quote(paths.markets)})`);
    }
    // Writing takes one thread only.
    const markets = polyDataMarkets(main.checked);
    const written = copyCanonical(duck, 'markets', markets, paths.markets);
    const names = duck.beside((other) => readMarketNames(other, `(${markets})`));
    await Promise.allSettled([written, names]);
    await written;
    return names;
  };
  // Threads start and the file is cut meanwhile.
  const names = writeMarkets();
  const resolving = names
    .then(() => duck.trim())
    .then(readResolutions)
    .finally(() => duck.trim());
  // They may fail before anybody waits for them.
  resolving.catch(() => undefined);
  let imported: ImportedTrades;
  try {
    imported = await importPieces(duck, {
      file: files.trades,
      markets: paths.markets,
      names,
      target: paths.trades,
      scratch: paths.scratch,
      duplicates: files.duplicates,
      ...limits,
    });
  } finally {
    // If the trades fail, nothing may go on behind their error.
    await Promise.allSettled([resolving]);
  }
  const refused = summariseRefused(files.trades, imported.rowsRead, imported.refused, files.maxRejected);
  noteCut(path.basename(files.trades), imported.endsInLineBreak);
  const resolutions = await resolving;
  const trades = parquetRelation(paths.trades);
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
    resolutions,
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
