/** Prices of tokens that stand beside a wallet's own: marks at dates, closing lines, and what all wallets earned. */
import { factTable, TOKEN_UNKNOWN } from '../../facts/layout.ts';
import type { Duck } from '../../tables/duck.ts';
import { streamNumbers } from '../../tables/stream.ts';
import type { Tuple } from '../../tuple.ts';
import type { Dates } from '../dates.ts';
import { type MarketTable, sharedFloats, sharedInts } from './market-table.ts';

/** Plain arrays in shared memory, as they go to worker threads. */
export interface PriceArrays {
  /** Marks of token `k` lie from `offsets[k]` to `offsets[k + 1]`, in order of date. */
  readonly offsets: Int32Array;
  /** The first date that a mark is for; it holds until the next one. */
  readonly date: Int32Array;
  readonly mark: Float64Array;
  /** Last price of each token before its market closed or resolved; NaN if there is none. */
  readonly closing: Float64Array;
}

export interface TokenPrices {
  readonly closing: Float64Array;
  /**
   * Price of a token in its last fill before date number `date`, by whomever; NaN if it had none. Whoever holds a token
   * has traded it, so a price is missing only where no fill has one.
   */
  markAt(token: number, date: number): number;
}

/** What all wallets together earned, by number of the date; the benchmark of `alpha`. */
export interface Benchmark {
  /** Settled profit by USD bought, of all fills of the window whose payout was known; NaN without any. */
  readonly roi: Float64Array;
}

/** Reads one row for each token and stretch of time that belongs to the same windows; `readMarketTable` comes first. */
export async function readPrices(
  duck: Duck,
  facts: string,
  markets: MarketTable,
  dates: Dates,
): Promise<{ arrays: PriceArrays; benchmark: Benchmark }> {
  const { times, every, lookback } = dates;
  const [start, last] = [times[0] as number, times[times.length - 1] as number];
  // Dates whose window holds a moment: from "first" to "final".
  const first = `CASE WHEN f."time" < ${start} THEN 0 ELSE (f."time" - ${start}) // ${every} + 1 END`;
  const final = `CASE WHEN f."time" < ${start - lookback} THEN -1 ELSE (f."time" - ${start - lookback}) // ${every} END`;
  const price = 'f.usd::DOUBLE / f.shares::DOUBLE';
  const half = 'CASE (f.flags >> 1) & 3 WHEN 0 THEN m.half0 ELSE m.half1 END';
  const bought = '(f.flags & 1) = 1';
  // As `makeViewer` leaves out fills, so that their prices are asked for by nobody.
  const earliest = start - lookback;
  const visible = `(f."time" >= ${earliest} OR m.knowableAt IS NULL OR m.knowableAt >= ${earliest})`;
  const counts = `f."time" < m.knowableAt AND m.knowableAt < ${last} AND ((f.flags >> 1) & 3) < 2`;
  // A token is of one market. Keys are few and narrow: they are compared for every fill.
  await duck.run(
    `CREATE OR REPLACE TABLE token_cells AS
     SELECT f.token, any_value(f.market) AS market, (${first})::INTEGER AS "first", (${final})::INTEGER AS final,
       arg_max(${price}, f.seq) FILTER (f.shares > 0) AS mark,
       arg_max(${price}, f.seq) FILTER (f.shares > 0 AND f."time" < m.closedAt) AS closing,
       sum(CASE WHEN ${bought} THEN 1 ELSE -1 END * (f.shares * (${half})::BIGINT - 2 * f.usd) - 2 * coalesce(f.fee, 0))
         FILTER (${counts})::DOUBLE AS earned,
       sum(f.usd) FILTER (${counts} AND ${bought})::DOUBLE AS invested
     FROM ${factTable(facts)} f JOIN market_facts m ON m.market = f.market
     WHERE f."time" < ${last} AND f.token <> ${TOKEN_UNKNOWN} AND ${visible}
     GROUP BY f.token, "first", final`,
  );
  const [size] = await duck.rows<{ count: number }>('SELECT count(*)::DOUBLE AS "count" FROM token_cells');
  const count = size?.count ?? 0;
  const arrays: PriceArrays = {
    offsets: sharedInts(markets.tokenCount + 1),
    date: sharedInts(count),
    mark: sharedFloats(count),
    closing: sharedFloats(markets.tokenCount).fill(Number.NaN),
  };
  const earned = new Float64Array(times.length);
  const invested = new Float64Array(times.length);
  let at = 0;
  const sql = `SELECT token::DOUBLE, market::DOUBLE, "first"::DOUBLE, final::DOUBLE, mark, closing, earned, invested
    FROM token_cells ORDER BY token, "first", final`;
  await streamNumbers(duck, sql, count, (columns, rows) => {
    const [tokens, market, firsts, finals, marks, closings, gains, bills] = columns as Tuple<Float64Array, 8>;
    for (let i = 0; i < rows; i++) {
      const token = tokens[i] as number;
      const mark = marks[i] as number;
      if (!Number.isNaN(mark)) {
        arrays.date[at] = firsts[i] as number;
        arrays.mark[at++] = mark;
      }
      arrays.offsets[token + 1] = at;
      const closing = closings[i] as number;
      if (!Number.isNaN(closing)) arrays.closing[token] = closing;
      const gain = gains[i] as number;
      if (Number.isNaN(gain)) continue;
      const bill = bills[i] as number;
      const knowableAt = markets.knowableAt[market[i] as number] as number;
      const until = Math.min(times.length - 1, finals[i] as number);
      for (let q = firsts[i] as number; q <= until; q++) {
        if ((times[q] as number) <= knowableAt) continue;
        earned[q] = (earned[q] as number) + gain;
        if (!Number.isNaN(bill)) invested[q] = (invested[q] as number) + bill;
      }
    }
  });
  // A token without marks begins and ends where the one before it ends.
  for (let k = 1; k <= markets.tokenCount; k++)
    arrays.offsets[k] = Math.max(arrays.offsets[k] as number, arrays.offsets[k - 1] as number);
  await duck.run('DROP TABLE token_cells');
  const roi = earned.map((sum, q) => ((invested[q] as number) > 0 ? sum / (2 * (invested[q] as number)) : Number.NaN));
  return { arrays, benchmark: { roi } };
}

export function tokenPrices({ offsets, date: dates, mark, closing }: PriceArrays): TokenPrices {
  return {
    closing,
    markAt: (token, date) => {
      const begin = offsets[token] as number;
      let low = begin;
      let high = offsets[token + 1] as number;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((dates[middle] as number) <= date) low = middle + 1;
        else high = middle;
      }
      return low === begin ? Number.NaN : (mark[low - 1] as number);
    },
  };
}
