/** Writes the rows of a small table, which come from the buckets as they are, into one file. */
import { makeKernels } from '../../kernels/kernels.ts';
import type { Dates } from '../dates.ts';
import type { NumberColumn } from '../rows.ts';
import type { BucketSummary } from './bucket.ts';
import type { NamedWallets } from './named-wallets.ts';
import { ROI_COLUMN } from './original.ts';
import { BLOCK_ROWS, type RowBlock } from './output.ts';
import { PartWriter } from './part-writer.ts';

export interface KeptTable {
  /** All wallets that traded, in order of their addresses. */
  readonly wallets: NamedWallets;
  readonly buckets: readonly Pick<BucketSummary, 'kept' | 'rowsByDate'>[];
  readonly columns: readonly NumberColumn[];
  readonly dates: Dates;
  /** Of the original definitions: the mean roiPct by number of the date, which alphaScore is measured against. */
  readonly means: Float64Array | undefined;
  /** The Parquet file. */
  readonly path: string;
}

/** Writes the rows ORDER BY asOf, wallet. Returns in how many rows each column is unknown. */
export async function writeKept(table: KeptTable): Promise<Float64Array> {
  const { wallets, columns, dates, path } = table;
  const writer = new PartWriter(makeKernels(), columns, false);
  const rows = { rowSize: columns.length + 1, inOrder: () => blocksOf(table) };
  const { nulls, written } = await writer.write(path, rows, wallets, dates.times);
  await written;
  return nulls;
}

/** Rows of one date in a bucket: where they begin among its numbers, and how many there are. */
interface Stretch {
  readonly numbers: Float64Array;
  readonly from: number;
  readonly rows: number;
}

/** Rows of one date after the other, in order of the addresses of their wallets, whose place comes first in each. */
function* blocksOf({ wallets, buckets, columns, means }: KeptTable): Generator<RowBlock> {
  const size = columns.length + 1;
  const alpha = 1 + columns.findIndex(({ name }) => name === 'alphaScore');
  const placeOf = new Int32Array(1 + wallets.numbers.reduce((most, number) => Math.max(most, number), 0));
  wallets.numbers.forEach((number, place) => {
    placeOf[number] = place;
  });
  const block = new Float64Array(BLOCK_ROWS * size);
  // By place of the wallet: which stretch its row of a date is in, and where among the numbers.
  const stretchOf = new Int32Array(wallets.numbers.length);
  const startOf = new Int32Array(wallets.numbers.length);
  for (const [date, stretches] of stretchesByDate(buckets).entries()) {
    stretchOf.fill(-1);
    stretches.forEach(({ numbers, from, rows }, stretch) => {
      for (let row = from; row < from + rows; row++) {
        const place = placeOf[numbers[row * size] as number] as number;
        stretchOf[place] = stretch;
        startOf[place] = row * size;
      }
    });
    let rows = 0;
    for (let place = 0; place < stretchOf.length; place++) {
      const stretch = stretches[stretchOf[place] as number];
      if (stretch === undefined) continue;
      const [start, at] = [startOf[place] as number, rows++ * size];
      block[at] = place;
      for (let k = 1; k < size; k++) block[at + k] = stretch.numbers[start + k] as number;
      if (means !== undefined && alpha > 0)
        block[at + alpha] = (stretch.numbers[start + 1 + ROI_COLUMN] as number) - (means[date] as number);
      if (rows < BLOCK_ROWS) continue;
      yield { block, rows, date };
      rows = 0;
    }
    if (rows > 0) yield { block, rows, date };
  }
}

function stretchesByDate(buckets: KeptTable['buckets']): Stretch[][] {
  const byDate: Stretch[][] = [];
  for (const { kept: numbers = new Float64Array(0), rowsByDate } of buckets) {
    let from = 0;
    rowsByDate.forEach((rows, date) => {
      byDate[date] ??= [];
      byDate[date].push({ numbers, from, rows });
      from += rows;
    });
  }
  return byDate;
}
