/** Small Parquet tables without DuckDB, for worker threads: predictions, embeddings, assignments. */
import { readFile } from 'node:fs/promises';
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadata,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parquetWriteFile } from 'hyparquet-writer';
import { columnSpecs } from './column-schemas.ts';
import { type ColumnSpec, METADATA_KEY } from './columns.ts';

export type ParquetColumn = ColumnSpec &
  (
    | { readonly type: 'DOUBLE' | 'FLOAT'; readonly values: Float64Array | Float32Array | readonly (number | null)[] }
    | { readonly type: 'INT32'; readonly values: Int32Array | readonly (number | null)[] }
    | { readonly type: 'STRING'; readonly values: readonly (string | null)[] }
    /** UTC milliseconds. */
    | { readonly type: 'TIMESTAMP'; readonly values: readonly (Date | null)[] }
  );

/** Writes columns of equal length; the same columns give the same bytes. NaN is stored as null. */
export async function writeParquet(path: string, columns: readonly ParquetColumn[]): Promise<void> {
  const specs = columns.map(({ name, role, unit, description }) => ({
    name,
    role,
    ...(unit === undefined ? {} : { unit }),
    ...(description === undefined ? {} : { description }),
  }));
  parquetWriteFile({
    filename: path,
    columnData: columns.map((column) => ({
      name: column.name,
      type: column.type,
      nullable: true,
      data: nullsForNaN(column.values as ArrayLike<unknown>),
    })) as never,
    kvMetadata: [{ key: METADATA_KEY, value: JSON.stringify(specs) }],
  });
}

function nullsForNaN(values: ArrayLike<unknown>): unknown[] {
  return Array.from(values, (value) => (typeof value === 'number' && Number.isNaN(value) ? null : value));
}

export interface ParquetTable {
  readonly columns: readonly ColumnSpec[] | undefined;
  readonly rows: readonly Record<string, unknown>[];
}

/** Reads a whole small table as objects: 64-bit integers as bigint, decimals as the nearest number, times as Date. */
export async function readParquet(path: string): Promise<ParquetTable> {
  const bytes = await readFile(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const metadata = parquetMetadata(file);
  const rows = (await parquetReadObjects({ file, metadata, compressors })) as Record<string, unknown>[];
  repairDecimals(metadata, rows);
  return { columns: specsOf(metadata), rows };
}

/** hyparquet multiplies decimals by a rounded 10^-scale, which may miss the nearest number by a bit; a quotient does not. */
function repairDecimals(metadata: FileMetaData, rows: readonly Record<string, unknown>[]): void {
  for (const { name, converted_type, scale } of metadata.schema) {
    if (converted_type !== 'DECIMAL') continue;
    const unit = 10 ** (scale ?? 0);
    for (const row of rows) {
      const value = row[name];
      if (typeof value !== 'number') continue;
      const whole = Math.round(value * unit);
      if (Number.isSafeInteger(whole)) row[name] = whole / unit;
    }
  }
}

/** What a file says of its columns, from its last bytes alone; undefined for a foreign file. */
export async function parquetColumns(path: string): Promise<readonly ColumnSpec[] | undefined> {
  return specsOf(await parquetMetadataAsync(await asyncBufferFromFile(path)));
}

function specsOf(metadata: FileMetaData): readonly ColumnSpec[] | undefined {
  const text = metadata.key_value_metadata?.find((entry) => entry.key === METADATA_KEY)?.value;
  return text === undefined ? undefined : columnSpecs.parse(JSON.parse(text));
}
