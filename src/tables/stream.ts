/** Numbers out of DuckDB and back into it, a chunk of typed arrays at a time: rows as objects cost ten times as much. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { FathomError } from '../errors.ts';
import { type Duck, identifier } from './duck.ts';
import { duckdb } from './duck-api.ts';

const CHUNK = 2048;

/** Values of one column of a chunk; only the first `rows` count, and NaN stands for null. */
export type Numbers = Float64Array;

/**
 * Reads a query whose columns are all DOUBLE. It has a connection of its own, because any other statement on the
 * connection of an open stream ends that stream silently; for the same reason the rows are counted against `expected`.
 * The arrays given to `visit` are used again for the next chunk.
 */
export async function streamNumbers(
  duck: Pick<Duck, 'connect'>,
  sql: string,
  expected: number,
  visit: (columns: readonly Numbers[], rows: number) => void,
): Promise<void> {
  await streamArrays(duck, sql, expected, (columns, rows) => {
    for (const [c, column] of columns.entries())
      if (!(column instanceof Float64Array))
        throw new FathomError('internal', `column ${c} of a stream of numbers is not DOUBLE: ${sql.slice(0, 200)}`);
    visit(columns as readonly Numbers[], rows);
  });
}

/** Values of one column of a chunk, as DuckDB holds UTINYINT, INTEGER and DOUBLE. */
export type NumberArray = Uint8Array | Int32Array | Float64Array;

/**
 * As `streamNumbers`, for columns of UTINYINT, INTEGER and DOUBLE. Only those of DOUBLE may hold null, which becomes
 * NaN.
 */
export async function streamArrays(
  duck: Pick<Duck, 'connect'>,
  sql: string,
  expected: number,
  visit: (columns: readonly NumberArray[], rows: number) => void,
): Promise<void> {
  const connection = await duck.connect();
  try {
    let seen = 0;
    for await (const chunk of chunksOf(connection, sql)) {
      const rows = chunk.rowCount;
      const columns = Array.from({ length: chunk.columnCount }, (_, c) => {
        const { items, validity } = chunk.getColumnVector(c) as unknown as NumberVector;
        if (validity.data !== null && !nullsToNaN(items, validity.data, rows))
          throw new FathomError('internal', `column ${c} of a stream holds null: ${sql.slice(0, 200)}`);
        return items;
      });
      seen += rows;
      visit(columns, rows);
    }
    if (seen !== expected)
      throw new FathomError('internal', `a stream ended after ${seen} of ${expected} rows: ${sql.slice(0, 200)}`);
  } finally {
    connection.closeSync();
  }
}

/** The chunks of a query; while one is looked at, DuckDB makes the next. */
async function* chunksOf(connection: DuckDBConnection, sql: string): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql);
  let next = result.fetchChunk();
  try {
    for (;;) {
      const chunk = await next;
      if (chunk === null || chunk === undefined || chunk.rowCount === 0) return;
      next = result.fetchChunk();
      yield chunk;
    }
  } finally {
    // Whoever stops early closes the connection, which must not happen while a chunk is being made.
    await next.catch(() => undefined);
  }
}

/**
 * Reads a query as the bytes of its columns, as DuckDB holds them: no value may be null. What `visit` is given is void
 * once it is done.
 */
export async function readRaw(
  duck: Pick<Duck, 'connect'>,
  sql: string,
  visit: (columns: readonly Uint8Array[], rows: number) => void | Promise<void>,
): Promise<void> {
  const connection = await duck.connect();
  try {
    for await (const chunk of chunksOf(connection, sql)) {
      const columns = Array.from({ length: chunk.columnCount }, (_, c) => {
        const { items, dataView } = chunk.getColumnVector(c) as unknown as RawVector;
        const { buffer, byteOffset, byteLength } = (items ?? dataView) as ArrayBufferView;
        return new Uint8Array(buffer, byteOffset, byteLength);
      });
      await visit(columns, chunk.rowCount);
    }
  } finally {
    connection.closeSync();
  }
}

/** Inside of the client's vectors of a fixed width, which its types keep private; which of the two there is depends on the type. */
interface RawVector {
  readonly items?: ArrayBufferView;
  readonly dataView?: ArrayBufferView;
}

/** Inside of the client's vector of numbers, which its types keep private; its `getItem` is many times slower. */
interface NumberVector {
  readonly items: NumberArray;
  /** A bit for each row, 0 for null; null if every value is there. */
  readonly validity: { readonly data: BigUint64Array | null };
}

/**
 * Puts NaN where a column holds null; false if its type has none. It looks at the bits as 32-bit numbers: those of 64
 * bits make a big integer each, which takes longer than reading the column.
 */
function nullsToNaN(items: NumberArray, validity: BigUint64Array, rows: number): boolean {
  const bits = new Uint32Array(validity.buffer, validity.byteOffset, 2 * validity.length);
  for (let i = 0; i < rows; i++) {
    if ((((bits[i >> 5] as number) >>> (i & 31)) & 1) === 1) continue;
    if (!(items instanceof Float64Array)) return false;
    items[i] = Number.NaN;
  }
  return true;
}

/** The same for writing. */
interface DoubleVector {
  readonly items: Float64Array;
  flush(): void;
}

/** Collects rows of numbers into a DuckDB table of DOUBLE columns. */
export interface NumberTable {
  /** Values in the order of the columns; NaN is stored as NaN: write `nullIfNaN` in the query that reads it. */
  append(row: ArrayLike<number>): void;
  /** Flushes; the table can be queried afterwards. Returns the number of rows. */
  finish(): number;
}

/** Makes a table `name` with the given DOUBLE columns, filled over a connection of its own. */
export async function createNumberTable(duck: Duck, name: string, columns: readonly string[]): Promise<NumberTable> {
  await duck.run(`CREATE TABLE ${identifier(name)} (${columns.map((c) => `${identifier(c)} DOUBLE`).join(', ')})`);
  const connection = await duck.connect();
  const appender = await connection.createAppender(name);
  const buffers = columns.map(() => new Float64Array(CHUNK));
  const chunk = duckdb.DuckDBDataChunk.create(
    columns.map(() => duckdb.DOUBLE),
    CHUNK,
  );
  let filled = 0;
  let total = 0;
  const flush = (): void => {
    if (filled === 0) return;
    chunk.rowCount = filled;
    for (let c = 0; c < buffers.length; c++) {
      const vector = chunk.getColumnVector(c) as unknown as DoubleVector;
      vector.items.set((buffers[c] as Float64Array).subarray(0, filled));
      vector.flush();
    }
    appender.appendDataChunk(chunk);
    chunk.reset();
    total += filled;
    filled = 0;
  };
  return {
    append: (row) => {
      for (let c = 0; c < buffers.length; c++) (buffers[c] as Float64Array)[filled] = row[c] as number;
      filled++;
      if (filled === CHUNK) flush();
    },
    finish: () => {
      flush();
      appender.closeSync();
      connection.closeSync();
      return total;
    },
  };
}

/** SQL for a DOUBLE column in which NaN stands for unknown. */
export function nullIfNaN(name: string): string {
  return `CASE WHEN isnan(${identifier(name)}) THEN NULL ELSE ${identifier(name)} END`;
}
