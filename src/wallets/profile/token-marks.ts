/** Prices of the tokens of one wallet: for each the closing line, and its mark at one date after the other. */
import { type PriceArrays, TOKEN_RECORD } from './prices.ts';
import { atLeast, type WalletView } from './slots.ts';

export interface Marks {
  /** Takes the tokens of the next wallet. */
  load(view: WalletView): void;
  /** By slot of the token: its last price before its market closed or resolved, NaN without one. */
  closing(): Float64Array;
  /**
   * Price of a token in its last fill before date number `date`, by whomever; NaN if it had none. Dates may not go back
   * for the wallet. Whoever holds a token has traded it, so a price is missing only where no fill has one.
   */
  priceAt(slot: number, date: number): number;
}

export function makeMarks({ tokens, marks }: PriceArrays): Marks {
  // By slot of the token: where its marks begin and end, and the first that is for a later date than was asked for.
  let closing = new Float64Array(0);
  let begin = new Int32Array(0);
  let end = new Int32Array(0);
  let next = new Int32Array(0);
  return {
    load: (view) => {
      closing = atLeast(closing, view.tokens);
      begin = atLeast(begin, view.tokens);
      end = atLeast(end, view.tokens);
      next = atLeast(next, view.tokens);
      for (let slot = 0; slot < view.tokens; slot++) {
        const record = TOKEN_RECORD * (view.tokenOf[slot] as number);
        closing[slot] = tokens[record] as number;
        begin[slot] = tokens[record + 1] as number;
        end[slot] = tokens[record + 2] as number;
        next[slot] = begin[slot] as number;
      }
    },
    closing: () => closing,
    priceAt: (slot, date) => {
      let low = next[slot] as number;
      let high = end[slot] as number;
      if (low < high && (marks[2 * low] as number) <= date) {
        low++;
        while (low < high) {
          const middle = (low + high) >> 1;
          if ((marks[2 * middle] as number) <= date) low = middle + 1;
          else high = middle;
        }
        next[slot] = low;
      }
      return low === begin[slot] ? Number.NaN : (marks[2 * low - 1] as number);
    },
  };
}
