/** Encodes columns of the tables of names. What it gives is a copy, so that the memory of the kernels may grow. */
import type { Kernels, Pointer } from '../kernels/kernels.ts';
import { type EncodedValues, Pages } from '../kernels/pages.ts';
import type { EncodedColumn } from '../tables/parquet/encoded.ts';

/** What differences, or a bit that says whether a value is there, take of a row, at most. */
const PAGE_BYTES = 20;
const MORE_BYTES = 1 << 12;

const copied = <Some extends EncodedValues>(column: Some): Some => ({
  ...column,
  values: column.values.map((part) => part.slice()),
});

export class NameRows {
  private readonly kernels: Kernels;
  private readonly pages: Pages;

  constructor(kernels: Kernels) {
    this.kernels = kernels;
    this.pages = new Pages(kernels);
  }

  whole(type: 'INTEGER' | 'BIGINT', numbers: Int32Array | Float64Array): EncodedColumn {
    return { type, ...this.differences(numbers), range: rangeOf(numbers) };
  }

  /** Microseconds, where there are fills. */
  moments(times: Float64Array, fills: Float64Array | Int32Array): EncodedColumn {
    const values = this.differences(times.filter((_, i) => (fills[i] as number) > 0));
    const there = this.begin(times.length + PAGE_BYTES);
    const present = this.pages.bytes(there, times.length);
    let known = 0;
    for (let i = 0; i < times.length; i++) {
      present[i] = (fills[i] as number) > 0 ? 1 : 0;
      known += present[i] as number;
    }
    return {
      type: 'TIMESTAMP',
      ...values,
      present: this.pages.presence(there, times.length).slice(),
      nulls: times.length - known,
    };
  }

  /** The texts of some numbers of a table of names. */
  texts(names: Pointer, numbers: Int32Array): EncodedColumn {
    const { kernels, pages } = this;
    let list = this.begin(4 * numbers.length);
    const put = (): void => new Int32Array(kernels.memory.buffer, list, numbers.length).set(numbers);
    put();
    const bytes = kernels.bytesOfNames(names, list, numbers.length) >>> 0;
    list = this.begin(4 * numbers.length + bytes);
    put();
    const values = pages.put((target) => kernels.copyNames(names, list, numbers.length, target));
    return copied({ type: 'VARCHAR' as const, encoding: 'plain' as const, values: [values] });
  }

  private differences(numbers: Int32Array | Float64Array): EncodedValues {
    const at = this.begin((8 + PAGE_BYTES) * numbers.length);
    // Lower and upper half of each.
    const halves = new Int32Array(this.kernels.memory.buffer, at, 2 * numbers.length);
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] as number;
      halves[2 * i] = number | 0;
      halves[2 * i + 1] = Math.floor(number / 2 ** 32);
    }
    return copied(this.pages.differences(at, numbers.length));
  }

  /** So many bytes in front of the pages, and room for those. */
  private begin(bytes: number): Pointer {
    this.pages.begin(bytes + MORE_BYTES);
    return this.pages.scratch(bytes);
  }
}

/** The numbers from one to another, which is left out. */
export const through = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to - from }, (_, i) => from + i);

function rangeOf(numbers: Int32Array | Float64Array): EncodedColumn['range'] {
  if (numbers.length === 0) return undefined;
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of numbers) {
    least = Math.min(least, number);
    greatest = Math.max(greatest, number);
  }
  return { least: BigInt(least), greatest: BigInt(greatest) };
}
