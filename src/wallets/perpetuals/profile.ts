/** Features of wallets on a perpetual exchange as of dates: one pass over each wallet's fills for all dates. */
import type { ColumnSpec } from '../../tables/columns.ts';
import { copyToParquet, type Duck, identifier } from '../../tables/duck.ts';
import { createNumberTable, nullIfNaN, streamNumbers } from '../../tables/stream.ts';
import type { AsOf } from '../as-of.ts';
import { type Dates, datesOf } from '../dates.ts';
import { activity } from './activity.ts';
import { candles } from './candles.ts';
import { count, type Feature, type FillField, type Fills, feature, fillFields, type Group } from './columns.ts';
import { market } from './market.ts';
import { makePositions } from './positions.ts';
import {
  type ContextOptions,
  type Extent,
  fillStream,
  type PerpetualSources,
  prepareContexts,
  prepareFills,
  prepareTransactions,
} from './prepare.ts';
import { scores } from './scores.ts';

/** Of the EVM chain, where its transactions were recorded. */
const chainFeatures: readonly Feature[] = [
  count('evmTransactionCount', 'transactions', 'Transactions that the wallet sent on the EVM chain'),
  count('contractInteractionCount', 'transactions', 'Those that call or create a contract'),
  feature('evmValueHype', 'HYPE', 'Value sent with them'),
];

const groups = (): readonly Group[] => [activity, market, scores, candles, makePositions()];

/** All features after `wallet` and `asOf`, in their order. */
export const perpetualFeatures: readonly Feature[] = [...groups().flatMap(({ columns }) => columns), ...chainFeatures];

export interface PerpetualOptions extends ContextOptions {
  readonly asOf: AsOf;
  /** Wallets with fewer fills in the window have no row. */
  readonly minFills: number;
}

/** What was made. The table `features` stays in DuckDB: asOf, wallet (its number), then features. */
export interface PerpetualResult {
  readonly rows: number;
  readonly extent: Extent;
  readonly dates: Dates;
  /** Rows of fills and context that were merged. */
  readonly merged: number;
}

/** Writes the features of all wallets and dates to `path` (Parquet, ORDER BY asOf, wallet). */
export async function profilePerpetuals(
  duck: Duck,
  sources: PerpetualSources,
  options: PerpetualOptions,
  path: string,
  onWallet: (done: number, total: number) => void,
): Promise<PerpetualResult> {
  const extent = await prepareFills(duck, sources);
  const dates = datesOf(options.asOf, extent.first, extent.last);
  const { steps } = await prepareContexts(duck, sources, options);
  await prepareTransactions(duck, sources, dates.times, dates.lookback);
  const made = groups();
  const names = made.flatMap(({ columns }) => columns.map(({ name }) => name));
  const table = await createNumberTable(duck, 'features', ['asOf', 'wallet', ...names]);
  await forEachWallet(duck, extent, options.impactHorizon, (fills) => {
    for (const group of made) group.load?.(fills);
    const { knowableAt, wallet } = fills.of;
    let [begin, end] = [0, 0];
    for (const asOf of dates.times) {
      while (begin < fills.count && (knowableAt[begin] as number) < asOf - dates.lookback) begin++;
      while (end < fills.count && (knowableAt[end] as number) < asOf) end++;
      if (end - begin < options.minFills) continue;
      const window = { fills, begin, end, asOf, lookback: dates.lookback };
      table.append([asOf, wallet[0] as number, ...made.flatMap(({ values }) => values(window))]);
    }
    onWallet((wallet[0] as number) + 1, extent.wallets);
  });
  const rows = table.finish();
  const columns: readonly ColumnSpec[] = [
    { name: 'wallet', role: 'id', description: 'Address of the wallet' },
    { name: 'asOf', role: 'time', description: 'Only what was known strictly before this moment enters the row' },
    ...perpetualFeatures.map(({ type: _, ...spec }) => spec),
  ];
  await copyToParquet(duck, selectRows(), path, columns);
  return { rows, extent, dates, merged: steps };
}

/** SQL for the finished rows. */
function selectRows(): string {
  const own = groups().flatMap(({ columns }) =>
    columns.map(({ name, type }) => `(${nullIfNaN(name)})::${type} AS ${identifier(name)}`),
  );
  const looked = (value: string): string => `CASE WHEN d."asOf" IS NOT NULL THEN coalesce(${value}, 0) END`;
  return `SELECT w.wallet, make_timestamp(r."asOf"::BIGINT) AS "asOf", ${own.join(', ')},
      ${looked('n')}::INTEGER AS evmTransactionCount, ${looked('calls')}::INTEGER AS contractInteractionCount,
      ${looked('hype')} AS evmValueHype
    FROM features r JOIN wallet_ids w ON w.id = r.wallet
      LEFT JOIN chain_dates d ON d."asOf" = r."asOf"
      LEFT JOIN chain_rows e ON e."asOf" = r."asOf" AND e.walletId = r.wallet
    ORDER BY r."asOf", w.wallet`;
}

/** Calls `visit` with the fills of each wallet, in the order of their numbers. The arrays are used again. */
async function forEachWallet(
  duck: Duck,
  extent: Extent,
  impactHorizon: number,
  visit: (fills: Fills) => void,
): Promise<void> {
  let room = 1024;
  let columns = fillFields.map(() => new Float64Array(room));
  let filled = 0;
  let current = Number.NaN;
  const done = (): void => {
    if (filled === 0) return;
    const of = Object.fromEntries(fillFields.map((name, c) => [name, columns[c]])) as Record<FillField, Float64Array>;
    visit({ count: filled, of });
    filled = 0;
  };
  await streamNumbers(duck, fillStream(impactHorizon), extent.fills, (chunk, rows) => {
    for (let i = 0; i < rows; i++) {
      const wallet = (chunk[0] as Float64Array)[i] as number;
      if (wallet !== current) {
        done();
        current = wallet;
      }
      if (filled === room) {
        room *= 2;
        columns = columns.map((old) => {
          const grown = new Float64Array(room);
          grown.set(old);
          return grown;
        });
      }
      for (let c = 0; c < columns.length; c++)
        (columns[c] as Float64Array)[filled] = (chunk[c] as Float64Array)[i] as number;
      filled++;
    }
  });
  done();
}
