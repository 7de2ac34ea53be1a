/** Rows between the steps of an import. */
import { type Duck, quote } from '../../tables/duck.ts';

/** Writes rows on their way, in no order, as Parquet. */
export async function copyRows(duck: Pick<Duck, 'run'>, query: string, target: string): Promise<void> {
  await duck.run(`COPY (${query}) TO ${quote(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
}
