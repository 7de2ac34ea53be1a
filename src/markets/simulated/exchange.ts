/** Where orders meet: quotes around the public probability, matches, and who then holds what. */
import { pow, sigmoid } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import { DAY, habits, insider, inventoryUse, ticksPerUsd, tradable, type WorldParams } from './assumptions.ts';
import { Counterparties, Holdings } from './book.ts';
import {
  anyOutcome,
  favouriteOutcome,
  insiderOutcome,
  longshotOutcome,
  type Outcome,
  skilledOutcome,
  type Ticks,
  tooLateForInsider,
} from './choices.ts';
import { type MatchColumns, Matches, matchFlags } from './matches.ts';
import type { ProbabilityPaths } from './paths.ts';
import type { SimulatedWallet } from './population.ts';
import { onTick, orderPrices } from './quotes.ts';
import { orderKinds, type Schedule } from './schedule.ts';
import type { SimulatedMarket } from './world.ts';

export interface Traded {
  readonly matches: MatchColumns;
  /** By wallet: planted edge, USD per token. */
  readonly edges: Float64Array;
  readonly transactions: number;
  /** Orders that found no price they wanted or nobody to trade with. */
  readonly unfilled: number;
}

/** Tokens are traded in hundredths. */
const HUNDREDTHS = 100;

