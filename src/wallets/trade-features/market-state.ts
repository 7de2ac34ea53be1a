/** What a market looked like just before a moment: volume so far, spread, planned end. */
import { FathomError } from '../../errors.ts';
import type { Duck } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { streamNumbers } from '../../tables/stream.ts';
import { type MarketFacts, micros, type Sources } from '../facts.ts';
import type { PricePaths } from '../targets/price-paths.ts';

/** Times in microseconds; unknown is NaN. */
export interface MarketState {
  /** USD that changed hands in a market strictly before a moment, each match once. */
  volumeBefore(market: number, moment: number): number;
  /** USD a token. */
  spreadBefore(token: number, moment: number): number;
  /** Planned end of the market's event, if that was public at the moment. */
  plannedEnd(market: number, moment: number): number;
}

export interface MarketStateOptions {
  /** Table of quotes: market, token, time, bid, ask. */
  readonly quotes: string | undefined;
  /** Canonical table of events. */
  readonly events: string | undefined;
  /** Quotes and prices older than this say nothing of the spread, microseconds. */
  readonly spreadWindow: number;
}

/** Series of times by key, one after the other; the place of the last one strictly before a moment. */
class Series {
  readonly start: Int32Array;
  readonly time: Float64Array;

  constructor(keys: number, size: number) {
    this.start = new Int32Array(keys + 1);
    this.time = new Float64Array(size);
  }

  /** Every key begins where the one before it ends. */
  finish(): void {
    for (let k = 1; k < this.start.length; k++)
      this.start[k] = Math.max(this.start[k] as number, this.start[k - 1] as number);
  }

  lastBefore(key: number, moment: number): number | undefined {
    const begin = this.start[key] as number;
    let low = begin;
    let high = this.start[key + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.time[middle] as number) < moment) low = middle + 1;
      else high = middle;
    }
    return low === begin ? undefined : low - 1;
  }
}

/** Reads it; `prepare` (of facts) comes first. Memory: 16 bytes a fill for volumes, 8 for the spread, 16 a quote. */
export async function readMarketState(
  duck: Duck,
  sources: Sources,
  markets: MarketFacts,
  paths: PricePaths,
  options: MarketStateOptions,
): Promise<MarketState> {
  const volumeBefore = await readVolumes(duck, sources, markets);
  const spreadBefore =
    options.quotes === undefined
      ? effectiveSpread(paths, options.spreadWindow)
      : await readQuotes(duck, options.quotes, markets, options.spreadWindow);
  const plannedEnd = await readPlannedEnds(duck, markets, options.events);
  return { volumeBefore, spreadBefore, plannedEnd };
}

/** A match between two wallets is two rows: the maker's does not count. Rows of unknown role count as they are. */
async function readVolumes(duck: Duck, sources: Sources, markets: MarketFacts): Promise<MarketState['volumeBefore']> {
  const from = `FROM ${parquetRelation(sources.trades)} t JOIN market_ids i USING (market)
    WHERE t.role IS DISTINCT FROM 'maker'`;
  const count = await countOf(duck, from);
  const series = new Series(markets.count, count);
  const total = new Float64Array(count);
  let at = 0;
  await streamNumbers(
    duck,
    `SELECT i.id::DOUBLE, epoch_us(t."time")::DOUBLE, ${micros('t.usd')}::DOUBLE ${from} ORDER BY i.id, t.seq`,
    count,
    ([market, time, usd], rows) => {
      for (let i = 0; i < rows; i++, at++) {
        const key = market?.[i] as number;
        // The first of a market starts anew; amounts are whole, so the sums are exact.
        const before = series.start[key + 1] === 0 ? 0 : (total[at - 1] as number);
        total[at] = before + (usd?.[i] as number);
        series.time[at] = time?.[i] as number;
        series.start[key + 1] = at + 1;
      }
    },
  );
  series.finish();
  return (market, moment) => {
    const last = series.lastBefore(market, moment);
    return last === undefined ? 0 : (total[last] as number) / 1e6;
  };
}

/**
 * What a taker paid last less what a taker got last, in the same token within the window; not below 0. An estimate: the
 * price may have moved between the two.
 */
