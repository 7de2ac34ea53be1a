/**
 * Works through a list of jobs with several threads, each with a database of its own. What a job gives depends on the
 * job alone, and results come in order of the jobs, so the number of threads changes nothing but the time.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FathomError } from '../errors.ts';
import { compiledRoot, packageRoot } from '../paths.ts';
import { type Duck, openDuck } from './duck.ts';
import type { FromJobWorker, ToJobWorker, WorkerStart } from './job-worker.ts';

/** What a worker has of its own. */
export interface JobTools {
  /** A database with one thread and the worker's share of the memory. */
  readonly duck: Duck;
}

/** Does one job. The result must be a plain value: it is copied between threads. */
export type JobWork<Job, Result> = (job: Job, index: number) => Promise<Result>;

/** Prepares a worker: reads what all jobs need, and gives the function that does one. */
export type OpenJobWork<Shared, Job, Result> = (shared: Shared, tools: JobTools) => Promise<JobWork<Job, Result>>;

/**
 * The work twice: the function, and the compiled module of which it is the default export. The module is named by
 * `new URL('./name.js', import.meta.url)`, so that its code counts in the identity of the stage.
 */
export interface JobModule<Shared, Job, Result> {
  readonly open: OpenJobWork<Shared, Job, Result>;
  readonly url: URL;
}

export interface JobRun<Result> {
  readonly threads: number;
  /** For the databases of all workers together. */
  readonly memoryMb: number;
  /** A folder where they may spill, each into a folder of its own: two databases in one would overwrite each other. */
  readonly scratch: string;
  /** Called after each job, with how many are done; what it throws stops the run. */
  readonly onDone?: ((done: number, result: Result, index: number) => void) | undefined;
  /** Gets the results in order of the jobs, as soon as may be; then none is kept, and the list of them is empty. */
  readonly take?: ((result: Result, index: number) => void) | undefined;
}

/** No database works with less. */
const LEAST_MB = 128;

/**
 * Runs `work` on every job. The first job that fails, by its number among those that were begun, decides the error; no
 * other job is begun after it.
 *
 * @param shared what each worker is opened with; copied to each, so it must be plain. It may be known only later: threads
 *   start meanwhile, and so does the making of jobs. If it fails, that is the error
 * @param jobs known beforehand, or made one after the other as workers become free
 */
export async function runJobs<Shared, Job, Result>(
  work: JobModule<Shared, Job, Result>,
  shared: Shared | Promise<Shared>,
  jobs: Iterable<Job> | AsyncIterable<Job>,
  { threads, memoryMb, scratch, onDone, take }: JobRun<Result>,
): Promise<Result[]> {
  // It may fail before anybody waits for it.
  Promise.resolve(shared).catch(() => undefined);
  const memoryEach = Math.max(LEAST_MB, Math.floor(memoryMb / threads));
  const results: Result[] = [];
  const keep = (result: Result, index: number): void => {
    results[index] = result;
  };
  const settle = take === undefined ? keep : inOrder(take);
  const failures = new Map<number, unknown>();
  const iterator = Symbol.asyncIterator in jobs ? jobs[Symbol.asyncIterator]() : jobs[Symbol.iterator]();
  const nextJob = oneAtATime(iterator);
  let done = 0;
  /** Gives one job after the other to one worker. */
  const drain = async (doOne: (job: Job, index: number) => Promise<Result>): Promise<void> => {
    while (failures.size === 0) {
      const next = await nextJob();
      if (next === undefined || failures.size > 0) return;
      const { job, index } = next;
      try {
        const result = await doOne(job, index);
        settle(result, index);
        onDone?.(++done, result, index);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  try {
    if (threads === 1)
      await runHere(work, shared, { memoryMb: memoryEach, scratch: path.join(scratch, 'worker') }, drain);
    else
      await Promise.all(
        Array.from({ length: threads }, async (_, number) => {
          // Started with its first job: there may be fewer jobs than threads.
          let worker: JobWorker | undefined;
          try {
            await drain((job, index) => {
              worker ??= startWorker(
                {
                  module: compiledModule(work.url),
                  memoryMb: memoryEach,
                  scratch: path.join(scratch, `worker-${number}`),
                },
                shared,
              );
              return worker.run(job, index) as Promise<Result>;
            });
          } finally {
            await worker?.end();
          }
        }),
      );
  } finally {
    // Who makes the jobs may have files open: it must know that no more are wanted.
    await iterator.return?.();
  }
  await shared;
  const [first] = [...failures].sort(([a], [b]) => a - b);
  if (first !== undefined) throw first[1];
  return results;
}

/** Passes results on in the order of their numbers: those that come early wait. */
function inOrder<Result>(take: (result: Result, index: number) => void): typeof take {
  const early = new Map<number, Result>();
  let next = 0;
  return (result, index) => {
    early.set(index, result);
    for (; early.has(next); next++) {
      const held = early.get(next) as Result;
      early.delete(next);
      take(held, next);
    }
  };
}

/** A function that gives the next job with its number, however many ask at once; undefined at the end. */
function oneAtATime<Job>(
  iterator: Iterator<Job> | AsyncIterator<Job>,
): () => Promise<{ job: Job; index: number } | undefined> {
  let index = 0;
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(async () => {
      const { value, done } = await iterator.next();
      return done === true ? undefined : { job: value as Job, index: index++ };
    });
    last = next;
    return next;
  };
}

/** One worker needs no thread of its own. */
async function runHere<Shared, Job, Result>(
  work: JobModule<Shared, Job, Result>,
  shared: Shared | Promise<Shared>,
  limits: { memoryMb: number; scratch: string },
  drain: (doOne: JobWork<Job, Result>) => Promise<void>,
): Promise<void> {
  const duck = await openDuck({ threads: 1, ...limits });
  try {
    await drain(await work.open(await shared, { duck }));
  } finally {
    duck.close();
  }
}

interface JobWorker {
  run(job: unknown, index: number): Promise<unknown>;
  end(): Promise<void>;
}

function startWorker(start: WorkerStart, shared: unknown): JobWorker {
  const worker = new Worker(path.join(compiledRoot, 'tables', 'job-worker.js'));
  let waiting: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  let broken: unknown;
  const fail = (error: unknown): void => {
    broken ??= error;
    waiting?.reject(error);
  };
  worker.on('message', (message: FromJobWorker) => {
    if (message.type === 'result') waiting?.resolve(message.result);
    else fail(message.fathom === undefined ? message.error : FathomError.fromData(message.fathom));
  });
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new FathomError('task', `a worker thread ended with code ${code}`)));
  worker.postMessage({ type: 'start', start } satisfies ToJobWorker);
  const opened = Promise.resolve(shared).then((known) =>
    worker.postMessage({ type: 'open', shared: known } satisfies ToJobWorker),
  );
  return {
    run: async (job, index) => {
      await opened;
      return new Promise((resolve, reject) => {
        if (broken !== undefined) reject(broken);
        waiting = { resolve, reject };
        worker.postMessage({ type: 'job', job, index } satisfies ToJobWorker);
      });
    },
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
