/** Do prices say how often outcomes come true? Purchases by price, against what they paid at resolution. */
import { type Duck, quote } from '../tables/duck.ts';
import { micros, type Sources } from './facts.ts';

/** Purchases at prices in [low, low + 0.1). Shares are of one: weighted by shares bought. */
export interface CalibrationBucket {
  readonly low: number;
  readonly fills: number;
  readonly events: number;
  readonly price: number;
  readonly outcome: number;
  /** Standard error of outcome less price, clustered by event; NaN below two events. */
  readonly standardError: number;
}

interface Cell {
  readonly bucket: number;
  readonly fills: number;
  readonly usd: number;
  readonly shares: number;
  /** Twice the payout, by share. */
  readonly paid: number;
}

/**
 * Purchases of resolved markets in ten buckets of price, leaving out those made when the outcome was public. This
 * describes the data as a whole, with all resolutions in it; nothing of it enters a profile. `prepare` comes first.
 */
export async function calibrationOf(duck: Duck, sources: Sources): Promise<readonly CalibrationBucket[]> {
  if (sources.resolutions === undefined) return [];
  const cells = await duck.rows<Cell>(
    `SELECT bucket::DOUBLE AS bucket, eventId, count(*)::DOUBLE AS fills, sum(u)::DOUBLE AS usd,
       sum(s)::DOUBLE AS shares, sum(s * half)::DOUBLE AS paid
     FROM (
       SELECT least(9, (10 * u) // s) AS bucket, eventId, u, s, half FROM (
         SELECT i.eventId, ${micros('t.usd')} AS u, ${micros('t.shares')} AS s,
           (2 * CASE t.outcomeIndex WHEN 0 THEN r.payout0 ELSE r.payout1 END)::BIGINT AS half
         FROM read_parquet(${quote(sources.trades)}) t JOIN read_parquet(${quote(sources.resolutions)}) r USING (market)
           JOIN market_ids i USING (market)
         WHERE t.side = 'BUY' AND t.shares > 0 AND t.outcomeIndex IS NOT NULL AND t."time" < r.knowableAt))
     GROUP BY bucket, eventId ORDER BY bucket, eventId`,
  );
  const buckets = new Map<number, Cell[]>();
  for (const cell of cells) buckets.set(cell.bucket, [...(buckets.get(cell.bucket) ?? []), cell]);
  return [...buckets.entries()].map(([bucket, members]) => summarise(bucket / 10, members));
}

function summarise(low: number, cells: readonly Cell[]): CalibrationBucket {
  let [fills, usd, shares, paid] = [0, 0, 0, 0];
  for (const cell of cells) {
    fills += cell.fills;
    usd += cell.usd;
    shares += cell.shares;
    paid += cell.paid / 2;
  }
  const gap = (paid - usd) / shares;
  let squares = 0;
  for (const cell of cells) {
    const residual = cell.paid / 2 - cell.usd - gap * cell.shares;
    squares += residual * residual;
  }
  const events = cells.length;
  const standardError = events < 2 ? Number.NaN : Math.sqrt((squares * events) / (events - 1)) / shares;
  return { low, fills, events, price: usd / shares, outcome: paid / shares, standardError };
}
