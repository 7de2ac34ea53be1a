/** Rows that DuckDB asks for while it runs a query: they go from our arrays into its vectors, and through no table. */
import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import type { Duck } from './duck.ts';
import { duckdb } from './duck-api.ts';

/** Most rows of a chunk; the size of DuckDB's vectors. */
export const CHUNK_ROWS = 2048;

/**
 * What a column holds and how its numbers are given: `number` and `integer` as they are; `micros` and `halves` as whole
 * millionths or halves of millionths (DECIMAL with 6 or 7 places); `time` as microseconds since 1970; a list of words by
 * index. NaN is null.
 */
export type CellType = 'number' | 'integer' | 'micros' | 'halves' | 'time' | readonly string[];

export interface SourceColumn {
  readonly name: string;
  readonly cell: CellType;
}

/**
 * Puts the next rows of a query into the arrays, one a column, and says how many: up to `CHUNK_ROWS`, and 0 at the end.
 * It may put other arrays of that length in their place, and leave them as they are until it is called again.
 */
export type FillRows = (arrays: Float64Array[]) => number;

/**
 * Makes a table function, to be read as `name()`. Its rows come from `fill`, one chunk after the other; a query that
 * only picks and computes columns keeps their order.
 *
 * @returns by column, how many nulls were given; counted on from one query to the next
 */
export function registerRows(
  duck: Pick<Duck, 'connection'>,
  name: string,
  columns: readonly SourceColumn[],
  fill: FillRows,
): Float64Array {
  const arrays = columns.map(() => new Float64Array(CHUNK_ROWS));
  const writers = columns.map(({ cell }) => writerOf(cell));
  const nulls = new Float64Array(columns.length);
  duck.connection.registerTableFunction(
    duckdb.DuckDBTableFunction.create({
      name,
      bindFunction: (info) => {
        for (const column of columns) info.addResultColumn(column.name, typeOf(column.cell));
      },
      initFunction: (info) => info.setMaxThreads(1),
      mainFunction: (_, chunk) => {
        const rows = fill(arrays);
        if (rows > 0)
          for (let c = 0; c < writers.length; c++) {
            const values = arrays[c] as Float64Array;
            nulls[c] = (nulls[c] as number) + (writers[c] as Writer)(vectorOf(chunk, c), values, rows);
          }
        // Not before: the client copies the old values of as many rows as a chunk has out of every vector it gives.
        chunk.rowCount = rows;
      },
    }),
  );
  return nulls;
}

function typeOf(cell: CellType): DuckDBType {
  if (cell === 'number') return duckdb.DOUBLE;
  if (cell === 'integer') return duckdb.INTEGER;
  if (cell === 'micros') return duckdb.DECIMAL(18, 6);
  if (cell === 'halves') return duckdb.DECIMAL(18, 7);
  if (cell === 'time') return duckdb.TIMESTAMP;
  return duckdb.ENUM([...(cell as readonly string[])]);
}

/** Inside of the client's vectors, which its types keep private; their `setItem` is many times slower. */
interface RawVector {
  /** What `flush` copies into DuckDB's memory; which of the two there is depends on the type. */
  items?: ArrayBufferView;
  dataView?: ArrayBufferView;
  readonly validity: { data: BigUint64Array | null };
  flush(): void;
}

const vectorOf = (chunk: DuckDBDataChunk, column: number): RawVector =>
  chunk.getColumnVector(column) as unknown as RawVector;

/** Writes the first values of an array into a vector, and says how many of them are null. */
type Writer = (vector: RawVector, values: Float64Array, rows: number) => number;

/** A writer of the values of an array. It flushes whole arrays: what lies behind the rows of the chunk is read by nobody. */
function writerOf(cell: CellType): Writer {
  const store = storeOf(cell);
  const mask = new Uint32Array(CHUNK_ROWS / 32);
  const valid = new BigUint64Array(mask.buffer);
  return (vector, values, rows) => {
    const stored = store(values, rows);
    if (vector.items === undefined) vector.dataView = stored;
    else vector.items = stored;
    const nulls = markUnknown(values, rows, mask);
    if (nulls > 0) vector.validity.data = valid;
    vector.flush();
    return nulls;
  };
}

/** Brings the first values of an array into memory as DuckDB holds them. */
function storeOf(cell: CellType): (values: Float64Array, rows: number) => ArrayBufferView {
  if (cell === 'number') return (values) => values;
  if (cell === 'integer' || typeof cell === 'object') {
    const stored = cell === 'integer' ? new Int32Array(CHUNK_ROWS) : new Uint8Array(CHUNK_ROWS);
    return (values, rows) => {
      for (let i = 0; i < rows; i++) stored[i] = values[i] as number;
      return stored;
    };
  }
  const pairs = new Int32Array(2 * CHUNK_ROWS);
  const put = cell === 'halves' ? putHalves : putPair;
  return (values, rows) => {
    for (let i = 0; i < rows; i++) put(pairs, i, values[i] as number);
    return pairs;
  };
}

/** Numbers of 64 bits are written as pairs of 32, low one first: making big integers takes longer than all else. */
function putPair(pairs: Int32Array, i: number, value: number): void {
  pairs[2 * i] = value | 0;
  pairs[2 * i + 1] = Math.floor(value / 2 ** 32);
}

/** Columns of halves count 1e-7, five times as many, which may be more than a double tells apart. */
function putHalves(pairs: Int32Array, i: number, value: number): void {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER / 5) putPair(pairs, i, 5 * value);
  else if (!Number.isNaN(value)) new BigInt64Array(pairs.buffer)[i] = 5n * BigInt(value);
}

/** Sets the bits of `mask`, one a value: 0 where it is NaN. Returns how many are. */
function markUnknown(values: Float64Array, rows: number, mask: Uint32Array): number {
  let unknown = 0;
  for (let start = 0; start < rows; start += 32) {
    const end = Math.min(rows, start + 32);
    let bits = 0;
    for (let k = start; k < end; k++) {
      const known = Number.isNaN(values[k]) ? 0 : 1;
      bits |= known << (k & 31);
      unknown += 1 - known;
    }
    mask[start >> 5] = bits;
  }
  return unknown;
}
