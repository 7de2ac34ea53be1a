/**
 * Works through lists of jobs with several threads, each with a database of its own where the work needs one. What a job
 * gives depends on the job alone, and results come in order of the jobs, so the number of threads changes nothing but the
 * time.
 */
import path from 'node:path';
import { type Duck, openDuck } from './duck.ts';
import { inOrder, oneAtATime } from './job-order.ts';
import { type DatabaseLimits, JobThread } from './job-thread.ts';
import { toolsOf } from './job-tools.ts';

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
  /** False for work that needs no database: loading one takes a thread longer than starting does. */
  readonly database?: boolean | undefined;
  /**
   * Jobs that a thread has at a time, one unless given: with two, the files of one are read or written while the other is
   * worked on. They begin in order of their numbers, and it is for the work to keep what they share apart.
   */
  readonly jobsAtOnce?: number | undefined;
}

export interface JobLimits {
  readonly threads: number;
  /** For the databases of all workers together. */
  readonly memoryMb: number;
  /** A folder where they may spill, each into a folder of its own: two databases in one would overwrite each other. */
  readonly scratch: string;
}

export interface JobVisitors<Result> {
  /** How many of the threads of a pool do it, at most. */
  readonly threads?: number | undefined;
  /** Called after each job, with how many are done; what it throws stops the run. */
  readonly onDone?: ((done: number, result: Result, index: number) => void) | undefined;
  /** Gets the results in order of the jobs, as soon as may be; then none is kept, and the list of them is empty. */
  readonly take?: ((result: Result, index: number) => void) | undefined;
}

export type JobRun<Result> = JobLimits & JobVisitors<Result>;

/** No database works with less. */
const LEAST_MB = 128;

/** Threads for one run after the other: what a thread has loaded and compiled serves the next run too. */
export class JobPool {
  private readonly threads: number;
  private readonly memoryMb: number;
  private readonly scratch: string;
  /** By number; started when there is a first job for them. */
  private readonly started = new Map<number, JobThread>();

  constructor({ threads, memoryMb, scratch }: JobLimits) {
    this.threads = threads;
    this.memoryMb = Math.max(LEAST_MB, Math.floor(memoryMb / threads));
    this.scratch = scratch;
  }

  /**
   * Runs `work` on every job; one run at a time. The first job that fails, by its number among those that were begun,
   * decides the error; no other job is begun after it.
   *
   * @param shared what each worker is opened with; copied to each, so it must be plain. It may be known only later: threads
   *   start meanwhile, and so does the making of jobs. If it fails, that is the error
   * @param jobs known beforehand, or made one after the other as workers become free
   */
  async run<Shared, Job, Result>(
    work: JobModule<Shared, Job, Result>,
    shared: Shared | Promise<Shared>,
    jobs: Iterable<Job> | AsyncIterable<Job>,
    { threads: most = this.threads, onDone, take }: JobVisitors<Result> = {},
  ): Promise<Result[]> {
    // It may fail before anybody waits for it.
    Promise.resolve(shared).catch(() => undefined);
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
    const drain = async (doOne: JobWork<Job, Result>): Promise<void> => {
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
      // One worker needs no thread of its own; nor does one job.
      const known = Array.isArray(jobs) ? jobs.length : Number.POSITIVE_INFINITY;
      const threads = Math.min(this.threads, most, known);
      if (threads === 1) await this.drainHere(work, shared, drain);
      else
        await Promise.all(
          Array.from({ length: threads }, (_, number) => this.drainThread(number, work, shared, drain)),
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

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    await Promise.all([...this.started.values()].map((thread) => thread.end()));
    this.started.clear();
  }

  private async drainHere<Shared, Job, Result>(
    work: JobModule<Shared, Job, Result>,
    shared: Shared | Promise<Shared>,
    drain: (doOne: JobWork<Job, Result>) => Promise<void>,
  ): Promise<void> {
    const database = this.databaseOf(work, 'worker');
    const duck = database === undefined ? undefined : await openDuck({ threads: 1, ...database });
    try {
      const doOne = await work.open(await shared, toolsOf(duck));
      await atOnce(work, () => drain(doOne));
    } finally {
      duck?.close();
    }
  }

  private async drainThread<Shared, Job, Result>(
    number: number,
    work: JobModule<Shared, Job, Result>,
    shared: Shared | Promise<Shared>,
    drain: (doOne: JobWork<Job, Result>) => Promise<void>,
  ): Promise<void> {
    let thread: JobThread | undefined;
    let failed = false;
    /** Begun with its first job: there may be fewer jobs than threads. */
    const begin = (): JobThread => {
      const own = this.started.get(number) ?? new JobThread();
      this.started.set(number, own);
      own.begin({ url: work.url, database: this.databaseOf(work, `worker-${number}`) }, shared);
      return own;
    };
    await atOnce(work, () =>
      drain(async (job, index) => {
        thread ??= begin();
        try {
          return (await thread.run(job, index)) as Result;
        } catch (error) {
          failed = true;
          throw error;
        }
      }),
    );
    if (!failed) return thread?.forget();
    // The next run begins with another.
    this.started.delete(number);
    await thread?.end();
  }

  private databaseOf(work: { readonly database?: boolean | undefined }, folder: string): DatabaseLimits | undefined {
    if (work.database === false) return undefined;
    return { memoryMb: this.memoryMb, scratch: path.join(this.scratch, folder) };
  }
}

/** Works through jobs as many at a time as a thread may have. */
async function atOnce({ jobsAtOnce = 1 }: { readonly jobsAtOnce?: number | undefined }, drain: () => Promise<void>) {
  await Promise.all(Array.from({ length: jobsAtOnce }, drain));
}

/** Runs `work` on every job with threads of its own; see `JobPool.run`. */
export async function runJobs<Shared, Job, Result>(
  work: JobModule<Shared, Job, Result>,
  shared: Shared | Promise<Shared>,
  jobs: Iterable<Job> | AsyncIterable<Job>,
  run: JobRun<Result>,
): Promise<Result[]> {
  const pool = new JobPool(run);
  try {
    return await pool.run(work, shared, jobs, run);
  } finally {
    await pool.close();
  }
}
