/** The work of one bucket of wallets: read their fills, measure them as of all dates, write one part of the table. */
import { factFiles } from '../../facts/layout.ts';
import { type Bucket, readFacts } from '../../facts/read.ts';
import type { BucketTools, BucketWork } from '../../facts/run-buckets.ts';
import { copyToParquet, type Duck, identifier, quote } from '../../tables/duck.ts';
import { partFile } from '../../tables/parquet-files.ts';
import { type FillRows, registerRows, type SourceColumn } from '../../tables/row-source.ts';
import { type NumberColumn, specsOf } from '../rows.ts';
import { profileColumns } from './columns.ts';
import { makeOriginalWindows, originalColumns, ROI_COLUMN } from './original.ts';
import { BucketRows, rowsInOrder } from './output.ts';
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
  const view = makeViewer(work.markets, work.wallets, work.dates);
  const addRows =
    work.definitions === 'ours'
      ? makeWindows(work)
      : makeOriginalWindows(work.markets, work.dates, work.ends, work.minTrades);
  const rows = new BucketRows(columns.length, work.dates.times.length);
  // What the query of `writePart` reads: the rows of the bucket at hand.
  let fill: FillRows = () => 0;
  const keys: SourceColumn[] = [
    { name: 'asOf', cell: 'time' },
    { name: 'place', cell: 'integer' },
  ];
  const numbers = columns.map(
    ({ name, type }): SourceColumn => ({ name, cell: type === 'INTEGER' ? 'integer' : 'number' }),
  );
  const nulls = registerRows(duck, ROWS, [...keys, ...numbers], (arrays) => fill(arrays));
  let facts: ProfileFacts | undefined;
  return async (bucket, index) => {
    const wallets = await walletsByAddress(duck, work.facts, bucket);
    facts = await readFacts(duck, work.facts, bucket, factsRead, facts);
    const begins = firstFills(facts, bucket);
    rows.clear();
    wallets.forEach((wallet, place) => {
      rows.startWallet(place);
      const at = wallet - bucket.from;
      addRows(view(facts as ProfileFacts, begins[at] as number, begins[at + 1] as number), rows);
    });
    nulls.fill(0);
    if (rows.count > 0) {
      fill = rowsInOrder(rows, work.dates.times);
      await writePart(duck, work, index);
    }
    return { ...summarise(rows, work, columns), missingByColumn: nulls.slice(keys.length) };
  };
}

/** Enough for counts and the shares of few fills; measured: a quarter less time to write, an eighth more bytes. */
const DICTIONARY_LIMIT = 2048;

/** Table function of the rows of a bucket, and table of its wallets. */
const ROWS = 'bucket_rows';
const WALLETS = 'bucket_wallets';

async function writePart(duck: Duck, work: ProfileWork, index: number): Promise<void> {
  const columns = columnsBy[work.definitions];
  // One list beside all rows, since a join would not keep their order.
  await copyToParquet(
    duck,
    `SELECT addresses[place + 1] AS wallet, "asOf", ${columns.map(({ name }) => identifier(name)).join(', ')}
     FROM ${ROWS}(), (SELECT list(address ORDER BY address) AS addresses FROM ${WALLETS})`,
    partFile(work.folder, index),
    specsOf(columns),
    DICTIONARY_LIMIT,
  );
}

/** Numbers of the wallets of a bucket that traded, in order of their addresses; leaves both in table `WALLETS`. */
async function walletsByAddress(duck: Duck, facts: string, { from, to }: Bucket): Promise<readonly number[]> {
  await duck.run(`CREATE OR REPLACE TEMP TABLE ${WALLETS} AS
    SELECT wallet, address FROM read_parquet(${quote(factFiles(facts).wallets)})
    WHERE wallet >= ${from} AND wallet < ${to} AND fills > 0`);
  const sorted = await duck.connection.runAndReadAll(`SELECT wallet FROM ${WALLETS} ORDER BY address`);
  const [wallets] = sorted.getColumnsJS() as [number[]];
  return wallets;
}

/** Where the fills of each wallet of a bucket begin; one more number ends the last. */
function firstFills(facts: ProfileFacts, { from, to }: Bucket): Int32Array {
  const begins = new Int32Array(to - from + 1);
  let wallet = from;
  for (let i = 0; i < facts.rows; i++) {
    while (wallet <= (facts.wallet[i] as number)) begins[wallet++ - from] = i;
  }
  while (wallet <= to) begins[wallet++ - from] = facts.rows;
  return begins;
}

const ROI_UNIT = 2 ** 26;

function summarise(
  rows: BucketRows,
  work: ProfileWork,
  columns: readonly NumberColumn[],
): Omit<BucketSummary, 'missingByColumn'> {
  const dates = work.dates.times.length;
  const settled = columns.findIndex(({ name }) => name === 'settledPositions');
  const settledByDate = new Float64Array(dates);
  const roiHigh = new Float64Array(dates);
  const roiLow = new Float64Array(dates);
  for (const { block, rows: count, date } of rows.inOrder()) {
    for (let start = 1; start < count * rows.rowSize; start += rows.rowSize) {
      if (settled >= 0 && (block[start + settled] as number) > 0)
        settledByDate[date] = (settledByDate[date] as number) + 1;
      if (work.definitions !== 'original') continue;
      const roi = Math.round((block[start + ROI_COLUMN] as number) * 1e6);
      const high = Math.floor(roi / ROI_UNIT);
      roiHigh[date] = (roiHigh[date] as number) + high;
      roiLow[date] = (roiLow[date] as number) + (roi - high * ROI_UNIT);
    }
  }
  const rowsByDate = Float64Array.from(rows.counts);
  const { count, wallets } = rows;
  return { rows: count, wallets, rowsByDate, settledByDate, roiHigh, roiLow };
}

/** Mean of the summed roiPct by date, NaN without rows. The sums are exact, so the order of buckets changes nothing. */
export function meanRoi(high: Float64Array, low: Float64Array, rows: Float64Array): Float64Array {
  return rows.map((n, q) => (n > 0 ? ((high[q] as number) * ROI_UNIT + (low[q] as number)) / 1e6 / n : Number.NaN));
}
