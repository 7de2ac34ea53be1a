/** What the rows of either kind of definitions are measured with: read once, before the buckets of wallets. */
import { FathomError } from '../../errors.ts';
import { factFiles } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import type { JobModule, JobPool } from '../../tables/jobs.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { streamNumbers } from '../../tables/stream.ts';
import type { Dates } from '../dates.ts';
import type { Measure } from './bucket.ts';
import { marketRecords } from './market-records.ts';
import { type ProfileSources, readMarketTable, sharedFloats } from './market-table.ts';
import { lastFills } from './original.ts';
import { readPrices } from './prices.ts';
import openRoiBucket, { type RoiWork } from './roi-bucket.ts';
import { meanRoi, type RoiSums } from './roi-sums.ts';

export interface MeasureSetting {
  readonly sources: ProfileSources;
  readonly dates: Dates;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
  /** Time of the last fill of all, microseconds. */
  readonly lastFill: number;
  readonly buckets: readonly Bucket[];
  readonly pool: JobPool;
  /** Threads of the pool. */
  readonly threads: number;
  /** Called now and then; what it throws stops the work. */
  readonly check: () => void;
  /** Wallets that the facts list, counterparties included. */
  readonly wallets: number;
  /** Fills of the busiest of them. */
  readonly mostFills: number;
  /** True if the rows are kept until all are there. */
  readonly kept: boolean;
}

type MeasureBy<Definitions> = Extract<Measure, { readonly definitions: Definitions }>;

/** Prepares our own definitions. */
export async function ourMeasure(duck: Duck, setting: MeasureSetting): Promise<MeasureBy<'ours'>> {
  const { sources, dates, minTrades, wallets } = setting;
  const table = await readMarketTable(duck, sources);
  const markets = marketRecords(table);
  const prices = { dates, markets, tokens: table.tokenCount };
  const { arrays, benchmark } = await readPrices(sources.facts, prices, setting);
  const fundedAt = await readFunding(duck, sources, wallets);
  return {
    definitions: 'ours',
    markets,
    dates,
    prices: arrays,
    benchmark: benchmark.roi,
    minTrades,
    mostFills: setting.mostFills,
    fundedAt,
  };
}

const roiWork: JobModule<RoiWork, Bucket, RoiSums> = {
  open: openRoiBucket,
  url: new URL('./roi-bucket.js', import.meta.url),
  database: false,
};

/**
 * Prepares the original definitions. Where the rows are kept, the means are left out: what depends on them is filled in
 * at the end. Parts are written once, so their means are summed up before.
 */
export async function originalMeasure(duck: Duck, setting: MeasureSetting): Promise<MeasureBy<'original'>> {
  const { sources, dates, minTrades, buckets, pool } = setting;
  const { facts } = sources;
  const markets = await readMarketTable(duck, sources, { topics: true });
  const ends = await lastFills(duck, facts, dates, setting.lastFill);
  let means: Float64Array | undefined;
  if (!setting.kept) {
    const sums = await pool.run(roiWork, { facts, dates, minTrades }, buckets, { onDone: setting.check });
    means = meanRoi(sums, dates.times.length);
  }
  return { definitions: 'original', markets, dates, ends, means, minTrades };
}

/** Wallets that the facts list, counterparties included, those with fills, and the fills of the busiest. */
export async function countWallets(
  duck: Duck,
  facts: string,
): Promise<{ listed: number; trading: number; mostFills: number }> {
  const [counted] = await duck.rows<{ listed: number; trading: number; mostFills: number }>(
    `SELECT count(*)::DOUBLE AS listed, (count(*) FILTER (fills > 0))::DOUBLE AS trading,
       coalesce(max(fills), 0)::DOUBLE AS "mostFills"
     FROM read_parquet(${quote(factFiles(facts).wallets)})`,
  );
  return counted ?? { listed: 0, trading: 0, mostFills: 0 };
}

/** Microseconds by number of the wallet, from the table of funding. */
async function readFunding(duck: Duck, sources: ProfileSources, wallets: number): Promise<Float64Array | undefined> {
  if (sources.funding === undefined) return undefined;
  const funding = parquetRelation(sources.funding);
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
