/** Entry of a worker thread of `runJobs`. */
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { type ErrorData, FathomError } from '../errors.ts';
import { openDuck } from './duck.ts';
import type { JobWork, OpenJobWork } from './jobs.ts';

export interface WorkerStart {
  /** Path of the compiled module. */
  readonly module: string;
  readonly shared: unknown;
  readonly memoryMb: number;
  readonly scratch: string;
}

export type ToJobWorker =
  | { readonly type: 'open'; readonly start: WorkerStart }
  | { readonly type: 'job'; readonly job: unknown; readonly index: number };

export type FromJobWorker =
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly error: unknown; readonly fathom: ErrorData | undefined };

const send = (message: FromJobWorker): void => parentPort?.postMessage(message);

let opened: Promise<JobWork<unknown, unknown>> | undefined;

async function open({ module, shared, memoryMb, scratch }: WorkerStart): Promise<JobWork<unknown, unknown>> {
  const { default: openWork } = (await import(pathToFileURL(module).href)) as {
    default: OpenJobWork<unknown, unknown, unknown>;
  };
  return openWork(shared, { duck: await openDuck({ threads: 1, memoryMb, scratch }) });
}

parentPort?.on('message', (message: ToJobWorker) => {
  const work = async (): Promise<void> => {
    try {
      if (message.type === 'open') {
        opened = open(message.start);
        await opened;
      } else send({ type: 'result', result: await (await opened)?.(message.job, message.index) });
    } catch (error) {
      // A job that waits for the same opening fails with the same error; the first message counts.
      send({ type: 'error', error, fathom: error instanceof FathomError ? error.toData() : undefined });
    }
  };
  void work();
});
