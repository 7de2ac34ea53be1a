/** Rows as of the last date that has any: what a summary tells of, gathered while the rows are still in memory. */
import { profileColumns } from './columns.ts';
import { BLOCK_ROWS, type BucketRows, type RowBlock } from './output.ts';

/** One of the largest wallets; undefined numbers are NaN. */
export interface LargeRow {
  /** Its number. */
  readonly wallet: number;
  readonly volumeUsd: number;
  readonly fills: number;
  readonly markets: number;
  readonly settledPnlUsd: number;
  readonly markedPnlUsd: number;
}

export interface LastRows {
  /** Number of the date, -1 without rows. */
  readonly date: number;
  /** USD of each wallet, in no particular order. */
  readonly volumes: Float64Array;
  /** USD of the wallets for which it is known. */
  readonly settledPnlUsd: Float64Array;
  readonly markedPnlUsd: Float64Array;
  /** The largest wallets by volume: `LARGEST`, and more only where they are as large as the last of these. */
  readonly largest: readonly LargeRow[];
}

export const LARGEST = 20;

/** Index of a column in a row, in which the wallet's place comes first. */
const indexOf = (name: string): number => 1 + profileColumns.findIndex((column) => column.name === name);
const at = {
  invested: indexOf('investedUsd'),
  netFlow: indexOf('netFlowUsd'),
  fills: indexOf('tradeCount'),
  markets: indexOf('marketCount'),
  settledPnl: indexOf('settledPnlUsd'),
  markedPnl: indexOf('markedPnlUsd'),
};

/**
 * Gathers the last rows of a bucket by our own definitions.
 *
 * @param numbers of the wallets by their place; undefined if the place is the number
 */
export function lastRowsOf(rows: BucketRows, numbers: Int32Array | undefined): LastRows {
  const date = rows.counts.findLastIndex((count) => count > 0);
  const count = date < 0 ? 0 : (rows.counts[date] as number);
  const [volumes, settled, marked] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const blocks = [...rows.inOrder()].filter((block) => block.date === date);
  let filled = 0;
  for (const { block, rows: some } of blocks)
    for (let row = 0; row < some * rows.rowSize; row += rows.rowSize) {
      // Bought is `investedUsd`, sold is that and the net flow.
      volumes[filled] = 2 * (block[row + at.invested] as number) + (block[row + at.netFlow] as number);
      settled[filled] = block[row + at.settledPnl] as number;
      marked[filled++] = block[row + at.markedPnl] as number;
    }
  const least = leastOfLargest(volumes);
  const largest: LargeRow[] = [];
  for (let i = 0; i < count; i++) {
    const volumeUsd = volumes[i] as number;
    if (volumeUsd < least) continue;
    const { block } = blocks[Math.floor(i / BLOCK_ROWS)] as RowBlock;
    const row = (i % BLOCK_ROWS) * rows.rowSize;
    const place = block[row] as number;
    largest.push({
      wallet: numbers === undefined ? place : (numbers[place] as number),
      volumeUsd,
      fills: block[row + at.fills] as number,
      markets: block[row + at.markets] as number,
      settledPnlUsd: settled[i] as number,
      markedPnlUsd: marked[i] as number,
    });
  }
  return { date, volumes, settledPnlUsd: known(settled), markedPnlUsd: known(marked), largest };
}

/** The last rows of several buckets: those of the last date of all. */
export function mergeLastRows(buckets: readonly LastRows[]): LastRows {
  const date = buckets.reduce((last, bucket) => Math.max(last, bucket.date), -1);
  const those = buckets.filter((bucket) => bucket.date === date);
  const volumes = joined(those.map((bucket) => bucket.volumes));
  const least = leastOfLargest(volumes);
  return {
    date,
    volumes,
    settledPnlUsd: joined(those.map(({ settledPnlUsd }) => settledPnlUsd)),
    markedPnlUsd: joined(those.map(({ markedPnlUsd }) => markedPnlUsd)),
    largest: those.flatMap(({ largest }) => largest.filter(({ volumeUsd }) => volumeUsd >= least)),
  };
}

/** The volume of the last of the largest wallets. */
function leastOfLargest(volumes: Float64Array): number {
  return volumes.toSorted()[volumes.length - LARGEST] ?? Number.NEGATIVE_INFINITY;
}

const known = (values: Float64Array): Float64Array => values.filter((value) => !Number.isNaN(value));

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    all.set(part, filled);
    filled += part.length;
  }
  return all;
}
