/** The prices of every token in order of time: what a wallet's fills are held against. */
import { FathomError } from '../../errors.ts';
import type { Duck } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { streamNumbers } from '../../tables/stream.ts';
import { joinTokens, type MarketFacts, type Sources } from '../facts.ts';

/** Standard deviations up to this (USD a token) are rounding: the path counts as flat. */
const FLAT = 1e-5;
/** Fewest prices in a window whose path says anything. */
const FEWEST = 3;

/** Mean, standard deviation and direction of a token's prices in a window of time. */
export interface PathWindow {
  /** USD a token. */
  mean: number;
  /** Population standard deviation, USD a token. */
  deviation: number;
  last: number;
  /** (last - first) / (sqrt(12) deviation), cut to [-1, 1]: 1 is a straight rise; 0 where the path is flat. */
  direction: number;
}

/**
 * All fills with a price, sorted by (token, time): 46 bytes a fill, typed arrays only, every look-up a binary search.
 * Positions of token `k` run from `start[k]` to `start[k + 1]`. Sums run from each token's first fill, so that cutting
 * off the future changes no bit of them.
 */
export interface PricePaths {
  readonly start: Int32Array;
  /** Microseconds. */
  readonly time: Float64Array;
  /** USD a token. */
  readonly price: Float64Array;
  readonly wallet: Int32Array;
  readonly buy: Uint8Array;
  /** 1 where the fill is known to have taken. */
  readonly taker: Uint8Array;
  /** Position after the last fill of a token strictly before a moment; `start[token]` if there is none. */
  before(token: number, moment: number): number;
  /** Last price of a token strictly before a moment; NaN if there is none. */
  priceBefore(token: number, moment: number): number;
  /**
   * The prices of a token from `from` (inclusive) to `to` (exclusive), written to `into`. False below three prices.
   */
  window(token: number, from: number, to: number, into: PathWindow): boolean;
}

/** Reads the paths; `prepare` (of facts) comes first. */
export async function readPricePaths(duck: Duck, sources: Sources, markets: MarketFacts): Promise<PricePaths> {
  const from = `FROM ${parquetRelation(sources.trades)} t JOIN wallet_ids w USING (wallet) ${joinTokens}
    WHERE k.id >= 0 AND t.price IS NOT NULL AND NOT isnan(t.price)`;
  const [size] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS "count" ${from}`);
  const count = size?.count ?? 0;
  if (count > 2 ** 31 - 2)
    throw new FathomError('data', `${sources.trades}: ${count} fills are too many for one table`);
  const paths = new Paths(markets.tokenCount, count);
  let at = 0;
  await streamNumbers(
    duck,
    `SELECT k.id::DOUBLE, epoch_us(t."time")::DOUBLE, t.price, w.id::DOUBLE, (t.side = 'BUY')::DOUBLE,
      coalesce(t.role = 'taker', false)::DOUBLE ${from} ORDER BY k.id, t.seq`,
    count,
    ([token, time, price, wallet, buy, taker], rows) => {
      for (let i = 0; i < rows; i++, at++) {
        paths.time[at] = time?.[i] as number;
        paths.price[at] = price?.[i] as number;
        paths.wallet[at] = wallet?.[i] as number;
        paths.buy[at] = buy?.[i] as number;
        paths.taker[at] = taker?.[i] as number;
        paths.start[(token?.[i] as number) + 1] = at + 1;
      }
    },
  );
  paths.finish();
  return paths;
}

class Paths implements PricePaths {
  readonly start: Int32Array;
  readonly time: Float64Array;
  readonly price: Float64Array;
  readonly wallet: Int32Array;
  readonly buy: Uint8Array;
  readonly taker: Uint8Array;
  /** Sums of (price - first price of the token) and of its square, from the token's first fill to this one. */
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;

  constructor(tokens: number, fills: number) {
    this.start = new Int32Array(tokens + 1);
    this.time = new Float64Array(fills);
    this.price = new Float64Array(fills);
    this.wallet = new Int32Array(fills);
    this.buy = new Uint8Array(fills);
    this.taker = new Uint8Array(fills);
    this.#sum = new Float64Array(fills);
    this.#squares = new Float64Array(fills);
  }

  finish(): void {
    for (let k = 1; k < this.start.length; k++)
      this.start[k] = Math.max(this.start[k] as number, this.start[k - 1] as number);
    for (let k = 0; k + 1 < this.start.length; k++) {
      const first = this.start[k] as number;
      let [sum, squares] = [0, 0];
      for (let i = first; i < (this.start[k + 1] as number); i++) {
        const shifted = (this.price[i] as number) - (this.price[first] as number);
        sum += shifted;
        squares += shifted * shifted;
        this.#sum[i] = sum;
        this.#squares[i] = squares;
      }
    }
  }

  before(token: number, moment: number): number {
    let low = this.start[token] as number;
    let high = this.start[token + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.time[middle] as number) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  priceBefore(token: number, moment: number): number {
    const end = this.before(token, moment);
    return end === this.start[token] ? Number.NaN : (this.price[end - 1] as number);
  }

  window(token: number, from: number, to: number, into: PathWindow): boolean {
    const origin = this.start[token] as number;
    const begin = this.before(token, from);
    const end = this.before(token, to);
    const n = end - begin;
    if (n < FEWEST) return false;
    const sumOf = (sums: Float64Array): number =>
      (sums[end - 1] as number) - (begin === origin ? 0 : (sums[begin - 1] as number));
    const shifted = sumOf(this.#sum) / n;
    const variance = sumOf(this.#squares) / n - shifted * shifted;
    into.mean = (this.price[origin] as number) + shifted;
    into.deviation = variance > FLAT * FLAT ? Math.sqrt(variance) : 0;
    into.last = this.price[end - 1] as number;
    const moved = into.last - (this.price[begin] as number);
    into.direction = into.deviation === 0 ? 0 : Math.max(-1, Math.min(1, moved / (Math.sqrt(12) * into.deviation)));
    return true;
  }
}
