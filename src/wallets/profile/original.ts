/**
 * Profiles by the formulas of the reference pipeline, their defects included, for comparison with it: as if its scripts
 * had been run on a dump that holds the fills of the window alone. The defects are named in docs/methods.md.
 */
import { FathomError } from '../../errors.ts';
import { factTable, isBuy } from '../../facts/layout.ts';
import type { Duck } from '../../tables/duck.ts';
import { DAY, HOUR } from '../../tables/time.ts';
import type { Dates } from '../dates.ts';
import type { NumberColumn } from '../rows.ts';
import type { MarketTable } from './market-table.ts';
import { roiPctOf } from './roi-sums.ts';
import { type AddRows, eachWindow, type WindowMeasure } from './windows.ts';

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

/**
 * Time of the last fill of anyone before each date, microseconds; NaN if there is none.
 *
 * @param last time of the last fill of all
 */
export async function lastFills(
  duck: Duck,
  facts: string,
  { times, every }: Dates,
  last: number,
): Promise<Float64Array> {
  const start = times[0] as number;
  if (last < start) return new Float64Array(times.length).fill(last);
  const found = await duck.rows<{ date: number; last: number }>(
    `SELECT "date"::DOUBLE AS "date", max("time")::DOUBLE AS "last" FROM (
       SELECT "time", CASE WHEN "time" < ${start} THEN 0 ELSE ("time" - ${start}) // ${every} + 1 END AS "date"
       FROM ${factTable(facts)})
     WHERE "date" < ${times.length} GROUP BY "date" ORDER BY "date"`,
  );
  const result = new Float64Array(times.length).fill(Number.NaN);
  for (const { date, last: time } of found) result[date] = time;
  for (let q = 1; q < times.length; q++) if (Number.isNaN(result[q])) result[q] = result[q - 1] as number;
  return result;
}

export interface OriginalSetting {
  readonly markets: MarketTable;
  readonly dates: Dates;
  /** Times of the last fills before the dates, see `lastFills`. */
  readonly ends: Float64Array;
  /** Mean roiPct by number of the date. While it is not known, alphaScore is left out. */
  readonly means: Float64Array | undefined;
  /** Wallets with fewer fills in the window have no row. */
  readonly minTrades: number;
}

const factsRead = ['wallet', 'market', 'time', 'usd', 'flags'] as const;
type OriginalFactColumn = (typeof factsRead)[number];

/** Measures by the original definitions: the columns `originalColumns`. */
export function makeOriginalWindows(setting: OriginalSetting): WindowMeasure<OriginalFactColumn> {
  const { markets, dates, ends, means, minTrades } = setting;
  // By number of the market, and the markets of a window by their first fill.
  const net = new Float64Array(markets.count);
  const seen = new Uint8Array(markets.count);
  const touched = new Int32Array(markets.count);
  const addRows: AddRows<OriginalFactColumn> = (facts, from, to, rows) => {
    let bought = 0;
    let buys = 0;
    let sold = 0;
    let count = 0;
    let wins = 0;
    let delays = 0;
    let delayed = 0;
    let politics = 0;
    let sports = 0;
    let crypto = 0;
    const measure = (begin: number, end: number): void => {
      bought = buys = sold = count = wins = delays = delayed = politics = sports = crypto = 0;
      for (let i = begin; i < end; i++) {
        const market = facts.market[i] as number;
        const usd = facts.usd[i] as number;
        const topics = markets.topics[market] as number;
        if (seen[market] === 0) {
          seen[market] = 1;
          touched[count++] = market;
          const created = markets.createdAt[market] as number;
          if (!Number.isNaN(created)) {
            delays += (facts.time[i] as number) - created;
            delayed++;
          }
        }
        if (isBuy(facts.flags[i] as number) === 1) {
          buys++;
          bought += usd;
          net[market] = (net[market] as number) - usd;
        } else {
          sold += usd;
          net[market] = (net[market] as number) + usd;
        }
        politics += topics & 1;
        sports += (topics >> 1) & 1;
        crypto += (topics >> 2) & 1;
      }
      checkExact(bought + sold);
      for (let j = 0; j < count; j++) {
        const market = touched[j] as number;
        if ((net[market] as number) > 0) wins++;
        net[market] = 0;
        seen[market] = 0;
      }
    };
    let lastBegin = -1;
    let lastEnd = -1;
    eachWindow(facts.time, from, to, dates, minTrades, (q, _, begin, end) => {
      // Most wallets trade seldom: most windows hold the same fills as the one before.
      if (begin !== lastBegin || end !== lastEnd) measure(begin, end);
      lastBegin = begin;
      lastEnd = end;
      const n = end - begin;
      const tenure = Math.floor(((ends[q] as number) - (facts.time[begin] as number)) / DAY);
      const roiPct = roiPctOf(bought, sold);
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
      values[at++] = roiPct;
      values[at++] = (100 * wins) / count;
      values[at] = means === undefined ? Number.NaN : roiPct - (means[q] as number);
    });
  };
  return { columns: factsRead, addRows };
}

/** @param usd bought and sold in a window, whole 1e-6: no sum of it may pass 2^53 */
function checkExact(usd: number): void {
  if (usd > Number.MAX_SAFE_INTEGER)
    throw new FathomError(
      'data',
      `one wallet trades ${Math.round(usd / 1e6)} USD in a window; sums stay exact up to ${Math.floor(Number.MAX_SAFE_INTEGER / 1e6)}`,
      { hint: 'shorten asOf.lookback, or check the unit of usd' },
    );
}
