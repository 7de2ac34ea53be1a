/** The work of one bucket of wallets: read their fills, measure them as of all dates, write one part of the table. */
import { factFiles } from '../../facts/layout.ts';
import { type Bucket, readFacts } from '../../facts/read.ts';
import type { BucketTools, BucketWork } from '../../facts/run-buckets.ts';
import { copyToParquet, type Duck, identifier, quote } from '../../tables/duck.ts';
import { partFile } from '../../tables/parquet-files.ts';
import { type NumberColumn, specsOf } from '../rows.ts';
import { profileColumns } from './columns.ts';
import { makeOriginalWindows, originalColumns, ROI_COLUMN } from './original.ts';
import { BucketRows, fillTable, inOrder } from './output.ts';
import { factsRead, makeViewer, type ProfileFacts } from './slots.ts';
import { makeWindows, type WindowSetting } from './windows.ts';

export interface ProfileWork extends WindowSetting {
  readonly definitions: 'ours' | 'original';
  readonly facts: string;
  /** Wallets in the facts, counterparties included. */
  readonly wallets: number;
  /** Folder of the parts. */
  readonly folder: string;
  /** For the original definitions: see `lastFills`. */
  readonly ends: Float64Array;
}

/** What a bucket says of itself. By date: number of the date; by column: number of the column. */
export interface BucketSummary {
  readonly rows: number;
  /** Wallets with a row. */
  readonly wallets: number;
  readonly rowsByDate: Float64Array;
  readonly settledByDate: Float64Array;
  readonly missingByColumn: Float64Array;
  /** Sum of roiPct of the original definitions in 1e-6, in two exact parts: 2^26 times the first, plus the second. */
  readonly roiHigh: Float64Array;
  readonly roiLow: Float64Array;
}

export const columnsBy: Readonly<Record<ProfileWork['definitions'], readonly NumberColumn[]>> = {
  ours: profileColumns,
  original: originalColumns,
};

/** Prepares a worker thread; its function does one bucket after the other in the same arrays. */
export default async function openProfileBucket(
  work: ProfileWork,
  { duck }: BucketTools,
): Promise<BucketWork<BucketSummary>> {
  const columns = columnsBy[work.definitions];
  const view = makeViewer(work.markets, work.wallets);
  const addRows =
    work.definitions === 'ours'
      ? makeWindows(work)
      : makeOriginalWindows(work.markets, work.dates, work.ends, work.minTrades);
  const rows = new BucketRows(columns.length);
  let facts: ProfileFacts | undefined;
  return async (bucket, index) => {
    facts = await readFacts(duck, work.facts, bucket, factsRead, facts);
    rows.clear();
    for (let begin = 0; begin < facts.rows; ) {
      const wallet = facts.wallet[begin] as number;
      let end = begin + 1;
      while (end < facts.rows && facts.wallet[end] === wallet) end++;
      addRows(view(facts, begin, end), rows);
      begin = end;
    }
    await writePart(duck, work, bucket, index, rows);
    return summarise(rows, work, columns);
  };
}

async function writePart(
  duck: Duck,
  work: ProfileWork,
  bucket: Bucket,
  index: number,
  rows: BucketRows,
): Promise<void> {
  if (rows.count === 0) return;
  const columns = columnsBy[work.definitions];
  const { times } = work.dates;
  const place = await placesOf(duck, work.facts, bucket);
  const placeOf = (wallet: number): number => place[wallet - bucket.from] as number;
  const order = inOrder(rows, times.length, place.length, placeOf);
  await fillTable(duck, 'bucket_rows', columns, rows, order, placeOf, times);
  const values = columns.map(({ name, type }) =>
    type === 'DOUBLE' ? identifier(name) : `${identifier(name)}::${type} AS ${identifier(name)}`,
  );
  // A join would not keep the order of the rows.
  await copyToParquet(
    duck,
    `SELECT getvariable('addresses')[place::INTEGER + 1] AS wallet, make_timestamp("asOf"::BIGINT) AS "asOf",
       ${values.join(', ')} FROM bucket_rows`,
    partFile(work.folder, index),
    specsOf(columns),
  );
  await duck.run('DROP TABLE bucket_rows');
}

/**
 * Place of every wallet of a bucket among those that traded, in order of their addresses. The variable `addresses` of
 * the database is the list of these addresses.
 */
async function placesOf(duck: Duck, facts: string, { from, to }: Bucket): Promise<Int32Array> {
  const wallets = `read_parquet(${quote(factFiles(facts).wallets)}) WHERE wallet >= ${from} AND wallet < ${to} AND fills > 0`;
  await duck.run(`SET VARIABLE addresses = (SELECT list(address ORDER BY address) FROM ${wallets})`);
  const place = new Int32Array(to - from);
  const found = await duck.connection.runAndReadAll(`SELECT wallet FROM ${wallets} ORDER BY address`);
  const [inOrderOfAddress] = found.getColumnsJS() as [number[]];
  inOrderOfAddress.forEach((wallet, k) => {
    place[wallet - from] = k;
  });
  return place;
}

const ROI_UNIT = 2 ** 26;

function summarise(rows: BucketRows, work: ProfileWork, columns: readonly NumberColumn[]): BucketSummary {
  const dates = work.dates.times.length;
  const width = columns.length;
  const settled = columns.findIndex(({ name }) => name === 'settledPositions');
  const rowsByDate = new Float64Array(dates);
  const settledByDate = new Float64Array(dates);
  const missingByColumn = new Float64Array(width);
  const roiHigh = new Float64Array(dates);
  const roiLow = new Float64Array(dates);
  let wallets = 0;
  for (let i = 0; i < rows.count; i++) {
    if (i === 0 || rows.wallet[i] !== rows.wallet[i - 1]) wallets++;
    const q = rows.date[i] as number;
    rowsByDate[q] = (rowsByDate[q] as number) + 1;
    const values = rows.blockOf(i);
    const start = rows.startOf(i);
    for (let c = 0; c < width; c++) {
      const value = values[start + c] as number;
      if (Number.isNaN(value)) missingByColumn[c] = (missingByColumn[c] as number) + 1;
    }
    if (settled >= 0 && (values[start + settled] as number) > 0) settledByDate[q] = (settledByDate[q] as number) + 1;
    if (work.definitions === 'original') {
      const roi = Math.round((values[start + ROI_COLUMN] as number) * 1e6);
      const high = Math.floor(roi / ROI_UNIT);
      roiHigh[q] = (roiHigh[q] as number) + high;
      roiLow[q] = (roiLow[q] as number) + (roi - high * ROI_UNIT);
    }
  }
  return { rows: rows.count, wallets, rowsByDate, settledByDate, missingByColumn, roiHigh, roiLow };
}

/** Mean of the summed roiPct by date, NaN without rows. The sums are exact, so the order of buckets changes nothing. */
export function meanRoi(high: Float64Array, low: Float64Array, rows: Float64Array): Float64Array {
  return rows.map((n, q) => (n > 0 ? ((high[q] as number) * ROI_UNIT + (low[q] as number)) / 1e6 / n : Number.NaN));
}
