/** Tables with roles, read by Polars. Child processes only: a native library. */
import pl, { type DataFrame, type Series } from 'nodejs-polars';
import { FathomError } from '../errors.ts';
import type { ColumnRole, ColumnSpec } from './columns.ts';
import type { FrameColumn } from './frame.ts';
import { parquetColumns } from './parquet.ts';
import { parquetFiles } from './parquet-files.ts';

/** A table in memory. `columns` describes every column of `data`, in order. */
export interface Relation {
  /** How messages call it. */
  readonly name: string;
  readonly data: DataFrame;
  readonly columns: readonly ColumnSpec[];
}

/** Reads a table of one Parquet file or several; a column that they say nothing of is `info`. */
export async function readRelation(name: string, path: string): Promise<Relation> {
  const files = parquetFiles(path);
  const specs = await parquetColumns(files[0] as string);
  const data =
    files.length === 1 ? pl.readParquet(files[0] as string) : pl.concat(files.map((file) => pl.readParquet(file)));
  const known = new Map(specs?.map((spec) => [spec.name, spec]));
  return { name, data, columns: data.columns.map((column) => known.get(column) ?? { name: column, role: 'info' }) };
}

/** The only column of a role; undefined if there is none, an error if there are several. */
export function soleColumn(relation: Relation, role: ColumnRole): string | undefined {
  const found = relation.columns.filter((column) => column.role === role);
  if (found.length > 1)
    throw new FathomError(
      'data',
      `the ${relation.name} have several ${role} columns: ${found.map((c) => c.name).join(', ')}`,
    );
  return found[0]?.name;
}

/** Specification of a column by name; an error that lists what is there. */
export function specOf(relation: Relation, name: string, asked: string): ColumnSpec {
  const found = relation.columns.find((column) => column.name === name);
  if (found === undefined)
    throw new FathomError('data', `${asked} names "${name}", which is no column of the ${relation.name}`, {
      hint: `there are ${relation.columns.map((c) => c.name).join(', ')}`,
    });
  return found;
}

/** An error if two rows share a key or a key is missing. */
export function checkKey(relation: Relation, key: readonly string[]): void {
  const { data, name } = relation;
  for (const column of key) {
    const missing = data.getColumn(column).nullCount();
    if (missing > 0) throw new FathomError('data', `${missing} rows of the ${name} have no ${column}`);
  }
  const distinct = data.select(...key).unique().height;
  if (distinct !== data.height)
    throw new FathomError(
      'data',
      `the ${name} have ${data.height - distinct} rows too many for one (${key.join(', ')})`,
    );
}

/**
 * A Polars column as frames hold it. Numbers, decimals and booleans become doubles (missing: NaN), times and dates UTC
 * milliseconds, text categories with sorted labels. Whole numbers beyond 2^53 are refused rather than rounded.
 */
export function frameColumn(series: Series, spec: ColumnSpec): FrameColumn {
  const kind = (series.dtype as { variant: string }).variant;
  if (kind === 'String' || kind === 'Utf8' || kind === 'Categorical') return categoryColumn(series, spec);
  const values = numbersOfSeries(series, spec.name, kind);
  if (kind === 'Datetime') {
    const unit = JSON.stringify(series.dtype).match(/"(ns|us|ms)"/)?.[1];
    const divisor = unit === 'ns' ? 1e6 : unit === 'us' ? 1e3 : 1;
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / divisor;
  } else if (kind === 'Date') for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * 86_400_000;
  else if (kind.startsWith('Int') || kind.startsWith('UInt'))
    for (const value of values)
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
        throw new FathomError('data', `column "${spec.name}" holds whole numbers beyond 2^53, which a double rounds`, {
          hint: 'declare it as text where the table is read',
        });
  return { ...spec, type: 'number', values };
}

function numbersOfSeries(series: Series, name: string, kind: string): Float64Array {
  const numeric = /^(U?Int\d+|Float\d+|Decimal|Bool|Datetime|Date|Null)$/.test(kind);
  if (!numeric) throw new FathomError('data', `column "${name}" is of type ${kind}, which a frame cannot hold`);
  if (series.length === 0) return new Float64Array(0);
  const doubles = pl
    .DataFrame([series.alias('values')])
    .select(pl.col('values').cast(pl.Float64).fillNull(pl.lit(Number.NaN)));
  const typed = doubles.getColumn('values') as unknown as { toTypedArray(): Float64Array };
  // A copy: what Polars returns may be its own memory.
  return Float64Array.from(typed.toTypedArray());
}

function categoryColumn(series: Series, spec: ColumnSpec): FrameColumn {
  const texts = series.cast(pl.String).toArray() as (string | null)[];
  const seen = new Set<string>();
  for (const text of texts) if (text !== null) seen.add(text);
  const labels = [...seen].sort((a, b) => (a < b ? -1 : 1));
  const codeOf = new Map(labels.map((label, code) => [label, code]));
  const codes = Int32Array.from(texts, (text) => (text === null ? -1 : (codeOf.get(text) as number)));
  return { ...spec, type: 'category', labels, codes };
}