function effectiveSpread(paths: PricePaths, window: number): MarketState['spreadBefore'] {
  const fills = paths.time.length;
  // Position of the last fill of a taker, up to this one, on each side of its token; -1 if there is none.
  const bought = new Int32Array(fills);
  const sold = new Int32Array(fills);
  for (let token = 0; token + 1 < paths.start.length; token++) {
    let [lastBought, lastSold] = [-1, -1];
    for (let i = paths.start[token] as number; i < (paths.start[token + 1] as number); i++) {
      if (paths.taker[i] === 1) {
        if (paths.buy[i] === 1) lastBought = i;
        else lastSold = i;
      }
      bought[i] = lastBought;
      sold[i] = lastSold;
    }
  }
  return (token, moment) => {
    const end = paths.before(token, moment);
    if (end === paths.start[token]) return Number.NaN;
    const [buy, sale] = [bought[end - 1] as number, sold[end - 1] as number];
    if (buy < 0 || sale < 0) return Number.NaN;
    const oldest = Math.min(paths.time[buy] as number, paths.time[sale] as number);
    if (oldest < moment - window) return Number.NaN;
    return Math.max(0, (paths.price[buy] as number) - (paths.price[sale] as number));
  };
}

async function readQuotes(
  duck: Duck,
  quotes: string,
  markets: MarketFacts,
  window: number,
): Promise<MarketState['spreadBefore']> {
  const from = `FROM ${parquetRelation(quotes)} q JOIN token_ids k ON k.market = q.market AND k.token = q.token
    WHERE k.id >= 0 AND q.bid IS NOT NULL AND q.ask IS NOT NULL`;
  const [crossed] = await duck.rows<{ count: number }>(
    `SELECT count(*) FILTER (q.ask < q.bid)::DOUBLE AS "count" ${from}`,
  );
  if ((crossed?.count ?? 0) > 0)
    throw new FathomError('data', `${quotes}: ${crossed?.count} quotes ask less than they bid`, {
      hint: 'the stage that made the quotes has to reject or mend such rows',
    });
  const count = await countOf(duck, from);
  const series = new Series(markets.tokenCount, count);
  const spread = new Float64Array(count);
  let at = 0;
  await streamNumbers(
    duck,
    `SELECT k.id::DOUBLE, epoch_us(q."time")::DOUBLE, (q.ask - q.bid)::DOUBLE ${from} ORDER BY k.id, q."time", q.ask, q.bid`,
    count,
    ([token, time, value], rows) => {
      for (let i = 0; i < rows; i++, at++) {
        series.time[at] = time?.[i] as number;
        spread[at] = value?.[i] as number;
        series.start[(token?.[i] as number) + 1] = at + 1;
      }
    },
  );
  series.finish();
  return (token, moment) => {
    const last = series.lastBefore(token, moment);
    return last === undefined || (series.time[last] as number) < moment - window
      ? Number.NaN
      : (spread[last] as number);
  };
}

/**
 * The planned end counts from the start of the event, when it was announced. When trading in truth ended (`closedAt`)
 * nobody knew before.
 */
async function readPlannedEnds(
  duck: Duck,
  markets: MarketFacts,
  events: string | undefined,
): Promise<MarketState['plannedEnd']> {
  const end = new Float64Array(markets.count).fill(Number.NaN);
  const announced = new Float64Array(markets.count).fill(Number.POSITIVE_INFINITY);
  if (events !== undefined)
    await streamNumbers(
      duck,
      `SELECT i.id::DOUBLE, epoch_us(any_value(e.endAt))::DOUBLE, epoch_us(any_value(e.startAt))::DOUBLE
       FROM market_ids i LEFT JOIN ${parquetRelation(events)} e ON e.event = i.event GROUP BY i.id ORDER BY i.id`,
      markets.count,
      ([market, endAt, startAt], rows) => {
        for (let i = 0; i < rows; i++) {
          end[market?.[i] as number] = endAt?.[i] as number;
          const start = startAt?.[i] as number;
          if (!Number.isNaN(start)) announced[market?.[i] as number] = start;
        }
      },
    );
  return (market, moment) => ((announced[market] as number) <= moment ? (end[market] as number) : Number.NaN);
}

async function countOf(duck: Duck, from: string): Promise<number> {
  const [size] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS "count" ${from}`);
  return size?.count ?? 0;
}
