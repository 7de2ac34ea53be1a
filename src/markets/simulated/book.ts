/** Who holds what, and who stands ready to take the other side. */
import type { Rng } from '../../random/rng.ts';
import { marketMakerShare, quotersPerMarket } from './assumptions.ts';

/** Hundredths of tokens that each wallet holds of each outcome of each market. */
export class Holdings {
  readonly #markets: number;
  readonly #places = new Map<number, number>();
  #amounts = new Float64Array(1 << 12);

  constructor(markets: number) {
    this.#markets = markets;
  }

  get(wallet: number, market: number, outcome: number): number {
    const place = this.#places.get(wallet * this.#markets + market);
    return place === undefined ? 0 : (this.#amounts[place + outcome] as number);
  }

  add(wallet: number, market: number, outcome: number, amount: number): void {
    const key = wallet * this.#markets + market;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#places.size * 2;
      this.#places.set(key, place);
      if (place + 2 > this.#amounts.length) {
        const grown = new Float64Array(this.#amounts.length * 2);
        grown.set(this.#amounts);
        this.#amounts = grown;
      }
    }
    this.#amounts[place + outcome] = (this.#amounts[place + outcome] as number) + amount;
  }
}

const MEMORY = 256;

/** Finds somebody for the other side of an order. */
export class Counterparties {
  readonly #rng: Rng;
  readonly #marketMakers: readonly number[];
  /** Casual wallets that came by lately, round and round. */
  readonly #lately = new Int32Array(MEMORY);
  #passed = 0;

  constructor(rng: Rng, marketMakers: readonly number[]) {
    this.#rng = rng;
    this.#marketMakers = marketMakers;
  }

  /** Notes that a casual wallet is about. */
  passes(wallet: number): void {
    this.#lately[this.#passed++ % MEMORY] = wallet;
  }

  /**
   * A wallet other than `wallet`, or -1 if there is none: for a taker mostly a market maker of that market, else a
   * casual wallet that was about lately; for a maker the latter first.
   */
  find(wallet: number, market: number, forTaker: boolean): number {
    const deskFirst = forTaker && this.#rng.uniform() < marketMakerShare;
    const first = deskFirst ? this.#desk(wallet, market) : this.#passer(wallet);
    if (first >= 0) return first;
    return deskFirst ? this.#passer(wallet) : this.#desk(wallet, market);
  }

  /** One of the few market makers that quote in a market; which few follows from the market's number. */
  #desk(wallet: number, market: number): number {
    const count = this.#marketMakers.length;
    if (count === 0) return -1;
    const found = this.#marketMakers[(market * 7 + this.#rng.below(Math.min(quotersPerMarket, count))) % count];
    return found === undefined || found === wallet ? -1 : found;
  }

  #passer(wallet: number): number {
    const size = Math.min(MEMORY, this.#passed);
    for (let attempt = 0; attempt < 4 && size > 0; attempt++) {
      const found = this.#lately[this.#rng.below(size)] as number;
      if (found !== wallet) return found;
    }
    return -1;
  }
}
