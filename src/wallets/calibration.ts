/** Do prices say how often outcomes come true? Purchases by price, against what they paid at resolution. */
import { factTable } from '../facts/layout.ts';
import type { Duck } from '../tables/duck.ts';

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
 * describes the data as a whole, with all resolutions in it; nothing of it enters a profile. `readMarketTable` comes
 * first.
 *
 * @param facts folder of facts
 */
export async function calibrationOf(duck: Duck, facts: string): Promise<readonly CalibrationBucket[]> {
  const cells = await duck.rows<Cell>(
    `SELECT bucket::DOUBLE AS bucket, count(*)::DOUBLE AS fills, sum(usd)::DOUBLE AS usd, sum(shares)::DOUBLE AS shares,
       sum(shares * half)::DOUBLE AS paid
     FROM (
       SELECT least(9, (10 * f.usd) // f.shares) AS bucket, m.event, f.usd, f.shares,
         CASE (f.flags >> 1) & 3 WHEN 0 THEN m.half0 ELSE m.half1 END::BIGINT AS half
       FROM ${factTable(facts)} f JOIN market_facts m ON m.market = f.market
       WHERE (f.flags & 1) = 1 AND f.shares > 0 AND ((f.flags >> 1) & 3) < 2 AND f."time" < m.knowableAt)
     GROUP BY bucket, event ORDER BY bucket, event`,
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
