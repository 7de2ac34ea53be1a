/** Profiles of wallets as of dates: one pass over each wallet's fills for all dates, buckets of wallets in threads. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import type { Extent } from '../facts/check.ts';
import { bucketBounds, extentOfFacts } from '../facts/read.ts';
import { LARGE_FILE_BYTES } from '../tables/direct.ts';
import { copyToParquet, type Duck, identifier } from '../tables/duck.ts';
import { type JobLimits, type JobModule, JobPool } from '../tables/jobs.ts';
import { parquetFiles, parquetRelation, partFile } from '../tables/parquet-files.ts';
import type { AsOf } from './as-of.ts';
import { type Dates, datesOf } from './dates.ts';
import openProfileBucket, { type BucketSummary, columnsBy, type Measure, type ProfileWork } from './profile/bucket.ts';
import { type ProfileJob, profileJobs } from './profile/jobs.ts';
import { writeKept } from './profile/kept.ts';
import { type LastRows, mergeLastRows } from './profile/last-rows.ts';
import type { ProfileSources } from './profile/market-table.ts';
import { countWallets, type MeasureSetting, originalMeasure, ourMeasure } from './profile/measure.ts';
import { walletsByAddress } from './profile/named-wallets.ts';
import { meanRoi } from './profile/roi-sums.ts';
import { type NumberColumn, specsOf } from './rows.ts';

export interface ProfileOptions {
  readonly asOf: AsOf;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
  /** `original`: the formulas of the reference pipeline, see profile/original.ts. Default: ours. */
  readonly definitions?: 'ours' | 'original' | undefined;
}

export interface ProfileRun extends JobLimits {
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
  /** Rows as of the last date; none by the original definitions. */
  readonly last: LastRows;
  /** What `alpha` is measured against, by number of the date. */
  readonly benchmark: Float64Array;
}

const BUCKET_FILLS = 250_000;
/** Up to so many dates the rows of a bucket are few beside its fills, of which it then takes more. */
const FEW_DATES = 4;
const FILLS_OF_FEW_DATES = 1_000_000;
/** Numbers that are kept in memory until all rows are there: 64 MB. */
const MOST_KEPT = 8_000_000;
/** Names of parts have three digits. */
const MOST_BUCKETS = 999;
const ROWS_OF_ONE_FILE = 500_000;

const work: JobModule<ProfileWork, ProfileJob, BucketSummary> = {
  open: openProfileBucket,
  url: new URL('./profile/bucket.js', import.meta.url),
  database: false,
  jobsAtOnce: 2,
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
  const extent = await extentOfFacts(sources.facts);
  const dates = datesOf(asOf, extent.first, extent.last);
  const columns = columnsBy[definitions];
  const wallets = await countWallets(duck, sources.facts);
  const mostRows = wallets.trading * dates.times.length;
  const kept = mostRows <= rowsOfOneFile && mostRows * columns.length <= MOST_KEPT;
  const least = dates.times.length <= FEW_DATES ? FILLS_OF_FEW_DATES : BUCKET_FILLS;
  const size = Math.max(run.bucketFills ?? least, Math.ceil(extent.rows / MOST_BUCKETS));
  const buckets = await bucketBounds(duck, sources.facts, size);
  if (!kept) await mkdir(path, { recursive: true });
  // The same threads make the measure and the rows.
  const threads = Math.max(1, Math.min(run.threads, buckets.length));
  const pool = new JobPool({ ...run, threads });
  const setting: MeasureSetting = {
    sources,
    dates,
    minTrades,
    lastFill: extent.last,
    buckets,
    pool,
    threads,
    // Not the work that is counted, but it can be stopped.
    check: () => run.progress?.(0, buckets.length),
    wallets: wallets.listed,
    mostFills: wallets.mostFills,
    kept,
  };
  const summaries: BucketSummary[] = [];
  const measuring: Promise<Measure> =
    definitions === 'ours' ? ourMeasure(duck, setting) : originalMeasure(duck, setting);
  const bytes = 8 * mostRows * columns.length;
  const shared = measuring.then((measure) => ({
    ...measure,
    facts: sources.facts,
    folder: kept ? undefined : path,
    direct: bytes > LARGE_FILE_BYTES,
  }));
  // While the threads are at work the database has nothing to do.
  const named = shared.then(() =>
    kept ? walletsByAddress(duck, sources.facts, { from: 0, to: wallets.listed }) : undefined,
  );
  named.catch(() => undefined);
  try {
    // Where it needs no threads, they start meanwhile.
    if (!kept || definitions === 'ours') await measuring;
    const found = await pool.run(work, shared, profileJobs(duck, sources.facts, buckets, !kept), {
      onDone: (done) => run.progress?.(done, buckets.length),
    });
    for (const summary of found) summaries[summary.part] = summary;
  } finally {
    await pool.close();
    // Whoever gets an error closes the database, which must not happen while it is asked something.
    await Promise.allSettled([named]);
  }
  const [measure, inOrder] = await Promise.all([measuring, named]);
  const total = summed(summaries, dates.times.length, columns.length);
  if (total.rows === 0)
    throw new FathomError('data', `no wallet has ${minTrades} fills in the window before any date`, {
      hint: 'lower minTrades, or lengthen asOf.lookback',
    });
  const known = measure.definitions === 'ours' ? measure.benchmark : measure.means;
  const benchmark =
    known ??
    meanRoi(
      summaries.map(({ roi }) => roi),
      dates.times.length,
    );
  let missingByColumn: Float64Array = total.missingByColumn;
  if (inOrder !== undefined)
    missingByColumn = await writeKept({
      wallets: inOrder,
      buckets: summaries,
      columns,
      dates,
      means: definitions === 'original' ? benchmark : undefined,
      path,
    });
  else if (total.rows <= rowsOfOneFile) await mergeParts(duck, path, columns);
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
        const count = name === 'alphaScore' ? 0 : (missingByColumn[c] as number);
        return count > 0 ? [[name, count]] : [];
      }),
    ),
    last: mergeLastRows(summaries.flatMap(({ last }) => last ?? [])),
    benchmark,
  };
}

/** Makes one file of the parts. */
async function mergeParts(duck: Duck, path: string, columns: readonly NumberColumn[]): Promise<void> {
  const names = columns.map(({ name }) => identifier(name)).join(', ');
  const merged = `${path}.merged`;
  const rows = parquetRelation(path);
  await copyToParquet(
    duck,
    `SELECT wallet, "asOf", ${names} FROM ${rows} ORDER BY "asOf", wallet`,
    merged,
    specsOf(columns),
  );
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
