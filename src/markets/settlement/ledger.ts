/** The ledger: what became of every wallet's position in every token. */
import type { ColumnSpec } from '../../tables/columns.ts';
import type { CellType } from '../../tables/row-source.ts';

/** A column and how the pass gives its numbers. */
export type NumberColumn = ColumnSpec & { readonly cell: CellType };

const money = (name: string, description: string, cell: CellType = 'micros'): NumberColumn => ({
  name,
  role: 'info',
  unit: 'USD',
  description,
  cell,
});
const tokens = (name: string, description: string): NumberColumn => ({
  name,
  role: 'info',
  unit: 'tokens',
  description,
  cell: 'micros',
});
const time = (name: string, role: 'info' | 'time', description: string): NumberColumn => ({
  name,
  role,
  description,
  cell: 'time',
});

export const statuses = ['settled', 'closed', 'open', 'cash'] as const;
export const [SETTLED, CLOSED, OPEN, CASH] = [0, 1, 2, 3] as const;

/** Wallet, market and token by number, as the pass writes them; the stored table may have their names instead. */
const numbers: readonly NumberColumn[] = [
  { name: 'wallet', role: 'id', description: 'Address of the wallet', cell: 'integer' },
  { name: 'market', role: 'group', description: 'Id of the market; null for cash of no market', cell: 'integer' },
  { name: 'token', role: 'info', description: 'Id of the outcome token; null if unknown', cell: 'integer' },
  { name: 'outcomeIndex', role: 'info', description: '0 or 1; null if the source does not tell', cell: 'integer' },
];

/** Numbers are -1 where there is none; NaN is null in the tables. */
export const numberOrNull = (number: number): number => (number < 0 ? Number.NaN : number);

/** Columns of the ledger in their order. */
export const ledgerColumns: readonly NumberColumn[] = [
  ...numbers,
  {
    name: 'status',
    role: 'info',
    description:
      'settled: the outcome is final; closed: it is not, but nothing is held; open: tokens are held; cash: rewards and rebates, no tokens',
    cell: statuses,
  },
  {
    name: 'fills',
    role: 'info',
    unit: 'fills',
    description: 'Fills of the wallet in the token',
    cell: 'integer',
  },
  tokens('boughtShares', 'Bought in fills'),
  tokens('soldShares', 'Sold in fills'),
  tokens('receivedShares', 'Received in splits and conversions'),
  tokens('givenShares', 'Given in merges, redemptions and conversions'),
  tokens('netShares', 'Held at the end; negative if the data miss where tokens came from'),
  money('costUsd', 'Cost of what is held, by weighted average cost'),
  money('cashUsd', 'Cash received less cash paid, before fees'),
  money('feeUsd', 'Fees less rebates, by the rule that the stage was given'),
  money('realisedPnlUsd', 'cashUsd + costUsd: profit on what has left, before fees'),
  money('settlementUsd', 'What netShares pay; null while the outcome is not final', 'halves'),
  money('settledPnlUsd', 'cashUsd + settlementUsd - feeUsd; null while the outcome is not final', 'halves'),
  money('markUsd', 'netShares at the last price of the token; null if settled or without a price'),
  money('markedPnlUsd', 'cashUsd + markUsd - feeUsd; null if settled or without a price'),
  time('markedAt', 'info', 'Time of the last price, UTC'),
  time('openedAt', 'info', 'First fill or flow, UTC'),
  time('closedAt', 'info', 'Since when nothing is held, or when the outcome was final, UTC'),
  time('happenedAt', 'info', 'Last fill or flow, or when the outcome was final, if later, UTC'),
  time('knowableAt', 'time', 'From when on the row (but for the mark) may be used, UTC'),
];

export const historyKinds = [
  'split',
  'fill',
  'conversion',
  'merge',
  'redeem',
  'reward',
  'rebate',
  'resolution',
  'winningFee',
] as const;
export const [RESOLUTION, WINNING_FEE] = [7, 8] as const;

/** Columns of the history of realised profit in their order. */
export const historyColumns: readonly NumberColumn[] = [
  ...numbers,
  {
    name: 'step',
    role: 'info',
    description: 'Number of the row among those of the wallet in the token, from 0',
    cell: 'integer',
  },
  {
    name: 'kind',
    role: 'info',
    description: `What made the profit: ${historyKinds.join(', ')}`,
    cell: historyKinds,
  },
  tokens('shares', 'Tokens that left, or whose value became known'),
  money('proceedsUsd', 'What they brought', 'halves'),
  money('costUsd', 'What they had cost, by weighted average cost', 'halves'),
  money('feeUsd', 'Fee of the fill or on winning, less rebates'),
  money('pnlUsd', 'proceedsUsd - costUsd - feeUsd', 'halves'),
  time('happenedAt', 'info', 'Time of the fill or flow, or when the outcome was final, UTC'),
  time('knowableAt', 'time', 'From when on the row may be used, UTC'),
];

/** The same columns as they are described to readers. */
export function described(columns: readonly NumberColumn[], named: boolean): readonly ColumnSpec[] {
  return columns.map(({ cell: _, ...column }) => {
    const isName = ['wallet', 'market', 'token'].includes(column.name);
    return isName && !named ? { ...column, description: `Number in names/${column.name}s.parquet` } : column;
  });
}
