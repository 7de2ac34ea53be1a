/** Profiles of wallets as of dates: one pass over each wallet's fills for all dates, buckets of wallets in threads. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import type { Extent } from '../facts/check.ts';
import { bucketBounds, extentOfFacts } from '../facts/read.ts';
import { type BucketModule, runBuckets } from '../facts/run-buckets.ts';
import { copyToParquet, type Duck, identifier, quote } from '../tables/duck.ts';
import { parquetFiles, partFile } from '../tables/parquet-files.ts';
import type { AsOf } from './as-of.ts';
import { type Dates, datesOf } from './dates.ts';
import openProfileBucket, { type BucketSummary, columnsBy, type ProfileWork } from './profile/bucket.ts';
import type { ProfileSources } from './profile/market-table.ts';
import { type MeasureSetting, originalMeasure, ourMeasure } from './profile/measure.ts';
import { meanRoi } from './profile/roi-sums.ts';
import { type NumberColumn, specsOf } from './rows.ts';

export interface ProfileOptions {
  readonly asOf: AsOf;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
  /** `original`: the formulas of the reference pipeline, see profile/original.ts. Default: ours. */
  readonly definitions?: 'ours' | 'original' | undefined;
}

export interface ProfileRun {
  readonly threads: number;
  /** For the databases of all threads together. */
  readonly memoryMb: number;
  /** A folder where they may spill. */
  readonly scratch: string;
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Fills in a bucket; changes no row, only where a large table is cut. */
  readonly bucketFills?: number;
  /** Up to so many rows the table is one file. */
  readonly rowsOfOneFile?: number;
}

export interface ProfileResult {
  readonly rows: number;
  readonly wallets: number;
  readonly extent: Extent;
  readonly dates: Dates;
  /** By number of the date. */
  readonly rowsByDate: Float64Array;
  readonly settledByDate: Float64Array;
  /** Rows in which a column is unknown, by column, where there are any. */
  readonly missing: Readonly<Record<string, number>>;
  /** What `alpha` is measured against, by number of the date. */
  readonly benchmark: Float64Array;
}

const BUCKET_FILLS = 250_000;
/** Names of parts have three digits. */
const MOST_BUCKETS = 999;
const ROWS_OF_ONE_FILE = 500_000;

const work: BucketModule<ProfileWork, BucketSummary> = {
  open: openProfileBucket,
  url: new URL('./profile/bucket.js', import.meta.url),
};

/**
 * Writes the profiles of all wallets and dates to `path`: one Parquet file ORDER BY asOf, wallet; or, where that would
 * be too large, a folder of parts, each of some wallets and in that order.
 */
export async function profileWallets(
  duck: Duck,
  sources: ProfileSources,
  { asOf, minTrades, definitions = 'ours' }: ProfileOptions,
  path: string,
  run: ProfileRun,
): Promise<ProfileResult> {
  const rowsOfOneFile = run.rowsOfOneFile ?? ROWS_OF_ONE_FILE;
  const extent = await extentOfFacts(duck, sources.facts);
  const dates = datesOf(asOf, extent.first, extent.last);
  const size = Math.max(run.bucketFills ?? BUCKET_FILLS, Math.ceil(extent.rows / MOST_BUCKETS));
  const buckets = await bucketBounds(duck, sources.facts, size);
  const setting: MeasureSetting = { sources, dates, minTrades, lastFill: extent.last, buckets, run, rowsOfOneFile };
  const measure = definitions === 'ours' ? await ourMeasure(duck, setting) : await originalMeasure(duck, setting);
  await mkdir(path, { recursive: true });
  const summaries = await runBuckets(work, { ...measure, facts: sources.facts, folder: path }, buckets, run);
  const columns = columnsBy[definitions];
  const total = summed(summaries, dates.times.length, columns.length);
  if (total.rows === 0)
    throw new FathomError('data', `no wallet has ${minTrades} fills in the window before any date`, {
      hint: 'lower minTrades, or lengthen asOf.lookback',
    });
  let benchmark = measure.definitions === 'ours' ? measure.benchmark : measure.means;
  if (benchmark === undefined) {
    // The parts lack alphaScore, and are few enough for one file: see `originalMeasure`.
    benchmark = meanRoi(
      summaries.map(({ roi }) => roi),
      dates.times.length,
    );
    await mergeParts(duck, path, columns, { dates, roi: benchmark });
  } else if (total.rows <= rowsOfOneFile) await mergeParts(duck, path, columns);
  else await numberParts(path);
  return {
    rows: total.rows,
    wallets: total.wallets,
    extent,
    dates,
    rowsByDate: total.rowsByDate,
    settledByDate: total.settledByDate,
    missing: Object.fromEntries(
      columns.flatMap(({ name }, c) => {
        const count = name === 'alphaScore' ? 0 : (total.missingByColumn[c] as number);
        return count > 0 ? [[name, count]] : [];
      }),
    ),
    benchmark,
  };
}

/**
 * Makes one file of the parts.
 *
 * @param means mean roiPct by number of the date, if it was not known when the parts were written: fills in alphaScore
 */
async function mergeParts(
  duck: Duck,
  path: string,
  columns: readonly NumberColumn[],
  means?: { readonly dates: Dates; readonly roi: Float64Array },
): Promise<void> {
  const names = columns.map(({ name }) => identifier(name));
  let rows = `read_parquet([${parquetFiles(path).map(quote).join(', ')}])`;
  if (means !== undefined) {
    names[names.indexOf('"alphaScore"')] = 'roiPct - mean AS "alphaScore"';
    // As texts: a literal with a point is a DECIMAL, and not every one of them becomes the nearest double.
    const values = Array.from(means.roi, (mean, q) => `(make_timestamp(${means.dates.times[q]}), '${mean}'::DOUBLE)`);
    rows += ` JOIN (VALUES ${values.join(', ')}) means("asOf", mean) USING ("asOf")`;
  }
  const merged = `${path}.merged`;
  const query = `SELECT wallet, "asOf", ${names.join(', ')} FROM ${rows} ORDER BY "asOf", wallet`;
  await copyToParquet(duck, query, merged, specsOf(columns));
  await rm(path, { recursive: true });
  await rename(merged, path);
}

/** Parts are numbered through, whatever buckets had no rows. */
async function numberParts(path: string): Promise<void> {
  for (const [k, part] of parquetFiles(path).entries()) {
    const target = partFile(path, k);
    if (part !== target) await rename(part, target);
  }
}

function summed(summaries: readonly BucketSummary[], dates: number, columns: number) {
  const total = {
    rows: 0,
    wallets: 0,
    rowsByDate: new Float64Array(dates),
    settledByDate: new Float64Array(dates),
    missingByColumn: new Float64Array(columns),
  };
  for (const summary of summaries) {
    total.rows += summary.rows;
    total.wallets += summary.wallets;
    for (const key of ['rowsByDate', 'settledByDate', 'missingByColumn'] as const)
      summary[key].forEach((value, k) => {
        total[key][k] = (total[key][k] as number) + value;
      });
  }
  return total;
}
