/** What the simulated exchange of perpetuals takes for granted. Without a source, a number is an assumption. */

/** Kinds of wallet, in the order in which wallets are numbered. */
export const traderKinds = [
  'casual',
  'momentum',
  'meanReversion',
  'marketMaker',
  'bot',
  'whale',
  'holder',
  'skilled',
] as const;
export type TraderKind = (typeof traderKinds)[number];

export interface PerpetualParams {
  readonly wallets: number;
  readonly coins: number;
  readonly days: number;
  /** `YYYY-MM-DD`, midnight UTC. */
  readonly startDate: string;
  /** Relative weights. */
  readonly kinds: Readonly<Record<TraderKind, number>>;
  /** Mean and standard deviation over skilled wallets of the signed return after the horizon, basis points. */
  readonly skilledEdgeBps: { readonly mean: number; readonly sd: number };
  readonly horizonMinutes: number;
  /** Median positions that a casual wallet opens; the other kinds scale with it. */
  readonly tradesPerWallet: number;
  /** Seconds from one quote of a coin to the next. */
  readonly quoteSeconds: number;
  /** Standard deviation of a day's log return. */
  readonly dailyVolatility: number;
}

/**
 * Coins with price, decimals of a size, and tick. Decimals of a price and of a size add up to six, as the venue has it,
 * so that price times size is a whole number of 1e-6 USD; the tick keeps five significant figures of the first price.
 */
export const coins = [
  { name: 'BTC', price: 100_000, sizeDecimals: 5, tick: 1 },
  { name: 'ETH', price: 3500, sizeDecimals: 4, tick: 0.1 },
  { name: 'SOL', price: 180, sizeDecimals: 2, tick: 0.01 },
  { name: 'HYPE', price: 25, sizeDecimals: 2, tick: 0.001 },
  { name: 'DOGE', price: 0.2, sizeDecimals: 0, tick: 0.000_01 },
  { name: 'XRP', price: 2.5, sizeDecimals: 0, tick: 0.0001 },
  { name: 'LINK', price: 20, sizeDecimals: 1, tick: 0.001 },
  { name: 'AVAX', price: 30, sizeDecimals: 2, tick: 0.001 },
] as const;

/** GARCH(1, 1) a quote: weights of the last squared return and of the last variance (half-life about 700 quotes). */
export const garch = { last: 0.02, variance: 0.979 } as const;
/** Correlation of the shocks of any two coins. */
export const coinCorrelation = 0.6;

/** Half the spread is this many standard deviations of the move to the next quote, a tick at least. */
export const spreadInDeviations = 0.5;
/** Coins offered at the best price, USD: median, and sigma of its log-normal. */
export const depthUsd = { median: 40_000, sigma: 0.8 } as const;

/** An order of 10,000 USD moves its own price by so many basis points, growing with the square root, at most `most`. */
export const impactBps = { at10000Usd: 1, most: 20 } as const;

/** Parts of 100,000 of the value of a fill: what the venue asks of those without volume. */
export const feeParts = { taker: 45, maker: 15, of: 100_000 } as const;

/** Size of an order: log-normal around the wallet's own median, with a Pareto tail. */
export const tail = { sigma: 0.8, share: 0.03, exponent: 1.7, largestUsd: 2_000_000 } as const;

export interface TraderHabits {
  /** Median positions relative to a casual wallet, and sigma of their log-normal. */
  readonly orders: number;
  readonly ordersSigma: number;
  /** Median over wallets of the median order, USD, and sigma of its log-normal. */
  readonly usd: number;
  readonly usdSigma: number;
  readonly makerShare: number;
  /** Mean time until a position is closed again, minutes; Infinity: never. */
  readonly holdMinutes: number;
}

export const traderHabits: Readonly<Record<TraderKind, TraderHabits>> = {
  casual: { orders: 1, ordersSigma: 1.3, usd: 500, usdSigma: 1.2, makerShare: 0.2, holdMinutes: 360 },
  momentum: { orders: 3, ordersSigma: 0.8, usd: 2000, usdSigma: 1, makerShare: 0.05, holdMinutes: 120 },
  meanReversion: { orders: 3, ordersSigma: 0.8, usd: 2000, usdSigma: 1, makerShare: 0.6, holdMinutes: 30 },
  // Market makers send nothing of their own: they take the other side.
  marketMaker: { orders: 0, ordersSigma: 0, usd: 10_000, usdSigma: 0.5, makerShare: 1, holdMinutes: Infinity },
  bot: { orders: 10, ordersSigma: 0.5, usd: 300, usdSigma: 0.8, makerShare: 0.4, holdMinutes: 10 },
  whale: { orders: 1, ordersSigma: 0.6, usd: 150_000, usdSigma: 0.8, makerShare: 0.2, holdMinutes: 1440 },
  holder: { orders: 0.3, ordersSigma: 0.8, usd: 3000, usdSigma: 1, makerShare: 0.3, holdMinutes: Infinity },
  skilled: { orders: 4, ordersSigma: 0.6, usd: 3000, usdSigma: 0.8, makerShare: 0.3, holdMinutes: 0 },
};

/** Look-backs of those who follow the last move and of those who bet against it, minutes. */
export const lookBackMinutes = { momentum: 60, meanReversion: 30 } as const;
