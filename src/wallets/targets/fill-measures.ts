/** What each fill of a wallet says by itself, held against its token's path: measured once, summed over many windows. */
import type { WalletFills } from '../facts.ts';
import { TOKEN_UNKNOWN } from '../facts.ts';
import type { Followers } from './followers.ts';
import type { PathWindow, PricePaths } from './price-paths.ts';

/** Spans in microseconds. */
export interface FillSpans {
  /** The recent path of a token before a fill. */
  readonly recent: number;
  /** The longer path that tells the trend. */
  readonly trend: number;
  /** How long after a fill its influence is looked for. */
  readonly influence: number;
}

/** One number a fill, by its index among the wallet's fills; NaN where the path is too short or flat. */
export interface FillMeasures {
  /** +1 for a purchase, -1 for a sale. */
  readonly sign: Float64Array;
  /** Sign x direction of the recent path, [-1, 1]. */
  readonly momentum: Float64Array;
  /** Sign x (mean - last price) / (2 sd) of the recent path, cut to [-1, 1]. */
  readonly reversion: Float64Array;
  /** (sd of the recent path - sd of the trend path) / their sum, [-1, 1]. */
  readonly volatility: Float64Array;
  /** Sign x direction of the trend path, [-1, 1]. */
  readonly trend: Float64Array;
  /** How firmly it stands against a move that both paths agree on, [0, 1]. */
  readonly contrarian: Float64Array;
  /** 1 if the fill waited in the book, 0 if it took, 1/2 if that cannot be told. */
  readonly passive: Float64Array;
  /** Sign x move of the price from just before the fill to `influence` after it, USD a token. */
  readonly impact: Float64Array;
  readonly followers: Float64Array;
  readonly excessFollowers: Float64Array;
  /** Microseconds since another wallet traded the token, if at most an hour. */
  readonly reaction: Float64Array;
}

/** Reactions later than this are not reactions, microseconds. */
const REACTION_LIMIT = 3_600_000_000;
/** Own fills that are skipped in search of another wallet's. */
const OWN_FILLS = 50;

const names = [
  'sign',
  'momentum',
  'reversion',
  'volatility',
  'trend',
  'contrarian',
  'passive',
  'impact',
  'followers',
  'excessFollowers',
  'reaction',
] as const;

/** Returns a function that measures the fills of one wallet; its arrays are used again for the next wallet. */
export function makeFillMeasures(
  paths: PricePaths,
  followers: Followers,
  spans: FillSpans,
): (fills: WalletFills) => FillMeasures {
  let measures = allocate(64);
  const recent: PathWindow = { mean: NaN, deviation: NaN, last: NaN, direction: NaN };
  const trend: PathWindow = { mean: NaN, deviation: NaN, last: NaN, direction: NaN };
  return (fills) => {
    if (measures.sign.length < fills.count) measures = allocate(fills.time.length);
    for (let i = 0; i < fills.count; i++) {
      for (const name of names) measures[name][i] = Number.NaN;
      const sign = fills.buy[i] === 1 ? 1 : -1;
      measures.sign[i] = sign;
      const token = fills.token[i] as number;
      const maker = fills.maker[i] as number;
      const time = fills.time[i] as number;
      const last = token === TOKEN_UNKNOWN ? Number.NaN : paths.priceBefore(token, time);
      measures.passive[i] = maker === 2 ? passiveByPrice(sign, last, fills, i) : maker;
      if (token === TOKEN_UNKNOWN || fills.shares[i] === 0) continue;
      measureStyle(measures, i, sign, token, time);
      measures.impact[i] = sign * (paths.priceBefore(token, time + spans.influence + 1) - last);
      const own = ownPosition(paths, token, time, fills.wallet, fills.buy[i] as number);
      if (own !== undefined) {
        measures.followers[i] = followers.after[own] as number;
        measures.excessFollowers[i] = (followers.after[own] as number) - (followers.before[own] as number);
      }
      measures.reaction[i] = reactionTime(paths, token, time, fills.wallet);
    }
    return measures;
  };

  function measureStyle(into: FillMeasures, i: number, sign: number, token: number, time: number): void {
    const enough = paths.window(token, time - spans.recent, time, recent);
    const hasRecent = enough && recent.deviation > 0;
    const hasTrend = paths.window(token, time - spans.trend, time, trend) && trend.deviation > 0;
    if (hasRecent) {
      into.momentum[i] = sign * recent.direction;
      into.reversion[i] = clamp((sign * (recent.mean - recent.last)) / (2 * recent.deviation));
    }
    if (!hasTrend) return;
    into.trend[i] = sign * trend.direction;
    // A flat recent path within a longer one that moved is a quiet moment: -1.
    if (enough) into.volatility[i] = (recent.deviation - trend.deviation) / (recent.deviation + trend.deviation);
    if (hasRecent) into.contrarian[i] = Math.max(0, Math.min(-sign * recent.direction, -sign * trend.direction));
  }
}

function allocate(size: number): FillMeasures {
  return Object.fromEntries(names.map((name) => [name, new Float64Array(size)])) as unknown as FillMeasures;
}

const clamp = (x: number): number => Math.max(-1, Math.min(1, x));

/** Without a role: who buys below the last price, or sells above it, waited; at the same price it cannot be told. */
function passiveByPrice(sign: number, last: number, fills: WalletFills, i: number): number {
  const better = sign * (last - (fills.usd[i] as number) / (fills.shares[i] as number));
  return better > 1e-9 ? 1 : better < -1e-9 ? 0 : 0.5;
}

/** Position of a fill of the wallet on this side at this moment; equal ones have equal followers. */
function ownPosition(paths: PricePaths, token: number, time: number, wallet: number, buy: number): number | undefined {
  const end = paths.start[token + 1] as number;
  for (let at = paths.before(token, time); at < end && paths.time[at] === time; at++)
    if (paths.wallet[at] === wallet && paths.buy[at] === buy) return at;
  // A fill without a price is not on the path.
  return undefined;
}

function reactionTime(paths: PricePaths, token: number, time: number, wallet: number): number {
  const first = Math.max(paths.start[token] as number, paths.before(token, time) - OWN_FILLS);
  for (let at = paths.before(token, time) - 1; at >= first; at--) {
    if (paths.wallet[at] === wallet) continue;
    const since = time - (paths.time[at] as number);
    return since <= REACTION_LIMIT ? since : Number.NaN;
  }
  return Number.NaN;
}
