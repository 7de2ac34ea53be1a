/** Worker threads for JS and wasm stages. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Piscina } from 'piscina';
import { compiledRoot } from '../paths.ts';
import type { Job, JobMessage, JobResult } from './job.ts';

export interface Pool {
  run(job: Job, onMessage: (message: JobMessage) => void): Promise<JobResult>;
  /** Asks running tasks to save and stop. */
  stop(): void;
  /** Ends everything at once; running tasks resolve as interrupted. */
  kill(): Promise<void>;
  /** Waits for running tasks, then frees the threads or processes. */
  close(): Promise<void>;
}

/** @param threads most tasks that ever run at once */
export function makeThreadPool(threads: number): Pool {
  // Piscina is loaded with the first task: a cached rerun needs none.
  let pool: Promise<Piscina> | undefined;
  let killed = false;
  const listeners = new Map<string, (message: JobMessage) => void>();
  const open = async (): Promise<Piscina> => {
    const { Piscina: Constructor } = await import('piscina');
    const made = new Constructor({
      filename: pathToFileURL(path.join(compiledRoot, 'run', 'worker-thread.js')).href,
      minThreads: 1,
      maxThreads: Math.max(1, threads),
      idleTimeout: 60_000,
    });
    made.on('message', (message: JobMessage) => listeners.get(message.task)?.(message));
    return made;
  };
  return {
    run: async (job, onMessage) => {
      pool ??= open();
      listeners.set(job.task.id, onMessage);
      const started = performance.now();
      try {
        return (await (await pool).run(job)) as JobResult;
      } catch (error) {
        const seconds = (performance.now() - started) / 1000;
        if (killed)
          return { state: 'interrupted', seconds, error: { code: 'interrupted', message: 'stopped on request' } };
        return { state: 'failed', seconds, error: { code: 'task', message: workerDeath(error) } };
      } finally {
        listeners.delete(job.task.id);
      }
    },
    // The stop flag is shared memory that comes with each job.
    stop: () => undefined,
    kill: async () => {
      killed = true;
      await (await pool)?.destroy();
    },
    close: async () => {
      await (await pool)?.destroy();
    },
  };
}

function workerDeath(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY')
    return 'the worker thread ran out of memory';
  return `the worker thread died: ${message}`;
}
