/** Profiles of wallets as of dates: one pass over each wallet's fills for all dates. */
import type { ColumnSpec } from '../tables/columns.ts';
import { copyToParquet, type Duck } from '../tables/duck.ts';
import { createNumberTable } from '../tables/stream.ts';
import { DAY } from '../tables/time.ts';
import { makeActivity } from './activity.ts';
import { type AsOf, type Dates, datesOf } from './dates.ts';
import { type Extent, forEachWallet, type MarketFacts, prepare, readMarkets, type Sources } from './facts.ts';
import { readMarks } from './marks.ts';
import { makeSettler } from './positions.ts';
import { keyColumns, type NumberColumn, selectRows } from './rows.ts';

/** Columns of a profile after `wallet` and `asOf`. All describe the window [asOf - lookback, asOf) unless they say more. */
export const profileColumns: readonly NumberColumn[] = [
  feature('tenureDays', 'days', 'Time since the first fill of the wallet ever seen'),
  { ...feature('tradeCount', 'fills', 'Fills in the window'), type: 'INTEGER' },
  feature(
    'tradesPerDay',
    'fills/day',
    'Fills by the days observed: the window, or the tenure if shorter, at least one',
  ),
  feature('aggressionMeanUsd', 'USD', 'Mean size of a fill'),
  feature('aggressionMaxUsd', 'USD', 'Largest fill'),
  { ...feature('activeDays', 'days', 'UTC days with a fill'), type: 'INTEGER' },
  { ...feature('marketCount', 'markets', 'Distinct markets'), type: 'INTEGER' },
  { ...feature('eventCount', 'events', 'Distinct events'), type: 'INTEGER' },
  feature('domainPoliticsShare', 'share', 'Fills in politics'),
  feature('domainSportsShare', 'share', 'Fills in sports'),
  feature('domainCryptoShare', 'share', 'Fills in crypto'),
  feature('domainOtherShare', 'share', 'Fills in other or unlisted markets'),
  feature('domainFocus', 'index', 'Sum of the squared domain shares; 1 is a single domain'),
  feature('diversification', 'index', '1 less the sum of squared shares of USD by event; 0 is a single event'),
  feature('netFlowUsd', 'USD', 'Sold less bought, before fees'),
  feature('investedUsd', 'USD', 'Bought, before fees'),
  feature('buyShare', 'share', 'Fills that buy'),
  feature('meanPrice', 'USD/share', 'USD by shares over all fills'),
  feature('longshotShare', 'share', 'Purchases below 0.20 USD a share; unknown without a purchase'),
  feature('makerShare', 'share', 'Maker fills among those whose role is known'),
  feature('burstiness', 'ratio', 'Standard deviation of gaps between fills by their mean; unknown below three gaps'),
  feature('hourEntropy', 'share', 'Entropy of the UTC hours of fills by that of 24 equal hours'),
  feature('sizeVariation', 'ratio', 'Standard deviation of sizes by their mean; unknown below two fills'),
  feature(
    'settledPnlUsd',
    'USD',
    'Profit after recorded fees of positions whose resolution was known; unknown without one',
  ),
  { ...feature('settledPositions', 'positions', 'Positions whose resolution was known'), type: 'INTEGER' },
  feature('winRate', 'share', 'Settled positions with a profit'),
  feature('edge', 'USD/share', 'Payout less all-in price, by shares, over settled positions'),
  feature('edgeStandardError', 'USD/share', 'Standard error of the edge, clustered by event; unknown below two events'),
  feature('roi', 'ratio', 'Settled profit by the USD bought in settled positions'),
  {
    ...feature(
      'markedPnlUsd',
      'USD',
      'Profit with tokens still held at their last price before the date; never mixed with settled profit',
    ),
    role: 'info',
  },
  { ...feature('unsettledPositions', 'positions', 'Positions whose resolution was not known'), type: 'INTEGER' },
];

function feature(name: string, unit: string, description: string): NumberColumn {
  return { name, role: 'feature', unit, description, type: 'DOUBLE' };
}

export interface ProfileOptions {
  readonly asOf: AsOf;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
}

/** What was made, for metrics and figures. The table `profiles` stays in DuckDB, markets and dates are as read. */
export interface ProfileResult {
  readonly rows: number;
  readonly extent: Extent;
  readonly dates: Dates;
  readonly markets: MarketFacts;
}

/** Writes the profiles of all wallets and dates to `path` (Parquet, ORDER BY asOf, wallet). */
export async function profileWallets(
  duck: Duck,
  sources: Sources,
  options: ProfileOptions,
  path: string,
  onWallet: (done: number, total: number) => void,
): Promise<ProfileResult> {
  const extent = await prepare(duck, sources);
  const dates = datesOf(options.asOf, extent.first, extent.last);
  const markets = await readMarkets(duck, sources);
  const marks = await readMarks(duck, sources, markets, dates);
  const table = await createNumberTable(duck, 'profiles', [...keyColumns, ...profileColumns.map((c) => c.name)]);
  const describe = makeActivity(markets);
  const settler = makeSettler(markets);
  const row = new Float64Array(keyColumns.length + profileColumns.length);
  await forEachWallet(duck, sources, extent, (fills) => {
    settler.load(fills);
    let begin = 0;
    let end = 0;
    for (let q = 0; q < dates.times.length; q++) {
      const asOf = dates.times[q] as number;
      while (begin < fills.count && (fills.time[begin] as number) < asOf - dates.lookback) begin++;
      while (end < fills.count && (fills.time[end] as number) < asOf) end++;
      if (end - begin < options.minTrades) continue;
      const activity = describe(fills, begin, end);
      const settled = settler.settle(begin, end, asOf, (token) => marks.priceAt(token, q));
      const tenure = (asOf - (fills.time[0] as number)) / DAY;
      const observed = Math.min(dates.lookback / DAY, Math.max(1, tenure));
      // In the order of `profileColumns`.
      row.set([
        asOf,
        fills.wallet,
        tenure,
        activity.trades,
        activity.trades / observed,
        activity.meanUsd,
        activity.maxUsd,
        activity.activeDays,
        activity.markets,
        activity.events,
        ...activity.categoryShares,
        activity.domainFocus,
        activity.diversification,
        activity.soldUsd - activity.boughtUsd,
        activity.boughtUsd,
        activity.buyShare,
        activity.meanPrice,
        activity.longshotShare,
        activity.makerShare,
        activity.burstiness,
        activity.hourEntropy,
        activity.sizeVariation,
        settled.pnlUsd,
        settled.settled,
        settled.winRate,
        settled.edge,
        settled.edgeStandardError,
        settled.roi,
        settled.markedPnlUsd,
        settled.unsettled,
      ]);
      table.append(row);
    }
    onWallet(fills.wallet + 1, extent.wallets);
  });
  const rows = table.finish();
  const columns: readonly ColumnSpec[] = [
    { name: 'wallet', role: 'id', description: 'Address of the wallet' },
    { name: 'asOf', role: 'time', description: 'Only what was knowable strictly before this moment enters the row' },
    ...profileColumns.map(({ type: _, ...spec }) => spec),
  ];
  await copyToParquet(duck, selectRows('profiles', profileColumns), path, columns);
  return { rows, extent, dates, markets };
}
