/** Rows of numbers into a DuckDB table of exact types, a chunk at a time: no doubles to cast, no objects. */
import { DECIMAL, DuckDBDataChunk, type DuckDBType, ENUM, INTEGER, TIMESTAMP } from '@duckdb/node-api';
import { type Duck, identifier, quote } from './duck.ts';

const CHUNK = 2048;

/**
 * What a column holds and how its numbers are given: `integer` as they are; `micros` and `halves` as whole millionths
 * or halves of millionths (DECIMAL with 6 or 7 places); `time` as microseconds since 1970; a list of words by index.
 */
export type CellType = 'integer' | 'micros' | 'halves' | 'time' | readonly string[];

export interface TypedColumn {
  readonly name: string;
  readonly cell: CellType;
}

interface Store {
  readonly type: DuckDBType;
  readonly sql: string;
  /** Bytes of a value. */
  readonly width: number;
}

function storeOf(cell: CellType): Store {
  if (cell === 'integer') return { type: INTEGER, sql: 'INTEGER', width: 4 };
  if (cell === 'micros') return { type: DECIMAL(18, 6), sql: 'DECIMAL(18, 6)', width: 8 };
  if (cell === 'halves') return { type: DECIMAL(18, 7), sql: 'DECIMAL(18, 7)', width: 8 };
  if (cell === 'time') return { type: TIMESTAMP, sql: 'TIMESTAMP', width: 8 };
  const words = cell as readonly string[];
  return { type: ENUM([...words]), sql: `ENUM (${words.map(quote).join(', ')})`, width: 1 };
}

/** A vector of the client, whose types keep its memory private; its `setItem` is many times slower. */
interface RawVector {
  readonly items?: ArrayBufferView;
  readonly dataView?: DataView;
  readonly validity: { data: BigUint64Array | null };
  flush(): void;
}

/** A table that is filled row by row, over a connection of its own. */
export interface TypedTable {
  /** Puts a number into a column of the row at hand; NaN is null. Every column of every row must be put. */
  put(column: number, value: number): void;
  /** Ends the row. */
  next(): void;
  /** Ends filling; the table can be queried afterwards. Returns the number of rows. */
  finish(): number;
}

export async function createTypedTable(
  duck: Pick<Duck, 'connect' | 'run'>,
  name: string,
  columns: readonly TypedColumn[],
): Promise<TypedTable> {
  const stores = columns.map(({ cell }) => storeOf(cell));
  const definitions = columns.map((column, c) => `${identifier(column.name)} ${(stores[c] as Store).sql}`);
  await duck.run(`CREATE OR REPLACE TABLE ${identifier(name)} (${definitions.join(', ')})`);
  const connection = await duck.connect();
  const appender = await connection.createAppender(name);
  const chunk = DuckDBDataChunk.create(
    stores.map(({ type }) => type),
    CHUNK,
  );
  const bytes = stores.map(({ width }) => new Uint8Array(CHUNK * width));
  // 64-bit numbers as pairs of 32 bits: making big integers of them would take longer than all else.
  const words = bytes.map((buffer) => new Int32Array(buffer.buffer));
  const kinds = columns.map(({ cell }) =>
    cell === 'integer' ? 0 : typeof cell !== 'string' ? 1 : cell === 'halves' ? 3 : 2,
  );
  const valid = columns.map(() => new Uint32Array(CHUNK / 32).fill(0xffff_ffff));
  const nulls = new Uint8Array(columns.length);
  let row = 0;
  let total = 0;

  const flush = (): void => {
    if (row === 0) return;
    chunk.rowCount = row;
    for (let c = 0; c < stores.length; c++) {
      const vector = chunk.getColumnVector(c) as unknown as RawVector;
      const memory = (vector.items ?? vector.dataView) as ArrayBufferView;
      new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength).set(
        (bytes[c] as Uint8Array).subarray(0, row * (stores[c] as Store).width),
      );
      if (nulls[c] === 1) {
        vector.validity.data = new BigUint64Array((valid[c] as Uint32Array).slice(0, 2 * Math.ceil(row / 64)).buffer);
        (valid[c] as Uint32Array).fill(0xffff_ffff);
        nulls[c] = 0;
      }
      vector.flush();
    }
    appender.appendDataChunk(chunk);
    chunk.reset();
    total += row;
    row = 0;
  };

  const wide = (pair: Int32Array, value: number): void => {
    pair[2 * row] = value | 0;
    pair[2 * row + 1] = Math.floor(value / 4_294_967_296);
  };
  return {
    put: (c, value) => {
      if (Number.isNaN(value)) {
        const mask = valid[c] as Uint32Array;
        mask[row >> 5] = (mask[row >> 5] as number) & ~(1 << (row & 31));
        nulls[c] = 1;
        return;
      }
      const kind = kinds[c];
      const column = words[c] as Int32Array;
      if (kind === 2) wide(column, value);
      else if (kind === 0) column[row] = value;
      else if (kind === 1) (bytes[c] as Uint8Array)[row] = value;
      // Five times as many 1e-7 as halves of 1e-6, which may be more than a double tells apart.
      else if (Math.abs(value) <= Number.MAX_SAFE_INTEGER / 5) wide(column, 5 * value);
      else new BigInt64Array(column.buffer)[row] = 5n * BigInt(value);
    },
    next: () => {
      if (++row === CHUNK) flush();
    },
    finish: () => {
      flush();
      appender.closeSync();
      connection.closeSync();
      return total;
    },
  };
}
