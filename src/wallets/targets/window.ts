/** All targets of one wallet over one window of time, from what was knowable by a deadline. */
import { type MarketFacts, TOKEN_UNKNOWN, type WalletFills } from '../facts.ts';
import { makeBotScore } from './bot.ts';
import type { TargetFamily } from './columns.ts';
import { type EquityCurve, makeEquityCurve, type Risk } from './equity.ts';
import { type FillMeasures, type FillSpans, makeFillMeasures } from './fill-measures.ts';
import { countFollowers } from './followers.ts';
import type { PricePaths } from './price-paths.ts';
import { makeWindowSettler } from './settled.ts';

/** A stretch of a wallet's fills. Times in microseconds. */
export interface Window {
  /** Indices of the first fill and the one after the last. */
  readonly begin: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
  /** Outcomes count if they could be known strictly before. */
  readonly deadline: number;
}

export interface WindowValues {
  /** In the order of `targets`; ranks are still the values to rank. NaN is unknown. */
  readonly values: Float64Array;
  /** The latest moment at which an outcome that was used could be known; NaN if none was. */
  readonly settledAt: number;
  /** Whether a position has no outcome by the deadline. */
  readonly pending: boolean;
}

export interface WindowMeasurer {
  /** Takes the fills of the next wallet. */
  load(fills: WalletFills): void;
  /** Measures a window of its fills; the array is new each time. */
  measure(window: Window): WindowValues;
}

export interface MeasurerOptions {
  /** Targets of other families are left unknown: they cost most of the time. */
  readonly families: readonly TargetFamily[];
  readonly spans: FillSpans;
  /** Microseconds before the outcome was public at which the closing price is taken. */
  readonly closingLead: number;
  /** First and last trade of the data, microseconds. */
  readonly first: number;
  readonly last: number;
  readonly wallets: number;
}

/** Sums by token or event over a window; emptied by `clear`. */
class Sums {
  readonly touched: number[] = [];
  readonly #columns: readonly Float64Array[];
  readonly #seen: Uint8Array;

  constructor(size: number, columns: number) {
    this.#columns = Array.from({ length: columns }, () => new Float64Array(size));
    this.#seen = new Uint8Array(size);
  }

  add(key: number, column: number, value: number): void {
    if (this.#seen[key] === 0) {
      this.#seen[key] = 1;
      this.touched.push(key);
    }
    const sums = this.#columns[column] as Float64Array;
    sums[key] = (sums[key] as number) + value;
  }

  get(key: number, column: number): number {
    return this.#columns[column]?.[key] as number;
  }

  clear(): void {
    for (const key of this.touched) {
      this.#seen[key] = 0;
      for (const column of this.#columns) column[key] = 0;
    }
    this.touched.length = 0;
  }
}

/** Mean of values by weight; values that are NaN take no part. NaN without weight. */
class WeightedMean {
  #sum = 0;
  #weight = 0;

  add(weight: number, value: number): void {
    if (Number.isNaN(value)) return;
    this.#sum += weight * value;
    this.#weight += weight;
  }

  get weight(): number {
    return this.#weight;
  }

