/** Entry of a worker thread of `runJobs`. */
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { type ErrorData, FathomError } from '../errors.ts';
import { openDuck } from './duck.ts';
import type { JobWork, OpenJobWork } from './jobs.ts';

export interface WorkerStart {
  /** Path of the compiled module. */
  readonly module: string;
  readonly memoryMb: number;
  readonly scratch: string;
}

export type ToJobWorker =
  | { readonly type: 'start'; readonly start: WorkerStart }
  | { readonly type: 'open'; readonly shared: unknown }
  | { readonly type: 'job'; readonly job: unknown; readonly index: number };

export type FromJobWorker =
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly error: unknown; readonly fathom: ErrorData | undefined };

const send = (message: FromJobWorker): void => parentPort?.postMessage(message);

type Work = JobWork<unknown, unknown>;

/** Loads what the work needs; what it shares may not be known yet. */
async function start({ module, memoryMb, scratch }: WorkerStart): Promise<(shared: unknown) => Promise<Work>> {
  const { default: openWork } = (await import(pathToFileURL(module).href)) as {
    default: OpenJobWork<unknown, unknown, unknown>;
  };
  const duck = await openDuck({ threads: 1, memoryMb, scratch });
  return (shared) => openWork(shared, { duck });
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
      } else send({ type: 'result', result: await (await opened)?.(message.job, message.index) });
    } catch (error) {
      // What waits for the same opening fails with the same error; the first message counts.
      send({ type: 'error', error, fathom: error instanceof FathomError ? error.toData() : undefined });
    }
  };
  void work();
});
