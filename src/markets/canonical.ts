/**
 * The canonical tables of a market venue, as every source writes them and every later stage reads them. Times are
 * TIMESTAMP in UTC; money (US dollars) and outcome tokens are DECIMAL(18,6), as the venue keeps them, so their sums
 * are exact in any order.
 */
import type { ColumnSpec } from '../tables/columns.ts';

export type CanonicalTable =
  | 'trades'
  | 'markets'
  | 'events'
  | 'resolutions'
  | 'feeSchedules'
  | 'positions'
  | 'leaderboard'
  | 'truth'
  | 'marketTruth';

/** A column and its type in DuckDB and Parquet; `copyCanonical` casts to it, so that every source's files have it. */
export interface CanonicalColumn extends ColumnSpec {
  readonly type: 'VARCHAR' | 'TIMESTAMP' | 'DECIMAL(18, 6)' | 'DOUBLE' | 'BIGINT' | 'INTEGER' | 'BOOLEAN';
}

/** One row is one fill of one wallet: a match between two wallets is two rows. */
const trades: readonly CanonicalColumn[] = [
  {
    name: 'seq',
    type: 'BIGINT',
    role: 'info',
    description: 'Number of the row from 0, in order of (time, place in the file)',
  },
  { name: 'time', type: 'TIMESTAMP', role: 'time', description: 'Time of the fill, UTC' },
  { name: 'market', type: 'VARCHAR', role: 'info', description: 'Id of the market' },
  {
    name: 'event',
    type: 'VARCHAR',
    role: 'group',
    description: 'Event that the market belongs to; the market itself if unknown',
  },
  { name: 'token', type: 'VARCHAR', role: 'info', description: 'Id of the outcome token, up to 78 digits' },
  { name: 'outcome', type: 'VARCHAR', role: 'info', description: 'Name of the outcome' },
  { name: 'outcomeIndex', type: 'INTEGER', role: 'info', description: '0 or 1; null if the source does not tell' },
  { name: 'wallet', type: 'VARCHAR', role: 'id', description: 'Address of the wallet, lower case' },
  {
    name: 'counterparty',
    type: 'VARCHAR',
    role: 'info',
    description: 'Address on the other side; null if unknown or the exchange',
  },
  { name: 'role', type: 'VARCHAR', role: 'info', description: 'maker or taker; null if unknown' },
  { name: 'side', type: 'VARCHAR', role: 'info', description: 'BUY or SELL, as the wallet sees it' },
  { name: 'price', type: 'DOUBLE', role: 'info', unit: 'USD per token', description: 'usd / shares' },
  { name: 'usd', type: 'DECIMAL(18, 6)', role: 'info', unit: 'USD', description: 'Cash paid or received' },
  {
    name: 'shares',
    type: 'DECIMAL(18, 6)',
    role: 'info',
    unit: 'tokens',
    description: 'Outcome tokens bought or sold',
  },
  {
    name: 'fee',
    type: 'DECIMAL(18, 6)',
    role: 'info',
    unit: 'USD',
    description: 'Fee paid by the wallet; null if unknown',
  },
  {
    name: 'orderHash',
    type: 'VARCHAR',
    role: 'info',
    description: 'Hash or id of the order; null if the source does not tell it',
  },
  {
    name: 'orderGroup',
    type: 'BIGINT',
    role: 'info',
    description:
      'Fills of a wallet with the same value belong to one order: a digest of the order, or, where the source does not tell it, of transaction, token and side; null if those are unknown too',
  },
  { name: 'transaction', type: 'VARCHAR', role: 'info', description: 'Hash of the transaction; null if unknown' },
];

const markets: readonly CanonicalColumn[] = [
  { name: 'market', type: 'VARCHAR', role: 'id', description: 'Id of the market' },
  { name: 'event', type: 'VARCHAR', role: 'group', description: 'Event that the market belongs to' },
  { name: 'question', type: 'VARCHAR', role: 'info' },
  { name: 'slug', type: 'VARCHAR', role: 'info' },
  {
    name: 'category',
    type: 'VARCHAR',
    role: 'info',
    description: 'politics, sports, crypto or other, by words of the question',
  },
  { name: 'outcome0', type: 'VARCHAR', role: 'info' },
  { name: 'outcome1', type: 'VARCHAR', role: 'info' },
  { name: 'token0', type: 'VARCHAR', role: 'info' },
  { name: 'token1', type: 'VARCHAR', role: 'info' },
  { name: 'createdAt', type: 'TIMESTAMP', role: 'info', description: 'When it opened, UTC; null if unknown' },
  {
    name: 'closedAt',
    type: 'TIMESTAMP',
    role: 'info',
    description: 'When trading ended, UTC; null if unknown or still open',
  },
];

