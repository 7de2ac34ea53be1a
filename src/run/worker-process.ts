/** Entry of a child process: runs stages on native libraries, one stack of tasks after another, until it is told to end or dies. */
import type { Job, JobMessage, JobResult } from './job.ts';
import { runStack } from './task.ts';

/** From the parent. */
export type ToChild =
  | { readonly type: 'jobs'; readonly jobs: readonly Omit<Job, 'stop' | 'shared'>[] }
  | { readonly type: 'stop' }
  | { readonly type: 'end' };
/** To the parent. */
export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'results'; readonly results: readonly JobResult[] }
  | JobMessage;

let stopping = false;
const send = (message: FromChild): void => {
  process.send?.(message);
};

// The terminal sends Ctrl-C to the whole group; the parent decides what it means.
process.on('SIGINT', () => undefined);
// SLURM's warning and its end go to the whole group as well.
for (const signal of ['SIGTERM', 'SIGUSR2'] as const)
  process.on(signal, () => {
    stopping = true;
  });
process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToChild) => {
  if (message.type === 'stop') stopping = true;
  else if (message.type === 'end') process.disconnect();
  else
    void runStack(
      message.jobs.map((job) => ({ ...job, stop: null, shared: {} })),
      { send, cancelled: () => stopping },
    ).then((results) => send({ type: 'results', results }));
});
send({ type: 'ready' });
