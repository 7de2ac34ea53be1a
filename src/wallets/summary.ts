/** Profiles seen from afar: what the report shows of them. */
import { factFiles } from '../facts/layout.ts';
import { type Duck, quote } from '../tables/duck.ts';
import { LARGEST, type LargeRow } from './profile/last-rows.ts';
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

/** Summarises profiles by our definitions. @param facts that they were made of, for the addresses of the largest wallets */
export async function summariseProfiles(duck: Duck, facts: string, result: ProfileResult): Promise<ProfileSummary> {
  const byDate = Array.from(result.dates.times, (asOf, q) => ({
    asOf,
    wallets: result.rowsByDate[q] as number,
    settled: result.settledByDate[q] as number,
  })).filter(({ wallets }) => wallets > 0);
  const { volumes, settledPnlUsd, markedPnlUsd, largest } = result.last;
  return {
    wallets: result.wallets,
    byDate,
    missing: result.missing,
    settledPnlUsd: settledPnlUsd.toSorted(),
    volumes: volumes.toSorted().reverse(),
    largest: await largestOf(duck, facts, largest),
    marked: markedOf(markedPnlUsd.toSorted(), byDate.at(-1)?.wallets ?? 0),
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

/** The largest wallets by their addresses, which also decide between two of the same volume. */
async function largestOf(duck: Duck, facts: string, rows: readonly LargeRow[]): Promise<LargeWallet[]> {
  if (rows.length === 0) return [];
  const found = await duck.rows<{ number: number; address: string }>(
    `SELECT wallet::DOUBLE AS number, address FROM read_parquet(${quote(factFiles(facts).wallets)})
     WHERE wallet IN (${rows.map(({ wallet }) => wallet).join(', ')})`,
  );
  const addresses = new Map(found.map(({ number, address }) => [number, address]));
  const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return rows
    .map((row) => ({
      ...row,
      wallet: addresses.get(row.wallet) as string,
      settledPnlUsd: orNull(row.settledPnlUsd),
      markedPnlUsd: orNull(row.markedPnlUsd),
    }))
    .sort((a, b) => b.volumeUsd - a.volumeUsd || (a.wallet < b.wallet ? -1 : 1))
    .slice(0, LARGEST);
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
