/** The quick pass over one bucket of wallets that only sums up their ROI, for parts that are written with it. */

import { FactReader, type Facts } from '../../facts/fact-reader.ts';
import { isBuy } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import type { JobTools, JobWork } from '../../tables/jobs.ts';
import type { Dates } from '../dates.ts';
import { addRoi, noRoiSums, type RoiSums, roiPctOf } from './roi-sums.ts';
import { eachWindow, firstFills } from './windows.ts';

export interface RoiWork {
  readonly facts: string;
  readonly dates: Dates;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
}

const factsRead = ['wallet', 'time', 'usd', 'flags'] as const;
type RoiFacts = Facts<(typeof factsRead)[number]>;

/** Prepares a worker thread; its function does one bucket after the other in the same arrays. */
export default function openRoiBucket(work: RoiWork, _tools: JobTools): Promise<JobWork<Bucket, RoiSums>> {
  const reader = new FactReader(work.facts);
  let facts: RoiFacts | undefined;
  return Promise.resolve(async (bucket) => {
    facts = await reader.read(bucket, factsRead, facts);
    const begins = firstFills(facts, bucket);
    const sums = noRoiSums(work.dates.times.length);
    for (let w = 0; w < bucket.to - bucket.from; w++)
      addWallet(facts, begins[w] as number, begins[w + 1] as number, work, sums);
    return sums;
  });
}

/** Counts the windows of one wallet. Amounts are whole: what leaves a window takes away exactly what it brought. */
function addWallet(facts: RoiFacts, from: number, to: number, { dates, minTrades }: RoiWork, sums: RoiSums): void {
  let bought = 0;
  let sold = 0;
  const count = (i: number, by: number): void => {
    const amount = by * (facts.usd[i] as number);
    if (isBuy(facts.flags[i] as number) === 1) bought += amount;
    else sold += amount;
  };
  // The window that the sums are of.
  let first = from;
  let after = from;
  eachWindow(facts.time, from, to, dates, minTrades, (q, _, begin, end) => {
    for (let i = first; i < Math.min(begin, after); i++) count(i, -1);
    for (let i = Math.max(begin, after); i < end; i++) count(i, 1);
    first = begin;
    after = end;
    addRoi(sums, q, roiPctOf(bought, sold));
  });
}
