/** Reads facts a range of wallets at a time. */
import { FathomError } from '../errors.ts';
import { type Duck, quote } from '../tables/duck.ts';
import { streamArrays, streamNumbers } from '../tables/stream.ts';
import type { Extent } from './check.ts';
import { COUNTERPARTY_UNKNOWN, type FactColumn, type FactColumns, factFiles, factParts, factTable } from './layout.ts';

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

/** SQL of each column in the type of its array. */
const sqlOf: Readonly<Record<FactColumn, string>> = {
  wallet: 'wallet',
  seq: 'seq::DOUBLE',
  market: 'market',
  token: 'token',
  time: '"time"::DOUBLE',
  usd: 'usd::DOUBLE',
  shares: 'shares::DOUBLE',
  fee: 'fee::DOUBLE',
  flags: 'flags',
  counterparty: `coalesce(counterparty, ${COUNTERPARTY_UNKNOWN})`,
};

const arrays = {
  wallet: Int32Array,
  seq: Float64Array,
  market: Int32Array,
  token: Int32Array,
  time: Float64Array,
  usd: Float64Array,
  shares: Float64Array,
  fee: Float64Array,
  flags: Uint8Array,
  counterparty: Int32Array,
} as const;

/** Some of the columns of the facts of one bucket, ordered by wallet and seq; the first `rows` entries count. */
export type Facts<Column extends FactColumn = FactColumn> = { readonly rows: number } & Pick<FactColumns, Column>;

/**
 * Reads some columns of one bucket.
 *
 * @param reuse facts of an earlier bucket that are no longer needed: their arrays are filled again if they are long
 *   enough
 */
export async function readFacts<Column extends FactColumn>(
  duck: Duck,
  folder: string,
  bucket: Bucket,
  columns: readonly Column[],
  reuse?: Facts<Column>,
): Promise<Facts<Column>> {
  const filled = Object.fromEntries(
    columns.map((name) => {
      const old = reuse?.[name];
      return [name, old !== undefined && old.length >= bucket.fills ? old : new arrays[name](bucket.fills)];
    }),
  ) as Record<Column, Int32Array | Float64Array | Uint8Array>;
  // Whatever is read, wallet and seq come too: a file in another order would give wrong numbers without a word.
  const names: readonly FactColumn[] = [...new Set<FactColumn>([...columns, 'wallet', 'seq'])];
  const sql = `SELECT ${names.map((name) => sqlOf[name]).join(', ')}
    FROM read_parquet([${factParts(folder, bucket).map(quote).join(', ')}])
    WHERE wallet >= ${bucket.from} AND wallet < ${bucket.to}`;
  let rows = 0;
  let lastWallet = -1;
  let lastSeq = -1;
  await streamArrays(duck, sql, bucket.fills, (chunk, count) => {
    const wallet = chunk[names.indexOf('wallet')] as Int32Array;
    const seq = chunk[names.indexOf('seq')] as Float64Array;
    for (let i = 0; i < count; i++) {
      const thisWallet = wallet[i] as number;
      const thisSeq = seq[i] as number;
      if (thisWallet < lastWallet || (thisWallet === lastWallet && thisSeq <= lastSeq))
        throw new FathomError('data', `${factFiles(folder).facts}: the facts are not in order of wallet and seq`);
      lastWallet = thisWallet;
      lastSeq = thisSeq;
    }
    columns.forEach((name, c) => {
      const array = chunk[c] as Float64Array;
      filled[name].set(array.length === count ? array : array.subarray(0, count), rows);
    });
    rows += count;
  });
  return { rows, ...filled } as unknown as Facts<Column>;
}