/** Runs a schedule forwards in time; see `run`. */
export class Exchange {
  readonly #params: WorldParams;
  readonly #markets: readonly SimulatedMarket[];
  readonly #wallets: readonly SimulatedWallet[];
  readonly #paths: ProbabilityPaths;
  readonly #rng: Rng;
  readonly #holdings: Holdings;
  readonly #counterparties: Counterparties;
  readonly #matches = new Matches();
  readonly #edges: Float64Array;
  /** Chances that each insider has let pass; the number of candidates once it has bought. */
  readonly #insiderTries: Int32Array;
  /** What wallets that others follow bought last in a market: outcome by wallet x markets + market. */
  readonly #lastBought = new Map<number, Outcome>();
  readonly #isFollowed: Uint8Array;
  /** Members of the rings of wash traders. */
  readonly #rings: number[][] = [];
  /** Hundredths of tokens times ticks that others and wash traders have traded in the window of the surge. */
  #otherVolume = 0;
  #washVolume = 0;
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
    this.#isFollowed = new Uint8Array(wallets.length);
    wallets.forEach((wallet, w) => {
      if (wallet.follows >= 0) this.#isFollowed[wallet.follows] = 1;
      if (wallet.archetype !== 'washTrader') return;
      this.#rings[wallet.family] ??= [];
      this.#rings[wallet.family]?.push(w);
    });
  }

  /** Runs every order of the schedule once, in its order. */
  run(schedule: Schedule): Traded {
    for (let i = 0; i < schedule.size; i++) {
      const time = schedule.time[i] as number;
      const wallet = schedule.wallet[i] as number;
      const market = schedule.market[i] as number;
      if (schedule.kind[i] === orderKinds.wash) this.#wash(time, wallet, market);
      else this.#order(time, wallet, market, schedule.usd[i] as number, schedule.kind[i] as number);
    }
    return {
      matches: this.#matches.columns(),
      edges: this.#edges,
      transactions: this.#transactions,
      unfilled: this.#unfilled,
    };
  }

  /**
   * One order, at the quotes around the public probability: see `orderPrices`. What it buys depends on the kind of order
   * and of wallet; it is matched in one part or several.
   */
  #order(time: number, w: number, m: number, usd: number, kind: number): void {
    const wallet = this.#wallets[w] as SimulatedWallet;
    const { makerShare, mostFills } = habits[wallet.archetype];
    const maker = kind !== orderKinds.news && this.#rng.uniform() < makerShare;
    const logOdds = this.#paths.at(m, time);
    if (wallet.archetype === 'casual') this.#counterparties.passes(w);
    const mid = this.#quoted(m, time, logOdds);
    if (mid < tradable.low || mid > tradable.high) {
      this.#unfilled++;
      return;
    }
    const sell = kind === orderKinds.sell;
    const ticks = orderPrices(mid, this.#params, maker, sell, usd);
    if (kind === orderKinds.pair) {
      const size = Math.max(HUNDREDTHS, Math.floor(usd * HUNDREDTHS));
      this.#match(time, w, m, 0, false, maker, ticks[0], size, this.#counterparties.find(w, m, !maker));
      this.#match(time, w, m, 1, false, maker, ticks[1], size, this.#counterparties.find(w, m, !maker));
      this.#transactions++;
      return;
    }
    const outcome = sell ? this.#largerHolding(w, m) : this.#choice(time, w, m, logOdds, ticks, kind);
    if (outcome === undefined) {
      this.#unfilled++;
      return;
    }
    if (this.#isFollowed[w] === 1 && !sell) this.#lastBought.set(w * this.#markets.length + m, outcome);
    const wanted = sell
      ? this.#holdings.get(w, m, outcome)
      : Math.max(HUNDREDTHS, Math.floor((usd * HUNDREDTHS * ticksPerUsd) / ticks[outcome]));
    const parts = Math.min(1 + this.#rng.below(mostFills), Math.max(1, Math.floor(wanted / HUNDREDTHS)));
    const part = Math.floor(wanted / parts);
    for (let k = 0; k < parts; k++) {
      const size = k === 0 ? wanted - part * (parts - 1) : part;
      this.#match(time, w, m, outcome, sell, maker, ticks[outcome], size, this.#counterparties.find(w, m, !maker));
    }
    this.#transactions++;
  }

  /** The probability around which quotes stand: they have not yet taken in the latest news. */
  #quoted(m: number, time: number, logOdds: number): number {
    const news = this.#params.news.perMarket > 0 ? this.#paths.lastNews(m) : undefined;
    const stale = news !== undefined && time < news.time + this.#params.news.quoteLatencySeconds ? news.jump : 0;
    return sigmoid((1 - this.#params.longshotBias) * (logOdds - stale));
  }

  /** The outcome that a wallet buys, if any. */
  #choice(time: number, w: number, m: number, logOdds: number, ticks: Ticks, kind: number): Outcome | undefined {
    const wallet = this.#wallets[w] as SimulatedWallet;
    const { happens } = this.#markets[m] as SimulatedMarket;
    if (kind === orderKinds.copy) return this.#lastBought.get(wallet.follows * this.#markets.length + m);
    if (kind === orderKinds.news) return (this.#paths.lastNews(m)?.jump ?? 0) > 0 ? 0 : 1;
    switch (wallet.archetype) {
      case 'favouriteBuyer':
        return favouriteOutcome(ticks);
      case 'longshotBuyer':
        return longshotOutcome(ticks);
      case 'skilled':
        return skilledOutcome(this.#rng, sigmoid(logOdds), happens, ticks, this.#edgeAt(wallet, time));
      case 'freshInsider':
        return this.#insiderChoice(w, happens, ticks);
      default:
        return anyOutcome(this.#rng);
    }
  }

  /** A skilled wallet's edge halves in each half-life from its arrival on. */
  #edgeAt(wallet: SimulatedWallet, time: number): number {
    const halfLife = this.#params.skillHalfLifeDays;
    return halfLife === null ? wallet.edge : wallet.edge * pow(2, -(time - wallet.from) / (halfLife * DAY));
  }

  #insiderChoice(w: number, happens: boolean, ticks: Ticks): Outcome | undefined {
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
   * A trade within a ring, at the middle and as large as the ring is behind its share of the volume; what the wallet
   * holds there it sells first.
   */
  #wash(time: number, w: number, m: number): void {
    const ring = this.#rings[(this.#wallets[w] as SimulatedWallet).family] as number[];
    const { share } = this.#params.wash;
    const mid = this.#quoted(m, time, this.#paths.at(m, time));
    const other = ring[(ring.indexOf(w) + 1 + this.#rng.below(Math.max(1, ring.length - 1))) % ring.length] as number;
    const behind = (share / (1 - share)) * this.#otherVolume - this.#washVolume;
    if (ring.length < 2 || behind < HUNDREDTHS * ticksPerUsd || mid < tradable.low || mid > tradable.high) return;
    const held = this.#largerHolding(w, m);
    const outcome = held ?? anyOutcome(this.#rng);
    const ticks = onTick(outcome === 0 ? mid : 1 - mid);
    // Both sides of a minted pair add up to a dollar, those of a token to twice its price: about a dollar on average.
    const wanted = Math.max(HUNDREDTHS, Math.floor(behind / ticksPerUsd));
    const size = held === undefined ? wanted : Math.min(wanted, this.#holdings.get(w, m, held));
    this.#match(time, w, m, outcome, held !== undefined, false, ticks, size, other);
    this.#transactions++;
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
    counterparty: number,
  ): void {
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
    const theirTicks = sameToken ? ticks : ticksPerUsd - ticks;
    this.#note(time, wallet, counterparty, size * (ticks + theirTicks));
    this.#matches.add(
      time,
      market,
      maker ? wallet : counterparty,
      maker ? counterparty : wallet,
      maker ? ticks : theirTicks,
      size,
      this.#transactions,
      ((maker ? outcome : theirs) === 1 ? matchFlags.outcomeOne : 0) +
        ((maker ? sell : theySell) ? matchFlags.makerSells : 0) +
        (sameToken ? matchFlags.sameToken : 0),
    );
  }

  /** Adds a match to the volumes of the surge's window. */
  #note(time: number, wallet: number, counterparty: number, volume: number): void {
    if (this.#rings.length === 0) return;
    const { fromDay, toDay } = this.#params.wash;
    if (time < fromDay * DAY || time >= (toDay ?? this.#params.days) * DAY) return;
    const kinds = [wallet, counterparty].map((w) => this.#wallets[w]?.archetype);
    if (kinds.every((kind) => kind === 'washTrader')) this.#washVolume += volume;
    else this.#otherVolume += volume;
  }
}
