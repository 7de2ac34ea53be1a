/** Work of one thread on pieces of a poly_data trades file: checks every row and writes the good ones as trades. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import type { JobTools, JobWork } from '../../tables/jobs.ts';
import { partFile } from '../../tables/parquet-files.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import type { Piece } from './pieces.ts';
import { polyDataTradeColumns, polyDataTrades } from './poly-data.ts';
import { malformedReasons } from './refused.ts';

export interface PieceShared {
  /** The file that the pieces are of, for errors. */
  readonly file: string;
  /** Canonical markets. */
  readonly markets: string;
  /** Folder of the parts of the trades. */
  readonly trades: string;
  /** Folder for lists of duplicates. */
  readonly scratch: string;
  readonly duplicates: 'keep' | 'drop-exact';
  /** False if the file is not in order of time: then the parts are of checked rows, to be sorted and stripped later. */
  readonly ordered: boolean;
}

/** What became of the rows of a piece. */
export interface PieceResult {
  readonly rows: number;
  readonly kept: number;
  /** Microseconds; null if nothing was kept. */
  readonly first: number | null;
  readonly last: number | null;
  /** False if a row is earlier than one before it. */
  readonly ordered: boolean;
  /** Refused rows by reason, with the line of the first. */
  readonly refused: readonly { readonly reason: string; readonly count: number; readonly line: number }[];
  /** Rows equal in every column to one before them. */
  readonly repeated: number;
  /** Parquet with their `seq`, or with those of the rows that they repeat if they were dropped; null if there are none. */
  readonly repeats: string | null;
}

/** As many wrong lines in a row are no damage to single lines. */
const SCHEMA_CHANGE = 3;

