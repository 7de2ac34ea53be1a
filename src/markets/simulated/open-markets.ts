/** When wallets are about, and which markets they find open then. */
import type { Rng } from '../../random/rng.ts';
import { HOUR, hourWeights } from './assumptions.ts';
import type { SimulatedMarket } from './world.ts';

/** The markets open in each hour, with running sums of their popularity. */
export class OpenMarkets {
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

/** A time in [from, to), more often when people are awake. */
export function timeOfDay(rng: Rng, from: number, to: number): number {
  let time = from;
  for (let attempt = 0; attempt < 4; attempt++) {
    time = from + (to - from) * rng.uniform();
    if (rng.uniform() < (hourWeights[Math.floor(time / HOUR) % 24] as number)) break;
  }
  return time;
}
