/**
 * Works through buckets with several threads. What a bucket gives depends on the bucket alone, and the results come in
 * order of the buckets, so the number of threads changes nothing but the time.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FathomError } from '../errors.ts';
import { compiledRoot, packageRoot } from '../paths.ts';
import { type Duck, openDuck } from '../tables/duck.ts';
import type { FromBucketWorker, ToBucketWorker } from './bucket-worker.ts';
import type { Bucket } from './read.ts';

/** What a worker has of its own. */
export interface BucketTools {
  /** A database with one thread and the worker's share of the memory. */
  readonly duck: Duck;
}

/** Does the work of one bucket. The result must be a plain value: it is copied between threads. */
export type BucketWork<Result> = (bucket: Bucket, index: number) => Promise<Result>;

/** Prepares a worker: reads what all buckets need, and gives the function that does one. */
export type OpenBucketWork<Shared, Result> = (shared: Shared, tools: BucketTools) => Promise<BucketWork<Result>>;

/**
 * The work twice: the function, and the compiled module of which it is the default export. The module is named by
 * `new URL('./name.js', import.meta.url)`, so that its code counts in the identity of the stage.
 */
export interface BucketModule<Shared, Result> {
  readonly open: OpenBucketWork<Shared, Result>;
  readonly url: URL;
}

export interface BucketRun {
  readonly threads: number;
  /** For the databases of all workers together. */
  readonly memoryMb: number;
  /** A folder where they may spill, each into a folder of its own: two databases in one would overwrite each other. */
  readonly scratch: string;
  /** Called after each bucket; what it throws stops the run. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** No database works with less. */
const LEAST_MB = 128;

/**
 * Runs `work` on every bucket. The first bucket that fails, by its number among those that were begun, decides the
 * error; no other bucket is begun after it.
 *
 * @param shared what each worker is opened with; copied to each, so it must be plain
 */
export async function runBuckets<Shared, Result>(
  work: BucketModule<Shared, Result>,
  shared: Shared,
  buckets: readonly Bucket[],
  { threads, memoryMb, scratch, progress }: BucketRun,
): Promise<Result[]> {
  const workers = Math.max(1, Math.min(threads, buckets.length));
  const memoryEach = Math.max(LEAST_MB, Math.floor(memoryMb / workers));
  const results = new Array<Result>(buckets.length);
  let next = 0;
  let done = 0;
  const failures = new Map<number, unknown>();
  /** Gives one bucket after the other to one worker. */
  const drain = async (doOne: (index: number) => Promise<Result>): Promise<void> => {
    while (next < buckets.length && failures.size === 0) {
      const index = next++;
      try {
        results[index] = await doOne(index);
        progress?.(++done, buckets.length);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  if (workers === 1)
    await runHere(work, shared, buckets, { memoryMb: memoryEach, scratch: path.join(scratch, 'bucket-worker') }, drain);
  else
    await Promise.all(
      Array.from({ length: workers }, async (_, number) => {
        const worker = startWorker({
          module: compiledModule(work.url),
          shared,
          memoryMb: memoryEach,
          scratch: path.join(scratch, `bucket-worker-${number}`),
        });
        try {
          await drain((index) => worker.run(buckets[index] as Bucket, index) as Promise<Result>);
        } finally {
          await worker.end();
        }
      }),
    );
  const [first] = [...failures].sort(([a], [b]) => a - b);
  if (first !== undefined) throw first[1];
  return results;
}

/** One worker needs no thread of its own. */
async function runHere<Shared, Result>(
  work: BucketModule<Shared, Result>,
  shared: Shared,
  buckets: readonly Bucket[],
  limits: { memoryMb: number; scratch: string },
  drain: (doOne: (index: number) => Promise<Result>) => Promise<void>,
): Promise<void> {
  if (buckets.length === 0) return;
  const duck = await openDuck({ threads: 1, ...limits });
  try {
    const one = await work.open(shared, { duck });
    await drain((index) => one(buckets[index] as Bucket, index));
  } finally {
    duck.close();
  }
}

interface BucketWorker {
  run(bucket: Bucket, index: number): Promise<unknown>;
  end(): Promise<void>;
}

function startWorker(start: Extract<ToBucketWorker, { type: 'open' }>['start']): BucketWorker {
  const worker = new Worker(path.join(compiledRoot, 'facts', 'bucket-worker.js'));
  let waiting: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  let broken: unknown;
  const fail = (error: unknown): void => {
    broken ??= error;
    waiting?.reject(error);
  };
  worker.on('message', (message: FromBucketWorker) => {
    if (message.type === 'result') waiting?.resolve(message.result);
    else fail(message.fathom === undefined ? message.error : FathomError.fromData(message.fathom));
  });
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new FathomError('task', `a worker of buckets ended with code ${code}`)));
  worker.postMessage({ type: 'open', start } satisfies ToBucketWorker);
  return {
    run: (bucket, index) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) reject(broken);
        waiting = { resolve, reject };
        worker.postMessage({ type: 'bucket', bucket, index } satisfies ToBucketWorker);
      }),
    end: async () => {
      await worker.terminate();
    },
  };
}

/** Threads run compiled code, also where the caller runs from its sources under the test runner. */
function compiledModule(url: URL): string {
  const file = fileURLToPath(url);
  const fromSources = path.relative(path.join(packageRoot, 'src'), file);
  return fromSources.startsWith('..') ? file : path.join(compiledRoot, fromSources);
}
