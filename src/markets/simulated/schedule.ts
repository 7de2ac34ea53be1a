/** Who wants to do what, where and when: the orders of all wallets, before anyone knows a price. */
import type { Rng } from '../../random/rng.ts';
import {
  copiedShare,
  DAY,
  HOUR,
  habits,
  insider,
  latency,
  newsReaders,
  orderSize,
  type WorldParams,
} from './assumptions.ts';
import { logNormal, pareto } from './draw.ts';
import { OpenMarkets, timeOfDay } from './open-markets.ts';
import type { SimulatedWallet } from './population.ts';
import type { SimulatedMarket } from './world.ts';

/** What an order does: see `Exchange`. */
export const orderKinds = { buy: 0, sell: 1, pair: 2, copy: 3, wash: 4, news: 5 } as const;

/** Orders column by column, sorted by (time, order of creation). */
export interface Schedule {
  readonly size: number;
  /** Whole seconds from the start of the world. */
  readonly time: Int32Array;
  readonly wallet: Int32Array;
  readonly market: Int32Array;
  /** Wanted value, USD; of a pair, pairs of tokens. Wash orders find theirs when they come. */
  readonly usd: Float64Array;
  /** One of `orderKinds`. */
  readonly kind: Uint8Array;
}

/** Draws all orders. Insiders get several candidates each, of which the exchange lets one through. */
export function makeSchedule(
  params: WorldParams,
  markets: readonly SimulatedMarket[],
  wallets: readonly SimulatedWallet[],
  rng: Rng,
): Schedule {
  return new Scheduler(params, markets, wallets, rng).run();
}

class Scheduler {
  readonly #params: WorldParams;
  readonly #markets: readonly SimulatedMarket[];
  readonly #wallets: readonly SimulatedWallet[];
  readonly #rng: Rng;
  readonly #open: OpenMarkets;
  readonly #end: number;
  readonly #followers = new Map<number, number[]>();
  readonly #time: number[] = [];
  readonly #wallet: number[] = [];
  readonly #market: number[] = [];
  readonly #usd: number[] = [];
  readonly #kind: number[] = [];

  constructor(params: WorldParams, markets: readonly SimulatedMarket[], wallets: readonly SimulatedWallet[], rng: Rng) {
    this.#params = params;
    this.#markets = markets;
    this.#wallets = wallets;
    this.#rng = rng;
    this.#open = new OpenMarkets(markets, params.days);
    this.#end = params.days * DAY;
    wallets.forEach(({ follows }, w) => {
      if (follows >= 0) this.#followers.set(follows, [...(this.#followers.get(follows) ?? []), w]);
    });
  }

