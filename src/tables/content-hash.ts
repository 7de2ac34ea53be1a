/** Hash of a table's schema and rows in their order: equal for equal tables, however the file was written. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** SHA-256 in hexadecimal over the names and types of the columns and every value, row by row. */
export async function contentHash(file: string): Promise<string> {
  const bytes = await readFile(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const metadata = parquetMetadata(buffer);
  const columns = parquetSchema(metadata).children.map(({ element }) => [
    element.name,
    element.type,
    element.converted_type ?? null,
    element.scale ?? null,
  ]);
  const hash = createHash('sha256').update(JSON.stringify(columns));
  const rows = await parquetReadObjects({ file: buffer, metadata, compressors });
  for (const row of rows)
    hash.update(JSON.stringify(columns.map(([name]) => plain((row as Record<string, unknown>)[name as string]))));
  return hash.digest('hex');
}

/** JSON has no big integers, dates are written as their instants, and -0 is not 0. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Date) return `@${value.getTime()}`;
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return `#${Object.is(value, -0) ? '-0' : value}`;
  return value ?? null;
}