/** Markets of one question: those of a negative-risk event exclude each other. */
const events: readonly CanonicalColumn[] = [
  { name: 'event', type: 'VARCHAR', role: 'id', description: 'Id of the event, as in markets and trades' },
  { name: 'title', type: 'VARCHAR', role: 'info' },
  { name: 'slug', type: 'VARCHAR', role: 'info' },
  {
    name: 'category',
    type: 'VARCHAR',
    role: 'info',
    description: 'politics, sports, crypto or other, by words of the title',
  },
  {
    name: 'negRisk',
    type: 'BOOLEAN',
    role: 'info',
    description: 'Whether exactly one market of it pays outcome 0, so that NOs convert; null if unknown',
  },
  { name: 'startAt', type: 'TIMESTAMP', role: 'info', description: 'When it opened, UTC; null if unknown' },
  { name: 'endAt', type: 'TIMESTAMP', role: 'info', description: 'When it was planned to end, UTC; null if unknown' },
  {
    name: 'closedAt',
    type: 'TIMESTAMP',
    role: 'info',
    description: 'When trading ended, UTC; null if unknown or still open',
  },
];

const resolutions: readonly CanonicalColumn[] = [
  { name: 'market', type: 'VARCHAR', role: 'id', description: 'Id of the market' },
  {
    name: 'payout0',
    type: 'DOUBLE',
    role: 'info',
    unit: 'USD per token',
    description: 'What a token of outcome 0 pays',
  },
  {
    name: 'payout1',
    type: 'DOUBLE',
    role: 'info',
    unit: 'USD per token',
    description: 'What a token of outcome 1 pays',
  },
  {
    name: 'proposedAt',
    type: 'TIMESTAMP',
    role: 'info',
    description: 'When the payout was first proposed, UTC; null if unknown',
  },
  {
    name: 'finalAt',
    type: 'TIMESTAMP',
    role: 'info',
    description: 'When the resolution became final, UTC; null if unknown',
  },
  { name: 'knowableAt', type: 'TIMESTAMP', role: 'time', description: 'From when on anyone may use it, UTC' },
];

/** Taker fee in USD = shares * rate * (p(1-p))^exponent at price p, from `effectiveFrom` until the next row's. */
const feeSchedules: readonly CanonicalColumn[] = [
  { name: 'market', type: 'VARCHAR', role: 'id', description: 'Id of the market' },
  { name: 'effectiveFrom', type: 'TIMESTAMP', role: 'time', description: 'From when on the row holds, UTC' },
  { name: 'rate', type: 'DOUBLE', role: 'info', unit: 'USD per token', description: 'Factor of the fee; 0 is no fee' },
  { name: 'exponent', type: 'DOUBLE', role: 'info', description: 'Power of p(1-p)' },
  { name: 'takerOnly', type: 'BOOLEAN', role: 'info', description: 'Whether makers pay nothing' },
  {
    name: 'rebateShare',
    type: 'DOUBLE',
    role: 'info',
    description: "Part of the taker's fee that the maker gets back, 0 to 1",
  },
];

/** What the venue says a wallet held at one moment. Amounts of USD are the venue's own, rounded by it. */
const positions: readonly CanonicalColumn[] = [
  { name: 'asOf', type: 'TIMESTAMP', role: 'time', description: 'When the snapshot was taken, UTC' },
  { name: 'wallet', type: 'VARCHAR', role: 'id', description: 'Address of the wallet, lower case' },
  { name: 'market', type: 'VARCHAR', role: 'info', description: 'Id of the market' },
  { name: 'event', type: 'VARCHAR', role: 'group', description: 'Event of the market; the market itself if unknown' },
  { name: 'token', type: 'VARCHAR', role: 'info', description: 'Id of the outcome token' },
  { name: 'outcome', type: 'VARCHAR', role: 'info', description: 'Name of the outcome' },
  { name: 'outcomeIndex', type: 'INTEGER', role: 'info', description: '0 or 1; null if the source does not tell' },
  { name: 'shares', type: 'DECIMAL(18, 6)', role: 'info', unit: 'tokens', description: 'Tokens held' },
  {
    name: 'sharesBought',
    type: 'DECIMAL(18, 6)',
    role: 'info',
    unit: 'tokens',
    description: 'Tokens ever bought; null if unknown',
  },
  { name: 'averagePrice', type: 'DOUBLE', role: 'info', unit: 'USD per token', description: 'Mean price paid' },
  {
    name: 'lastPrice',
    type: 'DOUBLE',
    role: 'info',
    unit: 'USD per token',
    description: 'Price at which the value is taken',
  },
  { name: 'costUsd', type: 'DOUBLE', role: 'info', unit: 'USD', description: 'Cost of the tokens held' },
  { name: 'valueUsd', type: 'DOUBLE', role: 'info', unit: 'USD', description: 'Value of the tokens held' },
  {
    name: 'unrealizedUsd',
    type: 'DOUBLE',
    role: 'info',
    unit: 'USD',
    description: 'Value less cost, as the venue gives it',
  },
  { name: 'realizedUsd', type: 'DOUBLE', role: 'info', unit: 'USD', description: 'Profit of tokens sold or redeemed' },
  { name: 'redeemable', type: 'BOOLEAN', role: 'info', description: 'Whether the market has paid out' },
  {
    name: 'negRisk',
    type: 'BOOLEAN',
    role: 'info',
    description: 'Whether the market belongs to a negative-risk event',
  },
];