  run(): Schedule {
    // Markets where an insider can know something worth knowing: they live long enough and pay one side in time.
    const long = this.#markets.flatMap((m, id) =>
      m.closes < this.#end && m.closes - m.opens > 2 * insider.toHours * HOUR && !m.fiftyFifty ? [id] : [],
    );
    this.#wallets.forEach((wallet, w) => {
      if (wallet.archetype === 'freshInsider') this.#insider(wallet, w, long);
      else this.#ordinary(wallet, w);
    });
    this.#wash();
    this.#news();
    return this.#sorted();
  }

  #add(time: number, wallet: number, market: number, usd: number, kind: number): void {
    this.#time.push(Math.floor(time));
    this.#wallet.push(wallet);
    this.#market.push(market);
    this.#usd.push(usd);
    this.#kind.push(kind);
  }

  #insider(wallet: SimulatedWallet, w: number, long: readonly number[]): void {
    for (let k = 0; k < insider.candidates && long.length > 0; k++) {
      const market = long[this.#rng.below(long.length)] as number;
      const before = (insider.fromHours + (insider.toHours - insider.fromHours) * this.#rng.uniform()) * HOUR;
      this.#add(this.#closes(market) - before, w, market, this.#size(wallet), orderKinds.buy);
    }
  }

  #ordinary(wallet: SimulatedWallet, w: number): void {
    const rng = this.#rng;
    const regular = wallet.archetype === 'bot' || wallet.archetype === 'arbitrageBot';
    const kind = wallet.archetype === 'arbitrageBot' ? orderKinds.pair : orderKinds.buy;
    // A bot acts every so many minutes with two per cent of scatter until its orders are spent.
    const gap = regular ? Math.min(600 + 3000 * rng.uniform(), (wallet.to - wallet.from) / wallet.orders) : 0;
    const followers = this.#followers.get(w);
    for (let k = 0; k < wallet.orders; k++) {
      const time = regular
        ? wallet.from + gap * (k + 0.02 * (rng.uniform() - 0.5))
        : timeOfDay(rng, wallet.from, wallet.to);
      if (time < 0 || time >= this.#end) continue;
      const market = this.#open.draw(rng, time, wallet.focus);
      if (market < 0) continue;
      this.#add(time, w, market, regular ? wallet.usd : this.#size(wallet), kind);
      if (followers !== undefined) this.#repeat(followers, time, market);
      if (rng.uniform() < habits[wallet.archetype].sellAgain) {
        const until = Math.min(this.#end, this.#closes(market));
        const later = time + (until - time) * rng.uniform();
        if (later > time + 1 && later < until) this.#add(later, w, market, 0, orderKinds.sell);
      }
    }
  }

  /** Sybils repeat every order of their leader, copiers some. */
  #repeat(followers: readonly number[], time: number, market: number): void {
    const until = Math.min(this.#end, this.#closes(market));
    for (const follower of followers) {
      const wallet = this.#wallets[follower] as SimulatedWallet;
      if (wallet.archetype === 'copier' && this.#rng.uniform() >= copiedShare) continue;
      const at = time + this.#delay(wallet);
      if (at < until) this.#add(at, follower, market, this.#size(wallet), orderKinds.copy);
    }
  }

  /** One reaction: a second at least, around the wallet's own latency. */
  #delay(wallet: SimulatedWallet): number {
    return 1 + logNormal(this.#rng, wallet.latencySeconds, latency.reactionSigma);
  }

  /** As many wash orders for each other order in the window as make their share, if sizes are alike. */
  #wash(): void {
    const { share, fromDay, toDay } = this.#params.wash;
    const first = this.#wallets.findIndex(({ archetype }) => archetype === 'washTrader');
    if (first < 0 || share <= 0) return;
    const count = this.#wallets.filter(({ archetype }) => archetype === 'washTrader').length;
    if (count < 2) return;
    const from = fromDay * DAY;
    const to = Math.min(this.#end, (toDay ?? this.#params.days) * DAY);
    const others = this.#time.filter((time) => time >= from && time < to).length;
    for (let k = 0; k < Math.round((share / (1 - share)) * others); k++) {
      const time = timeOfDay(this.#rng, from, to);
      const w = first + this.#rng.below(count);
      const market = this.#open.draw(this.#rng, time, (this.#wallets[w] as SimulatedWallet).focus);
      if (market >= 0) this.#add(time, w, market, 0, orderKinds.wash);
    }
  }

  /** Some of the wallets that are about react to each item, each after its own delay. */
  #news(): void {
    const readers = newsReaders
      .map((archetype) => this.#wallets.flatMap((wallet, w) => (wallet.archetype === archetype ? [w] : [])))
      .filter((list) => list.length > 0);
    if (readers.length === 0) return;
    this.#markets.forEach(({ news }, market) => {
      const until = Math.min(this.#end, this.#closes(market));
      for (const time of news)
        for (let k = 0; k < this.#params.news.reactions; k++) {
          const list = readers[this.#rng.below(readers.length)] as number[];
          const w = list[this.#rng.below(list.length)] as number;
          const wallet = this.#wallets[w] as SimulatedWallet;
          const at = time + this.#delay(wallet);
          if (wallet.from <= time && time < wallet.to && at < until)
            this.#add(at, w, market, this.#size(wallet), orderKinds.news);
        }
    });
  }

  #closes(market: number): number {
    return (this.#markets[market] as SimulatedMarket).closes;
  }

  #size(wallet: SimulatedWallet): number {
    const body = logNormal(this.#rng, wallet.usd, orderSize.sigma);
    const usd = this.#rng.uniform() < orderSize.tailShare ? body * pareto(this.#rng, orderSize.tailExponent) : body;
    return Math.min(orderSize.largestUsd, Math.max(1, usd));
  }

  #sorted(): Schedule {
    const order = orderOf(Int32Array.from(this.#time));
    return {
      size: order.length,
      time: Int32Array.from(order, (i) => this.#time[i] as number),
      wallet: Int32Array.from(order, (i) => this.#wallet[i] as number),
      market: Int32Array.from(order, (i) => this.#market[i] as number),
      usd: Float64Array.from(order, (i) => this.#usd[i] as number),
      kind: Uint8Array.from(order, (i) => this.#kind[i] as number),
    };
  }
}

/** Bits of a digit; three of them hold any time. */
const DIGIT = 11;

/** The places of the times in ascending order, equal ones in their own: a radix sort, ten times as fast as comparing. */
export function orderOf(times: Int32Array): Int32Array {
  let order: Int32Array = Int32Array.from(times, (_, i) => i);
  for (let shift = 0; shift < 3 * DIGIT; shift += DIGIT) {
    const digit = (i: number): number => ((times[i] as number) >>> shift) & ((1 << DIGIT) - 1);
    const starts = new Int32Array((1 << DIGIT) + 1);
    for (const i of order) starts[digit(i) + 1] = (starts[digit(i) + 1] as number) + 1;
    for (let d = 1; d < starts.length; d++) starts[d] = (starts[d] as number) + (starts[d - 1] as number);
    const next = new Int32Array(order.length);
    for (const i of order) {
      const d = digit(i);
      const place = starts[d] as number;
      next[place] = i;
      starts[d] = place + 1;
    }
    order = next;
  }
  return order;
}
