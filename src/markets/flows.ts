/** The canonical table of what moves a wallet's cash and tokens without a trade. */
import type { ColumnSpec } from '../tables/columns.ts';

/**
 * Signs are the wallet's own: cash received and tokens received are positive. `shares0` and `shares1` may be null where
 * a source does not tell; a redemption then takes all the wallet holds in the market.
 */
export const flowKinds = ['split', 'merge', 'conversion', 'redeem', 'reward', 'rebate'] as const;
export type FlowKind = (typeof flowKinds)[number];

export const flowColumns: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Address of the wallet, lower case' },
  { name: 'time', role: 'time', description: 'When it happened, UTC' },
  { name: 'market', role: 'info', description: 'Id of the market; null for rewards and rebates of no one market' },
  { name: 'kind', role: 'info', description: flowKinds.join(', ') },
  { name: 'usd', role: 'info', unit: 'USD', description: 'Cash received; negative if paid' },
  { name: 'shares0', role: 'info', unit: 'tokens', description: 'Tokens of outcome 0 received; negative if given' },
  { name: 'shares1', role: 'info', unit: 'tokens', description: 'Tokens of outcome 1 received; negative if given' },
  { name: 'transaction', role: 'info', description: 'Hash of the transaction; null if unknown' },
];

/** The columns that order its rows. Rows alike in all of them are alike in everything that counts. */
export const flowOrder = ['time', 'wallet', 'market', 'kind', 'transaction', 'usd', 'shares0', 'shares1'] as const;
