/** A whole world from a seed: markets, wallets, their fills, the resolutions, and the truth about the wallets. */
import type { Rng } from '../../random/rng.ts';
import { DAY, type WorldParams } from './assumptions.ts';
import { Exchange, type Traded } from './exchange.ts';
import { addressOf, questionOf, tokenOf } from './names.ts';
import { makeWallets, type SimulatedWallet } from './population.ts';
import { makeSchedule } from './schedule.ts';
import { makeMarkets, ProbabilityPaths, type SimulatedMarket } from './world.ts';

export interface World extends Traded {
  readonly markets: readonly (SimulatedMarket & {
    readonly question: string;
    readonly tokens: readonly [string, string];
  })[];
  readonly wallets: readonly (SimulatedWallet & { readonly address: string })[];
  /** Start of the world, UTC milliseconds. */
  readonly start: number;
  /** Seconds from the start after which nothing is known. */
  readonly end: number;
}

/** @param rng a stream for each purpose, so that a change in one part leaves the random numbers of the others alone */
export function simulate(params: WorldParams, rng: (purpose: string) => Rng): World {
  const markets = makeMarkets(params, rng('markets'));
  const wallets = makeWallets(params, rng('wallets'));
  const schedule = makeSchedule(params, markets, wallets, rng('schedule'));
  const paths = new ProbabilityPaths(markets, rng('paths'));
  const traded = new Exchange(params, markets, wallets, paths, rng('exchange')).run(schedule);
  const names = rng('names');
  return {
    ...traded,
    markets: markets.map((market, m) => ({
      ...market,
      question: questionOf(names, market.category, m),
      tokens: [tokenOf(names), tokenOf(names)],
    })),
    wallets: wallets.map((wallet) => ({ ...wallet, address: addressOf(names) })),
    start: Date.parse(`${params.startDate}T00:00:00Z`),
    end: params.days * DAY,
  };
}
