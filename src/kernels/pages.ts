/** Encodes columns that lie in the memory of the kernels (kernels/encode.ts) into pages of Parquet beside them. */
import type { Kernels, Pointer } from './kernels.ts';

/** Values in an encoding of Parquet; `writeEncoded` takes them. */
export interface EncodedValues {
  readonly encoding: 'plain' | 'differences' | 'dictionary';
  readonly values: readonly Uint8Array[];
}

/** Kernels may write over so many bytes behind what they encode. */
const BEHIND = 8;

/** What is made for some rows has room for a little more: memory is never given back. */
const SPARE = 1.25;

export class Pages {
  private readonly kernels: Kernels;
  private start: Pointer = 0;
  private capacity = 0;
  private free: Pointer = 0;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  /** Makes room for so many bytes of pages. Those of before are void, and so may be any view of the memory. */
  begin(bytes: number): void {
    if (bytes > this.capacity) {
      this.capacity = Math.ceil(bytes * SPARE);
      this.start = this.kernels.allocate(this.capacity);
    }
    this.free = this.start;
  }

  /** So many bytes among the pages, at a multiple of 8. */
  scratch(bytes: number): Pointer {
    const at = (this.free + 7) & ~7;
    this.free = at + bytes;
    return at;
  }

  bytes(at: Pointer, length: number): Uint8Array {
    return new Uint8Array(this.kernels.memory.buffer, at, length);
  }

  /** What a kernel puts at the end of the pages: it gives the address after it. */
  put(write: (target: Pointer) => Pointer): Uint8Array {
    const from = this.scratch(0);
    const to = write(from) >>> 0;
    this.free = to + BEHIND;
    return this.bytes(from, to - from);
  }

  /** Bits that say where values are: a byte of 0 or 1 for each row. */
  presence(there: Pointer, rows: number): Uint8Array {
    return this.pack(there, 1, rows, 1);
  }

  /** A column without values. */
  nothing(rows: number): EncodedValues & { readonly present: Uint8Array; readonly nulls: number } {
    const there = this.scratch(rows);
    this.bytes(there, rows).fill(0);
    return { encoding: 'plain', values: [], present: this.presence(there, rows), nulls: rows };
  }

  /** Values of 8 bytes as they are. */
  plain(values: Pointer, count: number): EncodedValues {
    return { encoding: 'plain', values: [this.bytes(values, 8 * count)] };
  }

  /** Whole numbers of 64 bits, within 2^55 of each other. */
  differences(values: Pointer, count: number): EncodedValues {
    return {
      encoding: 'differences',
      values: [this.put((target) => this.kernels.packDifferences(values, count, target))],
    };
  }

  /** Places in a dictionary of so many different values, as numbers of `size` bytes. */
  places(values: Pointer, size: 1 | 4, count: number, different: number): EncodedValues {
    const width = Math.max(1, Math.ceil(Math.log2(different)));
    return { encoding: 'dictionary', values: [Uint8Array.of(width), this.pack(values, size, count, width)] };
  }

  private pack(values: Pointer, size: 1 | 4, count: number, width: number): Uint8Array {
    return this.put((target) => this.kernels.packNumbers(values, size, count, width, target));
  }
}
