/** Entry of a Piscina worker: runs JS and wasm stages. */
import { parentPort } from 'node:worker_threads';
import type { Job, JobResult } from './job.ts';
import { runTask } from './task.ts';

export default function work(job: Job): Promise<JobResult> {
  const stop = job.stop === null ? undefined : new Int32Array(job.stop);
  return runTask(job, {
    send: (message) => parentPort?.postMessage(message),
    cancelled: () => stop !== undefined && Atomics.load(stop, 0) === 1,
  });
}
