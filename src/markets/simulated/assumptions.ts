/**
 * What the simulated world takes for granted. Numbers with a source name it; the others are assumptions, chosen to
 * be plausible and kept together here so that they can be seen and argued with.
 */

/** Kinds of wallet, in the order in which wallets are numbered: whom others follow comes before those who follow. */
export const archetypes = [
  'casual',
  'favouriteBuyer',
  'longshotBuyer',
  'marketMaker',
  'bot',
  'arbitrageBot',
  'skilled',
  'freshInsider',
  'whale',
  'washTrader',
  'sybil',
  'copier',
] as const;
export type Archetype = (typeof archetypes)[number];

/** Terms of a fee from a day on; see the canonical table `feeSchedules`. */
export interface FeeStep {
  /** Days from the start of the world. */
  readonly fromDay: number;
  /** Fee of a taker: shares * rate * (p (1 - p))^exponent, USD. */
  readonly rate: number;
  readonly exponent: number;
  readonly takerOnly: boolean;
  /** Part of the taker's fee that the maker gets back. */
  readonly rebateShare: number;
}

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
  /** Days in which a skilled wallet loses half its edge, from its arrival; null: it keeps it. */
  readonly skillHalfLifeDays: number | null;
  /** Median orders of a casual wallet; the other archetypes scale with it. */
  readonly tradesPerWallet: number;
  /** Half spread at a price of 0.5, USD per token: half the share of informed orders that the quotes allow for. */
  readonly halfSpread: number;
  /** Multiplies the impact of size on the price that a taker pays. */
  readonly impactScale: number;
  /** 0: prices are calibrated; b: logit(price) = (1 - b) logit(probability). */
  readonly longshotBias: number;
  /** Share of markets that pay 0.5 to both sides. */
  readonly fiftyFiftyShare: number;
  /** What rings of wash traders do, if there are any. Days from the start of the world; null: to the end. */
  readonly wash: {
    readonly share: number;
    readonly ringSize: number;
    readonly fromDay: number;
    readonly toDay: number | null;
  };
  /** Wallets of one owner in a family of sybils. */
  readonly familySize: number;
  /** By ascending day; before the first there is no fee. */
  readonly fees: readonly FeeStep[];
  readonly disputes: { readonly share: number; readonly fiftyFiftyShare: number };
  readonly events: {
    /** Share of events whose markets exclude each other: exactly one of them happens. */
    readonly exclusiveShare: number;
    /** Correlation of the outcomes, and of the shocks to the log-odds, of the markets of other events. */
    readonly outcomeCorrelation: number;
    readonly shockCorrelation: number;
  };
  readonly news: {
    /** Mean number of items in the life of a market; 0: none. */
    readonly perMarket: number;
    /** Share of a market's information that comes as news. */
    readonly informationShare: number;
    /** Time until quotes have taken in an item, seconds. */
    readonly quoteLatencySeconds: number;
    /** Wallets that react to an item. */
    readonly reactions: number;
    /** Multiplies the latency of every wallet. */
    readonly latencyScale: number;
  };
  /** Parts that share time and fees but neither wallets nor markets; null: one for each million expected fills. */
  readonly shards: number | null;
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
/** Markets of an event whose outcomes exclude each other. Assumption. */
export const exclusiveMarkets = { least: 3, most: 6 } as const;

/** Range of the total information that a market reveals before it closes: variance of its logit. Assumption. */
export const information = { low: 2, high: 7 } as const;

/** UMA liveness is about two hours after the proposal; half an hour until the proposal is an assumption. Seconds. */
export const liveness = { least: 7200, scatter: 1800 } as const;
/**
 * The first dispute resets the request, the second goes to a vote (Polymarket's UMA adapter). Hours until the new
 * proposal and days of the vote: assumptions.
 */
export const dispute = { againHours: 6, voteDaysLeast: 2, voteDaysMost: 4 } as const;

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
 * shares: 0.58 casual, 0.90 in profitable tiers (8,476 wallets). All else: assumptions. Insiders, wash traders and
 * copiers send orders of their own only as their part says.
 */
