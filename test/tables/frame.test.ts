import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnRole } from '../../src/tables/columns.ts';
import { columnRoles, METADATA_KEY } from '../../src/tables/columns.ts';
import {
  columnNamed,
  columnsOf,
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameColumn,
  numbersOf,
  readFrame,
  textOf,
  writeFrame,
} from '../../src/tables/frame.ts';
import { temporaryFolder } from '../support/stage.ts';

const frame: Frame = {
  rows: 3,
  columns: [
    { name: 'wallet', role: 'id', type: 'category', labels: ['a', 'ü€'], codes: Int32Array.of(1, -1, 0) },
    { name: 'asOf', role: 'time', type: 'number', values: Float64Array.of(1.7e12, 1.7e12 + 0.5, Number.NaN) },
    {
      name: 'x',
      role: 'feature',
      unit: 'USD',
      description: 'what it is',
      type: 'number',
      values: Float32Array.of(0.1, Number.NaN, -0),
    },
    { name: 'none', role: 'info', type: 'category', labels: [], codes: Int32Array.of(-1, -1, -1) },
  ],
};

function shared(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

const anyColumn = (rows: number): fc.Arbitrary<FrameColumn> => {
  const spec = { name: fc.string({ minLength: 1, maxLength: 8 }), role: fc.constantFrom<ColumnRole>(...columnRoles) };
  return fc.oneof(
    fc.record({
      ...spec,
      type: fc.constant('number' as const),
      values: fc.float64Array({ minLength: rows, maxLength: rows }),
    }),
    fc.record({
      ...spec,
      type: fc.constant('number' as const),
      values: fc.float32Array({ minLength: rows, maxLength: rows }),
    }),
    fc.array(fc.string(), { minLength: 1, maxLength: 5 }).chain((labels) =>
      fc.record({
        ...spec,
        type: fc.constant('category' as const),
        labels: fc.constant(labels),
        codes: fc.int32Array({ minLength: rows, maxLength: rows, min: -1, max: labels.length - 1 }),
      }),
    ),
  );
};

const anyFrame: fc.Arbitrary<Frame> = fc
  .nat({ max: 12 })
  .chain((rows) =>
    fc
      .uniqueArray(anyColumn(rows), { minLength: 1, maxLength: 6, selector: (column) => column.name })
      .map((columns) => ({ rows, columns })),
  );

describe('frames', () => {
  it('come back as they went, whatever is in them', () => {
    fc.assert(
      fc.property(anyFrame, (any) => {
        const bytes = encodeFrame(any);
        expect(decodeFrame(bytes)).toEqual(any);
        expect(Buffer.compare(encodeFrame(any), bytes)).toBe(0);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('keep labels, units, missing values and the width of numbers in a file', async () => {
    const file = path.join(await temporaryFolder(), 'frame.arrow');
    await writeFrame(file, frame);
    const read = await readFrame(file);
    expect(read.columns.slice(0, 3)).toEqual(frame.columns.slice(0, 3));
    expect(numbersOf(columnNamed(read, 'x'))).toBeInstanceOf(Float32Array);
    expect(textOf(columnNamed(read, 'wallet'), 0)).toBe('ü€');
    expect(textOf(columnNamed(read, 'wallet'), 1)).toBe('');
    expect(textOf(columnNamed(read, 'none'), 0)).toBe('');
    expect(columnsOf(read, 'feature').map((c) => c.name)).toEqual(['x']);
    expect(() => columnNamed(read, 'y')).toThrow('wallet, asOf, x, none');
    expect(() => numbersOf(columnNamed(read, 'wallet'))).toThrow('categories');
  });

  it('are views of shared memory, not copies of it', async () => {
    const memory = shared(encodeFrame(frame));
    const read = await readFrame('unused', memory);
    expect(numbersOf(columnNamed(read, 'x')).buffer).toBe(memory);
    expect(numbersOf(columnNamed(read, 'asOf')).buffer).toBe(memory);
    const wallet = columnNamed(read, 'wallet');
    expect(wallet.type === 'category' && wallet.codes.buffer).toBe(memory);
    // Aligned for SIMD and for typed arrays of any width.
    expect(numbersOf(columnNamed(read, 'x')).byteOffset % 8).toBe(0);
  });

  it('may have no rows and keep their columns as they are', () => {
    const empty: Frame = {
      rows: 0,
      columns: [
        { name: 'id', role: 'id', type: 'category', labels: ['a'], codes: new Int32Array(0) },
        { name: 'x', role: 'feature', type: 'number', values: new Float32Array(0) },
      ],
    };
    expect(decodeFrame(encodeFrame(empty))).toEqual(empty);
  });

  it('may be made of views into larger arrays, and of one array twice', () => {
    const pool = Float64Array.from({ length: 10 }, (_, i) => i);
    const values = pool.subarray(3, 6);
    const two: Frame = {
      rows: 3,
      columns: [
        { name: 'a', role: 'feature', type: 'number', values },
        { name: 'b', role: 'info', type: 'number', values },
        { name: 'c', role: 'info', type: 'number', values: pool.subarray(4, 7) },
      ],
    };
    expect(decodeFrame(encodeFrame(two)).columns.map((c) => [...numbersOf(c)])).toEqual([
      [3, 4, 5],
      [3, 4, 5],
      [4, 5, 6],
    ]);
  });

  it('refuse columns of the wrong length and files without roles', async () => {
    const long: Frame = { rows: 2, columns: frame.columns };
    expect(() => encodeFrame(long)).toThrow('3 values in a frame of 2 rows');
    const { tableFromArrays, tableToIPC } = await import('apache-arrow');
    const foreign = tableToIPC(tableFromArrays({ x: Float64Array.of(1) }), 'file');
    expect(() => decodeFrame(foreign, 'x.arrow')).toThrow('x.arrow');
  });

  it('refuse nulls of Arrow, under which any number may lie', async () => {
    const { Schema, Table, tableToIPC, vectorFromArray, Float64 } = await import('apache-arrow');
    const bytes = (values: (number | null)[]): Uint8Array => {
      const plain = new Table({ x: vectorFromArray(values, new Float64()) });
      const metadata = new Map([[METADATA_KEY, JSON.stringify([{ name: 'x', role: 'feature' }])]]);
      return tableToIPC(new Table(new Schema(plain.schema.fields, metadata), plain.batches), 'file');
    };
    expect([...numbersOf(columnNamed(decodeFrame(bytes([1, 2])), 'x'))]).toEqual([1, 2]);
    expect(() => decodeFrame(bytes([1, null, 3]), 'x.arrow')).toThrow('x.arrow: column "x" holds 1 nulls');
  });
});
