/** What the reader gives of files that `writeEncoded` and DuckDB wrote, and the way back from encodings. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, makeKernels, type Pointer } from '../../src/kernels/kernels.ts';
import { type Duck, openDuck, quote } from '../../src/tables/duck.ts';
import { type EncodedColumn, writeEncoded } from '../../src/tables/parquet/encoded.ts';
import { pagesOf, readStored, type StoredFile } from '../../src/tables/parquet/stored.ts';
import { encodeThrift } from '../../src/tables/parquet/thrift.ts';
import { decodeThrift } from '../../src/tables/parquet/thrift-read.ts';
import { buildKernels } from '../support/kernels.ts';
import { temporaryFolder } from '../support/stage.ts';

buildKernels();
const kernels: Kernels = makeKernels();
const ROOM = 1 << 20;
const [values, target, back] = [0, 0, 0].map(() => kernels.allocate(ROOM)) as [Pointer, Pointer, Pointer];

let duck: Duck;
let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  duck = await openDuck({ threads: 1, memoryMb: 300, scratch: folder });
});
afterAll(() => duck.close());

const counts = fc.constantFrom(1, 2, 7, 8, 9, 31, 32, 33, 127, 128, 129, 130, 160, 161, 257, 1000);
const taken = (end: Pointer): Uint8Array => new Uint8Array(kernels.memory.buffer, target, end - target).slice();
const bytesAt = (at: Pointer, bytes: Uint8Array): void => new Uint8Array(kernels.memory.buffer).set(bytes, at);

function packed(numbers: readonly number[], width: number, size: 1 | 4): Uint8Array {
  const array = size === 1 ? Uint8Array : Int32Array;
  new array(kernels.memory.buffer, values, numbers.length).set(numbers);
  return taken(kernels.packNumbers(values, size, numbers.length, width, target));
}

function unpacked(bytes: Uint8Array, width: number, size: 1 | 4, count: number): number[] | undefined {
  bytesAt(values, bytes);
  const end = kernels.unpackNumbers(values, values + bytes.length, width, size, count, back);
  const array = size === 1 ? Uint8Array : Int32Array;
  return end === 0 ? undefined : Array.from(new array(kernels.memory.buffer, back, count));
}

function differences(numbers: readonly bigint[]): Uint8Array {
  new BigInt64Array(kernels.memory.buffer, values, numbers.length).set(numbers);
  return taken(kernels.packDifferences(values, numbers.length, target));
}

function numbersOf(bytes: Uint8Array, count: number): bigint[] | undefined {
  bytesAt(values, bytes);
  const end = kernels.unpackDifferences(values, values + bytes.length, count, back);
  return end === 0 ? undefined : Array.from(new BigInt64Array(kernels.memory.buffer, back, count));
}

describe('unpacking', () => {
  it('gives the whole numbers whose differences were packed, and nothing of a page that is cut', () => {
    fc.assert(
      fc.property(
        counts.chain((count) =>
          fc.integer({ min: 0, max: 54 }).chain((bits) =>
            fc.array(fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) }), {
              minLength: count,
              maxLength: count,
            }),
          ),
        ),
        (numbers) => {
          const bytes = differences(numbers);
          expect(numbersOf(bytes, numbers.length)).toEqual(numbers);
          expect(numbersOf(bytes, numbers.length + 1)).toBeUndefined();
          if (numbers.length > 1)
            expect(numbersOf(bytes.subarray(0, bytes.length - 129), numbers.length)).not.toEqual(numbers);
        },
      ),
    );
  });

  it('gives the numbers that were packed, of any width', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31 }), counts, fc.infiniteStream(fc.nat()), (width, count, stream) => {
        const numbers = [...stream.take(count)].map((number) => number % 2 ** width);
        const bytes = packed(numbers, width, 4);
        expect(unpacked(bytes, width, 4, count)).toEqual(numbers);
        if (width <= 8) expect(unpacked(packed(numbers, width, 1), width, 1, count)).toEqual(numbers);
        expect(unpacked(bytes.subarray(0, bytes.length - width), width, 4, count)).not.toEqual(numbers);
      }),
    );
  });

  it('knows runs of one number, too', () => {
    // Five times 3, then a run of eight packed ones of 1 bit each.
    expect(unpacked(Uint8Array.of(5 << 1, 3), 2, 4, 5)).toEqual([3, 3, 3, 3, 3]);
    expect(unpacked(Uint8Array.of(3 << 1, 1, (1 << 1) | 1, 0b10101010), 1, 1, 9)).toEqual([1, 1, 1, 0, 1, 0, 1, 0, 1]);
    // A width of 11 bits takes two bytes of a run.
    expect(unpacked(Uint8Array.of(2 << 1, 0xff, 0x07), 11, 4, 2)).toEqual([2047, 2047]);
  });
});

describe('Thrift', () => {
  it('reads what is written', () => {
    const struct = {
      1: { i32: -5 },
      2: { i64: 2 ** 40 },
      4: { bool: false },
      5: { text: 'x' },
      30: { list: Array.from({ length: 20 }, (_, i) => ({ struct: { 1: { bool: true }, 2: { i8: -i } } })) },
    };
    const bytes = Buffer.concat([encodeThrift(struct), Buffer.from('more')]);
    const { fields, length } = decodeThrift(bytes);
    expect(length).toBe(bytes.length - 4);
    expect([1, 2, 4].map((field) => fields.get(field))).toEqual([-5, 2 ** 40, false]);
    expect(Buffer.from(fields.get(5) as Uint8Array).toString()).toBe('x');
    const list = fields.get(30) as ReadonlyMap<number, unknown>[];
    expect(list.map((item) => [item.get(1), item.get(2)])).toEqual(list.map((_, i) => [true, -i || 0]));
  });
});

describe('a stored file', () => {
  it('tells where the pages of every group are', async () => {
    const file = path.join(folder, 'x.parquet');
    const bytes = Buffer.from([1, 0, 0, 0, 97, 2, 0, 0, 0, 98, 99]);
    const group = (numbers: readonly bigint[]) => ({
      rows: 3,
      columns: {
        n: {
          type: 'BIGINT',
          encoding: 'differences',
          values: [differences(numbers)],
          range: { least: numbers[0] as bigint, greatest: numbers[2] as bigint },
        },
        t: {
          type: 'VARCHAR',
          encoding: 'dictionary',
          values: [Uint8Array.of(1), packed([1, 0], 1, 1)],
          dictionary: { count: 2, bytes },
          present: packed([1, 0, 1], 1, 1),
          nulls: 1,
        },
      } satisfies Record<string, EncodedColumn>,
    });
    const specs = ['n', 't'].map((name) => ({ name, role: 'info' as const }));
    await writeEncoded(file, specs, [group([-3n, 5n, 2n ** 40n]), group([7n, 8n, 9n])]);
    const stored = (await readStored(file)) as StoredFile;
    expect(stored.groups.map(({ rows, columns }) => [rows, columns['n']?.least, columns['n']?.greatest])).toEqual([
      [3, -3, 2 ** 40],
      [3, 7, 9],
    ]);
    const whole = await readFile(file);
    const pages = (index: number, name: string) => {
      const chunk = stored.groups[index]?.columns[name];
      if (chunk === undefined) throw new Error('no chunk');
      return pagesOf(whole.subarray(chunk.at, chunk.at + chunk.bytes), chunk);
    };
    expect(numbersOf(pages(1, 'n').values, 3)).toEqual([7n, 8n, 9n]);
    const { dictionary, present, values: places, encoding } = pages(0, 't');
    expect([encoding, dictionary?.count]).toEqual(['dictionary', 2]);
    expect(Buffer.from(dictionary?.bytes ?? []).equals(bytes)).toBe(true);
    expect(unpacked(present as Uint8Array, 1, 1, 3)).toEqual([1, 0, 1]);
    expect(unpacked(places.subarray(1), places[0] as number, 1, 2)).toEqual([1, 0]);
    expect(stored.groups[0]?.columns['t']).toMatchObject({ nullable: true, nulls: 1 });
  });

  it('is none that DuckDB wrote, and no other file', async () => {
    const file = path.join(folder, 'duck.parquet');
    await duck.run(`COPY (SELECT 1 AS x) TO ${quote(file)} (FORMAT parquet)`);
    expect(await readStored(file)).toBeUndefined();
    const text = path.join(folder, 'text.parquet');
    await writeFile(text, 'no Parquet file, but long enough to be one');
    expect(await readStored(text)).toBeUndefined();
  });
});

describe('names', () => {
  const texts = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 400 }).map((n) => `0x${n.toString(16).padStart(40, '0')}`),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('', 'a', 'b', 'abcdefgh', 'abcdefghi', '0123456789abcdef', '0123456789abcdeg'),
    ),
    { maxLength: 700 },
  );

  /** Texts, each with its length before it. */
  function laidOut(list: readonly string[]): Buffer {
    return Buffer.concat(
      list.map((text) => {
        const bytes = Buffer.from(text);
        const all = Buffer.alloc(4 + bytes.length);
        all.writeUInt32LE(bytes.length);
        bytes.copy(all, 4);
        return all;
      }),
    );
  }

  it('have numbers by first appearance, however many come at once', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 5 }), (lists) => {
        const names = kernels.makeNames();
        const known: string[] = [];
        for (const list of lists) {
          bytesAt(values, laidOut(list));
          kernels.numberNames(names, values, list.length, back);
          for (const text of list) if (!known.includes(text)) known.push(text);
          expect(Array.from(new Int32Array(kernels.memory.buffer, back, list.length))).toEqual(
            list.map((text) => known.indexOf(text)),
          );
        }
        expect(kernels.nameCount(names)).toBe(known.length);
        const order = known.map((_, i) => (i * 7) % known.length);
        new Int32Array(kernels.memory.buffer, back, known.length).set(order);
        const expected = laidOut(order.map((i) => known[i] as string));
        expect(kernels.bytesOfNames(names, back, known.length)).toBe(expected.length);
        const end = kernels.copyNames(names, back, known.length, target);
        expect(Buffer.from(taken(end)).equals(expected)).toBe(true);
        // The same from a list: its second half, backwards.
        bytesAt(values, laidOut(known));
        kernels.findTexts(values, known.length, back);
        const places = known
          .map((_, i) => i)
          .filter((i) => 2 * i >= known.length)
          .reverse();
        const found = new Int32Array(kernels.memory.buffer, back, known.length);
        const list = back + 4 * known.length;
        new Int32Array(kernels.memory.buffer, list, places.length).set(places.map((i) => found[i] as number));
        const picked = taken(kernels.copyTextsAt(list, places.length, target));
        expect(picked.length).toBe(kernels.bytesOfTexts(list, places.length));
        expect(Buffer.from(picked).equals(laidOut(places.map((i) => known[i] as string)))).toBe(true);
      }),
    );
  });

  it('grow past their first room', () => {
    const names = kernels.makeNames();
    const block = kernels.allocate(2 << 20);
    for (let round = 0; round < 2; round++) {
      const list = Array.from({ length: 20_000 }, (_, i) => `wallet ${(i * 7919) % 20_000} of many`);
      bytesAt(block, laidOut(list));
      const numbers = kernels.allocate(4 * list.length);
      kernels.numberNames(names, block, list.length, numbers);
      const found = new Int32Array(kernels.memory.buffer, numbers, list.length);
      expect(found.every((number, i) => number === i)).toBe(true);
    }
    expect(kernels.nameCount(names)).toBe(20_000);
  });
});
