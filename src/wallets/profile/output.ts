/** Rows of numbers by wallet and date, collected for one bucket and written as Parquet in order of date and wallet. */
import { DOUBLE, DuckDBDataChunk } from '@duckdb/node-api';
import { type Duck, identifier } from '../../tables/duck.ts';
import type { NumberColumn } from '../rows.ts';

const CHUNK = 2048;
/** From a column to the next in a block of columns. At a power of two all columns would meet in the same cache lines. */
const STRIDE = CHUNK + 8;

/** Rows in a block of values. */
const BLOCK = 4096;

/**
 * Rows in the order in which wallets were worked on: numbers of wallets and dates, and the values of the columns in
 * blocks, so that nothing is copied when there are more rows than before.
 */
export class BucketRows {
  readonly width: number;
  count = 0;
  wallet: Int32Array = new Int32Array(BLOCK);
  date: Int32Array = new Int32Array(BLOCK);
  readonly blocks: Float64Array[] = [];
  /** Values of the row that was added last; they begin at the index that `add` returned. */
  values: Float64Array = new Float64Array(0);

  constructor(width: number) {
    this.width = width;
  }

  clear(): void {
    this.count = 0;
  }

  /** Makes room for a row in `values`; NaN stands for unknown. */
  add(wallet: number, date: number): number {
    const row = this.count++;
    if (row === this.wallet.length) {
      this.wallet = doubled(this.wallet);
      this.date = doubled(this.date);
    }
    this.wallet[row] = wallet;
    this.date[row] = date;
    const block = Math.floor(row / BLOCK);
    if (block === this.blocks.length) this.blocks.push(new Float64Array(BLOCK * this.width));
    this.values = this.blocks[block] as Float64Array;
    return this.startOf(row);
  }

  blockOf(row: number): Float64Array {
    return this.blocks[Math.floor(row / BLOCK)] as Float64Array;
  }

  /** Index of the first value of a row in its block. */
  startOf(row: number): number {
    return (row % BLOCK) * this.width;
  }
}

function doubled(old: Int32Array): Int32Array {
  const longer = new Int32Array(2 * old.length);
  longer.set(old);
  return longer;
}

/**
 * Indices of the rows in order of (date, place of the wallet): a counting sort.
 *
 * @param placeOf place of a wallet among all wallets of the bucket, in order of address
 */
export function inOrder(
  rows: BucketRows,
  dates: number,
  places: number,
  placeOf: (wallet: number) => number,
): Int32Array {
  const byPlace = counted(rows.count, places, (i) => placeOf(rows.wallet[i] as number), undefined);
  return counted(rows.count, dates, (i) => rows.date[i] as number, byPlace);
}

/** Stable counting sort of `order` (or of 0, 1, ...) by small whole keys. */
function counted(count: number, keys: number, keyOf: (i: number) => number, order: Int32Array | undefined): Int32Array {
  const next = new Int32Array(keys + 1);
  for (let i = 0; i < count; i++) {
    const key = keyOf(i) + 1;
    next[key] = (next[key] as number) + 1;
  }
  for (let k = 1; k <= keys; k++) next[k] = (next[k] as number) + (next[k - 1] as number);
  const sorted = new Int32Array(count);
  for (let j = 0; j < count; j++) {
    const i = order === undefined ? j : (order[j] as number);
    const key = keyOf(i);
    sorted[next[key] as number] = i;
    next[key] = (next[key] as number) + 1;
  }
  return sorted;
}

/** Inside of the client's vectors, which its types keep private; `setItem` is many times slower. */
interface RawVector {
  readonly items: Float64Array;
  readonly validity: { data: BigUint64Array | null };
  flush(): void;
}

/**
 * Makes the table `name` of `place`, `asOf` (microseconds) and the columns of the profile, all DOUBLE, in the given
 * order; unknown is null. Types and names come when it is written: casting a column is cheaper than appending four types.
 *
 * @param placeOf place of a wallet of the bucket
 */
export async function fillTable(
  duck: Duck,
  name: string,
  columns: readonly NumberColumn[],
  rows: BucketRows,
  order: Int32Array,
  placeOf: (wallet: number) => number,
  times: Float64Array,
): Promise<void> {
  const names = ['place', 'asOf', ...columns.map((c) => c.name)];
  await duck.run(`DROP TABLE IF EXISTS ${identifier(name)};
    CREATE TABLE ${identifier(name)} (${names.map((n) => `${identifier(n)} DOUBLE`).join(', ')})`);
  const connection = await duck.connect();
  const appender = await connection.createAppender(name);
  const chunk = DuckDBDataChunk.create(
    names.map(() => DOUBLE),
    CHUNK,
  );
  const { width } = rows;
  // Column after column; `place` and `asOf` come first.
  const block = new Float64Array(names.length * STRIDE);
  const mask = new Uint32Array(CHUNK / 32);
  for (let begin = 0; begin < order.length; begin += CHUNK) {
    const n = Math.min(CHUNK, order.length - begin);
    chunk.rowCount = n;
    for (let k = 0; k < n; k++) {
      const row = order[begin + k] as number;
      block[k] = placeOf(rows.wallet[row] as number);
      block[STRIDE + k] = times[rows.date[row] as number] as number;
      const values = rows.blockOf(row);
      const start = rows.startOf(row);
      let to = 2 * STRIDE + k;
      for (let from = start; from < start + width; from++, to += STRIDE) block[to] = values[from] as number;
    }
    for (let c = 0; c < names.length; c++) {
      const column = block.subarray(c * STRIDE, c * STRIDE + n);
      const vector = chunk.getColumnVector(c) as unknown as RawVector;
      vector.items.set(column);
      if (unknowns(column, mask)) vector.validity.data = new BigUint64Array(mask.slice().buffer, 0, Math.ceil(n / 64));
      vector.flush();
    }
    appender.appendDataChunk(chunk);
    chunk.reset();
  }
  appender.closeSync();
  connection.closeSync();
}

/** Whether a value is NaN; if so, `mask` has a bit for every value, 0 where it is. */
function unknowns(values: Float64Array, mask: Uint32Array): boolean {
  let found = false;
  for (let k = 0; k < values.length; k++) {
    if (!Number.isNaN(values[k])) continue;
    if (!found) mask.fill(0xffff_ffff);
    found = true;
    mask[k >> 5] = (mask[k >> 5] as number) & ~(1 << (k & 31));
  }
  return found;
}
