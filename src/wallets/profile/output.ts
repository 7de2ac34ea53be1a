/** Rows of numbers by wallet and date, collected for one bucket and written as Parquet in order of date and wallet. */
import { DOUBLE, DuckDBDataChunk, ENUM, INTEGER, TIMESTAMP } from '@duckdb/node-api';
import { type Duck, identifier } from '../../tables/duck.ts';
import type { NumberColumn } from '../rows.ts';

const CHUNK = 2048;

/** Rows in the order in which wallets were worked on. Numbers of wallets and dates, then the values of the columns. */
export class BucketRows {
  readonly width: number;
  count = 0;
  wallet: Int32Array;
  date: Int32Array;
  values: Float64Array;

  constructor(width: number, capacity = 4096) {
    this.width = width;
    this.wallet = new Int32Array(capacity);
    this.date = new Int32Array(capacity);
    this.values = new Float64Array(capacity * width);
  }

  clear(): void {
    this.count = 0;
  }

  /** Makes room for a row; its values begin at the index returned, NaN stands for unknown. */
  add(wallet: number, date: number): number {
    if (this.count === this.wallet.length) this.grow();
    this.wallet[this.count] = wallet;
    this.date[this.count] = date;
    return this.count++ * this.width;
  }

  private grow(): void {
    const size = Math.ceil(1.5 * this.wallet.length);
    const [wallet, date] = [new Int32Array(size), new Int32Array(size)];
    const values = new Float64Array(size * this.width);
    wallet.set(this.wallet);
    date.set(this.date);
    values.set(this.values);
    this.wallet = wallet;
    this.date = date;
    this.values = values;
  }
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
  readonly items?: Float64Array | Int32Array;
  readonly dataView?: DataView;
  readonly validity: { data: BigUint64Array | null };
  flush(): void;
}

/** Wallets of a bucket in the order of their addresses. */
export interface Places {
  readonly addresses: readonly string[];
  /** Place of the wallet of a number. */
  placeOf(wallet: number): number;
}

/**
 * Makes the table `name` of `wallet` (an enumeration of the addresses: numbers inside, and a dictionary in Parquet),
 * `asOf` and the columns of the profile, in the given order.
 */
export async function fillTable(
  duck: Duck,
  name: string,
  columns: readonly NumberColumn[],
  rows: BucketRows,
  order: Int32Array,
  { addresses, placeOf }: Places,
  times: Float64Array,
): Promise<void> {
  const wallet = ENUM([...addresses]);
  const definitions = columns.map((c) => `${identifier(c.name)} ${c.type}`);
  await duck.run(`DROP TABLE IF EXISTS ${identifier(name)};
    CREATE TABLE ${identifier(name)} (wallet ${wallet.toString()}, "asOf" TIMESTAMP, ${definitions.join(', ')})`);
  const connection = await duck.connect();
  const appender = await connection.createAppender(name);
  const types = [wallet, TIMESTAMP, ...columns.map((c) => (c.type === 'INTEGER' ? INTEGER : DOUBLE))];
  const chunk = DuckDBDataChunk.create(types, CHUNK);
  const { width, values } = rows;
  // As DuckDB stores an enumeration: in as few bytes as its size takes.
  const places =
    addresses.length < 256
      ? new Uint8Array(CHUNK)
      : addresses.length < 65_536
        ? new Uint16Array(CHUNK)
        : new Uint32Array(CHUNK);
  const moments = new BigInt64Array(CHUNK);
  const micros = BigInt64Array.from(times, (time) => BigInt(time));
  const buffers = columns.map((c) => (c.type === 'INTEGER' ? new Int32Array(CHUNK) : new Float64Array(CHUNK)));
  const masks = columns.map(() => new Uint32Array(CHUNK / 32));
  for (let begin = 0; begin < order.length; begin += CHUNK) {
    const n = Math.min(CHUNK, order.length - begin);
    chunk.rowCount = n;
    for (let k = 0; k < n; k++) {
      const row = order[begin + k] as number;
      places[k] = placeOf(rows.wallet[row] as number);
      moments[k] = micros[rows.date[row] as number] as bigint;
    }
    put(chunk.getColumnVector(0) as unknown as RawVector, places, n, undefined);
    put(chunk.getColumnVector(1) as unknown as RawVector, moments, n, undefined);
    for (let c = 0; c < width; c++) {
      const buffer = buffers[c] as Float64Array;
      const mask = masks[c] as Uint32Array;
      let missing = false;
      for (let k = 0; k < n; k++) {
        const value = values[(order[begin + k] as number) * width + c] as number;
        buffer[k] = value;
        if (!Number.isNaN(value)) continue;
        if (!missing) mask.fill(0xffff_ffff);
        missing = true;
        mask[k >> 5] = (mask[k >> 5] as number) & ~(1 << (k & 31));
      }
      put(chunk.getColumnVector(2 + c) as unknown as RawVector, buffer, n, missing ? mask : undefined);
    }
    appender.appendDataChunk(chunk);
    chunk.reset();
  }
  appender.closeSync();
  connection.closeSync();
}

type Cells = Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array | Uint32Array;

/** Copies numbers into the memory of a vector. */
function put(vector: RawVector, values: Cells, count: number, mask: Uint32Array | undefined): void {
  const memory = (vector.items ?? vector.dataView) as ArrayBufferView;
  new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength).set(
    new Uint8Array(values.buffer, values.byteOffset, count * values.BYTES_PER_ELEMENT),
  );
  if (mask !== undefined) vector.validity.data = new BigUint64Array(mask.slice(0, 2 * Math.ceil(count / 64)).buffer);
  vector.flush();
}
