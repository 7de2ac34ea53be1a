/** The last price of every market that was seen before each date: what an open position is marked at. */
import { type Duck, quote } from '../tables/duck.ts';
import { streamNumbers } from '../tables/stream.ts';
import type { Dates } from './dates.ts';
import type { MarketFacts, Sources } from './facts.ts';

export interface Marks {
  /** Price of outcome 0 of a market in the last trade before date number `date`; NaN if it had none. */
  priceAt(market: number, date: number): number;
}

/** Reads one price for each market and each interval between dates in which it traded; `prepare` comes first. */
export async function readMarks(duck: Duck, sources: Sources, markets: MarketFacts, dates: Dates): Promise<Marks> {
  const start = dates.times[0] as number;
  // Number of the first date after the trade.
  const interval = `CASE WHEN us < ${start} THEN 0 ELSE (us - ${start}) // ${dates.every} + 1 END`;
  await duck.run(
    `CREATE TABLE marks AS SELECT m.id, "interval", arg_max(price0, seq) AS price FROM (
       SELECT market, seq, epoch_us("time") AS us, ${interval} AS "interval",
         CASE outcomeIndex WHEN 0 THEN price ELSE 1 - price END AS price0
       FROM read_parquet(${quote(sources.trades)})
       WHERE outcomeIndex IS NOT NULL AND price IS NOT NULL AND NOT isnan(price)
     ) JOIN market_ids m USING (market) WHERE "interval" < ${dates.times.length} GROUP BY ALL`,
  );
  const [size] = await duck.rows<{ count: number }>('SELECT count(*)::DOUBLE AS "count" FROM marks');
  const count = size?.count ?? 0;
  const offsets = new Int32Array(markets.count + 1);
  const interval0 = new Int32Array(count);
  const price0 = new Float64Array(count);
  let at = 0;
  const sql = 'SELECT id::DOUBLE, "interval"::DOUBLE, price FROM marks ORDER BY id, "interval"';
  await streamNumbers(duck, sql, count, ([id, interval, price], rows) => {
    for (let i = 0; i < rows; i++, at++) {
      interval0[at] = interval?.[i] as number;
      price0[at] = price?.[i] as number;
      offsets[(id?.[i] as number) + 1] = at + 1;
    }
  });
  // A market without marks begins and ends where the one before it ends.
  for (let k = 1; k <= markets.count; k++) offsets[k] = Math.max(offsets[k] as number, offsets[k - 1] as number);
  await duck.run('DROP TABLE marks');
  return {
    priceAt: (market, date) => {
      const begin = offsets[market] as number;
      let low = begin;
      let high = offsets[market + 1] as number;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((interval0[middle] as number) <= date) low = middle + 1;
        else high = middle;
      }
      return low === begin ? Number.NaN : (price0[low - 1] as number);
    },
  };
}
