/** The markets of a simulated world: lives, categories, outcomes, and probabilities that move until they close. */
import { logit, sigmoid } from '../../numeric/elementary.ts';
import { normalQuantile, type Rng } from '../../random/rng.ts';
import type { Category } from '../categories.ts';
import {
  categoryShares,
  DAY,
  HOUR,
  information,
  lifetimes,
  liveness,
  marketsPerEvent,
  outcomeCorrelation,
  popularity,
  subDayCryptoShare,
  type WorldParams,
} from './assumptions.ts';
import { pareto, pick } from './draw.ts';

/** One market. Times are whole seconds from the start of the world. */
export interface SimulatedMarket {
  readonly event: number;
  readonly category: Category;
  readonly opens: number;
  readonly closes: number;
  /** True if outcome 0 is what happens; a market that pays 50-50 has a latent one, which moves its price. */
  readonly happens: boolean;
  readonly fiftyFifty: boolean;
  /** When the resolution is final; after the end of the world for markets still open then. */
  readonly finalAt: number;
  readonly startLogit: number;
  /** Variance of the logit a second. */
  readonly informationPerSecond: number;
  readonly popularity: number;
}

const categories = Object.keys(categoryShares) as Category[];
const categoryWeights = Object.values(categoryShares);

/** Draws the markets in groups of one to three that share an event, a life and a driver of their outcomes. */
export function makeMarkets(params: WorldParams, rng: Rng): SimulatedMarket[] {
  const end = params.days * DAY;
  const markets: SimulatedMarket[] = [];
  for (let event = 0; markets.length < params.markets; event++) {
    const size = 1 + pick(rng, marketsPerEvent);
    const length = lifetimes[
      pick(
        rng,
        lifetimes.map((l) => l.share),
      )
    ] as (typeof lifetimes)[number];
    const life = Math.max(HOUR, Math.round((length.from + (length.to - length.from) * rng.uniform()) * DAY));
    const opens = Math.floor(rng.uniform() * Math.max(1, end - HOUR));
    const category: Category =
      length.to <= 1 && rng.uniform() < subDayCryptoShare
        ? 'crypto'
        : (categories[pick(rng, categoryWeights)] as Category);
    const driver = rng.normal();
    for (let k = 0; k < size && markets.length < params.markets; k++) {
      const start = 0.08 + 0.84 * rng.uniform();
      const shock = Math.sqrt(outcomeCorrelation) * driver + Math.sqrt(1 - outcomeCorrelation) * rng.normal();
      const closes = opens + life;
      markets.push({
        event,
        category,
        opens,
        closes,
        // P(shock < quantile(start)) = start: each market alone is calibrated, those of an event move together.
        happens: shock < normalQuantile(start),
        fiftyFifty: rng.uniform() < params.fiftyFiftyShare,
        finalAt: closes + liveness.least + Math.floor(rng.uniform() * liveness.scatter),
        startLogit: logit(start),
        informationPerSecond: (information.low + (information.high - information.low) * rng.uniform()) / life,
        popularity: Math.min(popularity.cap, pareto(rng, popularity.exponent)),
      });
    }
  }
  return markets;
}

/**
 * The public probability of outcome 0 of each market as its path is walked forwards in time.
 *
 * Everybody sees a signal whose drift is the outcome. The log-odds of the outcome given the signal so far, given that
 * it happens, are a Brownian motion with drift v/2 (else -v/2) and variance v a second (Shiryaev 1967): the
 * probability is a martingale, calibrated at every moment, and jumps to 0 or 1 when the outcome is told.
 */
export class ProbabilityPaths {
  readonly #markets: readonly SimulatedMarket[];
  readonly #rng: Rng;
  readonly #logits: Float64Array;
  readonly #times: Float64Array;

  constructor(markets: readonly SimulatedMarket[], rng: Rng) {
    this.#markets = markets;
    this.#rng = rng;
    this.#logits = Float64Array.from(markets, (m) => m.startLogit);
    this.#times = Float64Array.from(markets, (m) => m.opens);
  }

  /** Probability of outcome 0 at a time, which must not be before the last one asked of this market. */
  at(market: number, time: number): number {
    const { happens, informationPerSecond } = this.#markets[market] as SimulatedMarket;
    const variance = informationPerSecond * (time - (this.#times[market] as number));
    if (variance > 0) {
      const drift = happens ? variance / 2 : -variance / 2;
      this.#logits[market] = (this.#logits[market] as number) + drift + Math.sqrt(variance) * this.#rng.normal();
      this.#times[market] = time;
    }
    return sigmoid(this.#logits[market] as number);
  }
}
