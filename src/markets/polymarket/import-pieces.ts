/** The trades of poly_data from their file to canonical Parquet, piece by piece and out of core. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LARGE_FILE_BYTES } from '../../tables/direct.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { inOrder } from '../../tables/job-order.ts';
import { runJobs } from '../../tables/jobs.ts';
import { parquetFiles, parquetRelation, partFile } from '../../tables/parquet-files.ts';
import { checkIsFile } from '../records/bytes.ts';
import { copyCanonical } from '../write-canonical.ts';
import { type SummedTrades, TradeSums } from './fill-sums.ts';
import { type MarketNames, namedTokens } from './market-names.ts';
import openPieceWork, { type PieceResult, type PieceShared } from './piece-work.ts';
import { type Piece, PieceCutter } from './pieces.ts';
import { polyDataOrder, polyDataTradeColumns } from './poly-data.ts';

export interface PieceImport {
  /** The CSV file. */
  readonly file: string;
  /** Canonical markets, which stand there once their names are known; what those fail with is the error of the import. */
  readonly markets: string;
  readonly names: Promise<MarketNames>;
  /** Where the canonical trades go: a file, or a folder of parts if the file has several pieces. */
  readonly target: string;
  readonly scratch: string;
  readonly duplicates: 'keep' | 'drop-exact';
  readonly threads: number;
  readonly memoryMb: number;
  /** Bytes of a piece; see `CutOptions`. */
  readonly pieceBytes?: number | undefined;
  /** Called now and then; what it throws stops the import. */
  readonly progress: (rows: number) => void;
}

/** What became of the rows of a file of trades. */
export interface ImportedTrades {
  readonly rowsRead: number;
  /** Refused rows by reason, with the line of the first. */
  readonly refused: ReadonlyMap<string, { readonly count: number; readonly line: number }>;
  readonly endsInLineBreak: boolean;
  /** Rows equal in every column to an earlier one. */
  readonly repeated: number;
  /** Parquet files with `seq` of those rows or, if they were dropped, of the rows that they repeat. */
  readonly repeats: readonly string[];
  /** Sums of the trades; null if only the trades themselves tell them. */
  readonly sums: SummedTrades | null;
}

const work = { open: openPieceWork, url: new URL('./piece-work.js', import.meta.url), jobsAtOnce: 2 };

/**
 * Reads and checks every row and writes the good ones as canonical trades in order of (time, place in the file). A file
 * in order of time is read once and never sorted; its `seq` is the place in the file, so it leaves out what was refused.
 */
export async function importPieces(duck: Duck, options: PieceImport): Promise<ImportedTrades> {
  const parts = path.join(options.scratch, 'parts.parquet');
  const { names } = options;
  let sums: TradeSums | undefined;
  // A token of two outcomes would be summed as two. Who waits for it at the end gets its error; nobody may.
  const summable = names.then(async (known) => {
    sums = new TradeSums(known.token.count, options.scratch, (keys) => namedTokens(known, keys));
    return areTokensUnique(duck, `read_parquet(${quote(options.markets)})`);
  });
  summable.catch(() => undefined);
  try {
    const { results, endsInLineBreak } = await readPieces(options, names, parts, true, (result) => {
      if (result.sums === null) sums = undefined;
      else sums?.add(result.sums);
    });
    const written = await moveParts(parts, options.target);
    if (!(await summable) || sums?.exact !== true)
      return { ...(await accountOf(results)), endsInLineBreak, sums: null };
    if (written !== undefined) await sums.names.write(options.target, written);
    const summed = await sums.write(options.scratch);
    return { ...(await accountOf(results)), endsInLineBreak, sums: summed };
  } catch (error) {
    await names;
    if (error !== disorder) throw error;
  } finally {
    // Whoever gets the error closes the database, which must not happen while it is asked something.
    await Promise.allSettled([summable]);
  }
  await rm(parts, { recursive: true, force: true });
  const { results, endsInLineBreak } = await readPieces(options, names, parts, false);
  const { repeated, repeats } = await sortParts(duck, parts, options);
  return { ...(await accountOf(results)), endsInLineBreak, repeated, repeats, sums: null };
}

async function areTokensUnique(duck: Duck, markets: string): Promise<boolean> {
  const [found] = await duck.rows<{ unique: boolean }>(`SELECT count(token) = count(DISTINCT token) AS "unique"
    FROM (SELECT unnest([token0, token1]) AS token FROM ${markets})`);
  return found?.unique === true;
}

/** Thrown where a file that was taken to be in order of time turns out not to be. */
const disorder = new Error('not in order of time');

/** What is left of the result of a piece once its memory is released. */
type PieceAccount = Omit<PieceResult, 'sums'>;

