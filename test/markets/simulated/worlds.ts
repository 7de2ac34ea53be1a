/** Small worlds and what their wallets earned. */
import { type Archetype, archetypes, type WorldParams } from '../../../src/markets/simulated/assumptions.ts';
import { clusteredMean } from '../../../src/markets/simulated/describe.ts';
import { type Fill, forEachFill } from '../../../src/markets/simulated/merge.ts';
import { simulate, type World } from '../../../src/markets/simulated/simulate.ts';
import definition from '../../../src/stages/source-simulated.ts';

export const none = Object.fromEntries(archetypes.map((name) => [name, 0])) as Record<Archetype, number>;

export const base: WorldParams = {
  ...(definition.params.parse({}) as WorldParams),
  wallets: 1500,
  markets: 1500,
  days: 180,
  archetypes: { ...none, casual: 85, marketMaker: 3, skilled: 12 },
  tradesPerWallet: 12,
  longshotBias: 0,
  fiftyFiftyShare: 0,
};

export const worldOf = (params: WorldParams, seed: number): Promise<World> => simulate(params, [seed], 1);

export const edgesOf = (world: World): number[] => world.shards.flatMap(({ edges }) => Array.from(edges));

export const walletsOf = (world: World) => world.shards.flatMap(({ wallets }) => wallets);

export function isA(world: World, archetype: Archetype): (wallet: number) => boolean {
  const wallets = walletsOf(world);
  return (wallet) => wallets[wallet]?.archetype === archetype;
}

/** Payout minus price minus what is expected of the fill, by event, over the purchases that `take` chooses. */
export function excess(
  world: World,
  take: (wallet: number, fill: Fill) => boolean,
  planted: (wallet: number, fill: Fill) => number,
): { mean: number; error: number; n: number } {
  const markets = world.shards.flatMap((shard, s) =>
    shard.markets.map((market) => ({ ...market, event: market.event + (world.offsets[s]?.event as number) })),
  );
  const events = new Map<number, { n: number; edge: number }>();
  forEachFill(world, (fill) => {
    if (fill.sell || !take(fill.wallet, fill)) return;
    const market = markets[fill.market] as (typeof markets)[number];
    const payout = market.fiftyFifty ? 0.5 : market.happens === (fill.outcome === 0) ? 1 : 0;
    const sum = events.get(market.event) ?? { n: 0, edge: 0 };
    sum.n++;
    sum.edge += payout - fill.ticks / 1000 - planted(fill.wallet, fill);
    events.set(market.event, sum);
  });
  const sums = [...events.values()];
  const { mean, error } = clusteredMean(sums);
  return { mean: mean as number, error: error as number, n: sums.reduce((n, sum) => n + sum.n, 0) };
}

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
