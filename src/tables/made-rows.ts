/**
 * Rows of numbers that are made while a statement reads them, in exact types: no doubles to cast, no objects. The
 * statement sees a table function; filling a table first would take longer than all else, since DuckDB keeps statistics
 * of every column and copies each value twice.
 */
import {
  DECIMAL,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  type DuckDBType,
  ENUM,
  INTEGER,
  TIMESTAMP,
} from '@duckdb/node-api';
import { FathomError } from '../errors.ts';
import type { Duck } from './duck.ts';

/** Rows that DuckDB takes at once. */
const CHUNK = 2048;

/**
 * What a column holds and how its numbers are given: `integer` as they are; `micros` and `halves` as whole millionths
 * or halves of millionths (DECIMAL with 6 or 7 places); `time` as microseconds since 1970; a list of words by index.
 */
export type CellType = 'integer' | 'micros' | 'halves' | 'time' | readonly string[];

export interface MadeColumn {
  readonly name: string;
  readonly cell: CellType;
}

/** Where the pass puts its rows. */
export interface RowSink {
  /** Puts a number into a column of the row at hand, as its `CellType` says; NaN is null. */
  put(column: number, value: number): void;
  /** Ends the row, every column of which was put. */
  next(): void;
}

/** Some rows, one after the other; all columns of a row stand together, since they are put together. */
interface Block {
  readonly cells: Float64Array;
  rows: number;
}

export class MadeRows implements RowSink {
  private readonly duck: Pick<Duck, 'run'>;
  private readonly columns: readonly MadeColumn[];
  private readonly width: number;
  /** Rows that wait to be read; the last block is being filled. */
  private waiting: Block[];
  /** Blocks that have been read, to be filled again. */
  private readonly spare: Block[] = [];
  /** The block that is being filled, its numbers, and where the row at hand begins in them. */
  private block: Block;
  /** A column of a block as DuckDB holds it, of numbers and of words. */
  private readonly words = new Int32Array(2 * CHUNK);
  private readonly bytes = new Uint8Array(CHUNK);
  private cells: Float64Array;
  private at = 0;
  private made = 0;
  private read = 0;
  private make: () => boolean = () => false;
  private failure: unknown;

  private constructor(duck: Pick<Duck, 'run'>, columns: readonly MadeColumn[]) {
    this.duck = duck;
    this.columns = columns;
    this.width = columns.length;
    this.block = { cells: new Float64Array(CHUNK * this.width), rows: 0 };
    this.cells = this.block.cells;
    this.waiting = [this.block];
  }

  /** Makes the table function `name()`. */
  static open(duck: Pick<Duck, 'connection' | 'run'>, name: string, columns: readonly MadeColumn[]): MadeRows {
    const rows = new MadeRows(duck, columns);
    duck.connection.registerTableFunction(
      DuckDBTableFunction.create({
        name,
        bindFunction: (info) => {
          for (const column of columns) info.addResultColumn(column.name, duckType(column.cell));
        },
        initFunction: () => undefined,
        mainFunction: (info, chunk) => {
          try {
            rows.give(chunk);
          } catch (error) {
            rows.failure = error;
            info.setError('the rows could not be made');
          }
        },
      }),
    );
    return rows;
  }

  put(column: number, value: number): void {
    this.cells[this.at + column] = value;
  }

  next(): void {
    this.at += this.width;
    this.made++;
    if (++this.block.rows === CHUNK) this.begin();
  }

  /**
   * Runs a statement that reads the table function, once. It gets the rows that have been put before, and those that
   * `make` puts, which is called whenever no others are left, until it says false. Returns how many rows were read.
   */
  async feed(statement: string, make: () => boolean = () => false): Promise<number> {
    this.make = make;
    this.failure = undefined;
    try {
      await this.duck.run(statement);
    } catch (error) {
      throw this.failure ?? error;
    }
    const { made, read } = this;
    if (made !== read) throw new FathomError('internal', `a statement read ${read} of ${made} rows`);
    this.made = 0;
    this.read = 0;
    return read;
  }

