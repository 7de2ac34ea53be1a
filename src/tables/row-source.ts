/** Rows that DuckDB asks for while it runs a query: they go from our arrays into its vectors, and through no table. */
import { DOUBLE, type DuckDBDataChunk, DuckDBTableFunction, INTEGER, TIMESTAMP } from '@duckdb/node-api';
import type { Duck } from './duck.ts';

/** Most rows of a chunk; the size of DuckDB's vectors. */
export const CHUNK_ROWS = 2048;

export interface SourceColumn {
  readonly name: string;
  readonly type: 'DOUBLE' | 'INTEGER' | 'TIMESTAMP';
}

/**
 * Puts the next rows of a query into the arrays, one a column, and says how many they are: up to `CHUNK_ROWS`, and 0 at
 * the end. Times are microseconds. NaN is null; a column of type INTEGER has none.
 */
export type FillRows = (arrays: readonly Float64Array[]) => number;

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
  const writers = columns.map(({ type }, c) => writer[type](arrays[c] as Float64Array));
  const nulls = new Float64Array(columns.length);
  duck.connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction: (info) => {
        for (const column of columns) info.addResultColumn(column.name, types[column.type]);
      },
      initFunction: (info) => info.setMaxThreads(1),
      mainFunction: (_, chunk) => {
        const rows = fill(arrays);
        if (rows > 0)
          for (let c = 0; c < writers.length; c++)
            nulls[c] = (nulls[c] as number) + (writers[c] as Writer)(vectorOf(chunk, c), rows);
        // Not before: the client copies the old values of as many rows as a chunk has out of every vector it gives.
        chunk.rowCount = rows;
      },
    }),
  );
  return nulls;
}

const types = { DOUBLE, INTEGER, TIMESTAMP } as const;

/** Inside of the client's vectors, which its types keep private; their `setItem` is many times slower. */
interface RawVector {
  /** What `flush` copies into DuckDB's memory. */
  items: Float64Array | Int32Array | BigInt64Array;
  readonly validity: { data: BigUint64Array | null };
  flush(): void;
}

const vectorOf = (chunk: DuckDBDataChunk, column: number): RawVector =>
  chunk.getColumnVector(column) as unknown as RawVector;

/** Writes the first values of an array into a vector, and says how many of them are null. */
type Writer = (vector: RawVector, rows: number) => number;

/** Writers by type. They flush whole arrays: what lies behind the rows of the chunk is read by nobody. */
const writer: Readonly<Record<SourceColumn['type'], (values: Float64Array) => Writer>> = {
  DOUBLE: (values) => {
    const mask = new Uint32Array(CHUNK_ROWS / 32);
    const valid = new BigUint64Array(mask.buffer);
    return (vector, rows) => {
      const nulls = markUnknown(values, rows, mask);
      vector.items = values;
      if (nulls > 0) vector.validity.data = valid;
      vector.flush();
      return nulls;
    };
  },
  INTEGER: (values) => {
    const integers = new Int32Array(CHUNK_ROWS);
    return (vector, rows) => {
      for (let k = 0; k < rows; k++) integers[k] = values[k] as number;
      vector.items = integers;
      vector.flush();
      return 0;
    };
  },
  TIMESTAMP: (values) => {
    const integers = new BigInt64Array(CHUNK_ROWS);
    // Pairs of 32-bit numbers, low one first: making big integers takes longer than all else.
    const halves = new Int32Array(integers.buffer);
    return (vector, rows) => {
      for (let k = 0; k < rows; k++) {
        const value = values[k] as number;
        halves[2 * k] = value | 0;
        halves[2 * k + 1] = Math.floor(value / 2 ** 32);
      }
      vector.items = integers;
      vector.flush();
      return 0;
    };
  },
};

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
