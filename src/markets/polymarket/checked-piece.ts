/**
 * A piece of a poly_data trades file by way of DuckDB, which tells what is wrong with every row: for pieces with rows
 * that are not plain, are refused or may be there twice.
 */
import { rm, writeFile } from 'node:fs/promises';
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { copyCanonical } from '../write-canonical.ts';
import type { PieceResult, PieceShared } from './piece-work.ts';
import type { Piece } from './pieces.ts';
import { polyDataOrder, polyDataTradeColumns, polyDataTrades } from './poly-data.ts';
import { malformedReasons } from './refused.ts';

/** With DuckDB's own buffers, of four times that, a thread is beyond its limit of memory and spills more than it reads. */
const BUFFER_BYTES = 8 << 20;

/** As many wrong lines in a row are no damage to single lines. */
const SCHEMA_CHANGE = 3;

/** Prepares a database for pieces. */
export async function openChecks(duck: Duck, markets: string): Promise<void> {
  // The rows of the file are to be looked up among the markets, never the other way round: that keeps most in order.
  await duck.run(`SET disabled_optimizers = 'join_order,build_side_probe_side';
    CREATE TABLE market AS FROM read_parquet(${quote(markets)})`);
}

/** A piece in a file of its own, without a header. */
interface PieceFile extends Piece {
  readonly path: string;
}

export class CheckedPiece {
  private readonly duck: Duck;
  private readonly shared: PieceShared;
  private readonly piece: PieceFile;

  private constructor(duck: Duck, shared: PieceShared, piece: PieceFile) {
    this.duck = duck;
    this.shared = shared;
    this.piece = piece;
  }

  static async open(duck: Duck, shared: PieceShared, piece: Piece, path: string): Promise<CheckedPiece> {
    await writeFile(path, piece.bytes);
    return new CheckedPiece(duck, shared, { ...piece, path });
  }

  close(): Promise<void> {
    return rm(this.piece.path);
  }

  /**
   * Accounts for all rows.
   *
   * @param written true if the good rows stand in `part` already
   */
  async finish(part: string, repeats: string, written: boolean): Promise<Omit<PieceResult, 'sums'>> {
    const { duck, piece, shared } = this;
    const { ordered, duplicates, file } = shared;
    await forgetRejected(duck);
    if (!written) await this.write(part);
    const relation = `read_parquet(${quote(part)})`;
    let found = await describePart(duck, relation);
    // What was written the quick way was made of plain lines only.
    const malformed = written ? [] : await readMalformed(duck, file, piece);
    if (found.misplaced > 0) {
      await writeTrades(duck, checkedRows(piece), part, false);
      found = await describePart(duck, relation);
    }
    const { kept, first, last } = found;
    const refused = await findRefused(duck, file, piece, malformed, kept);
    const result = { rows: piece.lines, kept, first, last, ordered: found.earlier === 0, refused };
    const repeated = ordered && result.ordered ? await findRepeats(duck, piece, duplicates, repeats) : 0;
    const drop = duplicates === 'drop-exact' ? repeated : 0;
    if (drop > 0)
      await writeTrades(duck, `${checkedRows(piece)} AND "row" NOT IN (SELECT "row" FROM repeats)`, part, false);
    return { ...result, kept: kept - drop, repeated, repeats: repeated === 0 ? null : repeats };
  }