  /** Begins another block. */
  private begin(): void {
    this.block = this.spare.pop() ?? { cells: new Float64Array(CHUNK * this.width), rows: 0 };
    this.cells = this.block.cells;
    this.at = 0;
    this.waiting.push(this.block);
  }

  /** Gives the next rows to DuckDB; none at the end. */
  private give(chunk: DuckDBDataChunk): void {
    while (this.waiting.length === 1) if (!this.make()) break;
    if (this.waiting.length === 1 && this.block.rows > 0) this.begin();
    if (this.waiting.length === 1) {
      chunk.rowCount = 0;
      return;
    }
    const block = this.waiting.shift() as Block;
    // Vectors are got as if for one row, since the client copies all that it believes to be in them.
    chunk.rowCount = 1;
    const vectors = this.columns.map((_, column) => chunk.getColumnVector(column) as unknown as RawVector);
    chunk.rowCount = block.rows;
    vectors.forEach((vector, column) => {
      const memory = this.convert(block, column);
      if (vector.items === undefined) vector.dataView = memory;
      else vector.items = memory;
      vector.validity.data = validityOf(block, column, this.width);
      vector.flush();
    });
    this.read += block.rows;
    block.rows = 0;
    this.spare.push(block);
  }

  /** A column of a block in the type of DuckDB; valid until the next call. */
  private convert({ cells, rows }: Block, column: number): ArrayBufferView {
    const { words, bytes, width } = this;
    const cell = (this.columns[column] as MadeColumn).cell;
    if (cell === 'integer') {
      for (let i = 0, from = column; i < rows; i++, from += width) words[i] = cells[from] as number;
      return words.subarray(0, rows);
    }
    if (cell === 'micros' || cell === 'time') {
      for (let i = 0, from = column; i < rows; i++, from += width) putPair(words, i, cells[from] as number);
      return words.subarray(0, 2 * rows);
    }
    if (cell === 'halves') {
      for (let i = 0, from = column; i < rows; i++, from += width) putHalves(words, i, cells[from] as number);
      return words.subarray(0, 2 * rows);
    }
    for (let i = 0, from = column; i < rows; i++, from += width) bytes[i] = cells[from] as number;
    return bytes.subarray(0, rows);
  }
}

function duckType(cell: CellType): DuckDBType {
  if (cell === 'integer') return INTEGER;
  if (cell === 'micros') return DECIMAL(18, 6);
  if (cell === 'halves') return DECIMAL(18, 7);
  if (cell === 'time') return TIMESTAMP;
  return ENUM([...(cell as readonly string[])]);
}

/** A vector of the client, whose types keep its memory private; its `setItem` is many times slower. */
interface RawVector {
  /** What `flush` copies to DuckDB; which of them it is depends on the type. */
  items?: ArrayBufferView;
  dataView?: ArrayBufferView;
  /** A bit for each row, 0 for null; null if there is none. */
  readonly validity: { data: BigUint64Array | null };
  flush(): void;
}

/** Numbers of 64 bits are written as pairs of 32, since making big integers takes longer than all else. */
function putPair(pairs: Int32Array, i: number, value: number): void {
  pairs[2 * i] = value | 0;
  pairs[2 * i + 1] = Math.floor(value / 4_294_967_296);
}

/** Columns of halves count 1e-7, five times as many, which may be more than a double tells apart. */
function putHalves(pairs: Int32Array, i: number, value: number): void {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER / 5) putPair(pairs, i, 5 * value);
  else if (!Number.isNaN(value)) new BigInt64Array(pairs.buffer)[i] = 5n * BigInt(value);
}

function validityOf({ cells, rows }: Block, column: number, width: number): BigUint64Array | null {
  let bits: Uint32Array | undefined;
  for (let i = 0, from = column; i < rows; i++, from += width) {
    if (!Number.isNaN(cells[from])) continue;
    bits ??= new Uint32Array(2 * Math.ceil(rows / 64)).fill(0xffff_ffff);
    bits[i >> 5] = (bits[i >> 5] as number) & ~(1 << (i & 31));
  }
  return bits === undefined ? null : new BigUint64Array(bits.buffer);
}
