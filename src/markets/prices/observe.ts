/**
 * Prices beside what came true: one observation a resolved market and horizon. Thousands of fills of one market are one
 * outcome; counted one by one they would make a few markets look like a thousand.
 */
import { FathomError } from '../../errors.ts';
import type { Duck } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';

export interface PriceSources {
  readonly trades: string;
  readonly markets: string;
  readonly resolutions?: string | undefined;
}

/** Price of outcome 0 and whether it happened, one entry a market. */
export interface PriceObservations {
  readonly price: Float64Array;
  readonly happened: Float64Array;
  readonly event: readonly string[];
  readonly category: readonly string[];
}

/**
 * The last price before `hours` before the close of each resolved market, from the last fill of either outcome (that of
 * outcome 1 gives 1 less its price). The close is the end of trading, or where that is not known the time of the final
 * resolution. Markets without a fill by then, and those that paid both sides half, have none.
 */
export async function observePrices(
  duck: Pick<Duck, 'rows'>,
  sources: PriceSources & { readonly resolutions: string },
  hours: number,
): Promise<PriceObservations> {
  const rows = await duck.rows<{ price: number; happened: number; event: string; category: string | null }>(
    `SELECT p.price::DOUBLE AS price, r.payout0::DOUBLE AS happened, p.event, m.category FROM (
       SELECT t.market, arg_max(t.event, t.seq) AS event,
         arg_max(CASE t.outcomeIndex WHEN 0 THEN t.usd::DOUBLE / t.shares::DOUBLE
           ELSE 1 - t.usd::DOUBLE / t.shares::DOUBLE END, t.seq) AS price
       FROM ${parquetRelation(sources.trades)} t JOIN (
         SELECT r.market, coalesce(m.closedAt, r.finalAt, r.knowableAt) AS closes
         FROM ${parquetRelation(sources.resolutions)} r LEFT JOIN ${parquetRelation(sources.markets)} m USING (market)) c USING (market)
       WHERE t.outcomeIndex IS NOT NULL AND t.shares > 0 AND t."time" < c.closes - INTERVAL ${hours} HOUR
       GROUP BY t.market) p
     JOIN ${parquetRelation(sources.resolutions)} r USING (market) LEFT JOIN ${parquetRelation(sources.markets)} m USING (market)
     WHERE r.payout0 IN (0, 1) ORDER BY p.market`,
  );
  if (rows.some(({ price }) => !(price >= 0 && price <= 1)))
    throw new FathomError('data', `${sources.trades}: the last price of a market lies outside 0 to 1`, {
      hint: 'the stage that made the trades has to reject such rows',
    });
  return {
    price: Float64Array.from(rows, (row) => row.price),
    happened: Float64Array.from(rows, (row) => row.happened),
    event: rows.map((row) => row.event),
    category: rows.map((row) => row.category ?? 'other'),
  };
}

/** One day: fills, and USD with every match counted once. */
export interface DayOfTrades {
  /** UTC days since 1970. */
  readonly day: number;
  readonly fills: number;
  readonly usd: number;
}

/** Days with a fill. A match stands in the trades once for each side: rows of its maker are left out of the USD. */
export async function daysOfTrades(duck: Pick<Duck, 'rows'>, trades: string): Promise<readonly DayOfTrades[]> {
  return duck.rows<DayOfTrades>(
    `SELECT (epoch_us("time") // 86400000000)::DOUBLE AS "day", count(*)::DOUBLE AS fills,
       coalesce(sum(usd) FILTER (role IS DISTINCT FROM 'maker'), 0)::DOUBLE AS usd
     FROM ${parquetRelation(trades)} GROUP BY "day" ORDER BY "day"`,
  );
}

/** USD of each market, largest first, every match counted once. */
export async function marketVolumes(
  duck: Pick<Duck, 'rows'>,
  { trades, markets }: PriceSources,
): Promise<readonly { readonly market: string; readonly name: string; readonly usd: number }[]> {
  return duck.rows(
    `SELECT t.market, coalesce(any_value(m.question), t.market) AS name,
       coalesce(sum(t.usd) FILTER (t.role IS DISTINCT FROM 'maker'), 0)::DOUBLE AS usd
     FROM ${parquetRelation(trades)} t LEFT JOIN ${parquetRelation(markets)} m USING (market)
     GROUP BY t.market ORDER BY usd DESC, t.market`,
  );
}
