/**
 * Rows of numbers that are made while a statement reads them. The statement sees a table function (`registerRows`);
 * filling a table first would take longer than all else, since DuckDB keeps statistics of every column and copies each
 * value twice.
 */
import { FathomError } from '../errors.ts';
import type { Duck } from './duck.ts';
import { CHUNK_ROWS, registerRows, type SourceColumn } from './row-source.ts';

/** Where rows are put. */
export interface RowSink {
  /** Puts a number into a column of the row at hand, as its `CellType` says; NaN is null. */
  put(column: number, value: number): void;
  /** Ends the row, every column of which was put. */
  next(): void;
}

/** Some rows, one column after the other. */
interface Block {
  readonly cells: Float64Array;
  readonly columns: readonly Float64Array[];
  rows: number;
}

export class MadeRows implements RowSink {
  private readonly duck: Pick<Duck, 'run'>;
  private readonly width: number;
  /** The block that is being filled, its cells, and the row at hand. */
  private block: Block;
  private cells: Float64Array;
  private row = 0;
  /** Blocks that wait to be read; the last one is being filled. */
  private readonly waiting: Block[];
  /** Blocks that have been read, to be filled again. */
  private readonly spare: Block[] = [];
  /** The block that was given last; it is read by the time that another is asked for. */
  private given: Block | undefined;
  private made = 0;
  private read = 0;
  private make: () => boolean = () => false;
  private failure: unknown;

  /** Makes the table function `name()`. */
  constructor(duck: Pick<Duck, 'connection' | 'run'>, name: string, columns: readonly SourceColumn[]) {
    this.duck = duck;
    this.width = columns.length;
    this.block = this.newBlock();
    this.cells = this.block.cells;
    this.waiting = [this.block];
    registerRows(duck, name, columns, (arrays) => {
      try {
        return this.give(arrays);
      } catch (error) {
        this.failure = error;
        throw error;
      }
    });
  }

  put(column: number, value: number): void {
    this.cells[column * CHUNK_ROWS + this.row] = value;
  }

  next(): void {
    this.made++;
    this.block.rows = ++this.row;
    if (this.row === CHUNK_ROWS) this.begin();
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
    this.block = this.spare.pop() ?? this.newBlock();
    this.cells = this.block.cells;
    this.row = 0;
    this.waiting.push(this.block);
  }

  private newBlock(): Block {
    const cells = new Float64Array(CHUNK_ROWS * this.width);
    const columns = Array.from({ length: this.width }, (_, c) => cells.subarray(c * CHUNK_ROWS, (c + 1) * CHUNK_ROWS));
    return { cells, columns, rows: 0 };
  }

  /** Gives the next rows; none at the end. */
  private give(arrays: Float64Array[]): number {
    if (this.given !== undefined) {
      this.given.rows = 0;
      this.spare.push(this.given);
      this.given = undefined;
    }
    while (this.waiting.length === 1) if (!this.make()) break;
    if (this.waiting.length === 1 && this.row > 0) this.begin();
    if (this.waiting.length === 1) return 0;
    const block = this.waiting.shift() as Block;
    this.read += block.rows;
    this.given = block;
    for (let c = 0; c < this.width; c++) arrays[c] = block.columns[c] as Float64Array;
    return block.rows;
  }
}
