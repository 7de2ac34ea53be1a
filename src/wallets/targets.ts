/** What becomes of a wallet after a date: labels for learning, each with the moment at which it was known. */
import type { ColumnSpec } from '../tables/columns.ts';
import { copyToParquet, type Duck } from '../tables/duck.ts';
import { createNumberTable, type NumberTable, streamNumbers } from '../tables/stream.ts';
import { parseDuration } from '../tables/time.ts';
import type { AsOf } from './as-of.ts';
import { type Dates, datesOf } from './dates.ts';
import { type Extent, forEachWallet, prepare, readMarkets, type Sources } from './facts.ts';
import { keyColumns, selectRows } from './rows.ts';
import { type KnownWhen, type TargetFamily, targetColumnsOf, targets } from './targets/columns.ts';
import { type DateRows, type FinishedDate, finishDate, TargetSummaries, type TargetSummary } from './targets/finish.ts';
import { readPricePaths } from './targets/price-paths.ts';
import { makeWindowMeasurer } from './targets/window.ts';

export interface TargetOptions {
  readonly asOf: AsOf;
  /** Wallets with fewer fills in the look-back have no row. */
  readonly minTrades: number;
  /** Length of the window after each date, e.g. `30d`. */
  readonly horizon: string;
  /** Default: `outcomes`. */
  readonly families?: readonly TargetFamily[];
  /** Whether to write what each target was on the look-back. */
  readonly baselines?: boolean;
  /**
   * How long after the window an outcome may become known and count. Null: however late, and then a row may lack what
   * was not settled by the end of the data.
   */
  readonly settleWithin?: string | null;
  /** Spans of the path before a fill that style is told by. */
  readonly style?: { readonly recent: string; readonly trend: string };
  /** How long after a fill its influence is looked for. */
  readonly influenceWindow?: string;
  /** How long before the outcome is public the closing price is taken. */
  readonly closingLead?: string;
}

export interface TargetResult {
  readonly rows: number;
  /** Rows whose window reaches past the last trade; all their labels are unknown. */
  readonly censored: number;
  /** Rows whose window has passed, but not the time in which their positions may settle. */
  readonly unsettled: number;
  readonly extent: Extent;
  readonly dates: Dates;
  /** Targets of the families asked for. */
  readonly summaries: readonly TargetSummary[];
}

/**
 * Writes the targets to `path` (Parquet, ORDER BY asOf, wallet): a row wherever `profileWallets` with the same dates and
 * `minTrades` has one. A label that the data do not cover to its end is null: a part of a window would look like a quiet
 * wallet. The table `targets` stays in DuckDB.
 */
