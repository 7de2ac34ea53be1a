/** A whole world from a seed: its shards, made by as many threads as there are, and names for everything in it. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { compiledRoot } from '../../paths.ts';
import { makeRng } from '../../random/rng.ts';
import { DAY, type WorldParams } from './assumptions.ts';
import { addressOf, questionOf, tokenOf, transactionPrefix } from './names.ts';
import { type Seed, type Shard, simulateShard } from './shard.ts';
import { shardCount } from './size.ts';

export interface World {
  readonly params: WorldParams;
  readonly shards: readonly Shard[];
  /** Numbers of the first event, market, wallet and transaction of each shard in the whole world. */
  readonly offsets: readonly Offsets[];
  /** By number in the whole world. */
  readonly questions: readonly string[];
  readonly tokens: readonly (readonly [string, string])[];
  readonly addresses: readonly string[];
  /** What every transaction's hash begins with. */
  readonly transactionPrefix: string;
  /** Start of the world, UTC milliseconds. */
  readonly start: number;
  /** Seconds from the start after which nothing is known. */
  readonly end: number;
}

interface Offsets {
  readonly event: number;
  readonly market: number;
  readonly wallet: number;
  readonly transaction: number;
}

/** @param threads no matter for the result */
export async function simulate(params: WorldParams, seed: Seed, threads: number): Promise<World> {
  const shards = await makeShards(params, seed, threads);
  const names = makeRng('simulated', ...seed, 'names');
  const offsets: Offsets[] = [];
  let next: Offsets = { event: 0, market: 0, wallet: 0, transaction: 0 };
  for (const shard of shards) {
    offsets.push(next);
    next = {
      event: next.event + (shard.markets.at(-1)?.event ?? -1) + 1,
      market: next.market + shard.markets.length,
      wallet: next.wallet + shard.wallets.length,
      transaction: next.transaction + shard.transactions,
    };
  }
  const markets = shards.flatMap((shard) => shard.markets);
  return {
    params,
    shards,
    offsets,
    questions: markets.map(({ category }, m) => questionOf(names, category, m)),
    tokens: markets.map(() => [tokenOf(names), tokenOf(names)]),
    addresses: Array.from({ length: next.wallet }, () => addressOf(names)),
    transactionPrefix: transactionPrefix(names),
    start: Date.parse(`${params.startDate}T00:00:00Z`),
    end: params.days * DAY,
  };
}

async function makeShards(params: WorldParams, seed: Seed, threads: number): Promise<Shard[]> {
  const count = shardCount(params);
  if (threads === 1 || count === 1) return Array.from({ length: count }, (_, k) => simulateShard(params, seed, k));
  const shards = new Array<Shard>(count);
  let next = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // Threads run compiled code, also under a test runner that reads sources.
      const worker = new Worker(path.join(compiledRoot, 'markets', 'simulated', 'shard-worker.js'), {
        workerData: { params, seed },
      });
      let current = -1;
      const more = (): void => {
        current = next++;
        if (current < count) worker.postMessage(current);
        else void worker.terminate().then(() => resolve(), reject);
      };
      worker.on('error', reject);
      worker.on('message', (shard: Shard) => {
        shards[current] = shard;
        more();
      });
      more();
    });
  await Promise.all(Array.from({ length: Math.min(threads, count) }, work));
  return shards;
}
