/** Writes the canonical tables. Apart from their description, which stages read without loading DuckDB. */
import { copyToParquet, type Duck, identifier } from '../tables/duck.ts';
import { type CanonicalTable, canonicalColumns, canonicalOrder } from './canonical.ts';

/**
 * SQL of `orderGroup`: fills of one order or, where `order` is null, of one wallet, transaction, token and side. DuckDB's
 * own hash does (its upper 63 bits, so that it is a BIGINT), because groups are compared within one wallet only.
 *
 * @param order SQL of the order's hash
 */
export function orderGroupSql(order = 'NULL'): string {
  const digest = (...texts: string[]): string => `(hash(${texts.join(', ')}) >> 1)::BIGINT`;
  return `CASE WHEN ${order} IS NOT NULL THEN ${digest('wallet', order)}
    WHEN "transaction" IS NOT NULL THEN ${digest('wallet', '"transaction"', 'token', 'side')} END`;
}

/** Markets and tokens of a row group have fewer values, wallets and transactions more. */
const DICTIONARY_LIMIT = 10_000;

/**
 * Writes a query with the columns of a canonical table, in its types and order, as Parquet.
 *
 * @param sorted true if the query gives its rows in order: then they are not sorted again
 */
export async function copyCanonical(
  duck: Pick<Duck, 'run'>,
  table: CanonicalTable,
  query: string,
  path: string,
  sorted = false,
): Promise<void> {
  const order = sorted ? '' : `ORDER BY ${canonicalOrder[table].map(identifier).join(', ')}`;
  const columns = canonicalColumns[table];
  const typed = columns.map(({ name, type }) => `${identifier(name)}::${type} AS ${identifier(name)}`).join(', ');
  const specs = columns.map(({ type: _, ...spec }) => spec);
  await copyToParquet(duck, `SELECT ${typed} FROM (${query}) ${order}`, path, specs, DICTIONARY_LIMIT);
}
