/** What becomes of a wallet after a date: labels for learning, each with the moment at which it was known. */
import type { ColumnSpec } from '../tables/columns.ts';
import { copyToParquet, type Duck } from '../tables/duck.ts';
import { createNumberTable } from '../tables/stream.ts';
import { parseDuration } from '../tables/time.ts';
import { type Dates, datesOf } from './dates.ts';
import { type Extent, forEachWallet, prepare, readMarkets, type Sources } from './facts.ts';
import { makeSettler } from './positions.ts';
import type { ProfileOptions } from './profile.ts';
import { keyColumns, type NumberColumn, selectRows } from './rows.ts';

/** Labels after `wallet` and `asOf`, from fills in [asOf, asOf + horizon). */
export const targetColumns: readonly NumberColumn[] = [
  label('nextEdge', 'USD/share', 'Payout less all-in price, by shares, over positions that were settled in the data'),
  label('nextProfitable', 'indicator', '1 if those positions made a profit, 0 if not'),
  label('nextPnlUsd', 'USD', 'Profit of those positions after recorded fees'),
  label('nextVolumeUsd', 'USD', 'Bought and sold'),
  { ...label('nextTradeCount', 'fills', 'Fills'), type: 'INTEGER' },
  {
    name: 'labelEnd',
    role: 'labelEnd',
    description: 'When all labels of the row were known: the end of the window or the last resolution used',
    type: 'TIMESTAMP',
  },
];

function label(name: string, unit: string, description: string): NumberColumn {
  return { name, role: 'label', unit, description, type: 'DOUBLE' };
}

export interface TargetOptions extends ProfileOptions {
  /** Length of the window after each date, e.g. `30d`. */
  readonly horizon: string;
}

export interface TargetResult {
  readonly rows: number;
  /** Rows whose window reaches past the last trade; all their labels are unknown. */
  readonly censored: number;
  readonly extent: Extent;
  readonly dates: Dates;
}

/**
 * Writes the targets to `path` (Parquet, ORDER BY asOf, wallet): a row wherever `profileWallets` with the same options
 * has one. A window that the trades do not cover to its end has no labels: a part of it would look like a quiet wallet.
 */
export async function targetWallets(
  duck: Duck,
  sources: Sources,
  options: TargetOptions,
  path: string,
  onWallet: (done: number, total: number) => void,
): Promise<TargetResult> {
  const extent = await prepare(duck, sources);
  const dates = datesOf(options.asOf, extent.first, extent.last);
  const horizon = parseDuration(options.horizon);
  const markets = await readMarkets(duck, sources);
  const table = await createNumberTable(duck, 'targets', [...keyColumns, ...targetColumns.map((c) => c.name)]);
  const settler = makeSettler(markets);
  let censored = 0;
  await forEachWallet(duck, sources, extent, (fills) => {
    settler.load(fills);
    let begin = 0;
    let middle = 0;
    let end = 0;
    for (const asOf of dates.times) {
      while (begin < fills.count && (fills.time[begin] as number) < asOf - dates.lookback) begin++;
      while (middle < fills.count && (fills.time[middle] as number) < asOf) middle++;
      while (end < fills.count && (fills.time[end] as number) < asOf + horizon) end++;
      if (middle - begin < options.minTrades) continue;
      const windowEnd = asOf + horizon;
      if (windowEnd > extent.last) {
        censored++;
        table.append([asOf, fills.wallet, NaN, NaN, NaN, NaN, NaN, windowEnd]);
        continue;
      }
      const settled = settler.settle(middle, end, Number.POSITIVE_INFINITY);
      let volume = 0;
      for (let i = middle; i < end; i++) volume += fills.usd[i] as number;
      const profitable = Number.isNaN(settled.pnlUsd) ? NaN : Number(settled.pnlUsd > 0);
      const labelEnd = Number.isNaN(settled.knownAt) ? windowEnd : Math.max(windowEnd, settled.knownAt);
      table.append([
        asOf,
        fills.wallet,
        settled.edge,
        profitable,
        settled.pnlUsd,
        volume / 1e6,
        end - middle,
        labelEnd,
      ]);
    }
    onWallet(fills.wallet + 1, extent.wallets);
  });
  const rows = table.finish();
  const columns: readonly ColumnSpec[] = [
    { name: 'wallet', role: 'id', description: 'Address of the wallet' },
    { name: 'asOf', role: 'time', description: 'The labels describe what happened from this moment on' },
    ...targetColumns.map(({ type: _, ...spec }) => spec),
  ];
  await copyToParquet(duck, selectRows('targets', targetColumns), path, columns);
  return { rows, censored, extent, dates };
}