  private async write(part: string): Promise<void> {
    const { duck, piece, shared } = this;
    if (shared.ordered) await writeTrades(duck, checkedRows(piece), part, true);
    else
      await duck.run(`COPY (SELECT *, "row" AS seq FROM (${rowsOf(piece)}) WHERE reason IS NULL ORDER BY "row")
        TO ${quote(part)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
  }
}

/**
 * A query for the rows of a piece. All of its columns are read, whatever is asked for, so that every use sees the same
 * rows.
 */
function linesOf(piece: PieceFile): string {
  const columns = polyDataTradeColumns.map((name) => `${quote(name)}: 'VARCHAR'`).join(', ');
  // Without quotes every line is a record, whatever stands in it.
  const mark = piece.quoted ? '"' : '';
  return `(SELECT *, ${piece.before} + row_number() OVER () - 1 AS "row" FROM read_csv(${quote(piece.path)}, header = false,
       auto_detect = false, delim = ',', quote = '${mark}', escape = '${mark}', columns = {${columns}}, compression = 'none',
       store_rejects = true, rejects_limit = 0, null_padding = false, buffer_size = ${BUFFER_BYTES}))`;
}

/** A query for the checked rows of a piece, with the reasons of those that are refused. */
const rowsOf = (piece: PieceFile): string => polyDataTrades(linesOf(piece), 'market');

/** A query for the good rows of a piece that ends in a condition. */
const checkedRows = (piece: PieceFile): string => `SELECT * FROM (${rowsOf(piece)}) WHERE reason IS NULL`;

/**
 * Writes the good rows.
 *
 * @param sorted true to trust that they come in order. Sorting takes as long as all else, and is rarely needed: looking
 *   up markets changes the order only of rows whose markets share a place in a hash table.
 */
async function writeTrades(duck: Duck, rows: string, part: string, sorted: boolean): Promise<void> {
  await copyCanonical(
    duck,
    'trades',
    `SELECT "row" AS seq, time, market, event, token, outcome, outcomeIndex, wallet, counterparty, role, side,
       usd::DOUBLE / shares::DOUBLE AS price, usd, shares, NULL::DECIMAL(18, 6) AS fee, NULL AS orderHash, ${polyDataOrder} AS orderGroup,
       "transaction" FROM (${rows})`,
    part,
    sorted,
  );
}

async function describePart(
  duck: Duck,
  written: string,
): Promise<{ kept: number; first: number | null; last: number | null; earlier: number; misplaced: number }> {
  const [found] = await duck.rows<Record<'kept' | 'first' | 'last' | 'earlier' | 'misplaced', number>>(
    `SELECT count(*)::DOUBLE AS kept, epoch_us(min(time))::DOUBLE AS "first", epoch_us(max(time))::DOUBLE AS "last",
       count(*) FILTER (time < timeBefore)::DOUBLE AS earlier, count(*) FILTER (seq <= before)::DOUBLE AS misplaced
     FROM (SELECT seq, time, lag(seq) OVER () AS before, lag(time) OVER () AS timeBefore FROM ${written})`,
  );
  if (found === undefined) throw new FathomError('internal', 'a count gives no row');
  return found;
}

interface Malformed {
  /** Place among the lines of the piece, from 0. */
  readonly place: number;
  readonly reason: string;
}

/** Forgets the lines that were rejected: reading again would list them again. */
const forgetRejected = (duck: Duck): Promise<void> =>
  duck.run('DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans');

/** Lines that a piece could not be read in, from 1, and why, after it has been read once. */
const rejected = (duck: Duck): Promise<{ line: number; kind: string }[]> =>
  duck.rows(
    'SELECT line::DOUBLE AS line, min(error_type::VARCHAR) AS kind FROM reject_errors GROUP BY line ORDER BY line',
  );

/** The lines that are no rows of the format at all, after a piece has been read once. */
async function readMalformed(duck: Duck, file: string, piece: PieceFile): Promise<Malformed[]> {
  const malformed = (await rejected(duck)).map(({ line, kind }) => ({
    place: line - 1,
    reason: malformedReasons[kind] ?? kind.toLowerCase(),
  }));
  const change = malformed.find(({ place, reason }, i) => {
    const last = malformed[i + SCHEMA_CHANGE - 1];
    return reason === WRONG_COLUMNS && last?.reason === reason && last.place === place + SCHEMA_CHANGE - 1;
  });
  if (change !== undefined)
    throw new FathomError('data', 'from here on the rows have another number of columns: the file changes its format', {
      at: { file, line: piece.firstLine + change.place },
      hint: 'Cut the file there, or write it again in one format.',
    });
  return malformed;
}

const WRONG_COLUMNS = malformedReasons['TOO MANY COLUMNS'];

/** A function from a row of the table `piece`, counted from 0 in it, to its line in the file. */
function lineFinder(piece: PieceFile, malformed: readonly Malformed[]): (row: number) => number {
  const others = [...piece.blank, ...malformed.map(({ place }) => place)].sort((a, b) => a - b);
  return (row) => {
    let place = row;
    for (const other of others) if (other <= place) place++;
    return piece.firstLine + place;
  };
}

/** Refused rows by reason. Only a piece that has some is read again for them. */
async function findRefused(
  duck: Duck,
  file: string,
  piece: PieceFile,
  malformed: readonly Malformed[],
  kept: number,
): Promise<PieceResult['refused']> {
  if (kept === piece.lines) return [];
  await duck.run(
    `CREATE OR REPLACE TABLE refused AS SELECT "row", reason FROM (${rowsOf(piece)}) WHERE reason IS NOT NULL`,
  );
  const [counted] = await duck.rows<{ rows: number }>('SELECT count(*)::DOUBLE AS "rows" FROM refused');
  const accounted = (counted as { rows: number }).rows + malformed.length + kept;
  if (accounted !== piece.lines) {
    const open = malformed.find(({ reason }) => reason === malformedReasons['UNQUOTED VALUE']) ?? malformed[0];
    throw new FathomError('data', `${piece.lines - accounted} lines are in no row: a quote is opened and not closed`, {
      at: { file, line: piece.firstLine + (open?.place ?? 0) },
    });
  }
  if (!piece.endsInLineBreak) await refuseCutLine(duck, piece, malformed);
  const lineOfRow = lineFinder(piece, malformed);
  const found = await duck.rows<{ reason: string; count: number; row: number }>(
    'SELECT reason, count(*)::DOUBLE AS count, min("row")::DOUBLE AS "row" FROM refused GROUP BY reason ORDER BY reason',
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
async function refuseCutLine(duck: Duck, piece: PieceFile, malformed: readonly Malformed[]): Promise<void> {
  if (malformed.at(-1)?.place === piece.lines + piece.blank.length - 1) return;
  await duck.run(`UPDATE refused SET reason = ${quote(CUT_LINE)}
    WHERE "row" = ${piece.before + piece.lines - malformed.length - 1}`);
}

/**
 * Makes the table `repeats` of rows equal in every column to an earlier one, and a file of their numbers or, if they are
 * not kept, of the numbers of the first of each. Equal rows have equal times, and those stand in one piece.
 */
async function findRepeats(
  duck: Duck,
  piece: PieceFile,
  duplicates: PieceShared['duplicates'],
  target: string,
): Promise<number> {
  await duck.run(`CREATE OR REPLACE TABLE repeats AS SELECT "row", "first" FROM (
      SELECT "row", first_value("row") OVER same AS "first" FROM (${rowsOf(piece)}) WHERE reason IS NULL
      WINDOW same AS (PARTITION BY fingerprint ORDER BY "row")) WHERE "row" > "first"`);
  const [counted] = await duck.rows<{ count: number }>('SELECT count(*)::DOUBLE AS count FROM repeats');
  const { count } = counted as { count: number };
  const number = duplicates === 'keep' ? '"row"' : '"first"';
  if (count > 0) await duck.run(`COPY (SELECT ${number} AS seq FROM repeats ORDER BY "row") TO ${quote(target)}`);
  return count;
}
