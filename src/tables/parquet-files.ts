/** A table is one Parquet file, or a folder of them where one would be too big. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { FathomError } from '../errors.ts';
import { quote } from './duck.ts';

/** The files of a table in their order: the one file, or the parts of the folder. */
export function parquetFiles(table: string): string[] {
  if (!statSync(table).isDirectory()) return [table];
  const parts = readdirSync(table)
    .filter((name) => name.endsWith('.parquet'))
    // Part 1000 comes after part 999.
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  if (parts.length === 0) throw new FathomError('data', `${table}: the folder holds no Parquet files`);
  return parts.map((name) => path.join(table, name));
}

/** Where the `index`th part of a table in several files goes. */
export function partFile(table: string, index: number): string {
  return path.join(table, `part-${String(index).padStart(3, '0')}.parquet`);
}

/** SQL that reads a table. */
export const parquetRelation = (table: string): string =>
  `read_parquet([${parquetFiles(table).map(quote).join(', ')}])`;
