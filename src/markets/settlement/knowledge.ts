/** What a settlement knows of markets and tokens, by their numbers, in arrays that worker threads share. */

/** Times in microseconds; NaN is unknown. Numbers of markets and tokens are -1 where there is none. */
export interface Knowledge {
  /** By market: twice the payouts (0, 1 or 2; NaN while the outcome is not final), and when it was final and knowable. */
  readonly half0: Float64Array;
  readonly half1: Float64Array;
  readonly finalAt: Float64Array;
  readonly knowableAt: Float64Array;
  /** Index into `feeCategories`. */
  readonly category: Uint8Array;
  /** Its two tokens; -1 for one that nobody moves. */
  readonly token0: Int32Array;
  readonly token1: Int32Array;
  /** Tokens from this number on have no name and may mix both outcomes: one for each market. */
  readonly named: number;
  /** By token: its market, its outcome (-1: unknown), and (`standsFor`) the token that it is in the ledger. */
  readonly market: Int32Array;
  readonly outcome: Int8Array;
  /** By token: twice its payout; NaN while it is unknown. */
  readonly payout: Float64Array;
  readonly standsFor: Int32Array;
  /** By token: the last fill of it by anybody, in 1e-6; NaN if there is none with tokens or no need for one. */
  readonly lastUsd: Float64Array;
  readonly lastShares: Float64Array;
  readonly lastAt: Float64Array;
  /** Terms of market m: rows `termsOf[m]` to `termsOf[m + 1]` (exclusive) of the columns below, in order of time. */
  readonly termsOf: Int32Array;
  readonly termsFrom: Float64Array;
  /** Whole millionths. */
  readonly termsRate: Float64Array;
  readonly termsExponent: Float64Array;
  readonly termsTakerOnly: Uint8Array;
  /** Whole millionths. */
  readonly termsRebate: Float64Array;
}

export const feeCategories = ['politics', 'sports', 'crypto', 'other'] as const;

/** Kinds of events, in the order in which events of one moment are taken: tokens come before they go. */
export const eventKinds = ['split', 'fill', 'conversion', 'merge', 'redeem', 'reward', 'rebate'] as const;

export const [SPLIT, FILL, CONVERSION, REDEEM] = [0, 1, 2, 4] as const;

/**
 * Flows of some wallets, a column each, ordered by wallet, time and kind. Amounts in 1e-6 as the wallet sees them:
 * received is positive, NaN is unknown.
 */
export interface FlowColumns {
  readonly count: number;
  readonly wallet: Float64Array;
  readonly kind: Float64Array;
  readonly time: Float64Array;
  /** -1: of no market. */
  readonly market: Float64Array;
  readonly cash: Float64Array;
  readonly shares0: Float64Array;
  readonly shares1: Float64Array;
  /** Last prices before the flow, in 1e-6 USD; NaN if there is none. */
  readonly price0: Float64Array;
  readonly price1: Float64Array;
  /** Conversions with the same number are one: several markets of an event. */
  readonly group: Float64Array;
}
