/** Rows of trades on their way to facts, as the kernels pack them (kernels/fact-rows.ts). */

/** Bytes behind the rows of each bucket. */
const ROW_GAP = 8;

/** Rows of a batch of trades, those of the first bucket first. */
export interface PackedBatch {
  /** Where they begin in their file, in bytes. */
  readonly from: number;
  /** Rows of each bucket. */
  readonly rows: Int32Array;
  /** How they are packed, and the bytes that a row takes. */
  readonly shape: Uint8Array;
  readonly size: number;
}

/** Rows of a batch that go to the same bucket. */
export interface PackedPiece {
  readonly from: number;
  readonly rows: number;
  readonly shape: Uint8Array;
  readonly size: number;
}

/** Pieces of one file, in order of their trades. */
export interface PackedFile {
  readonly path: string;
  readonly pieces: readonly PackedPiece[];
}

/** Bytes of a piece that are read: unpacking looks at some behind it. */
export const pieceBytes = ({ rows, size }: PackedPiece): number => rows * size + ROW_GAP;

/** Where the rows of each of so many buckets are, file by file. */
export function piecesOf(
  buckets: number,
  files: readonly (readonly PackedBatch[])[],
  paths: readonly string[],
): PackedFile[][] {
  const found: PackedFile[][] = Array.from({ length: buckets }, () => []);
  files.forEach((batches, i) => {
    const pieces: PackedPiece[][] = Array.from({ length: buckets }, () => []);
    for (const { from: start, rows: counts, shape, size } of batches) {
      let from = start;
      counts.forEach((rows, bucket) => {
        const piece = { from, rows, shape, size };
        if (rows > 0) pieces[bucket]?.push(piece);
        from += pieceBytes(piece);
      });
    }
    pieces.forEach((own, bucket) => {
      if (own.length > 0) found[bucket]?.push({ path: paths[i] as string, pieces: own });
    });
  });
  return found;
}
