/** Prices of tokens as they are found in some fills, and put together from several lots of fills: kernels/token-prices.ts. */
import { type Kernels, makeKernels, type Pointer } from '../../kernels/kernels.ts';
import type { Dates } from '../dates.ts';

export interface PriceSetting {
  readonly dates: Dates;
  /** See market-records.ts. */
  readonly markets: Float64Array;
  /** How many there are. */
  readonly tokens: number;
}

/** What some fills say of prices. Of two prices for the same, that of the fill with the greater seq counts. */
export interface FoundPrices {
  /** By token and stretch of time with a fill: the token, the first date after it, seq and price of the last fill. */
  readonly cells: {
    readonly tokens: Int32Array;
    readonly dates: Int32Array;
    readonly seqs: Float64Array;
    readonly marks: Float64Array;
  };
  /** Two numbers a token, of its last fill before its market closed: seq + 1, 0 without such a fill, and price. */
  readonly closing: Float64Array;
  /** By date, how much more than at the date before: earned, in halves of 1e-6 USD, and bought for, in 1e-6 USD. */
  readonly earned: BigInt64Array;
  readonly invested: BigInt64Array;
}

/** Decoded columns of facts in the memory of the kernels: i64, those of `fee` that there are. */
export interface PricedColumns {
  readonly token: Pointer;
  readonly market: Pointer;
  readonly time: Pointer;
  readonly seq: Pointer;
  readonly usd: Pointer;
  readonly shares: Pointer;
  readonly fee: Pointer;
  /** u8, by row whether there is a fee; 0 if all are there. */
  readonly feePresent: Pointer;
  /** i32, places in the list `meaning` (i32). */
  readonly flags: Pointer;
  readonly meaning: Pointer;
}

/** In the order of `PricedRows` of the kernels. */
const columnOrder = [
  'token',
  'market',
  'time',
  'seq',
  'usd',
  'shares',
  'fee',
  'feePresent',
  'flags',
  'meaning',
] as const satisfies readonly (keyof PricedColumns)[];

export class PriceTable {
  readonly kernels: Kernels = makeKernels();
  private readonly tokens: number;
  private readonly dates: number;
  private readonly prices: Pointer;
  private readonly columns: Pointer;

  constructor({ dates: { times, every, lookback }, markets, tokens }: PriceSetting) {
    const { kernels } = this;
    const records = kernels.allocate(8 * markets.length);
    new Float64Array(kernels.memory.buffer, records, markets.length).set(markets);
    this.tokens = tokens;
    this.dates = times.length;
    this.prices = kernels.makePrices(times.length, times[0] as number, every, lookback, records, tokens);
    this.columns = kernels.makePricedRows();
  }

  /** Counts fills. */
  count(columns: PricedColumns, rows: number): void {
    const addresses = columnOrder.map((name) => columns[name]);
    new Uint32Array(this.kernels.memory.buffer, this.columns, addresses.length).set(addresses);
    this.kernels.priceFills(this.prices, this.columns, rows);
  }

  /** Takes what was found elsewhere, in other fills. */
  take({ cells, closing, earned, invested }: FoundPrices): void {
    const { kernels } = this;
    const count = cells.tokens.length;
    // In stretches, as memory of the kernels is not given back.
    const [tokens, dates, seqs, marks] = this.room(Math.min(count, STRETCH));
    for (let from = 0; from < count; from += STRETCH) {
      const rows = Math.min(count - from, STRETCH);
      const { buffer } = kernels.memory;
      new Int32Array(buffer, tokens, rows).set(cells.tokens.subarray(from, from + rows));
      new Int32Array(buffer, dates, rows).set(cells.dates.subarray(from, from + rows));
      new Float64Array(buffer, seqs, rows).set(cells.seqs.subarray(from, from + rows));
      new Float64Array(buffer, marks, rows).set(cells.marks.subarray(from, from + rows));
      kernels.takeCells(this.prices, rows, tokens, dates, seqs, marks);
    }
    const own = this.closings();
    for (let k = 0; k < closing.length; k += 2) {
      if ((closing[k] as number) <= (own[k] as number)) continue;
      own[k] = closing[k] as number;
      own[k + 1] = closing[k + 1] as number;
    }
    const sums = this.sums();
    for (let q = 0; q < this.dates; q++) {
      sums.earned[q] = (sums.earned[q] as bigint) + (earned[q] as bigint);
      sums.invested[q] = (sums.invested[q] as bigint) + (invested[q] as bigint);
    }
  }

  /** What was found, in memory of its own; the order of the cells means nothing. */
  found(): FoundPrices {
    const { kernels } = this;
    const count = kernels.cellCount(this.prices);
    const [tokens, dates, seqs, marks] = this.room(count);
    kernels.listCells(this.prices, tokens, dates, seqs, marks);
    const { buffer } = kernels.memory;
    const { earned, invested } = this.sums();
    return {
      cells: {
        tokens: new Int32Array(buffer, tokens, count).slice(),
        dates: new Int32Array(buffer, dates, count).slice(),
        seqs: new Float64Array(buffer, seqs, count).slice(),
        marks: new Float64Array(buffer, marks, count).slice(),
      },
      closing: this.closings().slice(),
      earned: earned.slice(),
      invested: invested.slice(),
    };
  }

  /** Tokens, dates, seqs and marks of so many cells. */
  private room(count: number): [Pointer, Pointer, Pointer, Pointer] {
    const [ints, floats] = [() => this.kernels.allocate(4 * count), () => this.kernels.allocate(8 * count)];
    return [ints(), ints(), floats(), floats()];
  }

  private closings(): Float64Array {
    return new Float64Array(this.kernels.memory.buffer, this.kernels.closingsOf(this.prices), 2 * this.tokens);
  }

  private sums(): Pick<FoundPrices, 'earned' | 'invested'> {
    const { kernels, prices, dates } = this;
    const at = (start: Pointer): BigInt64Array => new BigInt64Array(kernels.memory.buffer, start, dates);
    return { earned: at(kernels.earnedOf(prices)), invested: at(kernels.investedOf(prices)) };
  }
}

/** Cells that are taken at once. */
const STRETCH = 1 << 16;
