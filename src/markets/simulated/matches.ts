/** Matches column by column in typed arrays that grow: about thirty bytes each. */

/** The arrays of a list of matches, as long as the list; they can go to another thread without being copied. */
export interface MatchColumns {
  /** Whole seconds from the start of the world. */
  readonly time: Int32Array;
  readonly market: Int32Array;
  readonly maker: Int32Array;
  readonly taker: Int32Array;
  /** Price of the maker's token in ticks. */
  readonly ticks: Int16Array;
  /** Hundredths of tokens that changed hands. */
  readonly size: Float64Array;
  /** Number of the transaction; the matches of one order share it. */
  readonly transaction: Int32Array;
  /** Sum of `matchFlags`. */
  readonly flags: Uint8Array;
}

export const matchFlags = {
  /** The maker's token is that of outcome 1. */
  outcomeOne: 1,
  makerSells: 2,
  /** Both trade the same token; else each its own, the same way, and the exchange mints or merges a pair. */
  sameToken: 4,
} as const;

/** A list of matches. */
export class Matches {
  #size = 0;
  #columns: MatchColumns = allocate(1 << 12);

  get size(): number {
    return this.#size;
  }

  add(
    time: number,
    market: number,
    maker: number,
    taker: number,
    ticks: number,
    size: number,
    transaction: number,
    flags: number,
  ): void {
    if (this.#size === this.#columns.time.length) this.#columns = copied(this.#columns, this.#size * 2);
    const i = this.#size++;
    const columns = this.#columns;
    columns.time[i] = time;
    columns.market[i] = market;
    columns.maker[i] = maker;
    columns.taker[i] = taker;
    columns.ticks[i] = ticks;
    columns.size[i] = size;
    columns.transaction[i] = transaction;
    columns.flags[i] = flags;
  }

  /** The columns in arrays of their own, without room to spare. */
  columns(): MatchColumns {
    return copied(this.#columns, this.#size);
  }
}

function allocate(length: number): MatchColumns {
  return {
    time: new Int32Array(length),
    market: new Int32Array(length),
    maker: new Int32Array(length),
    taker: new Int32Array(length),
    ticks: new Int16Array(length),
    size: new Float64Array(length),
    transaction: new Int32Array(length),
    flags: new Uint8Array(length),
  };
}

function copied(from: MatchColumns, length: number): MatchColumns {
  const to = allocate(length);
  for (const name of Object.keys(to) as (keyof MatchColumns)[]) to[name].set(from[name].subarray(0, length));
  return to;
}
