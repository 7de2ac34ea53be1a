/**
 * Writes the rows of a bucket as Parquet without a database: rows become columns in the memory of the kernels, and are
 * written as they are encoded there.
 */
import type { Kernels, Pointer } from '../../kernels/kernels.ts';
import { type EncodedValues, Pages } from '../../kernels/pages.ts';
import { type EncodedColumn, EncodedWriter, GROUP_ROWS } from '../../tables/parquet/encoded.ts';
import { PieceWriter } from '../../tables/pieces.ts';
import { type NumberColumn, specsOf } from '../rows.ts';
import type { NamedWallets } from './named-wallets.ts';
import { BLOCK_ROWS, type OrderedRows } from './output.ts';

/** Values of a column that has more different ones in a group are written as they are. */
const MOST_LISTED = 8192;
const SLOTS = 4 * MOST_LISTED;

/** Bytes of a `Column` of the kernels. */
const COLUMN_BYTES = 12;

/** What the pages of a column take at most of a row, and of all else. */
const ROW_BYTES = 10;
const MORE_BYTES = 1 << 16;
const LENGTH_BYTES = 4;

/** A bucket's wallets: their addresses in order. */
interface Addresses {
  readonly texts: Pointer;
  /** u32, where each begins; one more ends the last. */
  readonly offsets: Pointer;
  /** i32, 0, 1, 2 and so on; and one -1 for each. */
  readonly same: Pointer;
  readonly unlisted: Pointer;
}

/** A column of a group in the memory of the kernels. */
interface Taken {
  /** f64, the values that there are. */
  readonly values: Pointer;
  readonly present: Pointer;
  readonly count: number;
}

export class PartWriter {
  private readonly columns: readonly NumberColumn[];
  private readonly kernels: Kernels;
  private readonly pages: Pages;
  private readonly pieces: PieceWriter;
  /** Columns of the kernels: the place of the wallet, then the others. */
  private readonly all: Pointer;
  private readonly block: Pointer;
  private readonly slots: Pointer;
  private readonly list: Pointer;
  private readonly numbers: Pointer;
  private readonly scratch: Pointer;
  private readonly dates: Pointer;
  private room: (Addresses & { readonly bytes: number; readonly count: number }) | undefined;

  /** @param direct true to write past the system's cache */
  constructor(kernels: Kernels, columns: readonly NumberColumn[], direct: boolean) {
    this.kernels = kernels;
    this.pages = new Pages(kernels);
    this.pieces = new PieceWriter(direct);
    this.columns = columns;
    this.all = kernels.makeRowColumns(columns.length + 1, GROUP_ROWS);
    this.block = kernels.allocate(8 * BLOCK_ROWS * (columns.length + 1));
    this.slots = kernels.allocate(4 * SLOTS);
    this.list = kernels.allocate(8 * (MOST_LISTED + 1));
    this.numbers = kernels.allocate(8 * GROUP_ROWS);
    this.scratch = kernels.allocate(8 * GROUP_ROWS);
    this.dates = kernels.allocate(8 * GROUP_ROWS);
  }

  /**
   * Writes rows, whose first number is the place of the wallet among those given.
   *
   * @param times microseconds by number of the date
   * @returns in how many rows each column is unknown, and when all is written; the next rows may be given before that
   */
  async write(
    path: string,
    rows: OrderedRows,
    wallets: NamedWallets,
    times: Float64Array,
  ): Promise<{ readonly nulls: Float64Array; readonly written: Promise<void> }> {
    const { kernels, columns } = this;
    const known = this.loadAddresses(wallets);
    const nulls = new Float64Array(columns.length);
    const file = await EncodedWriter.open(path, specsOf(columns), this.pieces);
    try {
      let filled = 0;
      const flush = async (): Promise<void> => {
        if (filled === 0) return;
        await file.add(filled, (name) => this.encode(name, filled, known, nulls));
        filled = 0;
      };
      kernels.forgetRows(this.all, columns.length + 1);
      for (const { block, rows: count, date } of rows.inOrder()) {
        // Before memory may grow: no view of it counts then.
        const from = this.addressOf(block, count * rows.rowSize);
        if (filled + count > GROUP_ROWS) {
          await flush();
          kernels.forgetRows(this.all, columns.length + 1);
        }
        kernels.takeRows(this.all, columns.length + 1, from, count, filled);
        new BigInt64Array(kernels.memory.buffer, this.dates + 8 * filled, count).fill(BigInt(times[date] as number));
        filled += count;
      }
      await flush();
      return { nulls, ...(await file.finish()) };
    } catch (error) {
      await file.abandon();
      throw error;
    }
  }

  /** Where numbers are in the memory of the kernels: they may come from there. */
  private addressOf(block: Float64Array, count: number): Pointer {
    const { buffer } = this.kernels.memory;
    if (block.buffer === buffer) return block.byteOffset;
    new Float64Array(buffer, this.block, count).set(block.subarray(0, count));
    return this.block;
  }

