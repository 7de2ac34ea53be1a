/** Rows of numbers by date and wallet, collected for one bucket. */

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
 * sorted or copied as they grow, and memory is read in the order in which it was written.
 */
export class BucketRows implements OrderedRows {
  /** Rows by date. */
  readonly counts: Int32Array;
  /** Wallets that have a row. */
  wallets = 0;
  /** Values of the row that was added last; they begin at the index that `add` returned. */
  values: Float64Array = new Float64Array(0);
  /** Numbers of a row: the wallet's place in its bucket, then the columns. */
  readonly rowSize: number;
  /** By date. */
  private readonly blocks: Float64Array[][];
  /** Blocks of earlier buckets. */
  private readonly free: Float64Array[] = [];
  private place = 0;
  private placeOfLast = -1;

  constructor(columns: number, dates: number) {
    this.rowSize = columns + 1;
    this.counts = new Int32Array(dates);
    this.blocks = Array.from({ length: dates }, () => []);
  }

  get count(): number {
    return this.counts.reduce((sum, rows) => sum + rows, 0);
  }

  clear(): void {
    this.counts.fill(0);
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
    const blocks = this.blocks[date] as Float64Array[];
    if (within === 0) blocks.push(this.free.pop() ?? new Float64Array(BLOCK_ROWS * this.rowSize));
    const block = blocks[blocks.length - 1] as Float64Array;
    this.values = block;
    if (this.place !== this.placeOfLast) this.wallets++;
    this.placeOfLast = this.place;
    const at = within * this.rowSize;
    block[at] = this.place;
    return at + 1;
  }

  /** Gives every block in order of date: its numbers, row after row, and how many rows. */
  *inOrder(): Generator<RowBlock> {
    for (const [date, blocks] of this.blocks.entries()) {
      let left = this.counts[date] as number;
      for (const block of blocks) {
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