export async function targetWallets(
  duck: Duck,
  sources: Sources,
  options: TargetOptions,
  path: string,
  onWallet: (done: number, total: number) => void,
): Promise<TargetResult> {
  const { families = ['outcomes'], baselines = false, settleWithin = null } = options;
  const extent = await prepare(duck, sources);
  const dates = datesOf(options.asOf, extent.first, extent.last);
  const horizon = parseDuration(options.horizon);
  const wait = settleWithin === null ? Number.POSITIVE_INFINITY : parseDuration(settleWithin);
  const markets = await readMarkets(duck, sources);
  const paths = await readPricePaths(duck, sources, markets);
  const measurer = makeWindowMeasurer(markets, paths, {
    families,
    spans: {
      recent: parseDuration(options.style?.recent ?? '1d'),
      trend: parseDuration(options.style?.trend ?? '7d'),
      influence: parseDuration(options.influenceWindow ?? '1h'),
    },
    closingLead: parseDuration(options.closingLead ?? '2h'),
    first: extent.first,
    last: extent.last,
    wallets: extent.wallets,
  });
  const values = targets.map(({ name }) => name);
  const pasts = baselines ? values.map((name) => `past ${name}`) : [];
  const measured = await createNumberTable(duck, 'measured_targets', [...keyColumns, 'settledAt', ...values, ...pasts]);
  await forEachWallet(duck, sources, extent, (fills) => {
    measurer.load(fills);
    let [begin, middle, end] = [0, 0, 0];
    for (const asOf of dates.times) {
      const from = asOf - dates.lookback;
      const to = asOf + horizon;
      while (begin < fills.count && (fills.time[begin] as number) < from) begin++;
      while (middle < fills.count && (fills.time[middle] as number) < asOf) middle++;
      while (end < fills.count && (fills.time[end] as number) < to) end++;
      if (middle - begin < options.minTrades) continue;
      const next = measurer.measure({ begin: middle, end, from: asOf, to, deadline: to + wait });
      const settled = next.pending && wait !== Number.POSITIVE_INFINITY ? to + wait : next.settledAt;
      // Of a window that the data do not cover nothing is said, and so nothing waits for settlement.
      const known = to > extent.last || Number.isNaN(settled) ? to : Math.max(to, settled);
      const past = baselines
        ? measurer.measure({ begin, end: middle, from, to: asOf, deadline: asOf }).values
        : new Float64Array(0);
      measured.append([asOf, fills.wallet, known, ...next.values, ...past]);
    }
    onWallet(fills.wallet + 1, extent.wallets);
  });
  const rows = measured.finish();
  const chosen = targets.map(({ family }) => families.includes(family));
  const known = new Set<KnownWhen>(targets.filter((_, t) => chosen[t]).map((target) => target.known));
  const columns = targetColumnsOf(families, baselines);
  const table = await createNumberTable(duck, 'targets', [...keyColumns, ...columns.map((c) => c.name)]);
  const summaries = new TargetSummaries();
  const counts = { censored: 0, unsettled: 0 };
  const settlementKnown = settleWithin === null ? Number.POSITIVE_INFINITY : extent.last;
  const finish = (asOf: number, date: DateRows): void => {
    const finished = finishDate(date, extent.last, settlementKnown, horizon / dates.lookback);
    summaries.add(finished);
    if (date.windowEnd > extent.last) counts.censored += date.wallets.length;
    else for (const at of date.settledAt) if (at > settlementKnown) counts.unsettled++;
    appendDate(table, asOf, date, finished, { chosen, known, baselines });
  };
  await forEachDate(duck, rows, horizon, baselines, finish);
  table.finish();
  await duck.run('DROP TABLE measured_targets');
  const specs: readonly ColumnSpec[] = [
    { name: 'wallet', role: 'id', description: 'Address of the wallet' },
    { name: 'asOf', role: 'time', description: 'The labels describe what happened from this moment on' },
    ...columns.map(({ type: _, ...spec }) => spec),
  ];
  await copyToParquet(duck, selectRows('targets', columns), path, specs);
  return { rows, ...counts, extent, dates, summaries: summaries.all().filter((_, t) => chosen[t]) };
}

/** Reads the measured rows back, a date at a time. */
async function forEachDate(
  duck: Duck,
  rows: number,
  horizon: number,
  baselines: boolean,
  visit: (asOf: number, date: DateRows) => void,
): Promise<void> {
  let current = Number.NaN;
  let wallets: number[] = [];
  let settledAt: number[] = [];
  let values: number[][] = [];
  const finish = (): void => {
    if (wallets.length === 0) return;
    const columns = values.map((column) => Float64Array.from(column));
    const [next, past] = [columns.slice(0, targets.length), columns.slice(targets.length)];
    visit(current, { wallets, windowEnd: current + horizon, settledAt, next, past: baselines ? past : [] });
  };
  const sql = 'SELECT * FROM measured_targets ORDER BY "asOf", walletId';
  await streamNumbers(duck, sql, rows, (columns, count) => {
    for (let i = 0; i < count; i++) {
      const [asOf, wallet, settled] = columns.map((column) => column[i] as number) as [number, number, number];
      if (asOf !== current) {
        finish();
        current = asOf;
        [wallets, settledAt] = [[], []];
        values = columns.slice(3).map(() => []);
      }
      wallets.push(wallet);
      settledAt.push(settled);
      for (let c = 3; c < columns.length; c++) values[c - 3]?.push(columns[c]?.[i] as number);
    }
  });
  finish();
}

interface Layout {
  readonly chosen: readonly boolean[];
  readonly known: ReadonlySet<KnownWhen>;
  readonly baselines: boolean;
}

/** Appends the finished rows of a date, in the order of `targetColumnsOf`. */
function appendDate(table: NumberTable, asOf: number, date: DateRows, finished: FinishedDate, layout: Layout): void {
  const { known, baselines } = layout;
  const chosen = (columns: readonly Float64Array[], row: number): number[] =>
    columns.filter((_, t) => layout.chosen[t]).map((column) => column[row] as number);
  date.wallets.forEach((wallet, row) => {
    const settled = date.settledAt[row] as number;
    table.append([
      asOf,
      wallet,
      ...chosen(finished.next, row),
      finished.labelEnd(row, known),
      ...(baselines ? [date.windowEnd, settled, ...chosen(finished.past, row)] : []),
    ]);
  });
}
