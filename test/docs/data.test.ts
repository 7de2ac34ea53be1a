/** Makes docs/data.md from the tables' own descriptions: `npx vitest run test/docs/data.test.ts -u` writes it. */
import { expect, it } from 'vitest';
import { type CanonicalTable, canonicalColumns, canonicalOrder } from '../../src/markets/canonical.ts';
import { flowColumns, flowOrder } from '../../src/markets/flows.ts';
import type { ColumnSpec } from '../../src/tables/columns.ts';

const head = `# Canonical tables

Made from \`src/markets/canonical.ts\` and \`src/markets/flows.ts\` by \`npx vitest run test/docs/data.test.ts -u\`.

Every source writes these tables and every later stage reads them, so a feature needs no knowledge of where trades came
from. All are Parquet; roles and units stand in the metadata of the file under the key \`fathom\`. Times are TIMESTAMP in
UTC. Cash and outcome tokens are DECIMAL(18, 6), as the venue keeps them: their sums are exact in any order. A price is a
quotient of the two, hence DOUBLE. Unknown is null, never 0. Addresses and hashes are lower case; token ids have up to 78
digits and are text. The rows of a table stand in the order given, which is a key of it unless it says otherwise.
`;

const what: Readonly<Record<CanonicalTable, string>> = {
  trades:
    'One row is one fill of one wallet: a match between two wallets is two rows where the source tells of both. Exchange contracts are never wallets. One-sided volume is the sum over rows whose role is `taker`.',
  markets: 'One row a market.',
  events: 'One row an event, where the source tells of events.',
  resolutions:
    'One row a market that has paid out. `knowableAt` is what keeps the future out of features: no stage uses a payout before it.',
  feeSchedules:
    'Fee in USD of a taker = shares × rate × (p(1 − p))^exponent at price p, from `effectiveFrom` until the next row of the market.',
  positions: "The venue's own snapshot of what wallets hold, for comparison with the ledger.",
  leaderboard: "The venue's own ranking of wallets. It is survivorship in a table: who lost and left is not in it.",
  truth: 'What the simulator planted, in a table apart that no feature may read.',
  marketTruth: 'What the simulator knows of each market, likewise apart.',
};

const cell = (text: string | undefined): string => (text ?? '').replaceAll('|', '\\|');

/** Types of columns that state none, by the rule in the page's head. */
function typeOf(column: ColumnSpec & { type?: string }): string {
  if (column.type !== undefined) return column.type;
  if (column.unit === 'USD' || column.unit === 'tokens') return 'DECIMAL(18, 6)';
  return column.role === 'time' ? 'TIMESTAMP' : 'VARCHAR';
}

function section(name: string, text: string, columns: readonly ColumnSpec[], order: readonly string[]): string {
  const rows = columns.map(
    (column) =>
      `| \`${column.name}\` | ${typeOf(column)} | ${cell(column.unit)} | ${column.role} | ${cell(column.description)} |`,
  );
  return [
    `## ${name}`,
    '',
    text,
    '',
    `Ordered by ${order.map((column) => `\`${column}\``).join(', ')}.`,
    '',
    '| column | type | unit | role | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

it('docs/data.md describes the canonical tables as they are', async () => {
  const sections = (Object.keys(canonicalColumns) as CanonicalTable[]).map((name) =>
    section(name, what[name], canonicalColumns[name], canonicalOrder[name]),
  );
  const flows = section(
    'flows',
    'Cash and tokens that moved without a trade. Signs are the wallet’s own: what it receives is positive. Rows alike in all ordering columns are alike.',
    flowColumns,
    flowOrder,
  );
  await expect([head, ...sections, flows].join('\n')).toMatchFileSnapshot('../../docs/data.md');
});
