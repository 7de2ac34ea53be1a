/**
 * The canonical tables of a market venue, as every source writes them and every later stage reads them. Times are
 * TIMESTAMP in UTC; money (US dollars) and outcome tokens are DECIMAL(18,6), as the venue keeps them, so their sums
 * are exact in any order.
 */
import type { ColumnSpec } from '../tables/columns.ts';

export type CanonicalTable = 'trades' | 'markets' | 'resolutions' | 'truth';

/** One row is one fill of one wallet: a match between two wallets is two rows. */
const trades: readonly ColumnSpec[] = [
  { name: 'seq', role: 'info', description: 'Number of the row from 0, in order of (time, place in the file)' },
  { name: 'time', role: 'time', description: 'Time of the fill, UTC' },
  { name: 'market', role: 'info', description: 'Id of the market' },
  { name: 'event', role: 'group', description: 'Event that the market belongs to; the market itself if unknown' },
  { name: 'token', role: 'info', description: 'Id of the outcome token, up to 78 digits' },
  { name: 'outcome', role: 'info', description: 'Name of the outcome' },
  { name: 'outcomeIndex', role: 'info', description: '0 or 1; null if the source does not tell' },
  { name: 'wallet', role: 'id', description: 'Address of the wallet, lower case' },
  { name: 'counterparty', role: 'info', description: 'Address on the other side; null if unknown or the exchange' },
  { name: 'role', role: 'info', description: 'maker or taker; null if unknown' },
  { name: 'side', role: 'info', description: 'BUY or SELL, as the wallet sees it' },
  { name: 'price', role: 'info', unit: 'USD per token', description: 'usd / shares' },
  { name: 'usd', role: 'info', unit: 'USD', description: 'Cash paid or received' },
  { name: 'shares', role: 'info', unit: 'tokens', description: 'Outcome tokens bought or sold' },
  { name: 'fee', role: 'info', unit: 'USD', description: 'Fee paid by the wallet; null if unknown' },
  { name: 'transaction', role: 'info', description: 'Hash of the transaction; null if unknown' },
];

const markets: readonly ColumnSpec[] = [
  { name: 'market', role: 'id', description: 'Id of the market' },
  { name: 'event', role: 'group', description: 'Event that the market belongs to' },
  { name: 'question', role: 'info' },
  { name: 'slug', role: 'info' },
  { name: 'category', role: 'info', description: 'politics, sports, crypto or other, by words of the question' },
  { name: 'outcome0', role: 'info' },
  { name: 'outcome1', role: 'info' },
  { name: 'token0', role: 'info' },
  { name: 'token1', role: 'info' },
  { name: 'createdAt', role: 'info', description: 'When it opened, UTC; null if unknown' },
  { name: 'closedAt', role: 'info', description: 'When trading ended, UTC; null if unknown or still open' },
];

const resolutions: readonly ColumnSpec[] = [
  { name: 'market', role: 'id', description: 'Id of the market' },
  { name: 'payout0', role: 'info', unit: 'USD per token', description: 'What a token of outcome 0 pays' },
  { name: 'payout1', role: 'info', unit: 'USD per token', description: 'What a token of outcome 1 pays' },
  { name: 'finalAt', role: 'info', description: 'When the resolution became final, UTC' },
  { name: 'knowableAt', role: 'time', description: 'From when on anyone may use it, UTC' },
];

const truth: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Address of the wallet' },
  { name: 'archetype', role: 'info', description: 'What the wallet was made to be' },
  { name: 'edge', role: 'info', unit: 'USD per token', description: 'Planted mean of payout minus price; 0 if none' },
  { name: 'firstActiveAt', role: 'info', description: 'First fill, UTC; null if it never traded' },
];

/** Columns of each canonical table in their order, with roles and units. */
export const canonicalColumns: Readonly<Record<CanonicalTable, readonly ColumnSpec[]>> = {
  trades,
  markets,
  resolutions,
  truth,
};

/** The columns that order the rows of each canonical table; a key of it too. */
export const canonicalOrder: Readonly<Record<CanonicalTable, readonly string[]>> = {
  trades: ['seq'],
  markets: ['market'],
  resolutions: ['market'],
  truth: ['wallet'],
};
