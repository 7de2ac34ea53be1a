/** Entry of a thread of a pool; see jobs.ts. */
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { type ErrorData, FathomError } from '../errors.ts';
import { type Duck, openDuck } from './duck.ts';
import type { DatabaseLimits } from './job-thread.ts';
import { toolsOf } from './job-tools.ts';
import type { JobWork, OpenJobWork } from './jobs.ts';

export interface WorkerStart {
  /** Path of the compiled module. */
  readonly module: string;
  /** For a work that needs a database. */
  readonly database: DatabaseLimits | undefined;
}

export type ToJobWorker =
  | { readonly type: 'start'; readonly start: WorkerStart }
  | { readonly type: 'open'; readonly shared: unknown }
  | { readonly type: 'job'; readonly job: unknown; readonly index: number }
  | { readonly type: 'forget' };

export type FromJobWorker =
  | { readonly type: 'result'; readonly result: unknown; readonly index: number }
  /** Of a job; of the work as a whole where there is no number. */
  | {
      readonly type: 'error';
      readonly error: unknown;
      readonly fathom: ErrorData | undefined;
      readonly index: number | undefined;
    };

const send = (message: FromJobWorker): void => parentPort?.postMessage(message);

type Work = JobWork<unknown, unknown>;

/** Opened by the first work that needs it; the thread takes it along when it ends. */
let duck: Promise<Duck> | undefined;

/** Loads what the work needs; what it shares may not be known yet. */
async function start({ module, database }: WorkerStart): Promise<(shared: unknown) => Promise<Work>> {
  const { default: openWork } = (await import(pathToFileURL(module).href)) as {
    default: OpenJobWork<unknown, unknown, unknown>;
  };
  if (database !== undefined) duck ??= openDuck({ threads: 1, ...database });
  const tools = toolsOf(database === undefined ? undefined : await duck);
  return (shared) => openWork(shared, tools);
}

let started: Promise<(shared: unknown) => Promise<Work>> | undefined;
let opened: Promise<Work | undefined> | undefined;

parentPort?.on('message', (message: ToJobWorker) => {
  const work = async (): Promise<void> => {
    try {
      if (message.type === 'start') {
        started = start(message.start);
        await started;
      } else if (message.type === 'open') {
        opened = started?.then((open) => open(message.shared));
        await opened;
      } else if (message.type === 'forget') {
        [started, opened] = [undefined, undefined];
      } else {
        const { job, index } = message;
        send({ type: 'result', result: await (await opened)?.(job, index), index });
      }
    } catch (error) {
      // What waits for the same opening fails with the same error; the first message counts.
      const fathom = error instanceof FathomError ? error.toData() : undefined;
      send({ type: 'error', error, fathom, index: message.type === 'job' ? message.index : undefined });
    }
  };
  void work();
});
