/** Work of one thread on one bucket of wallets: lays its rows wallet by wallet and writes them as facts. */
import { makeKernels, type Pointer } from '../kernels/kernels.ts';
import { type EncodedValues, Pages } from '../kernels/pages.ts';
import { ALIGNMENT, aligned, DirectMemory, readBytes, withDirect } from '../tables/direct.ts';
import { Turns } from '../tables/job-order.ts';
import type { JobTools, JobWork } from '../tables/jobs.ts';
import { type EncodedRows, GROUP_ROWS, writeAhead } from '../tables/parquet/encoded.ts';
import { PieceWriter } from '../tables/pieces.ts';
import { factColumns } from './layout.ts';
import { type PackedFile, type PackedPiece, pieceBytes } from './packed-rows.ts';
import type { Bucket } from './read.ts';

/** Rows of one bucket, in order of their trades. */
export interface LayJob {
  readonly bucket: Bucket;
  readonly files: readonly PackedFile[];
  /** The Parquet file to be written. */
  readonly target: string;
}

/** By the key of a token, its market and its number. */
export interface TokenLists {
  readonly marketOf: Int32Array;
  readonly tokenOf: Int32Array;
}

export interface LayShared extends TokenLists {
  /** True to write past the system's cache. */
  readonly direct: boolean;
}

/** Places of the fields of `Laid`, in words of four bytes; see the kernels. */
const laidAt = {
  wallet: 0,
  seq: 1,
  market: 2,
  token: 3,
  time: 4,
  usd: 5,
  shares: 6,
  fee: 7,
  other: 8,
  flags: 9,
  hasFee: 10,
  hasOther: 11,
  rows: 12,
} as const;

/** What the pages take of a row, at most, and what comes with them. */
const PAGE_BYTES = 80;
const MORE_BYTES = 1 << 16;

/** Files of a bucket that are read at once. */
const READS_AT_ONCE = 4;

/** Flags are below this; all of them are listed. */
const FLAGS = 32;
const allFlags = new Uint8Array(Int32Array.from({ length: FLAGS }, (_, flag) => flag).buffer);

