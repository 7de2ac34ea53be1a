/** Works through the buckets of facts with several threads; see `runJobs`. */
import { type JobModule, type JobTools, type JobWork, runJobs } from '../tables/jobs.ts';
import type { Bucket } from './read.ts';

export type BucketTools = JobTools;

/** Does the work of one bucket. The result must be a plain value: it is copied between threads. */
export type BucketWork<Result> = JobWork<Bucket, Result>;

/** The function and its module, named by `new URL('./name.js', import.meta.url)`. */
export type BucketModule<Shared, Result> = JobModule<Shared, Bucket, Result>;

export interface BucketRun {
  readonly threads: number;
  /** For the databases of all workers together. */
  readonly memoryMb: number;
  /** A folder where they may spill. */
  readonly scratch: string;
  /** Called after each bucket; what it throws stops the run. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Runs `work` on every bucket, and gives the results in order of the buckets.
 *
 * @param shared what each worker is opened with; copied to each, so it must be plain
 */
export async function runBuckets<Shared, Result>(
  work: BucketModule<Shared, Result>,
  shared: Shared,
  buckets: readonly Bucket[],
  { threads, memoryMb, scratch, progress }: BucketRun,
): Promise<Result[]> {
  if (buckets.length === 0) return [];
  return runJobs(work, shared, buckets, {
    threads: Math.max(1, Math.min(threads, buckets.length)),
    memoryMb,
    scratch,
    onDone: (done) => progress?.(done, buckets.length),
  });
}
