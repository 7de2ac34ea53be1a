/** Profiles seen from afar: what the report shows of them. */
import type { Duck } from '../tables/duck.ts';
import { parquetRelation } from '../tables/parquet-files.ts';
import { streamNumbers } from '../tables/stream.ts';
import type { ProfileResult } from './profile.ts';

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
  /** Settled profit in USD of the wallets that have one, as of the last date with rows, ascending. */
  readonly settledPnlUsd: Float64Array;
  /** Volume in USD of the wallets as of that date, descending. */
  readonly volumes: Float64Array;
  readonly largest: readonly LargeWallet[];
  readonly marked: MarkedSummary;
}

/** Smallest profit or loss at the mark that counts as one, USD. Less is what rounding leaves of a fill at the mark. */
const CENT = 0.01;
const LARGEST = 20;
/** Bought is `investedUsd`, sold is that and the net flow. */
const volume = '2 * investedUsd + netFlowUsd';

/** Reads the table that `profileWallets` wrote to `path` by our definitions. */
export async function summariseProfiles(duck: Duck, path: string, result: ProfileResult): Promise<ProfileSummary> {
  const byDate = Array.from(result.dates.times, (asOf, q) => ({
    asOf,
    wallets: result.rowsByDate[q] as number,
    settled: result.settledByDate[q] as number,
  })).filter(({ wallets }) => wallets > 0);
  const lastDate = byDate.at(-1)?.asOf;
  await duck.run(`CREATE OR REPLACE TABLE last_profiles AS
    SELECT wallet, ${volume} AS volume, tradeCount, marketCount, settledPositions, settledPnlUsd, markedPnlUsd
    FROM ${parquetRelation(path)} WHERE "asOf" = make_timestamp(${lastDate})`);
  const [volumes, settled, marked] = await knownNumbers(duck, 'last_profiles', [
    'volume',
    'settledPnlUsd',
    'markedPnlUsd',
  ]);
  return {
    wallets: result.wallets,
    byDate,
    missing: result.missing,
    settledPnlUsd: settled as Float64Array,
    volumes: (volumes as Float64Array).reverse(),
    largest: await duck.rows<LargeWallet>(
      `SELECT wallet, volume AS "volumeUsd", tradeCount AS fills, marketCount AS markets, settledPnlUsd AS "settledPnlUsd",
         markedPnlUsd AS "markedPnlUsd"
       FROM last_profiles ORDER BY volume DESC, wallet LIMIT ${LARGEST}`,
    ),
    marked: markedOf(marked as Float64Array, byDate.at(-1)?.wallets ?? 0),
  };
}

function markedOf(values: Float64Array, wallets: number): MarkedSummary {
  let [ahead, behind, totalUsd] = [0, 0, 0];
  for (const value of values) {
    totalUsd += value;
    if (value >= CENT) ahead++;
    else if (value <= -CENT) behind++;
  }
  return { values, unknown: wallets - values.length, ahead, behind, totalUsd };
}

/** The values that there are in each of some columns, ascending. */
async function knownNumbers(duck: Duck, table: string, columns: readonly string[]): Promise<Float64Array[]> {
  const [size] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS "count" FROM ${table}`);
  const rows = size?.count ?? 0;
  const known = columns.map(() => ({ values: new Float64Array(rows), count: 0 }));
  const list = columns.map((name) => `${name}::DOUBLE`).join(', ');
  await streamNumbers(duck, `SELECT ${list} FROM ${table}`, rows, (chunk, count) => {
    for (const [c, column] of known.entries())
      for (const value of (chunk[c] as Float64Array).subarray(0, count))
        if (!Number.isNaN(value)) column.values[column.count++] = value;
  });
  return known.map(({ values, count }) => values.subarray(0, count).sort());
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
