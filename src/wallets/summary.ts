/** Profiles seen from afar: what the report shows of them. */
import type { Duck } from '../tables/duck.ts';
import { nullIfNaN, streamNumbers } from '../tables/stream.ts';
import { profileColumns } from './profile.ts';
import { missingCounts } from './rows.ts';

export interface DateCount {
  /** Microseconds. */
  readonly asOf: number;
  readonly wallets: number;
  /** Wallets with a settled position. */
  readonly settled: number;
}

/** One of the largest wallets; undefined numbers are null. */
export interface LargeWallet {
  readonly wallet: string;
  readonly volumeUsd: number;
  readonly fills: number;
  readonly markets: number;
  readonly settledPnlUsd: number | null;
  readonly markedPnlUsd: number | null;
}

/** Profit at the mark as of the last date, of the wallets for which it is known. */
export interface MarkedSummary {
  /** USD, ascending. */
  readonly values: Float64Array;
  /** Wallets whose mark is not known. */
  readonly unknown: number;
  /** Wallets that gain, or lose, at least a cent; the others are even. */
  readonly ahead: number;
  readonly behind: number;
  readonly totalUsd: number;
}

export interface ProfileSummary {
  readonly wallets: number;
  readonly byDate: readonly DateCount[];
  /** Rows in which a column is unknown, by column, where there are any. */
  readonly missing: Readonly<Record<string, number>>;
  /** Settled profit in USD of the wallets that have one, as of the last date, ascending. */
  readonly settledPnlUsd: readonly number[];
  /** Volume in USD of the wallets as of the last date, descending. */
  readonly volumes: Float64Array;
  readonly largest: readonly LargeWallet[];
  readonly marked: MarkedSummary;
}

/** Smallest profit or loss at the mark that counts as one, USD. Less is what rounding leaves of a fill at the mark. */
const CENT = 0.01;
const LARGEST = 20;
/** Bought is `investedUsd`, sold is that and the net flow. */
const volume = '2 * investedUsd + netFlowUsd';
const atLastDate = 'profiles WHERE "asOf" = (SELECT max("asOf") FROM profiles)';

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
    `SELECT settledPnlUsd AS "value" FROM ${atLastDate} AND settledPositions > 0 ORDER BY settledPnlUsd`,
  );
  return {
    wallets: distinct?.wallets ?? 0,
    byDate,
    missing: Object.fromEntries(Object.entries(counts ?? {}).filter(([, count]) => count > 0)),
    settledPnlUsd: pnl.map((row) => row.value),
    volumes: await numbers(duck, `SELECT ${volume} AS v FROM ${atLastDate} ORDER BY v DESC, walletId`),
    largest: await duck.rows<LargeWallet>(
      `SELECT w.wallet, ${volume} AS "volumeUsd", tradeCount AS fills, marketCount AS markets,
         ${nullIfNaN('settledPnlUsd')} AS "settledPnlUsd", ${nullIfNaN('markedPnlUsd')} AS "markedPnlUsd"
       FROM (SELECT * FROM ${atLastDate}) p JOIN wallet_ids w ON w.id = p.walletId
       ORDER BY "volumeUsd" DESC, w.place LIMIT ${LARGEST}`,
    ),
    marked: await markedOf(duck),
  };
}

async function markedOf(duck: Duck): Promise<MarkedSummary> {
  const known = 'NOT isnan(markedPnlUsd)';
  const values = await numbers(duck, `SELECT markedPnlUsd AS v FROM ${atLastDate} AND ${known} ORDER BY v`);
  const [all] = await duck.rows<{ unknown: number }>(
    `SELECT count(*)::DOUBLE AS "unknown" FROM ${atLastDate} AND isnan(markedPnlUsd)`,
  );
  let [ahead, behind, totalUsd] = [0, 0, 0];
  for (const value of values) {
    totalUsd += value;
    if (value >= CENT) ahead++;
    else if (value <= -CENT) behind++;
  }
  return { values, unknown: all?.unknown ?? 0, ahead, behind, totalUsd };
}

/** The one DOUBLE column of a query. */
async function numbers(duck: Duck, sql: string): Promise<Float64Array> {
  const [size] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS "count" FROM (${sql})`);
  const all = new Float64Array(size?.count ?? 0);
  let at = 0;
  await streamNumbers(duck, sql, all.length, ([values], rows) => {
    all.set((values as Float64Array).subarray(0, rows), at);
    at += rows;
  });
  return all;
}

/** Edges and counts of a histogram of sorted values; the outermost bars hold everything beyond them. */
export function histogramOf(sorted: ArrayLike<number>, bars: number): { edges: number[]; counts: number[] } {
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
  const reach = Math.max(Math.abs(at(0.02)), Math.abs(at(0.98)), 0.01);
  const edges = Array.from({ length: bars + 1 }, (_, k) => (reach * (2 * k - bars)) / bars);
  const counts = new Array<number>(bars).fill(0);
  for (let i = 0; i < sorted.length; i++) {
    const bar = Math.floor((((sorted[i] as number) + reach) / (2 * reach)) * bars);
    const inside = Math.min(bars - 1, Math.max(0, bar));
    counts[inside] = (counts[inside] as number) + 1;
  }
  return { edges, counts };
}
