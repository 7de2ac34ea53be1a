/** Rows of numbers into a DuckDB table of exact types, a chunk at a time: no doubles to cast, no objects. */
import {
  DECIMAL,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  ENUM,
  INTEGER,
  TIMESTAMP,
} from '@duckdb/node-api';
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

/** A table that is filled row by row, over a connection of its own: every column of a row, then `next`. */
export class TypedTable {
  private readonly connection: DuckDBConnection;
  private readonly appender: DuckDBAppender;
  private readonly stores: readonly Store[];
  private readonly chunk: DuckDBDataChunk;
  private readonly bytes: readonly Uint8Array[];
  /** The same memory as 32-bit numbers; those of 64 bits are pairs, since making big integers takes longer than all else. */
  private readonly words: readonly Int32Array[];
  private readonly valid: readonly Uint32Array[];
  /** 1 for columns that have a null in the chunk at hand. */
  private readonly nulls: Uint8Array;
  private row = 0;
  private total = 0;

  constructor(connection: DuckDBConnection, appender: DuckDBAppender, columns: readonly TypedColumn[]) {
    this.connection = connection;
    this.appender = appender;
    this.stores = columns.map(({ cell }) => storeOf(cell));
    this.chunk = DuckDBDataChunk.create(
      this.stores.map(({ type }) => type),
      CHUNK,
    );
    this.bytes = this.stores.map(({ width }) => new Uint8Array(CHUNK * width));
    this.words = this.bytes.map((buffer) => new Int32Array(buffer.buffer));
    this.valid = columns.map(() => new Uint32Array(CHUNK / 32).fill(0xffff_ffff));
    this.nulls = new Uint8Array(columns.length);
  }

  /** Puts null. */
  none(column: number): void {
    const mask = this.valid[column] as Uint32Array;
    mask[this.row >> 5] = (mask[this.row >> 5] as number) & ~(1 << (this.row & 31));
    this.nulls[column] = 1;
  }

  /** A number of a column `integer`. */
  integer(column: number, value: number): void {
    (this.words[column] as Int32Array)[this.row] = value;
  }

  /** The index of a word. */
  word(column: number, index: number): void {
    (this.bytes[column] as Uint8Array)[this.row] = index;
  }

  /** A whole number of a column `micros` or `time`. */
  whole(column: number, value: number): void {
    const pair = this.words[column] as Int32Array;
    const at = 2 * this.row;
    pair[at] = value | 0;
    pair[at + 1] = Math.floor(value / 4_294_967_296);
  }

  /** A number of halves. A column counts 1e-7, five times as many, which may be more than a double tells apart. */
  halves(column: number, value: number): void {
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER / 5) this.whole(column, 5 * value);
    else new BigInt64Array((this.words[column] as Int32Array).buffer)[this.row] = 5n * BigInt(value);
  }

  /** As `whole`; NaN is null. */
  wholeOrNone(column: number, value: number): void {
    if (Number.isNaN(value)) this.none(column);
    else this.whole(column, value);
  }

  /** As `halves`; NaN is null. */
  halvesOrNone(column: number, value: number): void {
    if (Number.isNaN(value)) this.none(column);
    else this.halves(column, value);
  }

  /** As `integer`; negative is null. */
  integerOrNone(column: number, value: number): void {
    if (value < 0) this.none(column);
    else this.integer(column, value);
  }

  /** Ends the row. */
  next(): void {
    if (++this.row === CHUNK) this.flush();
  }

  /** Ends filling; the table can be queried afterwards. Returns the number of rows. */
  finish(): number {
    this.flush();
    this.appender.closeSync();
    this.connection.closeSync();
    return this.total;
  }

  private flush(): void {
    const { row, chunk } = this;
    if (row === 0) return;
    chunk.rowCount = row;
    for (let c = 0; c < this.stores.length; c++) {
      const vector = chunk.getColumnVector(c) as unknown as RawVector;
      const memory = (vector.items ?? vector.dataView) as ArrayBufferView;
      new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength).set(
        (this.bytes[c] as Uint8Array).subarray(0, row * (this.stores[c] as Store).width),
      );
      if (this.nulls[c] === 1) {
        const mask = this.valid[c] as Uint32Array;
        vector.validity.data = new BigUint64Array(mask.slice(0, 2 * Math.ceil(row / 64)).buffer);
        mask.fill(0xffff_ffff);
        this.nulls[c] = 0;
      }
      vector.flush();
    }
    this.appender.appendDataChunk(chunk);
    chunk.reset();
    this.total += row;
    this.row = 0;
  }
}

/** Makes a table and opens it for filling. */
export async function createTypedTable(
  duck: Pick<Duck, 'connect' | 'run'>,
  name: string,
  columns: readonly TypedColumn[],
): Promise<TypedTable> {
  const definitions = columns.map((column) => `${identifier(column.name)} ${storeOf(column.cell).sql}`);
  await duck.run(`CREATE OR REPLACE TABLE ${identifier(name)} (${definitions.join(', ')})`);
  const connection = await duck.connect();
  return new TypedTable(connection, await connection.createAppender(name), columns);
}
