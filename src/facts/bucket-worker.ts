/** Entry of a worker thread of `runBuckets`. */
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { type ErrorData, FathomError } from '../errors.ts';
import { openDuck } from '../tables/duck.ts';
import type { Bucket } from './read.ts';
import type { BucketWork, OpenBucketWork } from './run-buckets.ts';

export type ToBucketWorker =
  | {
      readonly type: 'open';
      readonly start: {
        /** Path of the compiled module. */
        readonly module: string;
        readonly shared: unknown;
        readonly memoryMb: number;
        readonly scratch: string;
      };
    }
  | { readonly type: 'bucket'; readonly bucket: Bucket; readonly index: number };

export type FromBucketWorker =
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly error: unknown; readonly fathom: ErrorData | undefined };

const send = (message: FromBucketWorker): void => parentPort?.postMessage(message);

let opened: Promise<BucketWork<unknown>> | undefined;

async function open(start: Extract<ToBucketWorker, { type: 'open' }>['start']): Promise<BucketWork<unknown>> {
  const { module, shared, memoryMb, scratch } = start;
  const { default: openWork } = (await import(pathToFileURL(module).href)) as {
    default: OpenBucketWork<unknown, unknown>;
  };
  return openWork(shared, { duck: await openDuck({ threads: 1, memoryMb, scratch }) });
}

parentPort?.on('message', (message: ToBucketWorker) => {
  const work = async (): Promise<void> => {
    try {
      if (message.type === 'open') {
        opened = open(message.start);
        await opened;
      } else send({ type: 'result', result: await (await opened)?.(message.bucket, message.index) });
    } catch (error) {
      // A bucket that waits for the same opening fails with the same error; the first message counts.
      send({ type: 'error', error, fathom: error instanceof FathomError ? error.toData() : undefined });
    }
  };
  void work();
});
