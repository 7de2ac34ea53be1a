/** The public probability of each market as its path is walked forwards in time. */
import { exp, log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import type { SimulatedMarket } from './world.ts';

/** Log-odds beyond which a price is 0 or 1 to any tick. */
const FARTHEST = 30;

/**
 * Everybody sees a signal whose drift is the outcome. The log-odds of the outcome given the signal so far, given that
 * it happens, are a Brownian motion with drift v/2 (else -v/2) and variance v a second (Shiryaev 1967): the
 * probability is a martingale, calibrated at every moment, and jumps to 0 or 1 when the outcome is told. News is the
 * same in one step.
 *
 * Where exactly one of several markets happens, there is a signal for each of them, with a drift for the one that
 * does: the log-weights move with variance v a second and drift v for the winner, and the probabilities are the
 * weights over their sum (Bayes). They add up to 1, and each is a martingale.
 */
export class ProbabilityPaths {
  readonly #markets: readonly SimulatedMarket[];
  readonly #rng: Rng;
  readonly #shared: number;
  /** Log-odds; in exclusive events log-weights. */
  readonly #state: Float64Array;
  readonly #times: Float64Array;
  /** First market and number of markets of the event of each market. */
  readonly #first: Int32Array;
  readonly #size: Int32Array;
  /** Brownian motion that the markets of an event share, at the event's own last time, and as each market saw it. */
  readonly #driver: Float64Array;
  readonly #driverTime: Float64Array;
  readonly #driverSeen: Float64Array;
  readonly #newsSeen: Int32Array;
  readonly #jump: Float64Array;

  /** @param shared correlation of the shocks of an event's markets */
  constructor(markets: readonly SimulatedMarket[], rng: Rng, shared = 0) {
    this.#markets = markets;
    this.#rng = rng;
    this.#shared = shared;
    this.#state = Float64Array.from(markets, (m) => m.start);
    this.#times = Float64Array.from(markets, (m) => m.opens);
    this.#first = new Int32Array(markets.length);
    this.#size = new Int32Array(markets.length);
    for (let m = 0; m < markets.length; m++) {
      const joins = m > 0 && markets[m]?.event === markets[m - 1]?.event;
      const first = joins ? (this.#first[m - 1] as number) : m;
      this.#first[m] = first;
      for (let k = first; k <= m; k++) this.#size[k] = m - first + 1;
    }
    this.#driver = new Float64Array(markets.length);
    this.#driverTime = Float64Array.from(markets, (m) => m.opens);
    this.#driverSeen = new Float64Array(markets.length);
    this.#newsSeen = new Int32Array(markets.length);
    this.#jump = new Float64Array(markets.length);
  }

  /** Log-odds of outcome 0 at a time, which must not be before the last one asked of any market of the event. */
  at(m: number, time: number): number {
    const market = this.#markets[m] as SimulatedMarket;
    if (market.exclusive) return this.#exclusive(m, time);
    let seen = this.#newsSeen[m] as number;
    while (seen < market.news.length && (market.news[seen] as number) <= time) {
      this.#diffuse(m, market, market.news[seen] as number);
      const variance = market.newsInformation;
      const jump = (market.happens ? variance / 2 : -variance / 2) + Math.sqrt(variance) * this.#rng.normal();
      this.#state[m] = (this.#state[m] as number) + jump;
      this.#jump[m] = jump;
      this.#newsSeen[m] = ++seen;
    }
    this.#diffuse(m, market, time);
    return Math.min(FARTHEST, Math.max(-FARTHEST, this.#state[m] as number));
  }

  /** Time and jump of the last news of a market that `at` has passed; undefined before the first. */
  lastNews(m: number): { readonly time: number; readonly jump: number } | undefined {
    const seen = this.#newsSeen[m] as number;
    if (seen === 0) return undefined;
    return { time: (this.#markets[m] as SimulatedMarket).news[seen - 1] as number, jump: this.#jump[m] as number };
  }

  #diffuse(m: number, market: SimulatedMarket, time: number): void {
    const variance = market.informationPerSecond * (time - (this.#times[m] as number));
    if (variance <= 0) return;
    let shock = Math.sqrt(variance) * this.#rng.normal();
    if (this.#shared > 0 && (this.#size[m] as number) > 1) {
      const common = this.#driverChange(m, time) * Math.sqrt(market.informationPerSecond);
      shock = Math.sqrt(this.#shared) * common + Math.sqrt(1 - this.#shared) * shock;
    }
    this.#state[m] = (this.#state[m] as number) + (market.happens ? variance / 2 : -variance / 2) + shock;
    this.#times[m] = time;
  }

  /** Change of the event's Brownian motion since this market last looked. */
  #driverChange(m: number, time: number): number {
    const e = this.#first[m] as number;
    const passed = time - (this.#driverTime[e] as number);
    if (passed > 0) {
      this.#driver[e] = (this.#driver[e] as number) + Math.sqrt(passed) * this.#rng.normal();
      this.#driverTime[e] = time;
    }
    const change = (this.#driver[e] as number) - (this.#driverSeen[m] as number);
    this.#driverSeen[m] = this.#driver[e] as number;
    return change;
  }

  #exclusive(m: number, time: number): number {
    const first = this.#first[m] as number;
    const end = first + (this.#size[m] as number);
    const { informationPerSecond } = this.#markets[m] as SimulatedMarket;
    // Each log-odds is the difference of two weights: half the variance each.
    const variance = (informationPerSecond / 2) * (time - (this.#times[first] as number));
    let largest = -Infinity;
    for (let k = first; k < end; k++) {
      if (variance > 0) {
        const drift = (this.#markets[k] as SimulatedMarket).happens ? variance : 0;
        this.#state[k] = (this.#state[k] as number) + drift + Math.sqrt(variance) * this.#rng.normal();
      }
      if (k !== m) largest = Math.max(largest, this.#state[k] as number);
    }
    if (variance > 0) this.#times[first] = time;
    let others = 0;
    for (let k = first; k < end; k++) if (k !== m) others += exp((this.#state[k] as number) - largest);
    const odds = (this.#state[m] as number) - largest - log(others);
    return Math.min(FARTHEST, Math.max(-FARTHEST, odds));
  }
}
