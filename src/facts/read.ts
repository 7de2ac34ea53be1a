/** What is in a folder of facts, and the buckets of wallets that are worked on one after the other. */
import { FathomError } from '../errors.ts';
import { type Duck, quote } from '../tables/duck.ts';
import { readStored, type StoredFile } from '../tables/parquet/stored.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { streamNumbers } from '../tables/stream.ts';
import type { Extent } from './check.ts';
import { factFiles } from './layout.ts';

/** A range of wallets that is worked on at once. */
export interface Bucket {
  /** Number of the first wallet. */
  readonly from: number;
  /** Number after that of the last wallet. */
  readonly to: number;
  /** Fills of those wallets. */
  readonly fills: number;
}

/** Fills in a bucket, unless one wallet has more: some 30 MB in memory. */
const BUCKET_FILLS = 500_000;

/**
 * Cuts the wallets into buckets of about equal fills. The cuts depend on the data alone, never on threads or memory.
 *
 * @param size a bucket ends with the wallet that brings it to this many fills
 */
export async function bucketBounds(duck: Duck, folder: string, size = BUCKET_FILLS): Promise<Bucket[]> {
  const wallets = `read_parquet(${quote(factFiles(folder).wallets)})`;
  const [counted] = await duck.rows<{ wallets: number }>(`SELECT count(*)::DOUBLE AS wallets FROM ${wallets}`);
  const fills = new Float64Array(counted?.wallets ?? 0);
  let wallet = 0;
  await streamNumbers(duck, `SELECT fills::DOUBLE FROM ${wallets} ORDER BY wallet`, fills.length, ([column], rows) => {
    fills.set((column as Float64Array).subarray(0, rows), wallet);
    wallet += rows;
  });
  return bucketsOf(fills, size);
}

/** The same, from the fills of every wallet. */
export function bucketsOf(fillsByWallet: Float64Array, size = BUCKET_FILLS): Bucket[] {
  const buckets: Bucket[] = [];
  let from = 0;
  let fills = 0;
  fillsByWallet.forEach((own, wallet) => {
    fills += own;
    if (fills < size && wallet < fillsByWallet.length - 1) return;
    if (fills > 0) buckets.push({ from, to: wallet + 1, fills });
    from = wallet + 1;
    fills = 0;
  });
  return buckets;
}

/** A file of facts; stops if it is none that `wallets.facts` would write. */
export async function readFactFile(path: string): Promise<StoredFile> {
  const file = await readStored(path);
  if (file !== undefined) return file;
  throw new FathomError('data', `${path}: these are no facts as wallets.facts writes them`, {
    hint: 'run that stage again',
  });
}

/** Extent of the fills of a folder of facts, as the ends of its files tell it. */
export async function extentOfFacts(folder: string): Promise<Extent> {
  const files = await Promise.all(parquetFiles(factFiles(folder).facts).map(readFactFile));
  let [rows, first, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const group of files.flatMap(({ groups }) => groups)) {
    const { least = Number.NaN, greatest = Number.NaN } = group.columns['time'] ?? {};
    rows += group.rows;
    first = Math.min(first, least);
    last = Math.max(last, greatest);
  }
  if (!Number.isFinite(first) || !Number.isFinite(last))
    throw new FathomError('data', `${factFiles(folder).facts}: the files do not tell the times of their fills`, {
      hint: 'run wallets.facts again',
    });
  return { rows, first, last };
}
