/** One row a wallet and date: what the columns of a profile hold. */

import type { Facts } from '../../facts/fact-reader.ts';
import type { FactColumn } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import { makeKernels } from '../../kernels/kernels.ts';
import { DAY } from '../../tables/time.ts';
import type { Dates } from '../dates.ts';
import { Activity } from './activity.ts';
import { Counterparties } from './counterparties.ts';
import { makeHolding } from './holding.ts';
import type { BucketRows } from './output.ts';
import type { PriceArrays } from './prices.ts';
import { type Settlement, Settler } from './settlement.ts';
import { factsRead, type ProfileFactColumn, WalletViewer } from './wallet-view.ts';

/** What all wallets are measured with. */
export interface WindowSetting {
  /** See market-records.ts. */
  readonly markets: Float64Array;
  readonly dates: Dates;
  readonly prices: PriceArrays;
  /** Benchmark of `alpha` by number of the date. */
  readonly benchmark: Float64Array;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
  /** Fills of the busiest wallet. */
  readonly mostFills: number;
  /** Microseconds by number of the wallet, NaN where unknown; undefined without a table of funding. */
  readonly fundedAt: Float64Array | undefined;
}

/** Adds the rows of one wallet, whose fills lie from `from` to `to` (exclusive) in the facts of a bucket. */
export type AddRows<Column extends FactColumn> = (
  facts: Facts<Column>,
  from: number,
  to: number,
  rows: BucketRows,
) => void;

/** Measures the wallets of one bucket after the other. */
export interface WindowMeasure<Column extends FactColumn> {
  /** What it needs of facts. */
  readonly columns: readonly Column[];
  /** Arrays with room for the facts of the next bucket, if it needs them in a certain place. */
  readonly factsFor?: (fills: number) => Facts<Column>;
  readonly addRows: AddRows<Column>;
}

/** Where the fills of each wallet of a bucket begin; one more number ends the last. */
export function firstFills(facts: Facts<'wallet'>, { from, to }: Bucket): Int32Array {
  const begins = new Int32Array(to - from + 1);
  let wallet = from;
  for (let i = 0; i < facts.rows; i++) {
    while (wallet <= (facts.wallet[i] as number)) begins[wallet++ - from] = i;
  }
  while (wallet <= to) begins[wallet++ - from] = facts.rows;
  return begins;
}

/** Calls `visit` with the fills in the window of each date that has enough of those from `from` to `to` (exclusive). */
export function eachWindow(
  time: Float64Array,
  from: number,
  to: number,
  { times, lookback }: Dates,
  minTrades: number,
  visit: (date: number, asOf: number, begin: number, end: number) => void,
): void {
  let begin = from;
  let end = from;
  for (let q = 0; q < times.length; q++) {
    const asOf = times[q] as number;
    while (begin < to && (time[begin] as number) < asOf - lookback) begin++;
    while (end < to && (time[end] as number) < asOf) end++;
    if (end - begin >= minTrades) visit(q, asOf, begin, end);
  }
}

/** Measures by our own definitions: the columns `profileColumns`. */
export function makeWindows(setting: WindowSetting): WindowMeasure<ProfileFactColumn> {
  const { markets, dates, benchmark, minTrades, fundedAt } = setting;
  const kernels = makeKernels();
  const viewer = new WalletViewer(kernels, markets, dates, setting.mostFills);
  const activity = new Activity(kernels, viewer.fills);
  const others = new Counterparties(kernels, viewer.fills);
  const settler = new Settler(kernels, viewer.fills, setting.prices);
  viewer.reserve([activity, others, settler]);
  const holding = makeHolding(dates);
  const window = dates.lookback / DAY;
  const addRows: AddRows<ProfileFactColumn> = (_, from, to, rows) => {
    const view = viewer.take(from, to);
    if (view.count < minTrades) return;
    activity.load();
    settler.load(view);
    holding.load(view);
    others.load();
    const { numbers: described } = activity;
    const { numbers: othersShares } = others;
    const funded = fundedAt === undefined ? Number.NaN : (fundedAt[view.wallet] as number);
    let settled: Settlement;
    let lastBegin = -1;
    let lastEnd = -1;
    eachWindow(view.time, 0, view.count, dates, minTrades, (q, asOf, begin, end) => {
      // Most wallets trade seldom: two windows of three hold the same fills as the one before.
      const moved = begin !== lastBegin || end !== lastEnd;
      lastBegin = begin;
      lastEnd = end;
      if (moved) {
        activity.moveTo(begin, end);
        others.measure(begin, end);
      }
      if (moved || settled.changesAfter < asOf) settled = settler.settle(begin, end, asOf, q);
      else if (settled.open) settler.markAgain(q);
      const tenure = (asOf - view.firstAt) / DAY;
      if (settled.settled > 0) rows.settled[q] = (rows.settled[q] as number) + 1;
      let at = rows.add(q);
      const { values } = rows;
      // In the order of `profileColumns`.
      values[at++] = tenure;
      const trades = described[0] as number;
      values[at++] = trades;
      values[at++] = trades / Math.min(window, Math.max(1, tenure));
      for (let k = 1; k < described.length; k++) values[at++] = described[k] as number;
      values[at++] = holding.daysAt(q);
      values[at++] = settled.pnlUsd;
      values[at++] = settled.settled;
      values[at++] = settled.wins;
      values[at++] = settled.winRate;
      values[at++] = settled.edge;
      values[at++] = settled.edgeStandardError;
      values[at++] = settled.edgeEffectiveEvents;
      values[at++] = settled.edgeByPosition;
      values[at++] = settled.roi;
      values[at++] = settled.roi - (benchmark[q] as number);
      values[at++] = settled.largestEventPnlShare;
      values[at++] = settled.pnlHerfindahl;
      values[at++] = settled.closingLineValue;
      for (let k = 0; k < othersShares.length; k++) values[at++] = othersShares[k] as number;
      values[at++] = funded < asOf ? (asOf - funded) / DAY : Number.NaN;
      values[at++] = settled.markedPnlUsd;
      values[at] = settled.unsettled;
    });
  };
  return { columns: factsRead, factsFor: (fills) => viewer.factsFor(fills), addRows };
}
