/** Where orders meet: prices around the public probability, matches, and who then holds what. */
import { logit, sigmoid } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import { habits, impact, insider, inventoryUse, ticksPerUsd, tradable, type WorldParams } from './assumptions.ts';
import { Counterparties, Holdings } from './book.ts';
import {
  anyOutcome,
  favouriteOutcome,
  insiderOutcome,
  type Outcome,
  skilledOutcome,
  type Ticks,
  tooLateForInsider,
} from './choices.ts';
import { Fills } from './fills.ts';
import type { SimulatedWallet } from './population.ts';
import type { Schedule } from './schedule.ts';
import type { ProbabilityPaths, SimulatedMarket } from './world.ts';

export interface Traded {
  readonly fills: Fills;
  /** By wallet: planted edge, USD per token. */
  readonly edges: Float64Array;
  /** Orders that found no price they wanted or nobody to trade with. */
  readonly unfilled: number;
}

/** Tokens are traded in hundredths; a hundredth times a tick is ten millionths of a dollar. */
const HUNDREDTH_IN_MILLIONTHS = 10_000;
const HUNDREDTH_TICK_IN_MILLIONTHS = HUNDREDTH_IN_MILLIONTHS / ticksPerUsd;

/** Runs a schedule forwards in time; see `run`. */
export class Exchange {
  readonly #params: WorldParams;
  readonly #markets: readonly SimulatedMarket[];
  readonly #wallets: readonly SimulatedWallet[];
  readonly #paths: ProbabilityPaths;
  readonly #rng: Rng;
  readonly #holdings: Holdings;
  readonly #counterparties: Counterparties;
  readonly #fills = new Fills();
  readonly #edges: Float64Array;
  /** Chances that each insider has let pass; the number of candidates once it has bought. */
  readonly #insiderTries: Int32Array;
  #transactions = 0;
  #unfilled = 0;

  constructor(
    params: WorldParams,
    markets: readonly SimulatedMarket[],
    wallets: readonly SimulatedWallet[],
    paths: ProbabilityPaths,
    rng: Rng,
  ) {
    this.#params = params;
    this.#markets = markets;
    this.#wallets = wallets;
    this.#paths = paths;
    this.#rng = rng;
    this.#holdings = new Holdings(markets.length);
    const makers = wallets.flatMap((wallet, w) => (wallet.archetype === 'marketMaker' ? [w] : []));
    this.#counterparties = new Counterparties(rng, makers);
    this.#edges = Float64Array.from(wallets, (wallet) => wallet.edge);
    this.#insiderTries = new Int32Array(wallets.length);
  }

  /** Runs every order of the schedule once, in its order. */
  run(schedule: Schedule): Traded {
    for (let i = 0; i < schedule.size; i++) {
      const wallet = schedule.wallet[i] as number;
      const market = schedule.market[i] as number;
      this.#order(
        schedule.time[i] as number,
        wallet,
        market,
        schedule.usd[i] as number,
        schedule.sell[i] === 1,
        this.#wallets[wallet] as SimulatedWallet,
      );
    }
    return { fills: this.#fills, edges: this.#edges, unfilled: this.#unfilled };
  }

