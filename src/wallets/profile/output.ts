/** Rows of numbers by date and wallet, collected for one bucket. */
import type { Kernels, Pointer } from '../../kernels/kernels.ts';

/** Rows of a block: its values stay in the cache while they go from rows to columns. */
export const BLOCK_ROWS = 128;

/** Rows of one date: their numbers, row after row. They may change with the next block. */
export interface RowBlock {
  readonly block: Float64Array;
  readonly rows: number;
  readonly date: number;
}

/** Rows in order of date. */
export interface OrderedRows {
  /** Numbers of a row: the wallet's place, then the columns. */
  readonly rowSize: number;
  inOrder(): Iterable<RowBlock>;
}

/**
 * Rows by date and, within a date, in the order in which they were added. They lie in blocks, row after row: nothing is
 * sorted or copied as they grow, and memory is read in the order in which it was written. It is that of the kernels, which
 * make columns of the rows.
 */
export class BucketRows implements OrderedRows {
  /** Rows by date, and those of them with a settled position, which whoever adds rows counts. */
  readonly counts: Int32Array;
  readonly settled: Int32Array;
  /** Wallets that have a row. */
  wallets = 0;
  /** All memory; the values of the row that was added last begin at the index that `add` returned. */
  values: Float64Array;
  /** Numbers of a row: the wallet's place in its bucket, then the columns. */
  readonly rowSize: number;
  private readonly kernels: Kernels;
  /** By date. */
  private readonly blocks: Pointer[][];
  /** Blocks of earlier buckets. */
  private readonly free: Pointer[] = [];
  private place = 0;
  private placeOfLast = -1;

  constructor(kernels: Kernels, columns: number, dates: number) {
    this.kernels = kernels;
    this.values = new Float64Array(kernels.memory.buffer);
    this.rowSize = columns + 1;
    this.counts = new Int32Array(dates);
    this.settled = new Int32Array(dates);
    this.blocks = Array.from({ length: dates }, () => []);
  }

  get count(): number {
    return this.counts.reduce((sum, rows) => sum + rows, 0);
  }

  /** Begins anew; while rows are added, nobody else may ask the kernels for memory. */
  clear(): void {
    this.values = new Float64Array(this.kernels.memory.buffer);
    this.counts.fill(0);
    this.settled.fill(0);
    for (const blocks of this.blocks) this.free.push(...blocks.splice(0));
    this.wallets = 0;
    this.placeOfLast = -1;
  }

  /** The rows that are added from here on belong to the wallet with this place. */
  startWallet(place: number): void {
    this.place = place;
  }

  /** Makes room for a row in `values`; NaN stands for unknown. */
  add(date: number): number {
    const row = this.counts[date] as number;
    this.counts[date] = row + 1;
    const within = row % BLOCK_ROWS;
    const blocks = this.blocks[date] as Pointer[];
    if (within === 0) blocks.push(this.free.pop() ?? this.makeBlock());
    if (this.place !== this.placeOfLast) this.wallets++;
    this.placeOfLast = this.place;
    const at = (blocks[blocks.length - 1] as Pointer) / 8 + within * this.rowSize;
    this.values[at] = this.place;
    return at + 1;
  }

  private makeBlock(): Pointer {
    const block = this.kernels.allocate(8 * BLOCK_ROWS * this.rowSize);
    this.values = new Float64Array(this.kernels.memory.buffer);
    return block;
  }

  /** Gives every block in order of date: its numbers, row after row, and how many rows. */
  *inOrder(): Generator<RowBlock> {
    for (const [date, blocks] of this.blocks.entries()) {
      let left = this.counts[date] as number;
      for (const at of blocks) {
        const block = new Float64Array(this.kernels.memory.buffer, at, BLOCK_ROWS * this.rowSize);
        yield { block, rows: Math.min(left, BLOCK_ROWS), date };
        left -= BLOCK_ROWS;
      }
    }
  }
}

/** Rows as they leave their thread: row after row in order of date, each with the number of its wallet first. */
export function flatRows(rows: BucketRows): Float64Array {
  const flat = new Float64Array(rows.count * rows.rowSize);
  let at = 0;
  for (const { block, rows: count } of rows.inOrder()) {
    flat.set(block.subarray(0, count * rows.rowSize), at);
    at += count * rows.rowSize;
  }
  return flat;
}