/** Some jobs may run at once: each reads its rows, and then they take turns. */
export default async function openLayWork(
  { marketOf, tokenOf, direct }: LayShared,
  _tools: JobTools,
): Promise<JobWork<LayJob, number>> {
  const kernels = makeKernels();
  const load = (values: Int32Array): Pointer => {
    const start = kernels.allocate(4 * values.length);
    new Int32Array(kernels.memory.buffer, start, values.length).set(values);
    return start;
  };
  const [markets, tokens] = [load(marketOf), load(tokenOf)];
  const shape = kernels.allocate(kernels.rowShapeBytes());
  const pages = new Pages(kernels);
  let [laid, room]: [Pointer, number] = [0, 0];
  const turns = new Turns();
  const spare: DirectMemory[] = [];
  const pieces = new PieceWriter(direct);

  /** Lays rows that have been read. Says how many there are, and when they are written. */
  const lay = async (
    { bucket, target }: LayJob,
    all: readonly PieceRead[],
    bytes: Uint8Array,
  ): Promise<{ rows: number; written: Promise<void> }> => {
    const rows = all.reduce((sum, { piece }) => sum + piece.rows, 0);
    const wallets = bucket.to - bucket.from;
    if (rows > room) {
      // Buckets differ a little, and memory is never given back.
      room = Math.ceil(1.25 * rows);
      laid = kernels.makeLaid(room);
    }
    const word = (name: keyof typeof laidAt): number =>
      new Uint32Array(kernels.memory.buffer, laid, 13)[laidAt[name]] as number;
    pages.begin(MORE_BYTES + Math.max(bytes.length, PAGE_BYTES * rows + 4 * wallets));
    const start = pages.scratch(bytes.length);
    pages.bytes(start, bytes.length).set(bytes);
    let end = word('rows');
    for (const { piece, at, skipped } of all) {
      pages.bytes(shape, piece.shape.length).set(piece.shape);
      end = kernels.unpackRows(shape, start + at + skipped, piece.rows, end) >>> 0;
    }
    // What was read is of no more use: pages go where it was.
    pages.begin(0);
    kernels.layRows(laid, rows, bucket.from, wallets, pages.scratch(4 * wallets), markets, tokens);
    const groups: EncodedRows[] = [];
    // Where the values of the next group begin among those that are known.
    let [fee, other] = [0, 0];
    for (let from = 0; from < rows; from += GROUP_ROWS) {
      const count = Math.min(GROUP_ROWS, rows - from);
      const whole = (name: keyof typeof laidAt): EncodedValues => pages.differences(word(name) + 8 * from, count);
      const some = (name: 'fee' | 'other', has: 'hasFee' | 'hasOther', start: number) => {
        const there = kernels.countOnes(word(has) + from, count);
        const present = pages.presence(word(has) + from, count);
        return { ...pages.differences(word(name) + 8 * start, there), present, nulls: count - there };
      };
      const walletOf = new BigInt64Array(kernels.memory.buffer, word('wallet') + 8 * from, count);
      const [fees, others] = [some('fee', 'hasFee', fee), some('other', 'hasOther', other)];
      fee += count - fees.nulls;
      other += count - others.nulls;
      groups.push({
        rows: count,
        columns: {
          wallet: {
            type: 'INTEGER',
            ...whole('wallet'),
            range: { least: walletOf[0] as bigint, greatest: walletOf[count - 1] as bigint },
          },
          seq: { type: 'BIGINT', ...whole('seq') },
          market: { type: 'INTEGER', ...whole('market') },
          token: { type: 'INTEGER', ...whole('token') },
          time: {
            type: 'BIGINT',
            ...whole('time'),
            range: {
              least: kernels.leastOf(word('time') + 8 * from, count),
              greatest: kernels.greatestOf(word('time') + 8 * from, count),
            },
          },
          usd: { type: 'BIGINT', ...whole('usd') },
          shares: { type: 'BIGINT', ...whole('shares') },
          fee: { type: 'BIGINT', ...fees },
          flags: {
            type: 'UTINYINT',
            ...pages.places(word('flags') + from, 1, count, FLAGS),
            dictionary: { count: FLAGS, bytes: allFlags },
          },
          counterparty: { type: 'INTEGER', ...others },
        },
      });
    }
    return { rows, ...(await writeAhead(target, factColumns, groups, pieces)) };
  };

  return async (job) => {
    const reads = readsOf(job.files);
    const all = reads.flatMap(({ pieces }) => pieces);
    const length = all.reduce((sum, piece) => sum + piece.length, 0);
    const memory = spare.pop() ?? new DirectMemory();
    const bytes = memory.reach(length).subarray(0, length);
    const reading = readFiles(reads, (at, count) => bytes.subarray(at, at + count));
    reading.catch(() => undefined);
    const { rows, written } = await turns.run(async () => {
      await reading;
      return lay(job, all, bytes);
    });
    spare.push(memory);
    await written;
    return rows;
  };
}

interface PieceRead {
  readonly piece: PackedPiece;
  /** The whole pages that it lies in: from a byte of the file on, so many, to a place in memory; and what is before it. */
  readonly from: number;
  readonly length: number;
  readonly at: number;
  readonly skipped: number;
}

interface FileReads {
  readonly path: string;
  readonly pieces: readonly PieceRead[];
}

/** Pieces one behind the other, from place 0 on. */
function readsOf(files: readonly PackedFile[]): FileReads[] {
  let end = 0;
  return files.map(({ path, pieces }) => ({
    path,
    pieces: pieces.map((piece) => {
      const skipped = piece.from % ALIGNMENT;
      const length = aligned(skipped + pieceBytes(piece));
      const at = end;
      end += length;
      return { piece, from: piece.from - skipped, length, at, skipped };
    }),
  }));
}

/** Reads pieces, of some files at a time, to where `memory` says. */
async function readFiles(
  files: readonly FileReads[],
  memory: (at: number, length: number) => Uint8Array,
): Promise<void> {
  const waiting = files.values();
  await Promise.all(
    Array.from({ length: READS_AT_ONCE }, async () => {
      for (const { path, pieces } of waiting)
        await withDirect(path, 'r', async (file) => {
          for (const { from, length, at } of pieces) await readBytes(file, memory(at, length), from, length);
        });
    }),
  );
}