  /** A column of the rows at hand, in the place of the one before; `nulls` are counted on. */
  private encode(name: string, rows: number, known: Addresses, nulls: Float64Array): EncodedColumn {
    const { pages, columns } = this;
    if (name === 'wallet') return this.wallets(rows, known);
    pages.begin(ROW_BYTES * rows + MORE_BYTES);
    if (name === 'asOf') return this.moments(rows);
    const c = columns.findIndex((column) => column.name === name);
    const { type } = columns[c] as NumberColumn;
    const taken = this.taken(c + 1);
    nulls[c] = (nulls[c] as number) + rows - taken.count;
    return {
      type,
      ...(type === 'DOUBLE' ? this.doubles(taken) : this.whole(taken)),
      present: pages.presence(taken.present, rows),
      nulls: rows - taken.count,
    };
  }

  private moments(rows: number): EncodedColumn {
    const moments = new BigInt64Array(this.kernels.memory.buffer, this.dates, rows);
    const range = { least: moments[0] as bigint, greatest: moments[rows - 1] as bigint };
    return { type: 'TIMESTAMP', ...this.pages.differences(this.dates, rows), range };
  }

  private wallets(rows: number, known: Addresses): EncodedColumn {
    const { kernels, pages } = this;
    const texts = this.addressesOf(rows, known);
    pages.begin(ROW_BYTES * rows + texts.bytes + MORE_BYTES);
    const listed = pages.put((target) =>
      kernels.copyTexts(known.texts, known.offsets, this.numbers, texts.count, target),
    );
    return {
      type: 'VARCHAR',
      ...pages.places(texts.places, 4, rows, texts.count),
      dictionary: { count: texts.count, bytes: listed },
    };
  }

  private taken(column: number): Taken {
    const [values, present, count] = new Uint32Array(
      this.kernels.memory.buffer,
      this.all + COLUMN_BYTES * column,
      3,
    ) as unknown as [number, number, number];
    return { values, present, count };
  }

  private whole({ values, count }: Taken): EncodedValues {
    this.kernels.toWhole(values, count, this.scratch);
    return this.pages.differences(this.scratch, count);
  }

  private doubles({ values, count }: Taken): EncodedValues & Pick<EncodedColumn, 'dictionary'> {
    const { kernels, pages } = this;
    const { slots, list, scratch } = this;
    const different = kernels.listDoubles(values, count, MOST_LISTED, slots, SLOTS, list, scratch);
    // A value that comes twice on average takes no more than half of its place.
    if (different < 0 || 2 * different > count) return pages.plain(values, count);
    const bytes = pages.bytes(list, 8 * different).slice();
    return { ...pages.places(scratch, 4, count, different), dictionary: { count: different, bytes } };
  }

  private loadAddresses({ numbers: { length }, texts, offsets }: NamedWallets): Addresses {
    const { kernels } = this;
    // Memory of a bucket is not given back until the thread ends; buckets have about as many wallets.
    if (this.room === undefined || this.room.bytes < texts.length || this.room.count < length) {
      const [bytes, count] = [Math.ceil(1.25 * texts.length), Math.ceil(1.25 * length)];
      const [at, ends, same, unlisted] = [bytes, 4 * (count + 1), 4 * count, 4 * count].map((size) =>
        kernels.allocate(size),
      ) as [Pointer, Pointer, Pointer, Pointer];
      this.room = { texts: at, offsets: ends, same, unlisted, bytes, count };
      new Int32Array(kernels.memory.buffer, unlisted, count).fill(-1);
      const numbers = new Int32Array(kernels.memory.buffer, same, count);
      for (let i = 0; i < count; i++) numbers[i] = i;
    }
    const { room } = this;
    new Uint8Array(kernels.memory.buffer, room.texts, texts.length).set(texts);
    new Uint32Array(kernels.memory.buffer, room.offsets, offsets.length).set(offsets);
    return room;
  }

  /** Lists the wallets of a group, at `numbers`; gives how many they are, what their texts take and the place of each row's. */
  private addressesOf(
    rows: number,
    { offsets, same, unlisted }: Addresses,
  ): { count: number; bytes: number; places: Pointer } {
    const { kernels } = this;
    const { values } = this.taken(0);
    // The places of wallets in the bucket: whole numbers in place of the doubles, then those in the list.
    const { buffer } = kernels.memory;
    const doubles = new Float64Array(buffer, values, rows);
    const places = new Int32Array(buffer, values, rows);
    for (let i = 0; i < rows; i++) places[i] = doubles[i] as number;
    const listed = this.numbers + 4 * GROUP_ROWS;
    const count = kernels.listOccurring(values, rows, 0, same, unlisted, this.numbers, listed);
    const ends = new Uint32Array(buffer, offsets, (this.room?.count ?? 0) + 1);
    let bytes = LENGTH_BYTES * count;
    for (const place of new Int32Array(buffer, this.numbers, count))
      bytes += (ends[place + 1] as number) - (ends[place] as number);
    return { count, bytes, places: listed };
  }
}
