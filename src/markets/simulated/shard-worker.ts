/** Entry of a worker thread: simulates the shards that it is sent the numbers of. */
import { parentPort, workerData } from 'node:worker_threads';
import type { WorldParams } from './assumptions.ts';
import { type Seed, simulateShard } from './shard.ts';

const { params, seed } = workerData as { readonly params: WorldParams; readonly seed: Seed };

parentPort?.on('message', (number: number) => {
  const shard = simulateShard(params, seed, number);
  const arrays = [...Object.values(shard.matches), shard.edges] as readonly ArrayBufferView[];
  parentPort?.postMessage(
    shard,
    arrays.map(({ buffer }) => buffer as ArrayBuffer),
  );
});
