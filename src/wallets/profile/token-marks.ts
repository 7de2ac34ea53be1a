/** Prices of the tokens of one wallet: for each the closing line, and its mark at one date after the other. */
import { type PriceArrays, TOKEN_RECORD } from './prices.ts';
import { atLeast, type WalletView } from './wallet-view.ts';

export class TokenMarks {
  private readonly prices: PriceArrays;
  // By slot of the token: where its marks begin and end, and the first that is for a later date than was asked for.
  private begin: Int32Array = new Int32Array(0);
  private end: Int32Array = new Int32Array(0);
  private next: Int32Array = new Int32Array(0);

  constructor(prices: PriceArrays) {
    this.prices = prices;
  }

  /** Takes the tokens of the next wallet, and tells it their closing lines. */
  load({ tokens: count, tokenOf, closing }: WalletView): void {
    const { tokens } = this.prices;
    this.begin = atLeast(this.begin, count);
    this.end = atLeast(this.end, count);
    this.next = atLeast(this.next, count);
    const { begin, end, next } = this;
    for (let slot = 0; slot < count; slot++) {
      const record = TOKEN_RECORD * (tokenOf[slot] as number);
      closing[slot] = tokens[record] as number;
      begin[slot] = tokens[record + 1] as number;
      end[slot] = tokens[record + 2] as number;
      next[slot] = tokens[record + 1] as number;
    }
  }

  /**
   * Price of a token in its last fill before date number `date`, by whomever; NaN if it had none. Dates may not go back
   * for the wallet. Whoever holds a token has traded it, so a price is missing only where no fill has one.
   */
  priceAt(slot: number, date: number): number {
    const { marks } = this.prices;
    let low = this.next[slot] as number;
    let high = this.end[slot] as number;
    if (low < high && (marks[2 * low] as number) <= date) {
      low++;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((marks[2 * middle] as number) <= date) low = middle + 1;
        else high = middle;
      }
      this.next[slot] = low;
    }
    return low === this.begin[slot] ? Number.NaN : (marks[2 * low - 1] as number);
  }
}
