/** The buckets of wallets as jobs of worker threads. */
import { factFiles } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import { type Duck, quote } from '../../tables/duck.ts';

/** Wallets of a bucket that traded, in order of their addresses. As few values as may be: they are copied to a thread. */
export interface NamedWallets {
  readonly numbers: Int32Array;
  /** Their addresses, one behind the other without a space, and the bytes of each. */
  readonly addresses: string;
  readonly lengths: Int32Array;
}

export interface ProfileJob {
  readonly bucket: Bucket;
  /** Number of the bucket, and so of its part of the table. */
  readonly part: number;
  /** Undefined where the rows come back in place of being written. */
  readonly wallets: NamedWallets | undefined;
}

/**
 * Makes the jobs as they are wanted, those of most wallets first: they have the most rows, and what runs at the end, when
 * threads run out of jobs, should be short. Addresses are read here, so that no thread needs a database.
 */
export async function* profileJobs(
  duck: Duck,
  facts: string,
  buckets: readonly Bucket[],
  named: boolean,
): AsyncGenerator<ProfileJob> {
  const jobs = buckets.map((bucket, part) => ({ bucket, part }));
  jobs.sort((a, b) => b.bucket.to - b.bucket.from - (a.bucket.to - a.bucket.from) || a.part - b.part);
  for (const job of jobs)
    yield { ...job, wallets: named ? await walletsByAddress(duck, facts, job.bucket) : undefined };
}

async function walletsByAddress(duck: Duck, facts: string, { from, to }: Bucket): Promise<NamedWallets> {
  const sorted = await duck.connection.runAndReadAll(`SELECT wallet, address
    FROM read_parquet(${quote(factFiles(facts).wallets)})
    WHERE wallet >= ${from} AND wallet < ${to} AND fills > 0 ORDER BY address`);
  const [numbers, addresses] = sorted.getColumnsJS() as [number[], string[]];
  return {
    numbers: Int32Array.from(numbers),
    addresses: addresses.join(''),
    lengths: Int32Array.from(addresses, (address) => Buffer.byteLength(address)),
  };
}
