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
 */
export function registerRows(
  duck: Pick<Duck, 'connection'>,
  name: string,
  columns: readonly SourceColumn[],
  fill: FillRows,
): void {
  const arrays = columns.map(() => new Float64Array(CHUNK_ROWS));
  const writers = columns.map(({ type }, c) => writer[type](arrays[c] as Float64Array));
  duck.connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction: (info) => {
        for (const column of columns) info.addResultColumn(column.name, types[column.type]);
      },
      initFunction: (info) => info.setMaxThreads(1),
      mainFunction: (_, chunk) => {
        const rows = fill(arrays);
        chunk.rowCount = rows;
        if (rows > 0) writers.forEach((write, c) => void write(vectorOf(chunk, c), rows));
      },
    }),
  );
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

/** For each type, what writes the first values of an array into a vector. */
const writer: Readonly<
  Record<SourceColumn['type'], (values: Float64Array) => (vector: RawVector, rows: number) => void>
> = {
  DOUBLE: (values) => {
    const mask = new Uint32Array(CHUNK_ROWS / 32);
    const valid = new BigUint64Array(mask.buffer);
    return (vector, rows) => {
      vector.items = values.subarray(0, rows);
      if (markUnknown(values, rows, mask)) vector.validity.data = valid.subarray(0, Math.ceil(rows / 64));
      vector.flush();
    };
  },
  INTEGER: (values) => {
    const integers = new Int32Array(CHUNK_ROWS);
    return (vector, rows) => {
      for (let k = 0; k < rows; k++) integers[k] = values[k] as number;
      vector.items = integers.subarray(0, rows);
      vector.flush();
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
      vector.items = integers.subarray(0, rows);
      vector.flush();
    };
  },
};

/** Whether a value is NaN; if so, `mask` has a bit for every value, 0 where it is. */
function markUnknown(values: Float64Array, rows: number, mask: Uint32Array): boolean {
  let found = false;
  for (let k = 0; k < rows; k++) {
    if (!Number.isNaN(values[k])) continue;
    if (!found) mask.fill(0xffff_ffff);
    found = true;
    mask[k >> 5] = (mask[k >> 5] as number) & ~(1 << (k & 31));
  }
  return found;
}