export default async function openPieceWork(
  shared: PieceShared,
  { duck }: JobTools,
): Promise<JobWork<Piece, PieceResult>> {
  await duck.run(`CREATE TABLE market AS FROM read_parquet(${quote(shared.markets)})`);
  return async (piece, index) => {
    const malformed = await readPiece(duck, shared.file, piece);
    await rm(piece.path);
    const lineOf = lineFinder(piece, malformed);
    const refused = await countReasons(duck, piece, malformed, lineOf);
    const [found] = await duck.rows<{ rows: number; kept: number; first: number; last: number; earlier: number }>(
      `SELECT count(*)::DOUBLE AS "rows", count(*) FILTER (reason IS NULL)::DOUBLE AS kept,
         epoch_us(min(time) FILTER (reason IS NULL))::DOUBLE AS "first",
         epoch_us(max(time) FILTER (reason IS NULL))::DOUBLE AS "last",
         (SELECT count(*) FROM (SELECT time, lag(time) OVER (ORDER BY "row") AS before FROM piece WHERE reason IS NULL)
           WHERE time < before)::DOUBLE AS earlier FROM piece`,
    );
    const { rows, kept, first, last, earlier } = found as NonNullable<typeof found>;
    const result = { rows: rows + malformed.length, kept, first, last, ordered: earlier === 0, refused };
    if (!shared.ordered)
      await duck.run(`COPY (FROM piece WHERE reason IS NULL) TO ${quote(partFile(shared.trades, index))}
        (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
    if (!shared.ordered || earlier > 0) return { ...result, repeated: 0, repeats: null };
    const repeats = path.join(shared.scratch, `repeats-${index}.parquet`);
    const repeated = await findRepeats(duck, shared.duplicates === 'keep', repeats);
    const drop = shared.duplicates === 'drop-exact' ? repeated : 0;
    await copyCanonical(
      duck,
      'trades',
      `SELECT "row" AS seq, time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side,
         usd::DOUBLE / shares::DOUBLE AS price, usd, shares, NULL::DECIMAL(18, 6) AS fee, ${orderGroupSql} AS orderGroup,
         "transaction" FROM piece
       WHERE reason IS NULL ${drop === 0 ? '' : 'AND "row" NOT IN (SELECT "row" FROM repeats)'}`,
      partFile(shared.trades, index),
    );
    return { ...result, kept: kept - drop, repeated, repeats: repeated === 0 ? null : repeats };
  };
}

interface Malformed {
  /** Place among the lines of the piece, from 0. */
  readonly place: number;
  readonly reason: string;
}

/** Reads a piece into the table `piece`; returns the lines that are no rows of the format at all. */
async function readPiece(duck: Duck, file: string, piece: Piece): Promise<Malformed[]> {
  const types = polyDataTradeColumns.map((name) => `${quote(name)}: 'VARCHAR'`).join(', ');
  // Without quotes every line is a record, whatever stands in it.
  const mark = piece.quoted ? '"' : '';
  await duck.run('DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans; DROP TABLE IF EXISTS piece');
  await duck.run(
    `CREATE TABLE piece AS ${polyDataTrades(
      `(SELECT *, ${piece.before} + row_number() OVER () - 1 AS "row" FROM read_csv(${quote(piece.path)}, header = false,
       auto_detect = false, delim = ',', quote = '${mark}', escape = '${mark}', columns = {${types}}, compression = 'none',
       store_rejects = true, rejects_limit = 0, null_padding = false))`,
      'market',
    )}`,
  );
  const rejected = await duck.rows<{ line: number; kind: string }>(
    'SELECT line::DOUBLE AS line, min(error_type::VARCHAR) AS kind FROM reject_errors GROUP BY line ORDER BY line',
  );
  const malformed = rejected.map(({ line, kind }) => ({
    place: line - 1,
    reason: malformedReasons[kind] ?? kind.toLowerCase(),
  }));
  const at = (place: number) => ({ file, line: piece.firstLine + place });
  const change = malformed.find(({ place, reason }, i) => {
    const last = malformed[i + SCHEMA_CHANGE - 1];
    return reason === WRONG_COLUMNS && last?.reason === reason && last.place === place + SCHEMA_CHANGE - 1;
  });
  if (change !== undefined)
    throw new FathomError('data', 'from here on the rows have another number of columns: the file changes its format', {
      at: at(change.place),
      hint: 'Cut the file there, or write it again in one format.',
    });
  const [counted] = await duck.rows<{ rows: number }>('SELECT count(*)::DOUBLE AS "rows" FROM piece');
  const accounted = (counted as { rows: number }).rows + malformed.length;
  if (accounted !== piece.lines) {
    const open = malformed.find(({ reason }) => reason === malformedReasons['UNQUOTED VALUE']) ?? malformed[0];
    throw new FathomError('data', `${piece.lines - accounted} lines are in no row: a quote is opened and not closed`, {
      at: open === undefined ? { file, line: piece.firstLine } : at(open.place),
    });
  }
  return malformed;
}

const WRONG_COLUMNS = malformedReasons['TOO MANY COLUMNS'];

/** A function from a row of the table `piece`, counted from 0 in it, to its line in the file. */
function lineFinder(piece: Piece, malformed: readonly Malformed[]): (row: number) => number {
  const others = [...piece.blank, ...malformed.map(({ place }) => place)].sort((a, b) => a - b);
  return (row) => {
    let place = row;
    for (const other of others) if (other <= place) place++;
    return piece.firstLine + place;
  };
}

async function countReasons(
  duck: Duck,
  piece: Piece,
  malformed: readonly Malformed[],
  lineOfRow: (row: number) => number,
): Promise<PieceResult['refused']> {
  if (!piece.endsInLineBreak) await refuseCutLine(duck, piece, malformed);
  const found = await duck.rows<{ reason: string; count: number; row: number }>(
    `SELECT reason, count(*)::DOUBLE AS count, min("row")::DOUBLE AS "row" FROM piece
     WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason`,
  );
  const reasons = new Map(
    found.map(({ reason, count, row }) => [reason, { count, line: lineOfRow(row - piece.before) }]),
  );
  const last = piece.lines + piece.blank.length - 1;
  malformed.forEach(({ place, reason }) => {
    const words = !piece.endsInLineBreak && place === last ? CUT_LINE : reason;
    const line = piece.firstLine + place;
    const known = reasons.get(words);
    if (known === undefined) reasons.set(words, { count: 1, line });
    else reasons.set(words, { count: known.count + 1, line: Math.min(line, known.line) });
  });
  return [...reasons].map(([reason, { count, line }]) => ({ reason, count, line }));
}

const CUT_LINE = 'the last line is cut';

/** If the last line of a file has no line break and is no good row, that is the reason. */
async function refuseCutLine(duck: Duck, piece: Piece, malformed: readonly Malformed[]): Promise<void> {
  if (malformed.at(-1)?.place === piece.lines + piece.blank.length - 1) return;
  await duck.run(`UPDATE piece SET reason = ${quote(CUT_LINE)}
    WHERE reason IS NOT NULL AND "row" = ${piece.before + piece.lines - malformed.length - 1}`);
}

/**
 * Makes the table `repeats` of rows equal in every column to an earlier one, and a file of their numbers or, if they are
 * not kept, of the numbers of the first of each. Equal rows have equal times, and those stand in one piece.
 */
async function findRepeats(duck: Duck, kept: boolean, target: string): Promise<number> {
  const [counted] = await duck.rows<{ count: number }>(
    'SELECT (count(*) - count(DISTINCT fingerprint))::DOUBLE AS count FROM piece WHERE reason IS NULL',
  );
  const { count } = counted as { count: number };
  if (count === 0) return 0;
  await duck.run(`CREATE OR REPLACE TABLE repeats AS SELECT "row", "first" FROM (
      SELECT "row", first_value("row") OVER same AS "first" FROM piece WHERE reason IS NULL
      WINDOW same AS (PARTITION BY fingerprint ORDER BY "row")) WHERE "row" > "first"`);
  await duck.run(`COPY (SELECT ${kept ? '"row"' : '"first"'} AS seq FROM repeats ORDER BY "row") TO ${quote(target)}`);
  return count;
}
