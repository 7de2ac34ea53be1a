/** Work of one thread on one bucket of wallets: lays its rows wallet by wallet and writes them as facts. */
import type { FileHandle } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import { makeKernels, type Pointer } from '../kernels/kernels.ts';
import { type EncodedValues, Pages } from '../kernels/pages.ts';
import { ALIGNMENT, aligned, withDirect } from '../tables/direct.ts';
import type { JobTools, JobWork } from '../tables/jobs.ts';
import { type EncodedRows, writeEncoded } from '../tables/parquet/encoded.ts';
import { factColumns } from './layout.ts';
import type { Bucket } from './read.ts';

/** Bytes of a row between its trade and its fact; see the kernels. */
export const ROW_BYTES = 53;

/** Rows of one bucket, in order of their trades. */
export interface LayJob {
  readonly bucket: Bucket;
  /** Where they are: so many rows from a byte of a file on. */
  readonly pieces: readonly { readonly file: string; readonly from: number; readonly rows: number }[];
  /** The Parquet file to be written. */
  readonly target: string;
}

export interface LayShared {
  /** By the key of a token, its market and its number. */
  readonly marketOf: Int32Array;
  readonly tokenOf: Int32Array;
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

/** Pieces of a bucket that are read at once. */
const READS_AT_ONCE = 4;

/** Flags are below this; all of them are listed. */
const FLAGS = 32;
const allFlags = new Uint8Array(Int32Array.from({ length: FLAGS }, (_, flag) => flag).buffer);

/** Rows of a group in the file: as many as DuckDB's have. */
const GROUP_ROWS = 122_880;

export default async function openLayWork(
  { marketOf, tokenOf }: LayShared,
  _tools: JobTools,
): Promise<JobWork<LayJob, number>> {
  const kernels = makeKernels();
  const load = (values: Int32Array): Pointer => {
    const start = kernels.allocate(4 * values.length);
    new Int32Array(kernels.memory.buffer, start, values.length).set(values);
    return start;
  };
  const [markets, tokens] = [load(marketOf), load(tokenOf)];
  const pages = new Pages(kernels);
  let [laid, room]: [Pointer, number] = [0, 0];

  return async ({ bucket, pieces, target }) => {
    const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
    const wallets = bucket.to - bucket.from;
    if (rows > room) {
      // Buckets differ a little, and memory is never given back.
      room = Math.ceil(1.25 * rows);
      laid = kernels.makeLaid(room);
    }
    const read = rows * ROW_BYTES + 2 * ALIGNMENT * (pieces.length + 1);
    pages.begin(PAGE_BYTES * rows + 4 * wallets + read + MORE_BYTES);
    const word = (name: keyof typeof laidAt): number =>
      new Uint32Array(kernels.memory.buffer, laid, 13)[laidAt[name]] as number;
    await readPieces(pieces, pages, word('rows'), aligned(pages.scratch(read)));
    kernels.layRows(laid, rows, bucket.from, wallets, pages.scratch(4 * wallets), markets, tokens);
    const groups: EncodedRows[] = [];
    // Where the values of the next group begin among those that are known.
    let [fee, other] = [0, 0];
    for (let from = 0; from < rows; from += GROUP_ROWS) {
      const count = Math.min(GROUP_ROWS, rows - from);
      const whole = (name: keyof typeof laidAt): EncodedValues => pages.differences(word(name) + 8 * from, count);
      const some = (name: 'fee' | 'other', has: 'hasFee' | 'hasOther', start: number) => {
        const there = pages.bytes(word(has) + from, count).reduce((sum, one) => sum + one, 0);
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
          time: { type: 'BIGINT', ...whole('time') },
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
    await writeEncoded(target, factColumns, groups);
    return rows;
  };
}

/**
 * Reads pieces one behind the other into memory at `target`. They are read as whole pages into memory at `pages`, at the
 * beginning of one, some at a time, and then moved together.
 */
async function readPieces(
  pieces: LayJob['pieces'],
  memory: { bytes(at: Pointer, length: number): Uint8Array },
  target: Pointer,
  pages: Pointer,
): Promise<void> {
  let [to, at] = [target, pages];
  const reads = pieces.map(({ file, from, rows }) => {
    const skipped = from % ALIGNMENT;
    const read = { file, from: from - skipped, length: aligned(skipped + rows * ROW_BYTES), at, skipped, to, rows };
    at += read.length;
    to += rows * ROW_BYTES;
    return read;
  });
  const waiting = reads.values();
  await Promise.all(
    Array.from({ length: READS_AT_ONCE }, async () => {
      for (const { file, from, length, at: start } of waiting)
        await withDirect(file, 'r', (handle) => readAll(handle, memory.bytes(start, length), from));
    }),
  );
  for (const { at: start, skipped, to: end, rows } of reads)
    memory.bytes(end, rows * ROW_BYTES).set(memory.bytes(start + skipped, rows * ROW_BYTES));
}

async function readAll(file: FileHandle, bytes: Uint8Array, from: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done);
    if (bytesRead === 0) throw new FathomError('internal', `${done} of ${bytes.length} bytes could be read`);
    done += bytesRead;
  }
}