  /** Never -0. */
  get value(): number {
    return this.#weight > 0 ? this.#sum / this.#weight + 0 : Number.NaN;
  }
}

const unknownStyle: readonly number[] = Array<number>(6).fill(Number.NaN);
const unknownInfluence: readonly number[] = Array<number>(3).fill(Number.NaN);
const unknownRisk: Risk = { drawdown: Number.NaN, dailyVolatility: Number.NaN, return: Number.NaN };

const BOUGHT = 0;
const SOLD = 1;
const USD = 2;
const PASSIVE = 3;
const SIGNED = 4;

/**
 * Means over fills are weighted by USD, so that an order that fills in parts counts as one that fills at once. Memory:
 * the paths and followers (54 bytes a fill of all wallets) and the fills of the busiest wallet.
 */
export function makeWindowMeasurer(markets: MarketFacts, paths: PricePaths, options: MeasurerOptions): WindowMeasurer {
  const { spans } = options;
  const asked = (...families: TargetFamily[]): boolean => families.some((family) => options.families.includes(family));
  const measureFills = asked('style', 'bot', 'influence')
    ? makeFillMeasures(paths, countFollowers(paths, options.wallets, spans.influence), spans)
    : undefined;
  const settler = makeWindowSettler(markets, paths, options.closingLead);
  const equity: EquityCurve | undefined = asked('risk', 'profitability')
    ? makeEquityCurve(markets, paths, options.first, options.last)
    : undefined;
  const botScore = makeBotScore();
  const tokens = new Sums(markets.tokenCount, 5);
  const events = new Sums(markets.eventCount, 1);
  let fills: WalletFills;
  let measures: FillMeasures | undefined;

  const load = (next: WalletFills): void => {
    fills = next;
    measures = measureFills?.(next);
    equity?.load(next);
  };

  const styleOf = (begin: number, end: number): readonly number[] => {
    if (measures === undefined || !asked('style')) return unknownStyle;
    const [momentum, reversion, volatility, trend, contrarian] = [
      new WeightedMean(),
      new WeightedMean(),
      new WeightedMean(),
      new WeightedMean(),
      new WeightedMean(),
    ];
    for (let i = begin; i < end; i++) {
      const usd = fills.usd[i] as number;
      momentum.add(usd, measures.momentum[i] as number);
      reversion.add(usd, measures.reversion[i] as number);
      volatility.add(usd, measures.volatility[i] as number);
      trend.add(usd, measures.trend[i] as number);
      contrarian.add(usd, measures.contrarian[i] as number);
      const token = fills.token[i] as number;
      if (token === TOKEN_UNKNOWN) continue;
      tokens.add(token, fills.buy[i] === 1 ? BOUGHT : SOLD, fills.shares[i] as number);
      tokens.add(token, USD, usd);
      tokens.add(token, PASSIVE, usd * (measures.passive[i] as number));
    }
    const making = new WeightedMean();
    for (const token of tokens.touched) {
      const [bought, sold] = [tokens.get(token, BOUGHT), tokens.get(token, SOLD)];
      const usd = tokens.get(token, USD);
      if (usd > 0 && bought + sold > 0)
        making.add(usd, ((2 * Math.min(bought, sold)) / (bought + sold)) * (tokens.get(token, PASSIVE) / usd));
    }
    tokens.clear();
    return [momentum.value, reversion.value, volatility.value, making.value, trend.value, contrarian.value];
  };

  /** Only fills whose influence falls into the window count, so that nothing beyond its end is needed. */
  const influenceOf = ({ begin, end, from, to }: Window): readonly number[] => {
    if (measures === undefined || !asked('influence')) return unknownInfluence;
    const [moved, after, excess] = [new WeightedMean(), new WeightedMean(), new WeightedMean()];
    for (let i = begin; i < end && (fills.time[i] as number) + spans.influence < to; i++) {
      const usd = fills.usd[i] as number;
      after.add(usd, measures.followers[i] as number);
      excess.add(usd, measures.excessFollowers[i] as number);
      const impact = measures.impact[i] as number;
      if (Number.isNaN(impact)) continue;
      moved.add(usd, impact);
      tokens.add(fills.token[i] as number, SIGNED, usd * (measures.sign[i] as number));
    }
    let drift = 0;
    for (const token of tokens.touched) drift += tokens.get(token, SIGNED) * driftOf(token, from, to);
    tokens.clear();
    return [moved.value - drift / moved.weight, after.value, excess.value];
  };

  /** What the token's price moved in the span of influence on average over the window, USD a share. */
  const driftOf = (token: number, from: number, to: number): number => {
    const last = paths.before(token, to);
    const first = paths.before(token, from);
    // Without a price from before, the token's own first one.
    const at = first === (paths.start[token] as number) ? first : first - 1;
    return ((((paths.price[last - 1] as number) - (paths.price[at] as number)) / (to - from)) *
      spans.influence) as number;
  };

  const sizesOf = (begin: number, end: number): { usd: number; maker: number; breadth: number } => {
    const maker = new WeightedMean();
    let total = 0;
    for (let i = begin; i < end; i++) {
      const usd = fills.usd[i] as number;
      const role = fills.maker[i] as number;
      total += usd;
      maker.add(usd, role === 2 ? Number.NaN : role);
      events.add(markets.event[fills.market[i] as number] as number, 0, usd);
    }
    let squares = 0;
    for (const event of events.touched) squares += events.get(event, 0) ** 2;
    events.clear();
    return { usd: total, maker: maker.value, breadth: total > 0 ? (total * total) / squares : Number.NaN };
  };

  const measure = (window: Window): WindowValues => {
    const { begin, end } = window;
    const settled = settler.settle(fills, begin, end, window.deadline);
    const risk = equity?.measure(window.from, window.to) ?? unknownRisk;
    const sizes = sizesOf(begin, end);
    const values = Float64Array.of(
      settled.edge,
      Number.isNaN(settled.pnlUsd) ? Number.NaN : Number(settled.pnlUsd > 0),
      settled.pnlUsd,
      sizes.usd / 1e6,
      end - begin,
      ...styleOf(begin, end),
      risk.drawdown,
      risk.dailyVolatility,
      settled.edge,
      risk.return,
      measures === undefined ? Number.NaN : botScore(fills, measures.reaction, begin, end),
      ...influenceOf(window),
      settled.closingLineValue,
      sizes.maker,
      sizes.breadth,
      Number.NaN,
    );
    return { values, settledAt: settled.knownAt, pending: settled.pending };
  };
  return { load, measure };
}
