/** The work of one bucket of wallets: read their fills, measure them as of all dates, write one part of the table. */
import { FactReader, type Facts } from '../../facts/fact-reader.ts';
import type { FactColumn } from '../../facts/layout.ts';
import { makeKernels } from '../../kernels/kernels.ts';
import { Turns } from '../../tables/job-order.ts';
import type { JobTools, JobWork } from '../../tables/jobs.ts';
import { partFile } from '../../tables/parquet-files.ts';
import type { NumberColumn } from '../rows.ts';
import { profileColumns } from './columns.ts';
import type { ProfileJob } from './jobs.ts';
import { type LastRows, lastRowsOf } from './last-rows.ts';
import { makeOriginalWindows, type OriginalSetting, originalColumns, ROI_COLUMN } from './original.ts';
import { BucketRows, flatRows } from './output.ts';
import { PartWriter } from './part-writer.ts';
import { addRoi, noRoiSums, type RoiSums } from './roi-sums.ts';
import { firstFills, makeWindows, type WindowMeasure, type WindowSetting } from './windows.ts';

/** What rows are measured by. */
export type Measure =
  | ({ readonly definitions: 'ours' } & WindowSetting)
  | ({ readonly definitions: 'original' } & OriginalSetting);

export type ProfileWork = Measure & {
  readonly facts: string;
  /** Folder of the parts; undefined if the rows are few, so that they come back in place of being written. */
  readonly folder: string | undefined;
  /** True to write parts past the system's cache. */
  readonly direct: boolean;
};

/** What a bucket says of itself. By date: number of the date; by column: number of the column. */
export interface BucketSummary {
  /** Number of the bucket. */
  readonly part: number;
  readonly rows: number;
  /** Wallets with a row. */
  readonly wallets: number;
  readonly rowsByDate: Float64Array;
  readonly settledByDate: Float64Array;
  readonly missingByColumn: Float64Array;
  /** Of the original definitions, if their means are not known yet. */
  readonly roi: RoiSums;
  /** By our own definitions. */
  readonly last: LastRows | undefined;
  /** See `flatRows`; undefined if they were written. */
  readonly kept: Float64Array | undefined;
}

export const columnsBy: Readonly<Record<Measure['definitions'], readonly NumberColumn[]>> = {
  ours: profileColumns,
  original: originalColumns,
};

/** Prepares a worker thread; its function does one bucket after the other in the same arrays. */
export default async function openProfileBucket(
  work: ProfileWork,
  _tools: JobTools,
): Promise<JobWork<ProfileJob, BucketSummary>> {
  return work.definitions === 'ours'
    ? measureBuckets(work, makeWindows(work))
    : measureBuckets(work, makeOriginalWindows(work));
}

/**
 * Some jobs may run at once: they take turns, and one may begin while the last bytes of another are written.
 */
function measureBuckets<Column extends FactColumn>(
  work: ProfileWork,
  { columns: needed, factsFor, addRows }: WindowMeasure<Column | 'wallet'>,
): JobWork<ProfileJob, BucketSummary> {
  const columns = columnsBy[work.definitions];
  const kernels = makeKernels();
  const rows = new BucketRows(kernels, columns.length, work.dates.times.length);
  const writer = work.folder === undefined ? undefined : new PartWriter(kernels, columns, work.direct);
  const reader = new FactReader(work.facts);
  const turns = new Turns();
  let facts: Facts<Column | 'wallet'> | undefined;
  const measure = async ({ bucket, part, wallets }: ProfileJob): Promise<Measured> => {
    facts = await reader.read(bucket, needed, factsFor?.(bucket.fills) ?? facts);
    const read = facts;
    const begins = firstFills(read, bucket);
    rows.clear();
    const add = (wallet: number, place: number): void => {
      const [begin, end] = [begins[wallet - bucket.from] as number, begins[wallet - bucket.from + 1] as number];
      if (end === begin) return;
      rows.startWallet(place);
      addRows(read, begin, end, rows);
    };
    if (writer === undefined || wallets === undefined) {
      for (let wallet = bucket.from; wallet < bucket.to; wallet++) add(wallet, wallet);
      const missingByColumn = new Float64Array(columns.length);
      return { summary: { part, ...summarise(rows, work, undefined), missingByColumn, kept: flatRows(rows) } };
    }
    wallets.numbers.forEach(add);
    const summary = { part, ...summarise(rows, work, wallets.numbers), kept: undefined };
    if (rows.count === 0) return { summary: { ...summary, missingByColumn: new Float64Array(columns.length) } };
    const path = partFile(work.folder as string, part);
    const { nulls, written } = await writer.write(path, rows, wallets, work.dates.times);
    return { summary: { ...summary, missingByColumn: nulls }, written };
  };
  return async (job) => {
    const { summary, written } = await turns.run(() => measure(job));
    await written;
    return summary;
  };
}

interface Measured {
  readonly summary: BucketSummary;
  /** Done once the part is written. */
  readonly written?: Promise<void>;
}

/** @param numbers of the wallets by their place; undefined if the place is the number */
function summarise(
  rows: BucketRows,
  work: ProfileWork,
  numbers: Int32Array | undefined,
): Omit<BucketSummary, 'part' | 'missingByColumn' | 'kept'> {
  const { count, wallets } = rows;
  return {
    rows: count,
    wallets,
    rowsByDate: Float64Array.from(rows.counts),
    settledByDate: Float64Array.from(rows.settled),
    roi: work.definitions === 'original' && work.means === undefined ? roiSumsOf(rows) : noRoiSums(0),
    last: work.definitions === 'ours' ? lastRowsOf(rows, numbers) : undefined,
  };
}

function roiSumsOf(rows: BucketRows): RoiSums {
  const sums = noRoiSums(rows.counts.length);
  for (const { block, rows: count, date } of rows.inOrder())
    for (let row = 1; row < count * rows.rowSize; row += rows.rowSize)
      addRoi(sums, date, block[row + ROI_COLUMN] as number);
  return sums;
}
