/** The wallets of a simulated world: what each is, how much it trades, when it is about, what it knows. */
import type { Rng } from '../../random/rng.ts';
import { type Category, categories } from '../categories.ts';
import { type Archetype, archetypes, DAY, habits, type WorldParams } from './assumptions.ts';
import { apportion, logNormal } from './draw.ts';

export interface SimulatedWallet {
  readonly archetype: Archetype;
  /** Orders it means to send; some find no market and fall away. */
  readonly orders: number;
  /** Its own median order, USD. */
  readonly usd: number;
  /** It is about from `from` to `to`, seconds from the start of the world. */
  readonly from: number;
  readonly to: number;
  /** The category it prefers. */
  readonly focus: Category;
  /** Planted mean of payout minus price, USD per token. Insiders: see `Exchange`. */
  readonly edge: number;
}

/** No wallet sends more orders than this many times the median of its archetype: one giant would be the world. */
const LARGEST_MULTIPLE = 40;

/** Draws the wallets, grouped by archetype in the order of `archetypes`. */
export function makeWallets(params: WorldParams, rng: Rng): SimulatedWallet[] {
  const end = params.days * DAY;
  const counts = apportion(
    params.wallets,
    archetypes.map((archetype) => params.archetypes[archetype]),
  );
  return archetypes.flatMap((archetype, a) =>
    Array.from({ length: counts[a] as number }, (): SimulatedWallet => {
      const { orders, ordersSigma, usd, usdSigma } = habits[archetype];
      const median = params.tradesPerWallet * orders;
      // Longer lives for wallets that trade for a living; casual ones come and go.
      const alwaysThere = archetype === 'marketMaker';
      const life = alwaysThere ? end : Math.min(end, DAY + logNormal(rng, end / 4, 1));
      const from = alwaysThere ? 0 : rng.uniform() * Math.max(0, end - Math.min(life, end * 0.9));
      return {
        archetype,
        orders: Math.max(1, Math.round(Math.min(LARGEST_MULTIPLE * median, logNormal(rng, median, ordersSigma)))),
        usd: logNormal(rng, usd, usdSigma),
        from,
        to: Math.min(end, from + life),
        focus: categories[rng.below(categories.length)] as Category,
        edge: archetype === 'skilled' ? params.skilledEdge.mean + params.skilledEdge.sd * rng.normal() : 0,
      };
    }),
  );
}
