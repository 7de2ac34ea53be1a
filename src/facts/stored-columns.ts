/** Columns of stored Parquet files (tables/parquet/stored.ts), read into the memory of the kernels and decoded there. */
import type { FileHandle } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import type { Kernels, Pointer } from '../kernels/kernels.ts';
import { ALIGNMENT, aligned, withDirect } from '../tables/direct.ts';
import { pagesOf, type StoredChunk, type StoredGroup, type StoredPages } from '../tables/parquet/stored.ts';

/** A group of rows of a file. */
export interface GroupOfFile {
  readonly path: string;
  /** Length of the file. */
  readonly bytes: number;
  readonly group: StoredGroup;
}

/** Behind what they read kernels may look at a few bytes more. */
const SLACK = 64;

/** What is made for one group has room for one that is a little larger. */
const SPARE = 1.25;

/** Thrown where a column is not laid out as is asked for. */
export class UnusualColumn extends Error {
  constructor(name: string) {
    super(`column ${name} is laid out in another way`);
  }
}

export class StoredColumns {
  private readonly kernels: Kernels;
  private capacity = 0;
  private block: Pointer = 0;
  private group: StoredGroup = { rows: 0, columns: {} };
  /** What is to be subtracted from a place in the file, to get that in memory. */
  private shift = 0;
  private readonly pages = new Map<string, StoredPages>();

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  /**
   * Reads what lies between the first and the last of some columns of a group. What was read before is void, and so may
   * be any view of the memory.
   *
   * @param direct true to read past the system's cache
   */
  async load({ path, bytes, group }: GroupOfFile, names: readonly string[], direct: boolean): Promise<void> {
    const chunks = names.map((name) => chunkOf(group, name));
    const from = Math.min(...chunks.map(({ at }) => at));
    const start = from - (from % ALIGNMENT);
    const end = Math.max(...chunks.map((chunk) => chunk.at + chunk.bytes));
    const room = aligned(end - start);
    if (room > this.capacity) {
      this.capacity = aligned(SPARE * room);
      this.block = aligned(this.kernels.allocate(this.capacity + ALIGNMENT + SLACK));
    }
    const view = new Uint8Array(this.kernels.memory.buffer, this.block, room);
    await withDirect(path, 'r', (file) => readAt(file, view, start, Math.min(end, bytes) - start), direct);
    this.group = group;
    this.shift = start - this.block;
    this.pages.clear();
  }

  /** Whether the rows of a column may lack a value. */
  nullable(name: string): boolean {
    return chunkOf(this.group, name).nullable;
  }

  nulls(name: string): number {
    return chunkOf(this.group, name).nulls;
  }

  /** Entries of the dictionary of a column, as Parquet's plain encoding has them. */
  dictionary(name: string): { readonly count: number; readonly at: Pointer; readonly bytes: Uint8Array } {
    const { dictionary } = this.pagesOf(name);
    if (dictionary === undefined) throw new UnusualColumn(name);
    return { ...dictionary, at: dictionary.bytes.byteOffset };
  }

  /** The dictionary of a column of whole numbers of 32 bits. */
  smallNumbers(name: string): Int32Array {
    const { bytes, count } = this.dictionary(name);
    return new Int32Array(bytes.slice().buffer, 0, count);
  }

  /** The dictionary of a column of a few texts. */
  words(name: string): string[] {
    const { bytes, count } = this.dictionary(name);
    const buffer = Buffer.from(bytes);
    let at = 0;
    return Array.from({ length: count }, () => {
      const end = at + 4 + buffer.readUInt32LE(at);
      const word = buffer.toString('utf8', at + 4, end);
      at = end;
      return word;
    });
  }

  /** Decodes the places in the dictionary (i32) of the values that there are. */
  places(name: string, target: Pointer): void {
    const { encoding, values } = this.pagesOf(name);
    if (encoding !== 'dictionary') throw new UnusualColumn(name);
    const from = values.byteOffset + 1;
    const end = values.byteOffset + values.length;
    const count = this.group.rows - this.nulls(name);
    if (count > 0 && this.kernels.unpackNumbers(from, end, values[0] as number, 4, count, target) === 0)
      throw new UnusualColumn(name);
  }

  /** Decodes the whole numbers (i64) of the values that there are. */
  numbers(name: string, target: Pointer): void {
    const { encoding, values } = this.pagesOf(name);
    if (encoding !== 'differences') throw new UnusualColumn(name);
    const end = values.byteOffset + values.length;
    if (this.kernels.unpackDifferences(values.byteOffset, end, this.group.rows - this.nulls(name), target) === 0)
      throw new UnusualColumn(name);
  }

  /** Decodes which rows have a value: a byte for each, 1 or 0. */
  presence(name: string, target: Pointer): void {
    const { present } = this.pagesOf(name);
    if (present === undefined) throw new UnusualColumn(name);
    const end = present.byteOffset + present.length;
    if (this.kernels.unpackNumbers(present.byteOffset, end, 1, 1, this.group.rows, target) === 0)
      throw new UnusualColumn(name);
  }

  private pagesOf(name: string): StoredPages {
    const known = this.pages.get(name);
    if (known !== undefined && known.values.buffer === this.kernels.memory.buffer) return known;
    const chunk = chunkOf(this.group, name);
    const pages = pagesOf(new Uint8Array(this.kernels.memory.buffer, chunk.at - this.shift, chunk.bytes), chunk);
    this.pages.set(name, pages);
    return pages;
  }
}

function chunkOf({ columns }: StoredGroup, name: string): StoredChunk {
  const chunk = columns[name];
  if (chunk === undefined) throw new UnusualColumn(name);
  return chunk;
}

/** Reads at least `needed` bytes of a file from a place on, in whole blocks. */
async function readAt(file: FileHandle, bytes: Uint8Array, from: number, needed: number): Promise<void> {
  for (let done = 0; done < needed; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done);
    if (bytesRead === 0) throw new FathomError('internal', `${done} of ${needed} bytes could be read`);
    done += bytesRead;
  }
}