/** The venue's ranking of wallets at one moment; its numbers are its own, from how long a look-back it does not say. */
const leaderboard: readonly CanonicalColumn[] = [
  { name: 'asOf', type: 'TIMESTAMP', role: 'time', description: 'When the snapshot was taken, UTC' },
  { name: 'rank', type: 'INTEGER', role: 'info', description: 'From 1' },
  { name: 'wallet', type: 'VARCHAR', role: 'id', description: 'Address of the wallet, lower case' },
  { name: 'volumeUsd', type: 'DOUBLE', role: 'info', unit: 'USD', description: 'Volume' },
  { name: 'profitUsd', type: 'DOUBLE', role: 'info', unit: 'USD', description: 'Profit and loss' },
];

const truth: readonly CanonicalColumn[] = [
  { name: 'wallet', type: 'VARCHAR', role: 'id', description: 'Address of the wallet' },
  { name: 'archetype', type: 'VARCHAR', role: 'info', description: 'What the wallet was made to be' },
  {
    name: 'edge',
    type: 'DOUBLE',
    role: 'info',
    unit: 'USD per token',
    description: 'Planted mean of payout minus price; 0 if none',
  },
  { name: 'firstActiveAt', type: 'TIMESTAMP', role: 'info', description: 'First fill, UTC; null if it never traded' },
  {
    name: 'family',
    type: 'VARCHAR',
    role: 'info',
    description: 'Ring of wash traders or family of sybils that the wallet belongs to; null if none',
  },
  { name: 'follows', type: 'VARCHAR', role: 'info', description: 'Address whose purchases it repeats; null if none' },
  {
    name: 'edgeHalfLifeDays',
    type: 'DOUBLE',
    role: 'info',
    unit: 'days',
    description: 'Time in which its edge halves, counted from its arrival; null if it has none or keeps it',
  },
  {
    name: 'arrivesAt',
    type: 'TIMESTAMP',
    role: 'info',
    description: 'When it arrives, UTC, which may be long before its first fill',
  },
  {
    name: 'latencySeconds',
    type: 'DOUBLE',
    role: 'info',
    unit: 's',
    description: 'Median time from what it reacts to until its own order; null if it reacts to nothing',
  },
];

/** What the simulator knows of each market, none of which a source or a wallet could. */
const marketTruth: readonly CanonicalColumn[] = [
  { name: 'market', type: 'VARCHAR', role: 'id', description: 'Id of the market' },
  {
    name: 'startProbability',
    type: 'DOUBLE',
    role: 'info',
    description: 'True probability of outcome 0 when it opened',
  },
  {
    name: 'happens',
    type: 'BOOLEAN',
    role: 'info',
    description: 'Whether outcome 0 happens, also where it pays 50-50',
  },
  { name: 'fiftyFifty', type: 'BOOLEAN', role: 'info', description: 'Whether both outcomes are paid a half' },
  { name: 'exclusive', type: 'BOOLEAN', role: 'info', description: 'Whether exactly one market of its event happens' },
  { name: 'closesAt', type: 'TIMESTAMP', role: 'info', description: 'When trading ends, also after the end, UTC' },
  { name: 'proposedAt', type: 'TIMESTAMP', role: 'info', description: 'When a payout is first proposed, UTC' },
  { name: 'disputedAt', type: 'TIMESTAMP', role: 'info', description: 'First dispute, UTC; null if there is none' },
  { name: 'disputes', type: 'INTEGER', role: 'info', description: 'Disputes: the second one leads to a vote' },
  { name: 'finalAt', type: 'TIMESTAMP', role: 'info', description: 'When the resolution is final, UTC' },
  { name: 'news', type: 'INTEGER', role: 'info', description: 'Items of news in its life' },
];

/** Columns of each canonical table in their order, with roles and units. */
export const canonicalColumns: Readonly<Record<CanonicalTable, readonly CanonicalColumn[]>> = {
  trades,
  markets,
  events,
  resolutions,
  feeSchedules,
  positions,
  leaderboard,
  truth,
  marketTruth,
};

/** The columns that order the rows of each canonical table; a key of it too. */
export const canonicalOrder: Readonly<Record<CanonicalTable, readonly string[]>> = {
  trades: ['seq'],
  markets: ['market'],
  events: ['event'],
  resolutions: ['market'],
  feeSchedules: ['market', 'effectiveFrom'],
  positions: ['asOf', 'wallet', 'token'],
  leaderboard: ['asOf', 'rank', 'wallet'],
  truth: ['wallet'],
  marketTruth: ['market'],
};
