/**
 * Finds for each execution what the market looked like before it: one pass over executions, quotes, books and candles
 * merged by coin and time. The merge is a sort (n log n); the pass looks at each row once.
 */
import type { Tuple } from '../../tuple.ts';

/** Kinds of rows in the order in which rows of one coin and moment come. */
export const kinds = {
  /** A candle begins; it is looked at only by executions that happen in it. */
  candle: 0,
  /** An execution: it sees nothing of its own moment. */
  execution: 1,
  quote: 2,
  book: 3,
  /** A candle has become known to be complete. */
  complete: 4,
  /** A moment after an execution, at which the quote is looked up again. */
  later: 5,
} as const;

/**
 * A row: coin, time (microseconds), kind, then seven numbers:
 *
 * | kind | numbers |
 * |---|---|
 * | candle | open, high, low, close, volume, last microsecond that belongs to it, known at |
 * | execution, later | number of the execution, length of its uncertainty in time (microseconds) |
 * | quote | bid, size, ask, size |
 * | book | number of the snapshot |
 * | complete | open, high, low, close, time at which it opened |
 */
export type MergedRow = ArrayLike<number>;

export const mergedColumns = ['coin', 'moment', 'kind', 'a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;

/** Microseconds beyond which the last of its kind says nothing any more. */
export interface Ages {
  readonly quote: number;
  readonly book: number;
  readonly candle: number;
}

/** Times known worse than this cannot be placed between quotes. */
const FINE = 1_000_000;

/** In the order of `contextColumns`. */
export const contextColumns = [
  'execution',
  'bid',
  'bidSize',
  'ask',
  'askSize',
  'snapshot',
  'pastOpen',
  'pastHigh',
  'pastLow',
  'pastClose',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'candleKnownAt',
] as const;

export interface Matcher {
  /** Takes the next row; rows come by coin, time and kind. */
  push(row: MergedRow): void;
  /** Rows looked at so far. */
  readonly steps: number;
}

const NONE = Number.NaN;

/**
 * @param onExecution is given the context of an execution, in the order of `contextColumns`; the array is used again
 * @param onLater is given an execution and the middle of the quote at its later moment, NaN without a fresh one
 */
export function makeMatcher(
  ages: Ages,
  onExecution: (context: Float64Array) => void,
  onLater: (execution: number, mid: number) => void,
): Matcher {
  let steps = 0;
  let coin = NONE;
  const quote = { at: NONE, bid: NONE, bidSize: NONE, ask: NONE, askSize: NONE };
  const book = { at: NONE, snapshot: NONE };
  const past = { at: NONE, opened: NONE, open: NONE, high: NONE, low: NONE, close: NONE };
  const candle = { open: NONE, high: NONE, low: NONE, close: NONE, volume: NONE, last: NONE, knownAt: NONE };
  const context = new Float64Array(contextColumns.length);
  const fresh = (at: number, now: number, age: number): boolean => now - at <= age;

  const forget = (): void => {
    quote.at = NONE;
    book.at = NONE;
    past.at = NONE;
    past.opened = NONE;
    candle.last = NONE;
  };

  const describe = (now: number, execution: number, uncertain: number): void => {
    context.fill(NONE);
    context[0] = execution;
    if (uncertain <= FINE) {
      if (fresh(quote.at, now, ages.quote)) context.set([quote.bid, quote.bidSize, quote.ask, quote.askSize], 1);
      if (fresh(book.at, now, ages.book)) context[5] = book.snapshot;
    }
    if (fresh(past.at, now, ages.candle)) context.set([past.open, past.high, past.low, past.close], 6);
    // The whole of the time in which it may have happened must lie in the candle.
    if (now + uncertain - 1 <= candle.last)
      context.set([candle.open, candle.high, candle.low, candle.close, candle.volume, candle.knownAt], 10);
    onExecution(context);
  };

  return {
    push: (row) => {
      steps++;
      const [of, at, kind, a, b, c, d, e, f, g] = row as unknown as Tuple<number, 10>;
      if (of !== coin) {
        coin = of;
        forget();
      }
      if (kind === kinds.execution) describe(at, a, b);
      else if (kind === kinds.quote) Object.assign(quote, { at, bid: a, bidSize: b, ask: c, askSize: d });
      else if (kind === kinds.book) Object.assign(book, { at, snapshot: a });
      else if (kind === kinds.candle)
        Object.assign(candle, { open: a, high: b, low: c, close: d, volume: e, last: f, knownAt: g });
      else if (kind === kinds.later) {
        const mid = (quote.bid + quote.ask) / 2;
        onLater(a, b <= FINE && fresh(quote.at, at, ages.quote) ? mid : NONE);
      } else if (!(e <= past.opened))
        // One that became known late does not replace a later one.
        Object.assign(past, { at, opened: e, open: a, high: b, low: c, close: d });
    },
    get steps() {
      return steps;
    },
  };
}

/**
 * What taking `size` from a side of the book costs a coin, level by level from the best; NaN if the recorded levels do
 * not hold that much: the rest of the book is not known.
 */
export function walkBook(levels: readonly { readonly price: number; readonly size: number }[], size: number): number {
  let left = size;
  let paid = 0;
  for (const level of levels) {
    const part = Math.min(left, level.size);
    paid += part * level.price;
    left -= part;
    if (left <= 0) return paid / size;
  }
  return Number.NaN;
}
