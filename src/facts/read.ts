/** What is in a folder of facts, and the buckets of wallets that are worked on one after the other. */
import { type Duck, quote } from '../tables/duck.ts';
import { streamNumbers } from '../tables/stream.ts';
import type { Extent } from './check.ts';
import { factFiles, factTable } from './layout.ts';

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

/** Extent of the fills of a folder of facts. */
export async function extentOfFacts(duck: Duck, folder: string): Promise<Extent> {
  const [found] = await duck.rows<Extent>(
    `SELECT count(*)::DOUBLE AS "rows", min("time")::DOUBLE AS "first", max("time")::DOUBLE AS "last"
     FROM ${factTable(folder)}`,
  );
  return found as Extent;
}
