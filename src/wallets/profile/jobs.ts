/** The buckets of wallets as jobs of worker threads. */
import type { Bucket } from '../../facts/read.ts';
import type { Duck } from '../../tables/duck.ts';
import { type NamedWallets, walletsByAddress } from './named-wallets.ts';

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
