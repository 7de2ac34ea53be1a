/** Columns of stored Parquet files (tables/parquet/stored.ts), read into the memory of the kernels and decoded there. */
import type { Kernels, Pointer } from '../kernels/kernels.ts';
import { ALIGNMENT, aligned, DirectMemory, readBytes, withDirect } from '../tables/direct.ts';
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

/** Pages closer than this are read at once, with what lies between. */
const GAP_BYTES = 1 << 16;

/** A stretch of a file, and where it goes in memory. */
interface Stretch {
  readonly from: number;
  to: number;
}

/** Columns to be read: `whole` ones with their dictionaries, of `values` only the values. */
export interface WantedColumns {
  readonly whole: readonly string[];
  readonly values?: readonly string[];
}

/** Some columns of a group as they are in its file: they are read while the kernels, whose memory may grow, do other work. */
export class GroupBytes {
  group: StoredGroup = { rows: 0, columns: {} };
  bytes: Uint8Array = new Uint8Array(0);
  /** Where each column is in `bytes`. */
  readonly places = new Map<string, { readonly at: number; readonly bytes: number }>();
  private readonly memory = new DirectMemory();

  /** Reads a group in place of that of before. @param direct true to read past the system's cache */
  async read({ path, bytes, group }: GroupOfFile, wanted: WantedColumns, direct: boolean): Promise<void> {
    const columns = [
      ...wanted.whole.map((name) => ({ name, from: chunkOf(group, name).at, to: endOf(group, name) })),
      ...(wanted.values ?? []).map((name) => ({ name, from: chunkOf(group, name).valuesAt, to: endOf(group, name) })),
    ].sort((a, b) => a.from - b.from);
    const stretches: Stretch[] = [];
    for (const { from, to } of columns) {
      const last = stretches.at(-1);
      if (last !== undefined && from - last.to < GAP_BYTES) last.to = Math.max(last.to, to);
      else stretches.push({ from: from - (from % ALIGNMENT), to });
    }
    const length = stretches.reduce((sum, { from, to }) => sum + aligned(to - from), 0);
    this.bytes = this.memory.reach(length).subarray(0, length);
    this.group = group;
    this.places.clear();
    let at = 0;
    const reads = stretches.map((stretch) => {
      const view = this.bytes.subarray(at, at + aligned(stretch.to - stretch.from));
      for (const { name, from, to } of columns)
        if (from >= stretch.from && to <= stretch.to)
          this.places.set(name, { at: at + from - stretch.from, bytes: to - from });
      at += view.length;
      return { view, from: stretch.from, needed: Math.min(stretch.to, bytes) - stretch.from };
    });
    await withDirect(
      path,
      'r',
      (file) => Promise.all(reads.map(({ view, from, needed }) => readBytes(file, view, from, needed))),
      direct,
    );
  }
}

/** Reads groups of rows, each while the one before it is worked on. */
export class GroupsAhead {
  private readonly two = [new GroupBytes(), new GroupBytes()] as const;

  /** What was given is void once the next is asked for. @param direct true to read past the system's cache */
  async *read(groups: readonly GroupOfFile[], wanted: WantedColumns, direct: boolean): AsyncGenerator<GroupBytes> {
    const begin = (index: number): Promise<void> | undefined => {
      const group = groups[index];
      const reading = group === undefined ? undefined : (this.two[index % 2] as GroupBytes).read(group, wanted, direct);
      // It may fail before anybody waits for it.
      reading?.catch(() => undefined);
      return reading;
    };
    let next = begin(0);
    try {
      for (let index = 0; index < groups.length; index++) {
        await next;
        next = begin(index + 1);
        yield this.two[index % 2] as GroupBytes;
      }
    } finally {
      // Nothing is read into this memory any more once somebody else may use it.
      await next?.catch(() => undefined);
    }
  }
}

export class StoredColumns {
  private readonly kernels: Kernels;
  private capacity = 0;
  private block: Pointer = 0;
  private group: StoredGroup = { rows: 0, columns: {} };
  private loaded: GroupBytes['places'] = new Map();
  private readonly pages = new Map<string, StoredPages>();

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  /** Takes columns of a group in place of those of before. Any view of the memory is void: it may have grown. */
  take({ group, bytes, places }: GroupBytes): void {
    this.makeRoom(bytes.length);
    new Uint8Array(this.kernels.memory.buffer, this.block, bytes.length).set(bytes);
    this.group = group;
    this.loaded = new Map(places);
    this.pages.clear();
  }

  private makeRoom(bytes: number): void {
    if (bytes <= this.capacity) return;
    this.capacity = aligned(SPARE * bytes);
    this.block = this.kernels.allocate(this.capacity + SLACK);
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
    const place = this.loaded.get(name);
    if (place === undefined) throw new UnusualColumn(name);
    const bytes = new Uint8Array(this.kernels.memory.buffer, this.block + place.at, place.bytes);
    const pages = pagesOf(bytes, chunkOf(this.group, name));
    this.pages.set(name, pages);
    return pages;
  }
}

function chunkOf({ columns }: StoredGroup, name: string): StoredChunk {
  const chunk = columns[name];
  if (chunk === undefined) throw new UnusualColumn(name);
  return chunk;
}

const endOf = (group: StoredGroup, name: string): number => {
  const { at, bytes } = chunkOf(group, name);
  return at + bytes;
};
