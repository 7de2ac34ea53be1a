/**
 * What the simulated world takes for granted. Numbers with a source name it; the others are assumptions, chosen to
 * be plausible and kept together here so that they can be seen and argued with.
 */

/** Kinds of wallet, in the order in which wallets are numbered. */
export const archetypes = [
  'casual',
  'favouriteBuyer',
  'marketMaker',
  'bot',
  'skilled',
  'freshInsider',
  'whale',
] as const;
export type Archetype = (typeof archetypes)[number];

export interface WorldParams {
  readonly wallets: number;
  readonly markets: number;
  readonly days: number;
  /** `YYYY-MM-DD`, midnight UTC. */
  readonly startDate: string;
  /** Relative weights. */
  readonly archetypes: Readonly<Record<Archetype, number>>;
  /** Mean and standard deviation over skilled wallets of the edge, USD per token. */
  readonly skilledEdge: { readonly mean: number; readonly sd: number };
  /** Median orders of a casual wallet; the other archetypes scale with it. */
  readonly tradesPerWallet: number;
  /** Half spread at a price of 0.5, USD per token. */
  readonly halfSpread: number;
  /** 0: prices are calibrated; b: logit(price) = (1 - b) logit(probability). */
  readonly longshotBias: number;
  /** Share of markets that pay 0.5 to both sides. */
  readonly fiftyFiftyShare: number;
}

/** Seconds. */
export const HOUR = 3600;
export const DAY = 86_400;

/** Share of markets, and shortest and longest life in days. Shares: PANews, 295,000 markets. Lengths: assumption. */
export const lifetimes = [
  { share: 0.23, from: 1 / 24, to: 1 },
  { share: 0.45, from: 1, to: 7 },
  { share: 0.32, from: 7, to: 60 },
] as const;

/** Share of markets by category (ForesightFlow, week of April 2026), sub-day markets being crypto more often. */
export const categoryShares = { sports: 0.511, other: 0.344, crypto: 0.114, politics: 0.031 } as const;
export const subDayCryptoShare = 0.6;

/** Share of events with one, two and three markets. Assumption. */
export const marketsPerEvent = [0.7, 0.18, 0.12] as const;
/** Correlation of the outcomes of one event's markets (Gaussian copula). Assumption. */
export const outcomeCorrelation = 0.6;

/** Range of the total information that a market reveals before it closes: variance of its logit. Assumption. */
export const information = { low: 2, high: 7 } as const;

/** UMA liveness is about two hours after the proposal; half an hour of scatter is an assumption. Seconds. */
export const liveness = { least: 7200, scatter: 1800 } as const;

/** Popularity of markets: Pareto, capped. Real concentration is greater (505 of 295,000 markets made 47 % of volume);
 * a cap keeps one market from being the whole world. Assumption. */
export const popularity = { exponent: 1.3, cap: 40 } as const;

/** Relative activity by hour of the day UTC: a peak in the daytime of the US. Assumption. */
export const hourWeights: readonly number[] = [
  0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3, 0.3, 0.3, 0.4, 0.4, 0.5, 0.6, 0.8, 0.9, 1, 1, 1, 1, 1, 1, 1, 0.9, 0.9,
];

/** Size of an order: log-normal around the wallet's own median with a Pareto tail. Assumption (no published exponent). */
export const orderSize = { sigma: 0.8, tailShare: 0.03, tailExponent: 1.7, largestUsd: 100_000 } as const;

/** Cost of size: this many USD per token for an order of 1,000 USD, growing with its square root, at most `most`. */
export const impact = { at1000Usd: 0.001, most: 0.02 } as const;

/** Tick of the venue, USD per token, and the prices between which anyone trades. */
export const ticksPerUsd = 1000;
export const tradable = { low: 0.01, high: 0.99 } as const;

/** Share of fills that match two buyers (the exchange mints a pair of tokens) when the maker has nothing to sell. */
export const inventoryUse = 0.7;

/** Behaviour of an archetype. */
export interface Habits {
  /** Median orders relative to a casual wallet, and sigma of their log-normal. */
  readonly orders: number;
  readonly ordersSigma: number;
  /** Median over wallets of the wallet's median order, USD, and sigma of its log-normal. */
  readonly usd: number;
  readonly usdSigma: number;
  /** Share of its own orders that rest in the book. */
  readonly makerShare: number;
  /** Chance that a purchase is sold again before the market closes. */
  readonly sellAgain: number;
  /** Most fills of an order: one match each, same price, same transaction. */
  readonly mostFills: number;
}

/**
 * Casual: 32 % of wallets have 2-10 trades and two thirds at most 50 (sealaunch): median 22, sigma 1.6 or so. Maker
 * shares: 0.58 casual, 0.90 in profitable tiers (8,476 wallets). All else: assumptions.
 */
export const habits: Readonly<Record<Archetype, Habits>> = {
  casual: { orders: 1, ordersSigma: 1.4, usd: 25, usdSigma: 1, makerShare: 0.4, sellAgain: 0.18, mostFills: 2 },
  favouriteBuyer: { orders: 2, ordersSigma: 1, usd: 80, usdSigma: 1, makerShare: 0.5, sellAgain: 0, mostFills: 3 },
  marketMaker: { orders: 3, ordersSigma: 0.5, usd: 150, usdSigma: 0.6, makerShare: 0.8, sellAgain: 0.5, mostFills: 2 },
  bot: { orders: 8, ordersSigma: 0.5, usd: 15, usdSigma: 0.8, makerShare: 0.5, sellAgain: 0, mostFills: 1 },
  skilled: { orders: 6, ordersSigma: 0.7, usd: 150, usdSigma: 0.9, makerShare: 0.6, sellAgain: 0, mostFills: 3 },
  freshInsider: { orders: 0, ordersSigma: 0, usd: 12_000, usdSigma: 0.6, makerShare: 0, sellAgain: 0, mostFills: 12 },
  whale: { orders: 1, ordersSigma: 0.6, usd: 8000, usdSigma: 0.6, makerShare: 0.3, sellAgain: 0.1, mostFills: 8 },
};

/** An insider buys the side that will win with this chance, if its price is at most this, this long before the close. */
export const insider = { hitRate: 0.95, highestPrice: 0.7, fromHours: 1, toHours: 12, candidates: 16 } as const;

/** A favourite buyer buys between these prices. */
export const favourite = { low: 0.7, high: 0.97 } as const;

/** Chance that a resting order meets a market maker rather than another casual wallet. */
export const marketMakerShare = 0.85;
/** Market makers that quote in one market, at most. */
export const quotersPerMarket = 6;

/** Skilled wallets trade while the probability lies between these. */
export const skilledRange = { low: 0.1, high: 0.9 } as const;
