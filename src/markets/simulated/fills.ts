/** Fills column by column in arrays that grow. */

/** One fill of one wallet, by numbers of wallet and market. Amounts are whole millionths. */
export interface Fill {
  /** Seconds from the start of the world. */
  readonly time: number;
  readonly market: number;
  readonly outcome: number;
  readonly wallet: number;
  readonly counterparty: number;
  readonly maker: boolean;
  readonly sell: boolean;
  readonly usd: number;
  readonly shares: number;
  /** Number of the transaction; the fills of one order share it. */
  readonly transaction: number;
}

export const fillColumns = [
  'time',
  'market',
  'outcome',
  'wallet',
  'counterparty',
  'maker',
  'sell',
  'usd',
  'shares',
  'transaction',
] as const;

/** A list of fills; `columns` are views as long as the list, doubles that hold whole numbers below 2^53. */
export class Fills {
  #size = 0;
  #arrays = fillColumns.map(() => new Float64Array(1 << 12));

  get size(): number {
    return this.#size;
  }

  add(fill: Fill): void {
    if (this.#size === (this.#arrays[0] as Float64Array).length) this.#grow();
    const [time, market, outcome, wallet, counterparty, maker, sell, usd, shares, transaction] = this.#arrays;
    const i = this.#size++;
    (time as Float64Array)[i] = fill.time;
    (market as Float64Array)[i] = fill.market;
    (outcome as Float64Array)[i] = fill.outcome;
    (wallet as Float64Array)[i] = fill.wallet;
    (counterparty as Float64Array)[i] = fill.counterparty;
    (maker as Float64Array)[i] = fill.maker ? 1 : 0;
    (sell as Float64Array)[i] = fill.sell ? 1 : 0;
    (usd as Float64Array)[i] = fill.usd;
    (shares as Float64Array)[i] = fill.shares;
    (transaction as Float64Array)[i] = fill.transaction;
  }

  #grow(): void {
    this.#arrays = this.#arrays.map((old) => {
      const grown = new Float64Array(old.length * 2);
      grown.set(old);
      return grown;
    });
  }

  column(name: (typeof fillColumns)[number]): Float64Array {
    return (this.#arrays[fillColumns.indexOf(name)] as Float64Array).subarray(0, this.#size);
  }
}
