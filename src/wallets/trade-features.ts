/** One row a fill: what was known when it was made, and what copying it would have earned by a horizon. */
import { FathomError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import { copyToParquet, type Duck, identifier } from '../tables/duck.ts';
import { parquetRelation } from '../tables/parquet-files.ts';
import { createNumberTable, nullIfNaN } from '../tables/stream.ts';
import { DAY, HOUR, parseDuration } from '../tables/time.ts';
import {
  categories,
  type Extent,
  forEachWallet,
  prepare,
  readMarkets,
  type Sources,
  TOKEN_UNKNOWN,
  type WalletFills,
} from './facts.ts';
import { readPricePaths } from './targets/price-paths.ts';
import { tradeColumns, tradeFeatures, tradeLabels } from './trade-features/columns.ts';
import { type Costs, makeLabel } from './trade-features/label.ts';
import { readMarketState } from './trade-features/market-state.ts';
import { forEachFill, type WalletHistory } from './trade-features/wallet-history.ts';

export interface TradeFeatureOptions {
  /** How long after a fill it is judged, e.g. `6h`. */
  readonly horizon: string;
  /** How much older than the horizon the price there may be. */
  readonly tolerance: string;
  readonly payouts: boolean;
  readonly costs: Costs;
  /** Fewest earlier fills of the wallet for a z-score of the size. */
  readonly minHistory: number;
  /** Quotes and prices older than this say nothing of the spread. */
  readonly spreadWindow: string;
  /** About so many fills, drawn without replacement; null takes all. */
  readonly sampleRows: number | null;
}

export interface TradeSources extends Sources {
  readonly quotes?: string | undefined;
  readonly events?: string | undefined;
}

export interface TradeFeatureResult {
  readonly rows: number;
  /** Rows with a label, and those whose horizon the data do not reach. */
  readonly labelled: number;
  readonly beyondData: number;
  /** Fills without a row: no token or price to follow, or the outcome was public already. */
  readonly nameless: number;
  readonly public: number;
  readonly extent: Extent;
}

/**
 * Writes the rows to `path` (Parquet, ORDER BY seq). A fill's own terms apart, its features use what happened strictly
 * before its moment; the label what happened up to the horizon, on the same token. The table `trade_rows` stays.
 *
 * @param rng draws the sample: a number a fill, by its seq, so that it does not depend on what comes later
 */
export async function describeTrades(
  duck: Duck,
  sources: TradeSources,
  options: TradeFeatureOptions,
  rng: Rng,
  path: string,
  onWallet: (done: number, total: number) => void,
): Promise<TradeFeatureResult> {
  const horizon = parseDuration(options.horizon);
  const tolerance = parseDuration(options.tolerance);
  if (tolerance >= horizon)
    throw new FathomError('experiment', `tolerance (${options.tolerance}) must be shorter than horizon`, {
      hint: 'otherwise the price at the horizon could be that of the fill itself',
    });
  const extent = await prepare(duck, sources);
  const markets = await readMarkets(duck, sources);
  const paths = await readPricePaths(duck, sources, markets);
  const state = await readMarketState(duck, sources, markets, paths, {
    quotes: sources.quotes,
    events: sources.events,
    spreadWindow: parseDuration(options.spreadWindow),
  });
  const label = makeLabel(markets, paths, { ...options, horizon, tolerance, last: extent.last });
  const isSampled = await sampler(duck, sources, options.sampleRows, extent.rows, rng);
  const names = [...tradeFeatures, ...tradeLabels].map((column) => column.name);
  const table = await createNumberTable(duck, 'trade_rows', ['seq', 'labelEnd', ...names]);
  const counts = { labelled: 0, beyondData: 0, nameless: 0, public: 0 };

  const describe = (fills: WalletFills, i: number, history: WalletHistory): void => {
    const seq = fills.seq[i] as number;
    if (!isSampled(seq)) return;
    const market = fills.market[i] as number;
    const token = fills.token[i] as number;
    const time = fills.time[i] as number;
    if (token === TOKEN_UNKNOWN || fills.shares[i] === 0) {
      counts.nameless++;
      return;
    }
    if (time >= (markets.knowableAt[market] as number)) {
      counts.public++;
      return;
    }
    const usd = fills.usd[i] as number;
    const price = usd / (fills.shares[i] as number);
    const maker = fills.maker[i] as number;
    const hasSpreadOfSizes = history.fills >= Math.max(2, options.minHistory) && history.deviation > 0;
    const category = categories[markets.category[market] as number];
    const buy = fills.buy[i] === 1;
    const netMove = label({ token, market, outcome: fills.outcome[i] as number, time, price, buy });
    if (time + horizon > extent.last) counts.beyondData++;
    else if (!Number.isNaN(netMove)) counts.labelled++;
    table.append([
      seq,
      time + horizon,
      // In the order of `tradeFeatures`.
      price,
      Number(buy),
      maker === 2 ? Number.NaN : 1 - maker,
      usd / 1e6,
      hasSpreadOfSizes ? (usd - history.mean) / history.deviation : Number.NaN,
      history.fills,
      (time - history.firstAt) / DAY,
      history.settled,
      history.edge,
      state.volumeBefore(market, time),
      state.spreadBefore(token, time),
      (state.plannedEnd(market, time) - time) / HOUR,
      Number(category === 'politics'),
      Number(category === 'sports'),
      Number(category === 'crypto'),
      // In the order of `tradeLabels`.
      netMove,
      Number.isNaN(netMove) ? Number.NaN : Number(netMove > 0),
    ]);
  };
  await forEachWallet(duck, sources, extent, (fills) => {
    forEachFill(fills, markets, (i, history) => describe(fills, i, history));
    onWallet(fills.wallet + 1, extent.wallets);
  });
  const rows = table.finish();
  if (rows === 0) throw new FathomError('data', `${sources.trades}: no fill is left to describe`);
  await copyToParquet(duck, selectTrades(sources, names), path, tradeColumns);
  return { rows, ...counts, extent };
}

/** SQL for the rows with the names of their trades, in order of seq. */
function selectTrades(sources: Sources, names: readonly string[]): string {
  const values = names.map((name) => `${nullIfNaN(name)} AS ${identifier(name)}`).join(', ');
  return `SELECT r.*, r.seq::VARCHAR AS trade, t."time", t.event, t.wallet, t.market
    FROM (SELECT seq::BIGINT AS seq, make_timestamp(labelEnd::BIGINT) AS labelEnd, ${values} FROM trade_rows) r
    JOIN (SELECT seq, "time", event, wallet, market FROM ${parquetRelation(sources.trades)}) t USING (seq)
    ORDER BY r.seq`;
}

/** Every fill draws a number by its seq; the fills with the smallest are the sample. */
async function sampler(
  duck: Duck,
  sources: Sources,
  size: number | null,
  fills: number,
  rng: Rng,
): Promise<(seq: number) => boolean> {
  if (size === null || size >= fills) return () => true;
  const draw = (seq: number): number => rng.at(seq).uniform();
  const draws = new Float64Array(fills);
  const [range] = await duck.rows<{ dense: boolean }>(
    `SELECT min(seq) = 0 AND max(seq) = count(*) - 1 AS dense FROM ${parquetRelation(sources.trades)}`,
  );
  if (range?.dense !== true)
    throw new FathomError('data', `${sources.trades}: seq does not count the trades from 0`, {
      hint: 'take all trades (leave out sampleRows), or write them by a source stage',
    });
  for (let seq = 0; seq < fills; seq++) draws[seq] = draw(seq);
  draws.sort();
  const limit = draws[size] as number;
  return (seq) => draw(seq) < limit;
}
