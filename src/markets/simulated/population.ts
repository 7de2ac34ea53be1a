/** The wallets of a simulated world: what each is, how much it trades, when it is about, what it knows, whom it follows. */
import type { Rng } from '../../random/rng.ts';
import { type Category, categories } from '../categories.ts';
import { type Archetype, archetypes, DAY, followed, habits, latency, type WorldParams } from './assumptions.ts';
import { apportion, logNormal } from './draw.ts';

export interface SimulatedWallet {
  readonly archetype: Archetype;
  /** Orders it means to send of its own; some find no market and fall away. */
  readonly orders: number;
  /** Its own median order, USD. */
  readonly usd: number;
  /** It is about from `from` to `to`, seconds from the start of the world. */
  readonly from: number;
  readonly to: number;
  /** The category it prefers. */
  readonly focus: Category;
  /** Planted mean of payout minus price when it arrives, USD per token. Insiders: see `Exchange`. */
  readonly edge: number;
  /** Number of its ring of wash traders or its family of sybils within its kind; -1: none. */
  readonly family: number;
  /** Number of the wallet whose purchases it repeats; -1: none. */
  readonly follows: number;
  /** Median time from what it reacts to until its own order, seconds; NaN if it reacts to nothing. */
  readonly latencySeconds: number;
}

/** No wallet sends more orders than this many times the median of its archetype: one giant would be the world. */
const LARGEST_MULTIPLE = 40;

/** Draws the wallets, grouped by archetype in the order of `archetypes`. */
export function makeWallets(params: WorldParams, rng: Rng): SimulatedWallet[] {
  const counts = apportion(
    params.wallets,
    archetypes.map((archetype) => params.archetypes[archetype]),
  );
  const wallets: SimulatedWallet[] = [];
  const leaders: number[] = [];
  archetypes.forEach((archetype, a) => {
    const count = counts[a] as number;
    const first = wallets.length;
    for (let k = 0; k < count; k++) {
      const family = familyOf(params, archetype, k, count);
      // The first of a family of sybils leads it.
      const leader = archetype === 'sybil' ? first + family * params.familySize : wallets.length;
      const copies = archetype === 'copier' && leaders.length > 0 ? (leaders[rng.below(leaders.length)] as number) : -1;
      const follows = leader < wallets.length ? leader : copies;
      const followedWallet = wallets[follows];
      if (followed.includes(archetype)) leaders.push(wallets.length);
      wallets.push(makeWallet(params, rng, archetype, family, follows, followedWallet));
    }
  });
  return wallets;
}

/** Rings of wash traders and families of sybils are consecutive; what is left over joins the last one. */
function familyOf(params: WorldParams, archetype: Archetype, k: number, count: number): number {
  const size = archetype === 'washTrader' ? params.wash.ringSize : archetype === 'sybil' ? params.familySize : 0;
  return size === 0 ? -1 : Math.min(Math.floor(k / size), Math.max(1, Math.floor(count / size)) - 1);
}

function makeWallet(
  params: WorldParams,
  rng: Rng,
  archetype: Archetype,
  family: number,
  follows: number,
  leader: SimulatedWallet | undefined,
): SimulatedWallet {
  const end = params.days * DAY;
  const { orders, ordersSigma, usd, usdSigma } = habits[archetype];
  const median = params.tradesPerWallet * orders;
  // Longer lives for wallets that trade for a living; casual ones come and go.
  const alwaysThere = archetype === 'marketMaker' || archetype === 'washTrader';
  const life = alwaysThere ? end : Math.min(end, DAY + logNormal(rng, end / 4, 1));
  const from = alwaysThere ? 0 : rng.uniform() * Math.max(0, end - Math.min(life, end * 0.9));
  const own = Math.max(1, Math.round(Math.min(LARGEST_MULTIPLE * median, logNormal(rng, median, ordersSigma))));
  const medianLatency = latency.medianSeconds[archetype];
  return {
    archetype,
    orders: leader === undefined && archetype !== 'washTrader' ? own : 0,
    usd: logNormal(rng, usd, usdSigma),
    from: leader?.from ?? from,
    to: leader?.to ?? Math.min(end, from + life),
    focus: categories[rng.below(categories.length)] as Category,
    edge: archetype === 'skilled' ? params.skilledEdge.mean + params.skilledEdge.sd * rng.normal() : 0,
    family,
    follows,
    latencySeconds:
      medianLatency === undefined
        ? Number.NaN
        : params.news.latencyScale * logNormal(rng, medianLatency, latency.sigma),
  };
}
