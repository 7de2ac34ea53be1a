/** The work of one bucket of wallets: read their fills, measure them as of all dates, write one part of the table. */
import { FactReader, type Facts } from '../../facts/fact-reader.ts';
import { type FactColumn, factFiles } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import type { BucketTools, BucketWork } from '../../facts/run-buckets.ts';
import { copyToParquet, type Duck, identifier, quote } from '../../tables/duck.ts';
import { partFile } from '../../tables/parquet-files.ts';
import { type FillRows, registerRows, type SourceColumn } from '../../tables/row-source.ts';
import { type NumberColumn, specsOf } from '../rows.ts';
import { profileColumns } from './columns.ts';
import { makeOriginalWindows, type OriginalSetting, originalColumns, originalFacts, ROI_COLUMN } from './original.ts';
import { BucketRows, flatRows, rowsInOrder } from './output.ts';
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

/** Prepares a worker thread; its function does one bucket after the other in the same arrays. */
export default async function openProfileBucket(
  work: ProfileWork,
  { duck }: BucketTools,
): Promise<BucketWork<BucketSummary>> {
  return work.definitions === 'ours'
    ? partWriter(duck, work, factsRead, makeWindows(work))
    : partWriter(duck, work, originalFacts, makeOriginalWindows(work));
}

/** @param factsNeeded columns of facts that `addRows` needs */
function partWriter<Column extends FactColumn>(
  duck: Duck,
  work: ProfileWork,
  factsNeeded: readonly (Column | 'wallet')[],
  addRows: AddRows<Column>,
): BucketWork<BucketSummary> {
  const columns = columnsBy[work.definitions];
  const rows = new BucketRows(columns.length, work.dates.times.length);
  // What the query of `writePart` reads: the rows of the bucket at hand.
  let fill: FillRows = () => 0;
  const given = sourceColumns('place', columns);
  const nulls = registerRows(duck, ROWS, given, (arrays) => fill(arrays));
  const reader = new FactReader(work.facts);
  let facts: Facts<Column | 'wallet'> | undefined;
  return async (bucket, index) => {
    const kept = work.folder === undefined;
    const wallets = kept ? undefined : await walletsByAddress(duck, work.facts, bucket);
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
    nulls.fill(0);
    if (wallets === undefined) for (let wallet = bucket.from; wallet < bucket.to; wallet++) add(wallet, wallet);
    else {
      wallets.forEach(add);
      if (rows.count > 0) {
        fill = rowsInOrder(rows, work.dates.times);
        await writePart(duck, work, index);
      }
    }
    const missingByColumn = nulls.slice(given.length - columns.length);
    return { ...summarise(rows, work, columns), missingByColumn, kept: kept ? flatRows(rows) : undefined };
  };
}

/**
 * Rows as a table function gives them: the date, a number that stands for the wallet, and the columns.
 *
 * @param wallet what that number is called
 */
export function sourceColumns(wallet: string, columns: readonly NumberColumn[]): SourceColumn[] {
  return [
    { name: 'asOf', cell: 'time' },
    { name: wallet, cell: 'integer' },
    ...columns.map(({ name, type }): SourceColumn => ({ name, cell: type === 'INTEGER' ? 'integer' : 'number' })),
  ];
}

/**
 * Ours: enough for counts and the shares of few fills; measured: a quarter less time to write, an eighth more bytes. The
 * original columns are few beside the addresses, which would take a quarter of the bytes more and save no time.
 */
const dictionaryLimits: Readonly<Record<Measure['definitions'], number | undefined>> = {
  ours: 2048,
  original: undefined,
};

/** Table function of the rows of a bucket; table of one row, with the addresses and the numbers of its wallets. */
const ROWS = 'bucket_rows';
const WALLETS = 'bucket_wallets';

async function writePart(duck: Duck, work: ProfileWork, index: number): Promise<void> {
  const columns = columnsBy[work.definitions];
  // One list beside all rows, since a join by place would not keep their order.
  await copyToParquet(
    duck,
    `SELECT addresses[place + 1] AS wallet, "asOf", ${columns.map(({ name }) => identifier(name)).join(', ')}
     FROM ${ROWS}(), ${WALLETS}`,
    partFile(work.folder as string, index),
    specsOf(columns),
    dictionaryLimits[work.definitions],
  );
}

/** Numbers of the wallets of a bucket that traded, in order of their addresses; leaves them in table `WALLETS`. */
async function walletsByAddress(duck: Duck, facts: string, { from, to }: Bucket): Promise<readonly number[]> {
  await duck.run(`CREATE OR REPLACE TEMP TABLE ${WALLETS} AS
    SELECT list(address ORDER BY address) AS addresses, list(wallet ORDER BY address) AS wallets
    FROM read_parquet(${quote(factFiles(facts).wallets)})
    WHERE wallet >= ${from} AND wallet < ${to} AND fills > 0`);
  const sorted = await duck.connection.runAndReadAll(`SELECT unnest(wallets) FROM ${WALLETS}`);
  const [wallets] = sorted.getColumnsJS() as [number[]];
  return wallets;
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
