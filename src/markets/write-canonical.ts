/** Writes the canonical tables. Apart from their description, which stages read without loading DuckDB. */
import { copyToParquet, type Duck } from '../tables/duck.ts';
import { type CanonicalTable, canonicalColumns, canonicalOrder } from './canonical.ts';

/** Writes a query with the columns of a canonical table, in its order, as Parquet. */
export async function copyCanonical(
  duck: Pick<Duck, 'run'>,
  table: CanonicalTable,
  query: string,
  path: string,
): Promise<void> {
  const order = canonicalOrder[table].join(', ');
  await copyToParquet(duck, `SELECT * FROM (${query}) ORDER BY ${order}`, path, canonicalColumns[table]);
}
