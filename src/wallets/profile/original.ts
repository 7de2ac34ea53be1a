/**
 * Profiles by the formulas of the reference pipeline, their defects included, for comparison with it: as if its scripts
 * had been run on a dump that holds the fills of the window alone. The defects are named in docs/methods.md.
 */
import { factTable, isBuy } from '../../facts/layout.ts';
import type { Duck } from '../../tables/duck.ts';
import { DAY, HOUR } from '../../tables/time.ts';
import type { Dates } from '../dates.ts';
import type { NumberColumn } from '../rows.ts';
import type { MarketTable } from './market-table.ts';
import { atLeast } from './slots.ts';
import { type AddRows, eachWindow } from './windows.ts';

function feature(name: string, unit: string, description: string): NumberColumn {
  return { name, role: 'feature', unit, description, type: 'DOUBLE' };
}

/** Columns after `wallet` and `asOf`, by the reference's names. */
export const originalColumns: readonly NumberColumn[] = [
  feature('tenureDays', 'days', 'Whole days from the first fill of the window to the last fill of anyone in it'),
  feature('aggressionAvgUsd', 'USD', 'Mean size of a fill'),
  feature('frequencyTradesDaily', 'fills/day', 'Fills by tenureDays, at least one'),
  feature('domainFocusSportsPct', 'percent', 'Fills in markets whose slug or question holds a word of sports anywhere'),
  feature('domainFocusPoliticsPct', 'percent', 'The same of politics'),
  feature('domainFocusCryptoPct', 'percent', 'The same of crypto'),
  feature('diversificationMarketsCount', 'markets', 'Distinct markets'),
  feature('totalInvested', 'USD', 'Bought'),
  feature('totalNetPnl', 'USD', 'Sold less bought: payouts are left out'),
  feature('wins', 'markets', 'Markets with more sold than bought'),
  feature('uniqueMarkets', 'markets', 'Distinct markets again'),
  feature('avgTimeToImpactHours', 'hours', 'Mean over markets from creation to first fill; 0 if unknown'),
  feature('convictionAvgBuyUsd', 'USD', 'Mean size of a purchase; 0 without one'),
  feature('roiPct', 'percent', 'totalNetPnl by totalInvested; 0 if nothing was bought'),
  feature('winRatePct', 'percent', 'wins by uniqueMarkets'),
  feature('alphaScore', 'percent', 'roiPct less its unweighted mean over the wallets of the date'),
];

/** Why these profiles are for comparison only. */
export const originalDefects: readonly string[] = [
  'tenure runs to the last fill of the dump, so a wallet is new only if it began in its last days, and the pace of wallets that stopped is diluted',
  'words are matched inside other words (Netflix holds etf, Netherlands eth, software war), and shares of topics may sum to more than 100',
  'profit is what was sold less what was bought: positions held to their resolution count as lost, and sales of minted tokens as profit',
  'a win is a market with more sold than bought, for the same reason',
  'alpha subtracts the unweighted mean ROI of all wallets, which the smallest wallets dominate',
  'unknown ROI, win rate, size of purchases and time to impact are 0',
  'the number of markets is given twice',
];

export const ROI_COLUMN: number = originalColumns.findIndex(({ name }) => name === 'roiPct');

/** Time of the last fill of anyone before each date, microseconds; NaN if there is none. */
export async function lastFills(duck: Duck, facts: string, { times, every }: Dates): Promise<Float64Array> {
  const start = times[0] as number;
  const found = await duck.rows<{ date: number; last: number }>(
    `SELECT "date"::DOUBLE AS "date", max("time")::DOUBLE AS "last" FROM (
       SELECT "time", CASE WHEN "time" < ${start} THEN 0 ELSE ("time" - ${start}) // ${every} + 1 END AS "date"
       FROM ${factTable(facts)})
     WHERE "date" < ${times.length} GROUP BY "date" ORDER BY "date"`,
  );
  const result = new Float64Array(times.length).fill(Number.NaN);
  for (const { date, last } of found) result[date] = last;
  for (let q = 1; q < times.length; q++) if (Number.isNaN(result[q])) result[q] = result[q - 1] as number;
  return result;
}

/** @param ends times of the last fills before the dates, see `lastFills` */
export function makeOriginalWindows(
  markets: MarketTable,
  dates: Dates,
  ends: Float64Array,
  minTrades: number,
): AddRows {
  let net = new Float64Array(0);
  let seen = new Uint8Array(0);
  let touched = new Int32Array(0);
  return (view, rows) => {
    net = atLeast(net, view.markets);
    seen = atLeast(seen, view.markets);
    touched = atLeast(touched, view.markets);
    eachWindow(view, dates, minTrades, (q, _, begin, end) => {
      let bought = 0;
      let buys = 0;
      let sold = 0;
      let count = 0;
      let delays = 0;
      let delayed = 0;
      let politics = 0;
      let sports = 0;
      let crypto = 0;
      for (let i = begin; i < end; i++) {
        const slot = view.market[i] as number;
        const market = view.marketOf[slot] as number;
        const usd = view.usd[i] as number;
        const topics = markets.topics[market] as number;
        if (seen[slot] === 0) {
          seen[slot] = 1;
          touched[count++] = slot;
          const created = markets.createdAt[market] as number;
          if (!Number.isNaN(created)) {
            delays += (view.time[i] as number) - created;
            delayed++;
          }
        }
        if (isBuy(view.flags[i] as number) === 1) {
          buys++;
          bought += usd;
          net[slot] = (net[slot] as number) - usd;
        } else {
          sold += usd;
          net[slot] = (net[slot] as number) + usd;
        }
        politics += topics & 1;
        sports += (topics >> 1) & 1;
        crypto += (topics >> 2) & 1;
      }
      let wins = 0;
      for (let j = 0; j < count; j++) {
        const slot = touched[j] as number;
        if ((net[slot] as number) > 0) wins++;
        net[slot] = 0;
        seen[slot] = 0;
      }
      const n = end - begin;
      const tenure = Math.floor(((ends[q] as number) - (view.time[begin] as number)) / DAY);
      let at = rows.add(q);
      const { values } = rows;
      // In the order of `originalColumns`.
      values[at++] = tenure;
      values[at++] = (bought + sold) / 1e6 / n;
      values[at++] = n / Math.max(1, tenure);
      values[at++] = (100 * sports) / n;
      values[at++] = (100 * politics) / n;
      values[at++] = (100 * crypto) / n;
      values[at++] = count;
      values[at++] = bought / 1e6;
      values[at++] = (sold - bought) / 1e6;
      values[at++] = wins;
      values[at++] = count;
      values[at++] = delayed > 0 ? delays / HOUR / delayed : 0;
      values[at++] = buys > 0 ? bought / 1e6 / buys : 0;
      values[at++] = bought > 0 ? (100 * (sold - bought)) / bought : 0;
      values[at++] = (100 * wins) / count;
      // Filled in when the mean over all wallets is known.
      values[at] = Number.NaN;
    });
  };
}
