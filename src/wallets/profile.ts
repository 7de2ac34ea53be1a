/** Profiles of wallets as of dates: one pass over each wallet's fills for all dates, buckets of wallets in threads. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import type { Extent } from '../facts/check.ts';
import { factFiles } from '../facts/layout.ts';
import { bucketBounds, extentOfFacts } from '../facts/read.ts';
import { type BucketModule, runBuckets } from '../facts/run-buckets.ts';
import { copyToParquet, type Duck, identifier, quote } from '../tables/duck.ts';
import { parquetFiles, partFile } from '../tables/parquet-files.ts';
import { streamNumbers } from '../tables/stream.ts';
import { type AsOf, type Dates, datesOf } from './dates.ts';
import openProfileBucket, { type BucketSummary, columnsBy, meanRoi, type ProfileWork } from './profile/bucket.ts';
import { type ProfileSources, readMarketTable, sharedFloats } from './profile/market-table.ts';
import { lastFills } from './profile/original.ts';
import { readPrices } from './profile/prices.ts';
import { specsOf } from './rows.ts';

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
  const extent = await extentOfFacts(duck, sources.facts);
  const dates = datesOf(asOf, extent.first, extent.last);
  const markets = await readMarketTable(duck, sources);
  const { arrays, benchmark } = await readPrices(duck, sources.facts, markets, dates);
  const [counted] = await duck.rows<{ wallets: number }>(
    `SELECT count(*)::DOUBLE AS wallets FROM read_parquet(${quote(factFiles(sources.facts).wallets)})`,
  );
  const wallets = counted?.wallets ?? 0;
  const size = Math.max(run.bucketFills ?? BUCKET_FILLS, Math.ceil(extent.rows / MOST_BUCKETS));
  const buckets = await bucketBounds(duck, sources.facts, size);
  await mkdir(path, { recursive: true });
  const summaries = await runBuckets(
    work,
    {
      definitions,
      facts: sources.facts,
      wallets,
      folder: path,
      markets,
      dates,
      prices: arrays,
      benchmark: benchmark.roi,
      minTrades,
      fundedAt: await readFunding(duck, sources, wallets),
      ends: definitions === 'original' ? await lastFills(duck, sources.facts, dates) : new Float64Array(0),
    },
    buckets,
    run,
  );
  const columns = columnsBy[definitions];
  const total = summed(summaries, dates.times.length, columns.length);
  if (total.rows === 0)
    throw new FathomError('data', `no wallet has ${minTrades} fills in the window before any date`, {
      hint: 'lower minTrades, or lengthen asOf.lookback',
    });
  const means = definitions === 'original' ? meanRoi(total.roiHigh, total.roiLow, total.rowsByDate) : undefined;
  await finish(duck, path, definitions, total.rows, dates, means, run.rowsOfOneFile ?? ROWS_OF_ONE_FILE);
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
    benchmark: means ?? benchmark.roi,
  };
}

/** Makes one file of the parts where that is small, and fills in what was known only after the last bucket. */
async function finish(
  duck: Duck,
  path: string,
  definitions: ProfileWork['definitions'],
  rows: number,
  dates: Dates,
  means: Float64Array | undefined,
  rowsOfOneFile: number,
): Promise<void> {
  const columns = columnsBy[definitions];
  const specs = specsOf(columns);
  const parts = parquetFiles(path);
  if (means !== undefined) {
    const values = Array.from(means, (mean, q) => `(make_timestamp(${dates.times[q]}), ${mean}::DOUBLE)`);
    await duck.run(`CREATE OR REPLACE TABLE mean_roi AS SELECT * FROM (VALUES ${values.join(', ')}) v("asOf", mean)`);
  }
  const names = columns.map(({ name }) => (name === 'alphaScore' ? 'roiPct - mean AS "alphaScore"' : identifier(name)));
  const rowsOf = (files: readonly string[]): string =>
    `SELECT wallet, "asOf", ${names.join(', ')} FROM read_parquet([${files.map(quote).join(', ')}])
       ${means === undefined ? '' : 'JOIN mean_roi USING ("asOf")'} ORDER BY "asOf", wallet`;
  if (rows <= rowsOfOneFile) {
    const merged = `${path}.merged`;
    await copyToParquet(duck, rowsOf(parts), merged, specs);
    await rm(path, { recursive: true });
    await rename(merged, path);
    return;
  }
  // Parts are numbered through, whatever buckets had no rows.
  for (const [k, part] of parts.entries()) {
    const target = partFile(path, k);
    if (means === undefined) {
      if (part !== target) await rename(part, target);
      continue;
    }
    const whole = `${part}.whole`;
    await copyToParquet(duck, rowsOf([part]), whole, specs);
    await rm(part);
    await rename(whole, target);
  }
}

/** Microseconds by number of the wallet, from the table of funding. */
async function readFunding(duck: Duck, sources: ProfileSources, wallets: number): Promise<Float64Array | undefined> {
  if (sources.funding === undefined) return undefined;
  const funding = `read_parquet([${parquetFiles(sources.funding).map(quote).join(', ')}])`;
  const [twice] = await duck.rows<{ wallet: string }>(
    `SELECT wallet FROM ${funding} GROUP BY wallet HAVING count(*) > 1 ORDER BY wallet LIMIT 1`,
  );
  if (twice !== undefined)
    throw new FathomError('data', `${sources.funding}: wallet "${twice.wallet}" has several rows of funding`);
  const sql = `SELECT w.wallet::DOUBLE, epoch_us(f.fundedAt)::DOUBLE
    FROM read_parquet(${quote(factFiles(sources.facts).wallets)}) w LEFT JOIN ${funding} f ON f.wallet = w.address`;
  const fundedAt = sharedFloats(wallets);
  await streamNumbers(duck, sql, wallets, ([wallet, moment], rows) => {
    for (let i = 0; i < rows; i++) fundedAt[wallet?.[i] as number] = moment?.[i] as number;
  });
  return fundedAt;
}

function summed(summaries: readonly BucketSummary[], dates: number, columns: number) {
  const total = {
    rows: 0,
    wallets: 0,
    rowsByDate: new Float64Array(dates),
    settledByDate: new Float64Array(dates),
    missingByColumn: new Float64Array(columns),
    roiHigh: new Float64Array(dates),
    roiLow: new Float64Array(dates),
  };
  for (const summary of summaries) {
    total.rows += summary.rows;
    total.wallets += summary.wallets;
    for (const key of ['rowsByDate', 'settledByDate', 'missingByColumn', 'roiHigh', 'roiLow'] as const)
      summary[key].forEach((value, k) => {
        total[key][k] = (total[key][k] as number) + value;
      });
  }
  return total;
}
