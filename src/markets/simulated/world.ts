/** The markets of a simulated world: lives, categories, outcomes, resolutions, and when there is news of them. */
import { log, logit } from '../../numeric/elementary.ts';
import { normalQuantile, type Rng } from '../../random/rng.ts';
import type { Category } from '../categories.ts';
import {
  categoryShares,
  DAY,
  dispute,
  exclusiveMarkets,
  HOUR,
  information,
  lifetimes,
  liveness,
  marketsPerEvent,
  popularity,
  subDayCryptoShare,
  type WorldParams,
} from './assumptions.ts';
import { pareto, pick } from './draw.ts';

/** One market. Times are whole seconds from the start of the world. */
export interface SimulatedMarket {
  readonly event: number;
  /** True if exactly one market of its event happens. */
  readonly exclusive: boolean;
  readonly category: Category;
  readonly opens: number;
  readonly closes: number;
  /** True if outcome 0 is what happens; a market that pays 50-50 has a latent one, which moves its price. */
  readonly happens: boolean;
  readonly fiftyFifty: boolean;
  /** When a payout was first proposed, and each time that it was disputed. */
  readonly proposedAt: number;
  readonly disputedAt: readonly number[];
  /** When the resolution is final; after the end of the world for markets still open then. */
  readonly finalAt: number;
  /** Probability of outcome 0 when it opens. */
  readonly startProbability: number;
  /** Log-odds of outcome 0 when it opens; of a market in an exclusive event, the log of that probability. */
  readonly start: number;
  /** Variance a second that spreads evenly over its life. */
  readonly informationPerSecond: number;
  /** Times of its news, ascending, and the variance of each. */
  readonly news: readonly number[];
  readonly newsInformation: number;
  readonly popularity: number;
}

const categories = Object.keys(categoryShares) as Category[];
const categoryWeights = Object.values(categoryShares);
const lifetimeShares = lifetimes.map(({ share }) => share);

/** Start and outcome of each market of one event. */
type Draw = Pick<SimulatedMarket, 'happens' | 'startProbability' | 'start'>;

/** Draws events, each with one or more markets that share a life and a driver of their outcomes. */
export function makeMarkets(params: WorldParams, rng: Rng): SimulatedMarket[] {
  const end = params.days * DAY;
  const markets: SimulatedMarket[] = [];
  for (let event = 0; markets.length < params.markets; event++) {
    const left = params.markets - markets.length;
    const exclusive = rng.uniform() < params.events.exclusiveShare && left >= 2;
    const wanted = exclusive
      ? exclusiveMarkets.least + rng.below(exclusiveMarkets.most - exclusiveMarkets.least + 1)
      : 1 + pick(rng, marketsPerEvent);
    const size = Math.min(wanted, left);
    const length = lifetimes[pick(rng, lifetimeShares)] as (typeof lifetimes)[number];
    const life = Math.max(HOUR, Math.round((length.from + (length.to - length.from) * rng.uniform()) * DAY));
    const opens = Math.floor(rng.uniform() * Math.max(1, end - HOUR));
    const closes = opens + life;
    const category: Category =
      length.to <= 1 && rng.uniform() < subDayCryptoShare
        ? 'crypto'
        : (categories[pick(rng, categoryWeights)] as Category);
    const draws = exclusive ? drawExclusive(rng, size) : drawCorrelated(rng, size, params.events.outcomeCorrelation);
    const shared = informationOf(rng, life);
    for (const draw of draws) {
      const total = exclusive ? shared : informationOf(rng, life);
      const news = exclusive ? [] : newsTimes(rng, params.news.perMarket, opens, closes);
      const byNews = params.news.perMarket > 0 && !exclusive ? params.news.informationShare : 0;
      markets.push({
        event,
        exclusive,
        category,
        opens,
        closes,
        ...draw,
        ...resolve(params, rng, closes),
        informationPerSecond: (1 - byNews) * total,
        news,
        newsInformation: byNews === 0 ? 0 : (byNews * total * life) / params.news.perMarket,
        popularity: Math.min(popularity.cap, pareto(rng, popularity.exponent)),
      });
    }
  }
  return markets;
}

/** Variance of the log-odds a second. */
function informationOf(rng: Rng, life: number): number {
  return (information.low + (information.high - information.low) * rng.uniform()) / life;
}

/** Gaussian copula: P(shock < quantile(start)) = start, so each market alone is calibrated; all of them move together. */
function drawCorrelated(rng: Rng, size: number, correlation: number): Draw[] {
  const driver = rng.normal();
  return Array.from({ length: size }, () => {
    const startProbability = 0.08 + 0.84 * rng.uniform();
    const shock = Math.sqrt(correlation) * driver + Math.sqrt(1 - correlation) * rng.normal();
    return { startProbability, start: logit(startProbability), happens: shock < normalQuantile(startProbability) };
  });
}

/** Probabilities uniform over all that add up to 1 (a flat Dirichlet), and one winner drawn by them. */
function drawExclusive(rng: Rng, size: number): Draw[] {
  const weights = Array.from({ length: size }, () => 0.05 + rng.exponential());
  const total = weights.reduce((a, b) => a + b, 0);
  const winner = pick(rng, weights);
  return weights.map((weight, k) => ({
    startProbability: weight / total,
    start: log(weight / total),
    happens: k === winner,
  }));
}

/** A Poisson process over the life of a market. */
function newsTimes(rng: Rng, perMarket: number, opens: number, closes: number): number[] {
  const times: number[] = [];
  if (perMarket === 0) return times;
  const gap = (closes - opens) / perMarket;
  for (let time = opens + gap * rng.exponential(); time < closes; time += gap * rng.exponential())
    times.push(Math.floor(time));
  return times;
}

/** Proposal, disputes and end of a market's resolution. Twice disputed it goes to a vote. */
function resolve(
  params: WorldParams,
  rng: Rng,
  closes: number,
): Pick<SimulatedMarket, 'fiftyFifty' | 'proposedAt' | 'disputedAt' | 'finalAt'> {
  const proposedAt = closes + Math.floor(rng.uniform() * liveness.scatter);
  const fiftyFifty = rng.uniform() < params.fiftyFiftyShare;
  if (!(rng.uniform() < params.disputes.share))
    return { fiftyFifty, proposedAt, disputedAt: [], finalAt: proposedAt + liveness.least };
  const within = (seconds: number): number => Math.floor(rng.uniform() * seconds);
  const first = proposedAt + within(liveness.least);
  const again = first + within(dispute.againHours * HOUR);
  const undecided = fiftyFifty || rng.uniform() < params.disputes.fiftyFiftyShare;
  if (rng.uniform() < 0.5)
    return { fiftyFifty: undecided, proposedAt, disputedAt: [first], finalAt: again + liveness.least };
  const second = again + within(liveness.least);
  const vote = dispute.voteDaysLeast * DAY + within((dispute.voteDaysMost - dispute.voteDaysLeast) * DAY);
  return { fiftyFifty: undecided, proposedAt, disputedAt: [first, second], finalAt: second + vote };
}
