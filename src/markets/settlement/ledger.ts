/** The ledger: what became of every wallet's position in every token. */
import type { ColumnSpec } from '../../tables/columns.ts';
import { copyToParquet, type Duck, identifier } from '../../tables/duck.ts';
import { ledgerOrder } from './ledger-order.ts';

/** How a column of whole numbers is stored. `half` counts halves of 1e-6. */
type Stored = 'micro' | 'half' | 'time' | 'count';

const money = (name: string, description: string, stored: Stored = 'micro') =>
  ({ name, role: 'info', unit: 'USD', description, stored }) as const;
const tokens = (name: string, description: string) =>
  ({ name, role: 'info', unit: 'tokens', description, stored: 'micro' }) as const;

/** Columns that the pass computes, in the order of its rows after wallet, market, token and status. */
export const computed: readonly (ColumnSpec & { readonly stored: Stored })[] = [
  { name: 'fills', role: 'info', unit: 'fills', description: 'Fills of the wallet in the token', stored: 'count' },
  tokens('boughtShares', 'Bought in fills'),
  tokens('soldShares', 'Sold in fills'),
  tokens('receivedShares', 'Received in splits and conversions'),
  tokens('givenShares', 'Given in merges, redemptions and conversions'),
  tokens('netShares', 'Held at the end; negative if the data miss where tokens came from'),
  money('costUsd', 'Cost of what is held, by weighted average cost'),
  money('cashUsd', 'Cash received less cash paid, before fees'),
  money('feeUsd', 'Fees less rebates, by the rule that the stage was given'),
  money('realisedPnlUsd', 'cashUsd + costUsd: profit on what has left, before fees'),
  money('settlementUsd', 'What netShares pay; null while the outcome is not final', 'half'),
  money('settledPnlUsd', 'cashUsd + settlementUsd - feeUsd; null while the outcome is not final', 'half'),
  money('markUsd', 'netShares at the last price of the token; null if settled or without a price'),
  money('markedPnlUsd', 'cashUsd + markUsd - feeUsd; null if settled or without a price'),
  { name: 'markedAt', role: 'info', description: 'Time of the last price, UTC', stored: 'time' },
  { name: 'openedAt', role: 'info', description: 'First fill or flow, UTC', stored: 'time' },
  {
    name: 'closedAt',
    role: 'info',
    description: 'Since when nothing is held, or when the outcome was final, UTC',
    stored: 'time',
  },
  {
    name: 'happenedAt',
    role: 'info',
    description: 'Last fill or flow, or when the outcome was final, if later, UTC',
    stored: 'time',
  },
  {
    name: 'knowableAt',
    role: 'time',
    description: 'From when on the row (but for the mark) may be used, UTC',
    stored: 'time',
  },
];

export const statuses = ['settled', 'closed', 'open', 'cash'] as const;

/** Columns of the ledger as it is stored. */
export const ledgerColumns: readonly ColumnSpec[] = [
  { name: 'wallet', role: 'id', description: 'Address of the wallet' },
  { name: 'market', role: 'group', description: 'Id of the market; null for cash of no market' },
  { name: 'outcomeIndex', role: 'info', description: '0 or 1; null if the source does not tell' },
  { name: 'token', role: 'info', description: 'Id of the outcome token' },
  {
    name: 'status',
    role: 'info',
    description:
      'settled: the outcome is final; closed: it is not, but nothing is held; open: tokens are held; cash: rewards and rebates, no tokens',
  },
  ...computed.map(({ stored: _, ...column }) => column),
];

/** Columns of the table of numbers that the pass fills; `market` and `token` may be NaN. */
export const rowColumns: readonly string[] = ['wallet', 'market', 'token', 'status', ...computed.map((c) => c.name)];

const sqlOf: Readonly<Record<Stored, (column: string) => string>> = {
  count: (c) => `${c}::INTEGER`,
  micro: (c) => `(${c}::BIGINT::DECIMAL(19, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6)`,
  half: (c) => `(${c}::BIGINT::DECIMAL(19, 0) * 0.0000005::DECIMAL(8, 7))::DECIMAL(18, 7)`,
  time: (c) => `make_timestamp(${c}::BIGINT)`,
};

/** Makes the table `ledger` from the numbers in table `rows`, and writes it as Parquet. */
export async function writeLedger(duck: Duck, rows: string, path: string): Promise<void> {
  const values = computed.map(({ name, stored }) => {
    const column = `r.${identifier(name)}`;
    return `CASE WHEN NOT isnan(${column}) THEN ${sqlOf[stored](column)} END AS ${identifier(name)}`;
  });
  const number = (column: string): string => `CASE WHEN NOT isnan(r.${column}) THEN r.${column}::INTEGER END`;
  await duck.run(`CREATE TABLE ledger AS SELECT w.wallet, m.market, k.outcomeIndex, k.token,
      [${statuses.map((status) => `'${status}'`).join(', ')}][r.status::INTEGER + 1] AS status, ${values.join(', ')}
    FROM ${identifier(rows)} r JOIN wallet_ids w ON w.id = r.wallet::INTEGER
      LEFT JOIN market_ids m ON m.id = ${number('market')} LEFT JOIN token_ids k ON k.id = ${number('token')}`);
  const order = ledgerOrder.map((name) => `${identifier(name)} NULLS LAST`).join(', ');
  await copyToParquet(duck, `SELECT * FROM ledger ORDER BY ${order}, status`, path, ledgerColumns);
}