  /**
   * One order. A taker pays mid + half spread + impact, a maker mid - half spread (the mirror image to sell), on the
   * tick; mid is the public probability bent by the favourite-longshot bias.
   */
  #order(time: number, w: number, m: number, usd: number, sell: boolean, wallet: SimulatedWallet): void {
    const { makerShare, mostFills } = habits[wallet.archetype];
    const maker = this.#rng.uniform() < makerShare;
    const probability = this.#paths.at(m, time);
    const mid = sigmoid((1 - this.#params.longshotBias) * logit(probability));
    if (wallet.archetype === 'casual') this.#counterparties.passes(w);
    if (mid < tradable.low || mid > tradable.high) {
      this.#unfilled++;
      return;
    }
    const spread = this.#params.halfSpread * 4 * mid * (1 - mid) + 1 / ticksPerUsd;
    const pressure = Math.min(impact.most, impact.at1000Usd * Math.sqrt(usd / 1000));
    const cost = (maker ? -spread : spread + pressure) * (sell ? -1 : 1);
    const ticks: Ticks = [onTick(mid + cost), onTick(1 - mid + cost)];
    const outcome = sell ? this.#largerHolding(w, m) : this.#choice(w, m, probability, ticks);
    if (outcome === undefined) {
      this.#unfilled++;
      return;
    }
    const wanted = sell
      ? this.#holdings.get(w, m, outcome)
      : Math.max(100, Math.floor((usd * 100 * ticksPerUsd) / ticks[outcome]));
    const parts = Math.min(1 + this.#rng.below(mostFills), Math.max(1, Math.floor(wanted / 100)));
    const part = Math.floor(wanted / parts);
    for (let k = 0; k < parts; k++) {
      const size = k === 0 ? wanted - part * (parts - 1) : part;
      this.#match(time, w, m, outcome, sell, maker, ticks[outcome], size);
    }
    this.#transactions++;
  }

  /** The outcome that a wallet buys, if any. */
  #choice(w: number, m: number, probability: number, ticks: Ticks): Outcome | undefined {
    const { archetype, edge } = this.#wallets[w] as SimulatedWallet;
    const { happens } = this.#markets[m] as SimulatedMarket;
    if (archetype === 'favouriteBuyer') return favouriteOutcome(ticks);
    if (archetype === 'skilled') return skilledOutcome(this.#rng, probability, happens, ticks, edge);
    if (archetype !== 'freshInsider') return anyOutcome(this.#rng);
    const tries = (this.#insiderTries[w] as number) + 1;
    this.#insiderTries[w] = tries;
    if (tries > insider.candidates) return undefined;
    if (tooLateForInsider(happens, ticks) && tries < insider.candidates) return undefined;
    this.#insiderTries[w] = insider.candidates;
    const choice = insiderOutcome(this.#rng, happens, ticks);
    this.#edges[w] = choice.edge;
    return choice.outcome;
  }

  #largerHolding(w: number, m: number): Outcome | undefined {
    const zero = this.#holdings.get(w, m, 0);
    const one = this.#holdings.get(w, m, 1);
    if (zero <= 0 && one <= 0) return undefined;
    return zero >= one ? 0 : 1;
  }

  /**
   * Matches one part of an order. The other side trades the same token the other way if it can; else it trades the
   * complementary token the same way, and the exchange mints a pair for two buyers or merges one of two sellers:
   * their two prices add up to one dollar.
   */
  #match(
    time: number,
    wallet: number,
    market: number,
    outcome: Outcome,
    sell: boolean,
    maker: boolean,
    ticks: number,
    size: number,
  ): void {
    const counterparty = this.#counterparties.find(wallet, market, !maker);
    if (counterparty < 0) {
      this.#unfilled++;
      return;
    }
    const across: Outcome = outcome === 0 ? 1 : 0;
    const needed = sell ? across : outcome;
    const uses = this.#holdings.get(counterparty, market, needed) >= size && this.#rng.uniform() < inventoryUse;
    const sameToken = sell ? !uses : uses;
    const theirs = sameToken ? outcome : across;
    const theySell = sameToken ? !sell : sell;
    this.#holdings.add(wallet, market, outcome, sell ? -size : size);
    this.#holdings.add(counterparty, market, theirs, theySell ? -size : size);
    const shares = size * HUNDREDTH_IN_MILLIONTHS;
    const transaction = this.#transactions;
    const mine = {
      time,
      market,
      outcome,
      wallet,
      counterparty,
      maker,
      sell,
      usd: size * ticks * HUNDREDTH_TICK_IN_MILLIONTHS,
      shares,
      transaction,
    };
    const other = {
      time,
      market,
      outcome: theirs,
      wallet: counterparty,
      counterparty: wallet,
      maker: !maker,
      sell: theySell,
      usd: size * (sameToken ? ticks : ticksPerUsd - ticks) * HUNDREDTH_TICK_IN_MILLIONTHS,
      shares,
      transaction,
    };
    this.#fills.add(maker ? mine : other);
    this.#fills.add(maker ? other : mine);
  }
}

/** The price in ticks, strictly between 0 and 1. */
function onTick(price: number): number {
  return Math.min(ticksPerUsd - 1, Math.max(1, Math.round(price * ticksPerUsd)));
}
