/** The table of tested wallets. */
import type { ColumnSpec } from '../../tables/columns.ts';
import { copyToParquet, type Duck, identifier } from '../../tables/duck.ts';
import { createNumberTable, nullIfNaN } from '../../tables/stream.ts';
import type { TestedWallet } from './discover.ts';

type Type = 'DOUBLE' | 'INTEGER' | 'BOOLEAN';

function info(name: keyof TestedWallet, type: Type, unit: string | undefined, description: string) {
  return { name, type, role: 'info' as const, ...(unit === undefined ? {} : { unit }), description };
}

/** After `wallet` and `asOf`. */
const columns = [
  info('bets', 'INTEGER', 'events', 'Settled events, one bet each: the first fill'),
  info('effectiveBets', 'DOUBLE', 'events', 'Squared sum of the weights by the sum of their squares'),
  info('winRate', 'DOUBLE', 'share', 'Bets won; says nothing without the prices'),
  info('meanPrice', 'DOUBLE', 'USD/share', 'All-in price paid'),
  info('edge', 'DOUBLE', 'USD/share', 'Outcome less price'),
  info('excess', 'DOUBLE', 'USD/share', 'Outcome less the chance without skill; the edge, where prices are the null'),
  info('standardError', 'DOUBLE', 'USD/share', 'Standard deviation of the excess without skill'),
  info('z', 'DOUBLE', undefined, 'Excess by its standard error'),
  info('p', 'DOUBLE', undefined, 'Chance of as much or more without skill, one-sided'),
  info('q', 'DOUBLE', undefined, 'p adjusted for all wallets tested'),
  info('significant', 'BOOLEAN', undefined, 'q is at most the rate'),
  info('found', 'BOOLEAN', undefined, 'Significant, and the gains do not rest on one event'),
  info('shrunkEdge', 'DOUBLE', 'USD/share', 'Excess pulled to zero by its noise'),
  info('shrunkStandardError', 'DOUBLE', 'USD/share', 'Standard deviation of the true edge around it'),
  info('sharpePerBet', 'DOUBLE', 'ratio', 'Mean by standard deviation of a bet with the shrunk edge; not annualised'),
  info('pnlUsd', 'DOUBLE', 'USD', 'Profit of all fills in the events of the bets, after recorded fees'),
  info('largestEventShare', 'DOUBLE', 'share', 'Gain of the best event by the gains of all events with one'),
  info('sharesEdge', 'DOUBLE', 'USD/share', 'Profit by shares over all those fills'),
  info('sharesStandardError', 'DOUBLE', 'USD/share', 'Its standard error, clustered by event'),
] as const;

/** Writes the wallets to `path` (Parquet, ORDER BY wallet); `wallet_ids` must be there. */
export async function writeDiscovery(
  duck: Duck,
  wallets: readonly TestedWallet[],
  asOf: number,
  path: string,
): Promise<void> {
  const table = await createNumberTable(duck, 'tested', ['walletId', ...columns.map(({ name }) => name)]);
  for (const wallet of wallets) table.append([wallet.wallet, ...columns.map(({ name }) => Number(wallet[name]))]);
  table.finish();
  const values = columns.map(({ name, type }) => `(${nullIfNaN(name)})::${type} AS ${identifier(name)}`);
  const specs: ColumnSpec[] = [
    { name: 'wallet', role: 'id', description: 'Address of the wallet' },
    { name: 'asOf', role: 'time', description: 'Only what was knowable strictly before this moment enters the row' },
    ...columns.map(({ type: _, ...spec }) => spec),
  ];
  await copyToParquet(
    duck,
    `SELECT w.wallet, make_timestamp(${asOf}) AS "asOf", ${values.join(', ')}
     FROM tested t JOIN wallet_ids w ON w.id = t.walletId ORDER BY w.place`,
    path,
    specs,
  );
}
