/** One part of a world from a seed: its markets, its wallets, and what they trade with each other. */
import { makeRng } from '../../random/rng.ts';
import type { WorldParams } from './assumptions.ts';
import { apportion } from './draw.ts';
import { Exchange, type Traded } from './exchange.ts';
import { ProbabilityPaths } from './paths.ts';
import { makeWallets, type SimulatedWallet } from './population.ts';
import { makeSchedule } from './schedule.ts';
import { shardCount } from './size.ts';
import { makeMarkets, type SimulatedMarket } from './world.ts';

/** Numbers that make a world what it is, together with its parameters. */
export type Seed = readonly number[];

/** Events, markets, wallets and transactions are numbered from 0 in each shard. */
export interface Shard extends Traded {
  readonly markets: readonly SimulatedMarket[];
  readonly wallets: readonly SimulatedWallet[];
}

/** One shard: a world of its own with its part of the wallets and of the markets. */
export function simulateShard(params: WorldParams, seed: Seed, shard: number): Shard {
  const shards = shardCount(params);
  const part = (total: number): number => apportion(total, new Array<number>(shards).fill(1))[shard] as number;
  const own = { ...params, wallets: part(params.wallets), markets: part(params.markets) };
  const rng = (purpose: string) => makeRng('simulated', ...seed, shard, purpose);
  const markets = makeMarkets(own, rng('markets'));
  const wallets = makeWallets(own, rng('wallets'));
  const schedule = makeSchedule(own, markets, wallets, rng('schedule'));
  const paths = new ProbabilityPaths(markets, rng('paths'), params.events.shockCorrelation);
  return { ...new Exchange(own, markets, wallets, paths, rng('exchange')).run(schedule), markets, wallets };
}
