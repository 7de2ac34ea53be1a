/** Prices of tokens that stand beside a wallet's own: marks at dates, closing lines, and what all wallets earned. */
import { statSync } from 'node:fs';
import { factFiles } from '../../facts/layout.ts';
import { readFactFile } from '../../facts/read.ts';
import type { GroupOfFile } from '../../facts/stored-columns.ts';
import { areReadDirect } from '../../tables/direct.ts';
import type { JobModule, JobPool } from '../../tables/jobs.ts';
import { parquetFiles } from '../../tables/parquet-files.ts';
import { sharedFloats } from './market-table.ts';
import { type FoundPrices, type PriceSetting, PriceTable } from './price-table.ts';
import openPriceWork, { type PriceWork } from './price-work.ts';

/** Plain arrays in shared memory, as they go to worker threads. */
export interface PriceArrays {
  /**
   * `TOKEN_RECORD` numbers a token: its last price before its market closed or resolved, NaN if there is none; and where
   * its marks begin and end in `marks`.
   */
  readonly tokens: Float64Array;
  /** Two numbers a mark, by token in order of date: the first date that it is for, and the price, until the next one. */
  readonly marks: Float64Array;
}

/** Numbers of the record of a token: no record lies in two lines of a cache. */
export const TOKEN_RECORD = 4;

/** What all wallets together earned, by number of the date; the benchmark of `alpha`. */
export interface Benchmark {
  /** Settled profit by USD bought, of all fills of the window whose payout was known; NaN without any. */
  readonly roi: Float64Array;
}

/** Fills of a job at most: a run can be stopped between two. */
const JOB_FILLS = 10_000_000;

const work: JobModule<PriceWork, readonly GroupOfFile[], FoundPrices> = {
  open: openPriceWork,
  url: new URL('./price-work.js', import.meta.url),
  database: false,
};

/**
 * Goes through all fills once.
 *
 * @param threads how many of the pool's there are
 * @param check called now and then; what it throws stops the work
 */
export async function readPrices(
  folder: string,
  setting: PriceSetting,
  { pool, threads, check }: { readonly pool: JobPool; readonly threads: number; readonly check: () => void },
): Promise<{ arrays: PriceArrays; benchmark: Benchmark }> {
  const files = parquetFiles(factFiles(folder).facts).map((path) => ({ path, bytes: statSync(path).size }));
  const groups = (
    await Promise.all(
      files.map(async ({ path, bytes }) =>
        (await readFactFile(path)).groups.map((group): GroupOfFile => ({ path, bytes, group })),
      ),
    )
  ).flat();
  const table = new PriceTable(setting);
  await pool.run(work, { ...setting, direct: areReadDirect(files) }, jobsOf(groups, threads), {
    take: (found) => table.take(found),
    onDone: check,
  });
  const found = table.found();
  return { arrays: arraysOf(found, setting.tokens), benchmark: { roi: benchmarkOf(found) } };
}

/** Groups in lots of about equal fills: one for each thread, or more if there are very many. */
function jobsOf(groups: readonly GroupOfFile[], threads: number): GroupOfFile[][] {
  const rows = groups.reduce((sum, { group }) => sum + group.rows, 0);
  const lots = threads * Math.max(1, Math.ceil(rows / (threads * JOB_FILLS)));
  const jobs: GroupOfFile[][] = Array.from({ length: lots }, () => []);
  let before = 0;
  for (const group of groups) {
    jobs[Math.floor((before / rows) * lots)]?.push(group);
    before += group.group.rows;
  }
  return jobs.filter((job) => job.length > 0);
}

function arraysOf({ cells, closing }: FoundPrices, count: number): PriceArrays {
  const tokens = sharedFloats(TOKEN_RECORD * count);
  const marks = sharedFloats(2 * cells.tokens.length);
  const next = placesOf(cells.tokens, count);
  for (let k = 0; k < count; k++) {
    const close = closing[2 * k] === 0 ? Number.NaN : (closing[2 * k + 1] as number);
    tokens.set([close, next[k] as number, next[k + 1] as number], TOKEN_RECORD * k);
  }
  for (const i of inOrderOf(cells.dates)) {
    const token = cells.tokens[i] as number;
    const at = next[token] as number;
    next[token] = at + 1;
    marks[2 * at] = cells.dates[i] as number;
    marks[2 * at + 1] = cells.marks[i] as number;
  }
  return { tokens, marks };
}

/** Where those of each number begin, if they lie side by side in order of their numbers; one more ends the last. */
function placesOf(numbers: Int32Array, count: number): Int32Array {
  const places = new Int32Array(count + 1);
  for (const number of numbers) places[number + 1] = (places[number + 1] as number) + 1;
  for (let k = 0; k < count; k++) places[k + 1] = (places[k + 1] as number) + (places[k] as number);
  return places;
}

/** Indices of dates, the earliest first. */
function inOrderOf(dates: Int32Array): Int32Array {
  const next = placesOf(dates, dates.reduce((most, date) => Math.max(most, date), -1) + 1);
  const order = new Int32Array(dates.length);
  dates.forEach((date, i) => {
    const at = next[date] as number;
    next[date] = at + 1;
    order[at] = i;
  });
  return order;
}

/** By date, from what each adds to the one before. */
function benchmarkOf({ earned, invested }: FoundPrices): Float64Array {
  let [gain, bill] = [0n, 0n];
  return Float64Array.from(earned, (more, q) => {
    gain += more;
    bill += invested[q] as bigint;
    return bill > 0n ? Number(gain) / (2 * Number(bill)) : Number.NaN;
  });
}
