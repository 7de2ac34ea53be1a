/** The work of one bucket of wallets: read their fills, measure them as of all dates, write one part of the table. */
import { FactReader, type Facts } from '../../facts/fact-reader.ts';
import { type FactColumn, factFiles } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import type { BucketTools, BucketWork } from '../../facts/run-buckets.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { partFile } from '../../tables/parquet-files.ts';
import type { NumberColumn } from '../rows.ts';
import { profileColumns } from './columns.ts';
import { makeOriginalWindows, type OriginalSetting, originalColumns, originalFacts, ROI_COLUMN } from './original.ts';
import { BucketRows, flatRows } from './output.ts';
import { PartWriter } from './part-writer.ts';
import { addRoi, noRoiSums, type RoiSums } from './roi-sums.ts';
import { factsRead } from './slots.ts';
import { type AddRows, firstFills, makeWindows, type WindowSetting } from './windows.ts';

/** What rows are measured by. */
export type Measure =
  | ({ readonly definitions: 'ours' } & WindowSetting)
  | ({ readonly definitions: 'original' } & OriginalSetting);

export type ProfileWork = Measure & {
  readonly facts: string;
  /** Folder of the parts; undefined if the rows are few, so that they come back in place of being written. */
  readonly folder: string | undefined;
};

/** What a bucket says of itself. By date: number of the date; by column: number of the column. */
export interface BucketSummary {
  readonly rows: number;
  /** Wallets with a row. */
  readonly wallets: number;
  readonly rowsByDate: Float64Array;
  readonly settledByDate: Float64Array;
  readonly missingByColumn: Float64Array;
  /** Of the original definitions, if their means are not known yet. */
  readonly roi: RoiSums;
  /** See `flatRows`; undefined if they were written. */
  readonly kept: Float64Array | undefined;
}

export const columnsBy: Readonly<Record<Measure['definitions'], readonly NumberColumn[]>> = {
  ours: profileColumns,
  original: originalColumns,
};

/**
 * Prepares a worker thread; its function does one bucket after the other in the same arrays. A database is needed only for
 * rows that are written.
 */
export default async function openProfileBucket(
  work: ProfileWork,
  tools: BucketTools,
): Promise<BucketWork<BucketSummary>> {
  return work.definitions === 'ours'
    ? measureBuckets(tools, work, factsRead, makeWindows(work))
    : measureBuckets(tools, work, originalFacts, makeOriginalWindows(work));
}

/** @param factsNeeded columns of facts that `addRows` needs */
function measureBuckets<Column extends FactColumn>(
  tools: BucketTools,
  work: ProfileWork,
  factsNeeded: readonly (Column | 'wallet')[],
  addRows: AddRows<Column>,
): BucketWork<BucketSummary> {
  const columns = columnsBy[work.definitions];
  const rows = new BucketRows(columns.length, work.dates.times.length);
  const writer = work.folder === undefined ? undefined : new PartWriter(columns);
  const reader = new FactReader(work.facts);
  let facts: Facts<Column | 'wallet'> | undefined;
  return async (bucket, index) => {
    const wallets = writer === undefined ? undefined : await walletsByAddress(tools.duck, work.facts, bucket);
    facts = await reader.read(bucket, factsNeeded, facts);
    const read = facts;
    const begins = firstFills(read, bucket);
    rows.clear();
    const add = (wallet: number, place: number): void => {
      const [begin, end] = [begins[wallet - bucket.from] as number, begins[wallet - bucket.from + 1] as number];
      if (end === begin) return;
      rows.startWallet(place);
      addRows(read, begin, end, rows);
    };
    let missingByColumn: Float64Array = new Float64Array(columns.length);
    if (writer === undefined || wallets === undefined)
      for (let wallet = bucket.from; wallet < bucket.to; wallet++) add(wallet, wallet);
    else {
      wallets.numbers.forEach(add);
      const path = partFile(work.folder as string, index);
      if (rows.count > 0) missingByColumn = await writer.write(path, rows, wallets.addresses, work.dates.times);
    }
    return {
      ...summarise(rows, work, columns),
      missingByColumn,
      kept: writer === undefined ? flatRows(rows) : undefined,
    };
  };
}

/** Numbers and addresses of the wallets of a bucket that traded, in order of their addresses. */
async function walletsByAddress(
  duck: Duck,
  facts: string,
  { from, to }: Bucket,
): Promise<{ readonly numbers: readonly number[]; readonly addresses: readonly string[] }> {
  const sorted = await duck.connection.runAndReadAll(`SELECT wallet, address
    FROM read_parquet(${quote(factFiles(facts).wallets)})
    WHERE wallet >= ${from} AND wallet < ${to} AND fills > 0 ORDER BY address`);
  const [numbers, addresses] = sorted.getColumnsJS() as [number[], string[]];
  return { numbers, addresses };
}

function summarise(
  rows: BucketRows,
  work: ProfileWork,
  columns: readonly NumberColumn[],
): Omit<BucketSummary, 'missingByColumn' | 'kept'> {
  const dates = work.dates.times.length;
  const settled = columns.findIndex(({ name }) => name === 'settledPositions');
  const settledByDate = new Float64Array(dates);
  const roi = noRoiSums(dates);
  const sumsRoi = work.definitions === 'original' && work.means === undefined;
  for (const { block, rows: count, date } of rows.inOrder()) {
    for (let start = 1; start < count * rows.rowSize; start += rows.rowSize) {
      if (settled >= 0 && (block[start + settled] as number) > 0)
        settledByDate[date] = (settledByDate[date] as number) + 1;
      if (sumsRoi) addRoi(roi, date, block[start + ROI_COLUMN] as number);
    }
  }
  const rowsByDate = Float64Array.from(rows.counts);
  const { count, wallets } = rows;
  return { rows: count, wallets, rowsByDate, settledByDate, roi };
}
