/** Work of one thread on pieces of a poly_data trades file: checks every row and writes the good ones as trades. */
import path from 'node:path';
import { Turns } from '../../tables/job-order.ts';
import type { JobTools, JobWork } from '../../tables/jobs.ts';
import { partFile } from '../../tables/parquet-files.ts';
import { CheckedPiece, openChecks } from './checked-piece.ts';
import type { FillSums } from './fill-sums.ts';
import type { MarketNames } from './market-names.ts';
import type { Piece } from './pieces.ts';
import { PlainFills } from './plain-fills.ts';

export interface PieceShared {
  /** The file that the pieces are of, for errors. */
  readonly file: string;
  /** Canonical markets, and what they are called. */
  readonly markets: string;
  readonly names: MarketNames;
  /** Folder of the parts of the trades. */
  readonly trades: string;
  /** Folder for pieces that DuckDB has to read, and for lists of duplicates. */
  readonly scratch: string;
  readonly duplicates: 'keep' | 'drop-exact';
  /** True if the parts are to be written past the system's cache. */
  readonly direct: boolean;
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
  /** Sums of what was kept, in the memory of the piece; null if only the part tells them. */
  readonly sums: FillSums | null;
}

/** What became of a piece, and when its part is written. */
interface DonePiece {
  readonly result: PieceResult;
  readonly written: Promise<void>;
}

/** Some jobs may run at once: one is read while another's part is written. */
export default async function openPieceWork(
  shared: PieceShared,
  { duck }: JobTools,
): Promise<JobWork<Piece, PieceResult>> {
  const fills = new PlainFills(shared.names, shared.direct);
  /** DuckDB's own view of the markets takes a while, and most files have no piece that needs it. */
  let checks: Promise<void> | undefined;

  const readChecked = async (piece: Piece, index: number, quick: boolean): Promise<PieceResult> => {
    checks ??= openChecks(duck, shared.markets);
    await checks;
    const slow = await CheckedPiece.open(duck, shared, piece, path.join(shared.scratch, `piece-${index}.csv`));
    try {
      const repeats = path.join(shared.scratch, `repeats-${index}.parquet`);
      const result = await slow.finish(partFile(shared.trades, index), repeats, quick);
      return { ...result, sums: quick && result.repeated === 0 ? fills.sum(piece.bytes.buffer) : null };
    } finally {
      await slow.close();
    }
  };

  const read = async (piece: Piece, index: number): Promise<DonePiece> => {
    const nothing = Promise.resolve();
    const quick = shared.ordered && piece.endsInLineBreak && fills.read(piece.bytes) && fills.rows > 0;
    if (!quick) return { result: await readChecked(piece, index, false), written: nothing };
    const { first, last, ordered } = fills;
    const account = { refused: [], repeated: 0, repeats: null };
    const result = { rows: piece.lines, kept: fills.rows, first, last, ordered, ...account, sums: null };
    // The import begins again: nothing is to be written.
    if (!ordered) return { result, written: nothing };
    const { written } = await fills.write(partFile(shared.trades, index), piece.before);
    if (fills.rows === fills.lines && fills.different)
      return { result: { ...result, sums: fills.sum(piece.bytes.buffer) }, written };
    await written;
    return { result: await readChecked(piece, index, true), written };
  };

  const turns = new Turns();
  return async (piece, index) => {
    const { result, written } = await turns.run(() => read(piece, index));
    await written;
    return result;
  };
}
