/** Profit at the mark: what fills paid and earned, with the tokens that are left valued at a price. */
import { TOKEN_UNKNOWN } from './facts.ts';

/** Price of a token, for marking; NaN if there is none. */
export type MarkOf = (token: number) => number;

/** Takes the fills of one window, then gives their profit and forgets them. */
export interface Marking {
  /** A fill whose payout is known and what it earned, in halves of 1e-6 USD. */
  settle(earned: number): void;
  /** A fill whose payout is not known: the change in the token held and in cash, in 1e-6. */
  hold(token: number, shares: number, cash: number): void;
  /** Profit in USD; NaN without `markOf`, or if a token that is held or owed has no price. */
  finish(markOf: MarkOf | undefined): number;
}

/** Cash and tokens are summed as whole numbers; only the tokens left at the end are multiplied by a price. */
export function makeMarking(tokens: number): Marking {
  const net = new Float64Array(tokens);
  const seen = new Uint8Array(tokens);
  const touched: number[] = [];
  let halves = 0;
  let cash = 0;
  let nameless = false;
  return {
    settle: (earned) => {
      halves += earned;
    },
    hold: (token, shares, paid) => {
      cash += paid;
      if (token === TOKEN_UNKNOWN) {
        if (shares !== 0) nameless = true;
        return;
      }
      if (seen[token] === 0) {
        seen[token] = 1;
        touched.push(token);
      }
      net[token] = (net[token] as number) + shares;
    },
    finish: (markOf) => {
      let value = nameless || markOf === undefined ? Number.NaN : 0;
      for (const token of touched) {
        const held = net[token] as number;
        // What is not held needs no price.
        if (held !== 0 && markOf !== undefined) value += held * markOf(token);
        net[token] = 0;
        seen[token] = 0;
      }
      // To whole 1e-6 USD: a wallet that made the last fill is even, not ahead by what rounding left.
      const profit = halves / 2e6 + (cash + Math.round(value)) / 1e6;
      touched.length = 0;
      halves = 0;
      cash = 0;
      nameless = false;
      return profit;
    },
  };
}
