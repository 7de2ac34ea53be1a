/** Rows of numbers into a DuckDB table, in vectors rather than value by value. */
import type { DuckDBAppender, DuckDBType } from '@duckdb/node-api';
import type { Duck } from '../../tables/duck.ts';
import { duckdb } from '../../tables/duck-api.ts';

/** Rows of a vector. */
const CHUNK = 2048;

const kinds = {
  integer: { type: duckdb.INTEGER as DuckDBType, make: () => new Int32Array(CHUNK) },
  smallint: { type: duckdb.SMALLINT as DuckDBType, make: () => new Int16Array(CHUNK) },
  tinyint: { type: duckdb.TINYINT as DuckDBType, make: () => new Int8Array(CHUNK) },
  double: { type: duckdb.DOUBLE as DuckDBType, make: () => new Float64Array(CHUNK) },
} as const;

/** A vector as it is at run time: its array is private in the types, but ten times faster than its setter. */
interface Vector {
  readonly items: { set(from: ArrayLike<number>): void };
  flush(): void;
}

/** Appends rows to a new table: `row` takes the values of one in the order of the columns. */
export class ColumnAppender {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly DuckDBType[];
  readonly #arrays: readonly (Int32Array | Int16Array | Int8Array | Float64Array)[];
  #rows = 0;

  private constructor(appender: DuckDBAppender, columns: readonly (keyof typeof kinds)[]) {
    this.#appender = appender;
    this.#types = columns.map((kind) => kinds[kind].type);
    this.#arrays = columns.map((kind) => kinds[kind].make());
  }

  /** Creates the table. */
  static async create(
    duck: Duck,
    table: string,
    columns: Readonly<Record<string, keyof typeof kinds>>,
  ): Promise<ColumnAppender> {
    const list = Object.entries(columns).map(([name, kind]) => `"${name}" ${kinds[kind].type}`);
    await duck.run(`CREATE TABLE ${table} (${list.join(', ')})`);
    return new ColumnAppender(await duck.connection.createAppender(table), Object.values(columns));
  }

  row(...values: readonly number[]): void {
    for (let c = 0; c < this.#arrays.length; c++) {
      const array = this.#arrays[c] as Float64Array;
      array[this.#rows] = values[c] as number;
    }
    if (++this.#rows === CHUNK) this.#append();
  }

  close(): void {
    if (this.#rows > 0) this.#append();
    this.#appender.closeSync();
  }

  #append(): void {
    const chunk = duckdb.DuckDBDataChunk.create(this.#types, this.#rows);
    this.#arrays.forEach((array, c) => {
      const vector = chunk.getColumnVector(c) as unknown as Vector;
      vector.items.set(array.subarray(0, this.#rows));
      vector.flush();
    });
    this.#appender.appendDataChunk(chunk);
    this.#rows = 0;
  }
}
