/** Who wants to do what, where and when: the orders of all wallets, before anyone knows a price. */
import { FathomError } from '../../errors.ts';
import type { Rng } from '../../random/rng.ts';
import { DAY, HOUR, habits, hourWeights, insider, orderSize, type WorldParams } from './assumptions.ts';
import { logNormal, pareto } from './draw.ts';
import type { SimulatedWallet } from './population.ts';
import type { SimulatedMarket } from './world.ts';

/** Orders column by column, sorted by (time, order of creation). */
export interface Schedule {
  readonly size: number;
  /** Whole seconds from the start of the world. */
  readonly time: Float64Array;
  readonly wallet: Int32Array;
  readonly market: Int32Array;
  /** Wanted value, USD. */
  readonly usd: Float64Array;
  /** 1: sells what it holds there; 0: buys. */
  readonly sell: Uint8Array;
}

/** The markets open in each hour, with running sums of their popularity. */
class OpenMarkets {
  readonly #markets: readonly SimulatedMarket[];
  readonly #byHour: { readonly ids: number[]; readonly sums: number[] }[];

  constructor(markets: readonly SimulatedMarket[], days: number) {
    this.#markets = markets;
    this.#byHour = Array.from({ length: Math.ceil(days * 24) }, () => ({ ids: [], sums: [] }));
    markets.forEach((market, id) => {
      const last = Math.min(this.#byHour.length - 1, Math.floor((market.closes - 1) / HOUR));
      for (let hour = Math.floor(market.opens / HOUR); hour <= last; hour++) {
        const slot = this.#byHour[hour];
        if (slot === undefined) break;
        slot.sums.push((slot.sums.at(-1) ?? 0) + market.popularity);
        slot.ids.push(id);
      }
    });
  }

  /** A market open at `time`, by popularity, more often of category `focus`; -1 if luck finds none. */
  draw(rng: Rng, time: number, focus: string): number {
    const slot = this.#byHour[Math.floor(time / HOUR)];
    if (slot === undefined || slot.ids.length === 0) return -1;
    for (let attempt = 0; attempt < 8; attempt++) {
      const wanted = rng.uniform() * (slot.sums.at(-1) as number);
      let low = 0;
      let high = slot.sums.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((slot.sums[middle] as number) <= wanted) low = middle + 1;
        else high = middle;
      }
      const id = slot.ids[low] as number;
      const market = this.#markets[id] as SimulatedMarket;
      if (time < market.opens || time >= market.closes) continue;
      if (market.category === focus || attempt > 2 || rng.uniform() < 0.3) return id;
    }
    return -1;
  }
}

/** Draws all orders. Insiders get several candidates each, of which the exchange lets one through. */
export function makeSchedule(
  params: WorldParams,
  markets: readonly SimulatedMarket[],
  wallets: readonly SimulatedWallet[],
  rng: Rng,
): Schedule {
  const open = new OpenMarkets(markets, params.days);
  const end = params.days * DAY;
  const columns = {
    time: [] as number[],
    wallet: [] as number[],
    market: [] as number[],
    usd: [] as number[],
    sell: [] as number[],
  };
  const add = (time: number, wallet: number, market: number, usd: number, sell: 0 | 1): void => {
    columns.time.push(Math.floor(time));
    columns.wallet.push(wallet);
    columns.market.push(market);
    columns.usd.push(usd);
    columns.sell.push(sell);
  };
  const long = markets.flatMap((m, id) =>
    m.closes - m.opens > 2 * DAY && m.closes < end && !m.fiftyFifty ? [id] : [],
  );
  wallets.forEach((wallet, w) => {
    if (wallet.archetype === 'freshInsider') {
      for (let k = 0; k < insider.candidates && long.length > 0; k++) {
        const market = long[rng.below(long.length)] as number;
        const before = (insider.fromHours + (insider.toHours - insider.fromHours) * rng.uniform()) * HOUR;
        add((markets[market] as SimulatedMarket).closes - before, w, market, sizeOf(rng, wallet), 0);
      }
      return;
    }
    const regular = wallet.archetype === 'bot';
    // A bot acts every so many minutes with two per cent of scatter until its orders are spent.
    const gap = regular ? Math.min(600 + 3000 * rng.uniform(), (wallet.to - wallet.from) / wallet.orders) : 0;
    for (let k = 0; k < wallet.orders; k++) {
      const time = regular
        ? wallet.from + gap * (k + 0.02 * (rng.uniform() - 0.5))
        : timeOfDay(rng, wallet.from, wallet.to);
      if (time < 0 || time >= end) continue;
      const market = open.draw(rng, time, wallet.focus);
      if (market < 0) continue;
      add(time, w, market, regular ? wallet.usd : sizeOf(rng, wallet), 0);
      if (rng.uniform() < habits[wallet.archetype].sellAgain) {
        const until = Math.min(end, (markets[market] as SimulatedMarket).closes);
        const later = time + (until - time) * rng.uniform();
        if (later > time + 1 && later < until) add(later, w, market, 0, 1);
      }
    }
  });
  return sortByTime(columns);
}

function sizeOf(rng: Rng, wallet: SimulatedWallet): number {
  const body = logNormal(rng, wallet.usd, orderSize.sigma);
  const usd = rng.uniform() < orderSize.tailShare ? body * pareto(rng, orderSize.tailExponent) : body;
  return Math.min(orderSize.largestUsd, Math.max(1, usd));
}

/** A time in [from, to), more often when people are awake. */
function timeOfDay(rng: Rng, from: number, to: number): number {
  let time = from;
  for (let attempt = 0; attempt < 4; attempt++) {
    time = from + (to - from) * rng.uniform();
    if (rng.uniform() < (hourWeights[Math.floor(time / HOUR) % 24] as number)) break;
  }
  return time;
}

function sortByTime(columns: {
  time: number[];
  wallet: number[];
  market: number[];
  usd: number[];
  sell: number[];
}): Schedule {
  const size = columns.time.length;
  // Time and place of creation in one number: sorting numbers is fast, and the order is total.
  const places = 2 ** 25;
  if (size > places)
    throw new FathomError('experiment', `the world would have ${size} orders; at most ${places} are possible`, {
      hint: 'Lower wallets or tradesPerWallet.',
    });
  const keys = Float64Array.from(columns.time, (time, i) => time * places + i).sort();
  const order = Int32Array.from(keys, (key) => key % places);
  return {
    size,
    time: Float64Array.from(order, (i) => columns.time[i] as number),
    wallet: Int32Array.from(order, (i) => columns.wallet[i] as number),
    market: Int32Array.from(order, (i) => columns.market[i] as number),
    usd: Float64Array.from(order, (i) => columns.usd[i] as number),
    sell: Uint8Array.from(order, (i) => columns.sell[i] as number),
  };
}