export const habits: Readonly<Record<Archetype, Habits>> = {
  casual: { orders: 1, ordersSigma: 1.4, usd: 25, usdSigma: 1, makerShare: 0.4, sellAgain: 0.18, mostFills: 2 },
  favouriteBuyer: { orders: 2, ordersSigma: 1, usd: 80, usdSigma: 1, makerShare: 0.5, sellAgain: 0, mostFills: 3 },
  longshotBuyer: { orders: 2, ordersSigma: 1, usd: 15, usdSigma: 1, makerShare: 0.3, sellAgain: 0.05, mostFills: 2 },
  marketMaker: { orders: 3, ordersSigma: 0.5, usd: 150, usdSigma: 0.6, makerShare: 0.8, sellAgain: 0.5, mostFills: 2 },
  bot: { orders: 8, ordersSigma: 0.5, usd: 15, usdSigma: 0.8, makerShare: 0.5, sellAgain: 0, mostFills: 1 },
  arbitrageBot: { orders: 8, ordersSigma: 0.5, usd: 60, usdSigma: 0.8, makerShare: 1, sellAgain: 0, mostFills: 1 },
  skilled: { orders: 6, ordersSigma: 0.7, usd: 150, usdSigma: 0.9, makerShare: 0.6, sellAgain: 0, mostFills: 3 },
  freshInsider: { orders: 0, ordersSigma: 0, usd: 12_000, usdSigma: 0.6, makerShare: 0, sellAgain: 0, mostFills: 12 },
  whale: { orders: 1, ordersSigma: 0.6, usd: 8000, usdSigma: 0.6, makerShare: 0.3, sellAgain: 0.1, mostFills: 8 },
  washTrader: { orders: 0, ordersSigma: 0, usd: 100, usdSigma: 0.5, makerShare: 0, sellAgain: 0, mostFills: 1 },
  sybil: { orders: 3, ordersSigma: 0.8, usd: 60, usdSigma: 0.8, makerShare: 0.2, sellAgain: 0, mostFills: 1 },
  copier: { orders: 0, ordersSigma: 0, usd: 20, usdSigma: 1, makerShare: 0, sellAgain: 0, mostFills: 2 },
};

/** Kinds that a copier follows, and the chance that it copies an order of whom it follows. Assumption. */
export const followed: readonly Archetype[] = ['skilled', 'whale'];
export const copiedShare = 0.5;

/** Kinds that trade on news (skilled wallets keep to their planted edge). */
export const newsReaders: readonly Archetype[] = ['casual', 'bot', 'arbitrageBot', 'whale'];

/**
 * Median time from news, or from the order that is copied, to the wallet's own order, seconds, and sigma of its
 * log-normal over wallets; that of one reaction to the next. Assumptions.
 */
export const latency = {
  medianSeconds: { bot: 8, arbitrageBot: 2, whale: 300, casual: 900, copier: 600, sybil: 45 } as Readonly<
    Partial<Record<Archetype, number>>
  >,
  sigma: 0.6,
  reactionSigma: 0.3,
} as const;

/** An insider buys the side that will win with this chance, if its price is at most this, this long before the close. */
export const insider = { hitRate: 0.95, highestPrice: 0.7, fromHours: 1, toHours: 12, candidates: 16 } as const;

/** A favourite buyer buys between these prices, USD per token. */
export const favourite = { low: 0.7, high: 0.97 } as const;
/** A longshot buyer buys between these. */
export const longshot = { low: 0.02, high: 0.3 } as const;

/** Chance that a resting order meets a market maker rather than another casual wallet. */
export const marketMakerShare = 0.85;
/** Market makers that quote in one market, at most. */
export const quotersPerMarket = 6;

/** Skilled wallets trade while the probability lies between these. */
export const skilledRange = { low: 0.1, high: 0.9 } as const;
