/** Profiles seen from afar: what the report shows of them. */
import type { Duck } from '../tables/duck.ts';
import { profileColumns } from './profile.ts';
import { missingCounts } from './rows.ts';

export interface DateCount {
  /** Microseconds. */
  readonly asOf: number;
  readonly wallets: number;
  /** Wallets with a settled position. */
  readonly settled: number;
}

export interface ProfileSummary {
  readonly wallets: number;
  readonly byDate: readonly DateCount[];
  /** Rows in which a column is unknown, by column, where there are any. */
  readonly missing: Readonly<Record<string, number>>;
  /** Settled profit in USD of the wallets that have one, as of the last date, ascending. */
  readonly settledPnlUsd: readonly number[];
}

/** Reads the table `profiles` that `profileWallets` left in DuckDB. */
export async function summariseProfiles(duck: Duck): Promise<ProfileSummary> {
  const byDate = await duck.rows<DateCount>(
    `SELECT "asOf", count(*)::DOUBLE AS wallets, count(*) FILTER (settledPositions > 0)::DOUBLE AS settled
     FROM profiles GROUP BY "asOf" ORDER BY "asOf"`,
  );
  const [counts] = await duck.rows<Record<string, number>>(`SELECT ${missingCounts(profileColumns)} FROM profiles`);
  const [distinct] = await duck.rows<{ wallets: number }>(
    'SELECT count(DISTINCT walletId)::DOUBLE AS wallets FROM profiles',
  );
  const pnl = await duck.rows<{ value: number }>(
    `SELECT settledPnlUsd AS "value" FROM profiles
     WHERE "asOf" = (SELECT max("asOf") FROM profiles) AND settledPositions > 0 ORDER BY settledPnlUsd`,
  );
  return {
    wallets: distinct?.wallets ?? 0,
    byDate,
    missing: Object.fromEntries(Object.entries(counts ?? {}).filter(([, count]) => count > 0)),
    settledPnlUsd: pnl.map((row) => row.value),
  };
}

/** Edges and counts of a histogram of sorted values; the outermost bars hold everything beyond them. */
export function histogramOf(sorted: readonly number[], bars: number): { edges: number[]; counts: number[] } {
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
  const reach = Math.max(Math.abs(at(0.02)), Math.abs(at(0.98)), 0.01);
  const edges = Array.from({ length: bars + 1 }, (_, k) => (reach * (2 * k - bars)) / bars);
  const counts = new Array<number>(bars).fill(0);
  for (const value of sorted) {
    const bar = Math.floor(((value + reach) / (2 * reach)) * bars);
    const inside = Math.min(bars - 1, Math.max(0, bar));
    counts[inside] = (counts[inside] as number) + 1;
  }
  return { edges, counts };
}