/** @param visit called with each result, in the order of the pieces, while its sums are there */
async function readPieces(
  options: PieceImport,
  names: Promise<MarketNames>,
  parts: string,
  ordered: boolean,
  visit?: (result: PieceResult) => void,
): Promise<{ results: PieceAccount[]; endsInLineBreak: boolean }> {
  await mkdir(parts, { recursive: true });
  const { file, markets, scratch, duplicates, threads, memoryMb } = options;
  // One is cut while another is written.
  const held = work.jobsAtOnce * threads;
  const cutter = new PieceCutter(file, polyDataTradeColumns, { size: options.pieceBytes, held });
  const atWork = new Map<number, Piece>();
  let endsInLineBreak = true;
  async function* pieces(): AsyncGenerator<Piece> {
    let index = 0;
    for await (const piece of cutter) {
      ({ endsInLineBreak } = piece);
      atWork.set(index++, piece);
      yield piece;
    }
  }
  await checkIsFile(file);
  const direct = (await stat(file)).size > LARGE_FILE_BYTES;
  const shared = names.then(
    (known): PieceShared => ({ file, markets, names: known, trades: parts, scratch, duplicates, direct, ordered }),
  );
  const inTurn = inOrder((result: PieceResult, index) => {
    visit?.(result);
    cutter.release(atWork.get(index) as Piece);
    atWork.delete(index);
  });
  let rows = 0;
  let visited: Promise<void> = Promise.resolve();
  const results = await runJobs(work, shared, pieces(), {
    threads,
    memoryMb,
    scratch,
    onDone: (_, result, index) => {
      // Soon, but not before the thread has got its next piece.
      visited = visited
        .then(() => nextTurn())
        .then(() => {
          inTurn(result, index);
        });
      visited.catch(() => undefined);
      if (ordered && !result.ordered) throw disorder;
      rows += result.rows;
      options.progress(rows);
    },
  });
  await visited;
  let last = Number.NEGATIVE_INFINITY;
  for (const result of results) {
    if (ordered && result.first !== null && result.first < last) throw disorder;
    last = result.last ?? last;
  }
  return { results: results.map(({ sums: _, ...account }) => account), endsInLineBreak };
}

/** One part is a file; several are a folder. Gives the names of several. */
async function moveParts(parts: string, target: string): Promise<string[] | undefined> {
  const names = parquetFiles(parts).map((file) => path.basename(file));
  if (names.length > 1) {
    await rename(parts, target);
    return names;
  }
  await rename(partFile(parts, 0), target);
  await rm(parts, { recursive: true });
  return undefined;
}

async function accountOf(results: readonly PieceAccount[]): Promise<Omit<ImportedTrades, 'endsInLineBreak' | 'sums'>> {
  const refused = new Map<string, { count: number; line: number }>();
  for (const result of results)
    for (const { reason, count, line } of result.refused) {
      const known = refused.get(reason);
      if (known === undefined) refused.set(reason, { count, line });
      else known.count += count;
    }
  return {
    rowsRead: results.reduce((sum, { rows }) => sum + rows, 0),
    refused,
    repeated: results.reduce((sum, { repeated }) => sum + repeated, 0),
    repeats: results.flatMap(({ repeats }) => (repeats === null ? [] : [repeats])),
  };
}

/** Sorts checked rows, and finds the equal ones among all of them. */
async function sortParts(
  duck: Duck,
  parts: string,
  { target, scratch, duplicates }: PieceImport,
): Promise<Pick<ImportedTrades, 'repeated' | 'repeats'>> {
  const rows = parquetRelation(parts);
  const repeats = path.join(scratch, 'repeats.parquet');
  await duck.run(`CREATE OR REPLACE TABLE repeated AS SELECT "row", "first" FROM (
      SELECT "row", first_value("row") OVER (PARTITION BY fingerprint ORDER BY "row") AS "first" FROM ${rows})
    WHERE "row" > "first"`);
  // The numbers on their own first: sorting whole rows twice costs more than all checks.
  await duck.run(`CREATE OR REPLACE TABLE ranks AS SELECT "row", row_number() OVER (ORDER BY time, "row") - 1 AS seq
    FROM ${rows} ${duplicates === 'keep' ? '' : 'ANTI JOIN repeated USING ("row")'}`);
  await copyCanonical(
    duck,
    'trades',
    `SELECT ranks.seq, time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side,
       usd::DOUBLE / shares::DOUBLE AS price, usd, shares, NULL::DECIMAL(18, 6) AS fee, NULL AS orderHash, ${polyDataOrder} AS orderGroup,
       "transaction" FROM ranks JOIN ${rows} USING ("row")`,
    target,
  );
  const number = duplicates === 'keep' ? 'repeated."row"' : 'repeated."first"';
  await duck.run(`COPY (SELECT seq FROM repeated JOIN ranks ON ranks."row" = ${number} ORDER BY repeated."row")
    TO ${quote(repeats)}`);
  const [counted] = await duck.rows<{ count: number }>('SELECT count(*)::DOUBLE AS count FROM repeated');
  await duck.run('DROP TABLE repeated; DROP TABLE ranks');
  await rm(parts, { recursive: true });
  const repeated = counted?.count ?? 0;
  return { repeated, repeats: repeated === 0 ? [] : [repeats] };
}
