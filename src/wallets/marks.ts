/** The last price of every token that was seen before each date: what an open position is marked at. */
import { type Duck, quote } from '../tables/duck.ts';
import { streamNumbers } from '../tables/stream.ts';
import type { Dates } from './dates.ts';
import { joinTokens, type MarketFacts, type Sources } from './facts.ts';

export interface Marks {
  /**
   * Price of a token in its last trade before date number `date`, by whomever; NaN if it had none. Whoever holds a
   * token has traded it, so a price is missing only where a source gives none.
   */
  priceAt(token: number, date: number): number;
}

/** Reads one price for each token and each interval between dates in which it traded; `prepare` comes first. */
export async function readMarks(duck: Duck, sources: Sources, markets: MarketFacts, dates: Dates): Promise<Marks> {
  const start = dates.times[0] as number;
  // Number of the first date after the trade.
  const interval = `CASE WHEN us < ${start} THEN 0 ELSE (us - ${start}) // ${dates.every} + 1 END`;
  await duck.run(
    `CREATE TABLE marks AS SELECT id, "interval", arg_max(price, seq) AS price FROM (
       SELECT id, seq, price, ${interval} AS "interval" FROM (
         SELECT k.id, t.seq, t.price, epoch_us(t."time") AS us
         FROM read_parquet(${quote(sources.trades)}) t ${joinTokens}
         WHERE k.id >= 0 AND t.price IS NOT NULL AND NOT isnan(t.price)))
     WHERE "interval" < ${dates.times.length} GROUP BY ALL`,
  );
  const [size] = await duck.rows<{ count: number }>('SELECT count(*)::DOUBLE AS "count" FROM marks');
  const count = size?.count ?? 0;
  const offsets = new Int32Array(markets.tokenCount + 1);
  const intervals = new Int32Array(count);
  const prices = new Float64Array(count);
  let at = 0;
  const sql = 'SELECT id::DOUBLE, "interval"::DOUBLE, price FROM marks ORDER BY id, "interval"';
  await streamNumbers(duck, sql, count, ([id, interval, price], rows) => {
    for (let i = 0; i < rows; i++, at++) {
      intervals[at] = interval?.[i] as number;
      prices[at] = price?.[i] as number;
      offsets[(id?.[i] as number) + 1] = at + 1;
    }
  });
  // A token without marks begins and ends where the one before it ends.
  for (let k = 1; k <= markets.tokenCount; k++) offsets[k] = Math.max(offsets[k] as number, offsets[k - 1] as number);
  await duck.run('DROP TABLE marks');
  return {
    priceAt: (token, date) => {
      const begin = offsets[token] as number;
      let low = begin;
      let high = offsets[token + 1] as number;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((intervals[middle] as number) <= date) low = middle + 1;
        else high = middle;
      }
      return low === begin ? Number.NaN : (prices[low - 1] as number);
    },
  };
}
