/** How large a world will be, and into how many shards it falls: known before anything is drawn. */
import { exp } from '../../numeric/elementary.ts';
import { archetypes, habits, type WorldParams } from './assumptions.ts';

const FILLS_PER_SHARD = 1_000_000;
const LEAST_WALLETS = 500;
const LEAST_MARKETS = 50;

/** Rows that a world will have, roughly: two for each match. */
export function expectedFills(params: WorldParams): number {
  const total = archetypes.reduce((sum, archetype) => sum + params.archetypes[archetype], 0);
  const perWallet = archetypes.reduce((sum, archetype) => {
    const { orders, ordersSigma, mostFills } = habits[archetype];
    return sum + params.archetypes[archetype] * orders * exp(ordersSigma ** 2 / 2) * (1 + mostFills);
  }, 0);
  return (params.wallets * params.tradesPerWallet * perWallet) / total;
}

/** How many shards a world has: a matter of its size alone, never of the machine. */
export function shardCount(params: WorldParams): number {
  const room = Math.min(params.wallets / LEAST_WALLETS, params.markets / LEAST_MARKETS);
  const wanted = params.shards ?? Math.ceil(expectedFills(params) / FILLS_PER_SHARD);
  return Math.max(1, Math.min(wanted, Math.floor(params.shards === null ? room : params.wallets), params.markets));
}
