/** Rows of numbers keyed by wallet and date, as DuckDB gives them back in order. */
import type { ColumnSpec } from '../tables/columns.ts';
import { identifier } from '../tables/duck.ts';
import { nullIfNaN } from '../tables/stream.ts';

/** A column computed as a double and stored as `type`; NaN becomes null. */
export type NumberColumn = ColumnSpec & { readonly type: 'DOUBLE' | 'INTEGER' | 'TIMESTAMP' };

/** First columns of a table of rows: microseconds of the date, number of the wallet (see `wallet_ids`). */
export const keyColumns: readonly string[] = ['asOf', 'walletId'];

/** SQL for the rows of a table made with `createNumberTable`, with names of wallets, ORDER BY asOf, wallet. */
export function selectRows(table: string, columns: readonly NumberColumn[]): string {
  const values = columns.map(({ name, type }) => {
    const value = nullIfNaN(name);
    const typed = type === 'TIMESTAMP' ? `make_timestamp((${value})::BIGINT)` : `(${value})::${type}`;
    return `${typed} AS ${identifier(name)}`;
  });
  return `SELECT w.wallet, make_timestamp("asOf"::BIGINT) AS "asOf", ${values.join(', ')}
    FROM ${identifier(table)} r JOIN wallet_ids w ON w.id = r.walletId ORDER BY r."asOf", w.place`;
}

/** The columns of a table of such rows as Parquet files describe them, `wallet` and `asOf` first. */
export function specsOf(columns: readonly NumberColumn[]): ColumnSpec[] {
  return [
    { name: 'wallet', role: 'id', description: 'Address of the wallet' },
    { name: 'asOf', role: 'time', description: 'Only what was knowable strictly before this moment enters the row' },
    ...columns.map(({ type: _, ...spec }) => spec),
  ];
}
