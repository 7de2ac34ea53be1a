/** What the columns of the tables of names are; see layout.ts. */
import type { ColumnSpec } from '../tables/columns.ts';

export const walletColumns: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Number, by first appearance as wallet or counterparty' },
  { name: 'address', role: 'info' },
  { name: 'fills', role: 'info', description: 'Fills of its own' },
  { name: 'firstAt', role: 'info', description: 'Its first fill, UTC; null if it is only ever a counterparty' },
];

export const marketColumns: readonly ColumnSpec[] = [
  { name: 'market', role: 'id', description: 'Number, by first trade' },
  { name: 'name', role: 'info', description: 'Id of the market' },
  { name: 'event', role: 'group', description: 'Number of the event, by first trade' },
  { name: 'eventName', role: 'info', description: 'Id of the event' },
];

export const tokenColumns: readonly ColumnSpec[] = [
  { name: 'token', role: 'id', description: 'Number, by first trade' },
  { name: 'market', role: 'info', description: 'Number of its market' },
  { name: 'name', role: 'info', description: 'Id of the token; null if the trades do not name it' },
  { name: 'outcome', role: 'info', description: '0 or 1; null if no trade tells' },
];
