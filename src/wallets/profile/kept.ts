/** Writes the rows of a small table, which come from the buckets as they are, into one file. */
import { factFiles } from '../../facts/layout.ts';
import { copyToParquet, type Duck, identifier, quote } from '../../tables/duck.ts';
import { CHUNK_ROWS, type FillRows, registerRows, type SourceColumn } from '../../tables/row-source.ts';
import type { Dates } from '../dates.ts';
import { type NumberColumn, specsOf } from '../rows.ts';
import type { BucketSummary } from './bucket.ts';
import { ROI_COLUMN } from './original.ts';

export interface KeptTable {
  /** Folder of the facts, which name the wallets. */
  readonly facts: string;
  readonly buckets: readonly Pick<BucketSummary, 'kept' | 'rowsByDate'>[];
  readonly columns: readonly NumberColumn[];
  readonly dates: Dates;
  /** Of the original definitions: the mean roiPct by number of the date, which alphaScore is measured against. */
  readonly means: Float64Array | undefined;
  /** The Parquet file. */
  readonly path: string;
}

const ROWS = 'kept_rows';

/** Writes the rows ORDER BY asOf, wallet. Returns in how many rows each column is unknown. */
export async function writeKept(duck: Duck, table: KeptTable): Promise<Float64Array> {
  const { facts, columns, path } = table;
  const given: SourceColumn[] = [
    { name: 'asOf', cell: 'time' },
    { name: 'number', cell: 'integer' },
    ...columns.map(({ name, type }): SourceColumn => ({ name, cell: type === 'INTEGER' ? 'integer' : 'number' })),
  ];
  const nulls = registerRows(duck, ROWS, given, fillFrom(table));
  const names = columns.map(({ name }) => `r.${identifier(name)}`).join(', ');
  await copyToParquet(
    duck,
    `SELECT w.address AS wallet, r."asOf", ${names} FROM ${ROWS}() r
       JOIN read_parquet(${quote(factFiles(facts).wallets)}) w ON w.wallet = r.number ORDER BY r."asOf", w.address`,
    path,
    specsOf(columns),
  );
  return nulls.slice(given.length - columns.length);
}

/** Gives the rows, bucket by bucket and date by date. */
function fillFrom({ buckets, columns, dates, means }: KeptTable): FillRows {
  const alpha = columns.findIndex(({ name }) => name === 'alphaScore');
  const size = columns.length + 1;
  let [bucket, date, row, before] = [0, 0, 0, 0];
  return ([moments, ...numbers]) => {
    let filled = 0;
    while (filled < CHUNK_ROWS && bucket < buckets.length) {
      const { kept = new Float64Array(0), rowsByDate } = buckets[bucket] as KeptTable['buckets'][number];
      const left = (rowsByDate[date] ?? 0) - row;
      const some = Math.min(left, CHUNK_ROWS - filled);
      const start = (before + row) * size;
      moments?.fill(dates.times[date] as number, filled, filled + some);
      numbers.forEach((column, c) => {
        for (let i = 0; i < some; i++) column[filled + i] = kept[start + i * size + c] as number;
      });
      if (means !== undefined && alpha >= 0) {
        const column = numbers[alpha + 1] as Float64Array;
        for (let i = 0; i < some; i++)
          column[filled + i] = (kept[start + i * size + 1 + ROI_COLUMN] as number) - (means[date] as number);
      }
      filled += some;
      row += some;
      if (row < (rowsByDate[date] ?? 0)) continue;
      before += row;
      row = 0;
      if (++date < rowsByDate.length) continue;
      [bucket, date, before] = [bucket + 1, 0, 0];
    }
    return filled;
  };
}
