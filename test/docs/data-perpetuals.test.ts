/** Makes docs/data-perpetuals.md from the tables' own descriptions: `npx vitest run test/docs/data-perpetuals.test.ts -u` writes it. */
import { expect, it } from 'vitest';
import {
  type PerpetualTable,
  perpetualColumns,
  perpetualOrder,
  perpetualTables,
} from '../../src/markets/hyperliquid/canonical.ts';
import { stagedColumns } from '../../src/markets/hyperliquid/staging.ts';

const head = `# Canonical tables of a perpetual exchange

Made from \`src/markets/hyperliquid/canonical.ts\` by \`npx vitest run test/docs/data-perpetuals.test.ts -u\`.

\`source.hyperliquid\` writes these tables. Times are TIMESTAMP in UTC and of two clocks: \`time\` is the exchange's,
\`receivedAt\` that of whoever recorded it; nothing may be used before \`knowableAt\`. Prices are DECIMAL(18, 8), sizes
DECIMAL(28, 8), since the exchange quotes at most eight decimals and some coins are counted in thousands of millions;
US dollars are DECIMAL(18, 6), rounded once, half to even. Unknown is null, never 0. Addresses and hashes are lower case.
All tables are there, empty where nothing was recorded.
`;

const what: Readonly<Record<PerpetualTable, string>> = {
  fills: 'One row is one fill of one wallet: a match between two wallets is two rows where the trades name both.',
  prints: 'One row a match, as everybody sees it.',
  quotes: 'One row a change of the best bid or offer.',
  books: 'One row a level of a snapshot.',
  candles:
    'One row a candle that is known to be complete; the one that was forming at the end of a recording is not in it.',
  blocks: 'One row a block of the EVM chain.',
  transactions: 'One row a transaction of the EVM chain, which is not where the exchange trades.',
};

const cell = (text: string | undefined): string => (text ?? '').replaceAll('|', '\\|');

const section = (table: PerpetualTable): string =>
  [
    `## ${table}`,
    '',
    what[table],
    '',
    `Ordered by ${perpetualOrder[table].map((column) => `\`${column}\``).join(', ')}.`,
    '',
    '| column | type | unit | role | meaning |',
    '|---|---|---|---|---|',
    ...perpetualColumns[table].map(
      ({ name, type, unit, role, description }) =>
        `| \`${name}\` | ${type} | ${cell(unit)} | ${role} | ${cell(description)} |`,
    ),
    '',
  ].join('\n');

it('docs/data-perpetuals.md describes the tables as they are', async () => {
  await expect([head, ...perpetualTables.map(section)].join('\n')).toMatchFileSnapshot('../../docs/data-perpetuals.md');
});

it('what is staged of a column has the type in which it is stored', () => {
  for (const table of perpetualTables) {
    const types = Object.fromEntries(perpetualColumns[table].map(({ name, type }) => [name, type]));
    for (const [name, type] of Object.entries(stagedColumns[table]))
      if (types[name] !== undefined && types[name] !== 'TIMESTAMP') expect(type, `${table}.${name}`).toBe(types[name]);
  }
});
