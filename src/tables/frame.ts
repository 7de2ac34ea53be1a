/** Frames: typed columns with roles in an Arrow IPC file. Workers map them without copying. */
import { readFile, writeFile } from 'node:fs/promises';
import {
  Dictionary,
  Field,
  Float32,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { FathomError } from '../errors.ts';
import { columnSpecs } from './column-schemas.ts';
import { type ColumnSpec, METADATA_KEY } from './columns.ts';

/**
 * Numbers: NaN is missing, since a NaN that a table stores comes into no feature or label (`refuseNonFinite`). Times are
 * UTC milliseconds as numbers. Categories: `codes[i]` indexes `labels`; -1 is missing.
 */
export type FrameColumn = ColumnSpec &
  (
    | { readonly type: 'number'; readonly values: Float32Array | Float64Array }
    | { readonly type: 'category'; readonly labels: readonly string[]; readonly codes: Int32Array }
  );

export interface Frame {
  readonly rows: number;
  readonly columns: readonly FrameColumn[];
}

/** Columns of a role, in order. */
export function columnsOf(frame: Frame, role: ColumnSpec['role']): readonly FrameColumn[] {
  return frame.columns.filter((column) => column.role === role);
}

/** A column by name; an error that lists what is there if it is missing. */
export function columnNamed(frame: Frame, name: string): FrameColumn {
  const column = frame.columns.find((c) => c.name === name);
  if (column === undefined)
    throw new FathomError('data', `no column "${name}"; the frame has ${frame.columns.map((c) => c.name).join(', ')}`, {
      hint: 'correct the name, or make the column in the stage that makes the frame',
    });
  return column;
}

/** Values of a numeric column. */
export function numbersOf(column: FrameColumn): Float32Array | Float64Array {
  if (column.type !== 'number') throw new FathomError('data', `column "${column.name}" holds categories, not numbers`);
  return column.values;
}

/** One text a row: the label of a category, or the number written out. */
export function textOf(column: FrameColumn, row: number): string {
  if (column.type === 'category') return column.labels[column.codes[row] as number] ?? '';
  return String(column.values[row]);
}

/** Arrow IPC file bytes; equal frames give equal bytes. */
export function encodeFrame(frame: Frame): Uint8Array {
  const fields: Field[] = [];
  const children = [];
  // Arrow's writer merges neighbouring chunks of one ArrayBuffer, also where they overlap: a buffer goes in once.
  const written = new Set<ArrayBufferLike>();
  const own = <T extends Float32Array | Float64Array | Int32Array>(values: T): T => {
    if (written.has(values.buffer)) return values.slice() as T;
    written.add(values.buffer);
    return values;
  };
  for (const column of frame.columns) {
    const length = column.type === 'number' ? column.values.length : column.codes.length;
    if (length !== frame.rows)
      throw new FathomError(
        'internal',
        `column "${column.name}" has ${length} values in a frame of ${frame.rows} rows`,
      );
    if (column.type === 'number') {
      const type = column.values instanceof Float32Array ? new Float32() : new Float64();
      fields.push(new Field(column.name, type, false));
      children.push(makeData({ type, length, nullCount: 0, data: own(column.values) as never }));
    } else {
      const labels = vectorFromArray([...column.labels, ...(column.labels.length === 0 ? [''] : [])], new Utf8());
      const type = new Dictionary(new Utf8(), new Int32(), fields.length);
      fields.push(new Field(column.name, type, false));
      children.push(
        makeData({ type, length, nullCount: 0, data: own(column.codes), dictionary: labels as Vector<Utf8> }),
      );
    }
  }
  const specs = frame.columns.map(({ name, role, unit, description }) => ({
    name,
    role,
    ...(unit === undefined ? {} : { unit }),
    ...(description === undefined ? {} : { description }),
  }));
  const schema = new Schema(fields, new Map([[METADATA_KEY, JSON.stringify(specs)]]));
  const data = makeData({ type: new Struct(fields), length: frame.rows, nullCount: 0, children: children as never });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, data as never)]), 'file');
}

/** A frame over the given bytes; numeric columns are views, not copies, without the padding of the file. */
export function decodeFrame(bytes: Uint8Array, where = 'frame'): Frame {
  const table = tableFromIPC(bytes);
  const text = table.schema.metadata.get(METADATA_KEY);
  if (text === undefined) throw new FathomError('data', `${where}: an Arrow file without column roles is not a frame`);
  const specs = columnSpecs.parse(JSON.parse(text));
  const columns = specs.map((spec, i): FrameColumn => {
    const vector = table.getChildAt(i);
    if (vector === null) throw new FathomError('data', `${where}: column "${spec.name}" is missing`);
    const data = vector.data[0];
    if (data === undefined || vector.data.length !== 1) {
      if (table.numRows === 0) return { ...spec, type: 'number', values: new Float64Array(0) };
      throw new FathomError('data', `${where}: column "${spec.name}" is in ${vector.data.length} pieces, expected one`);
    }
    // What lies under a null is any number; read in place it would be taken for one.
    if (data.nullCount > 0)
      throw new FathomError('data', `${where}: column "${spec.name}" holds ${data.nullCount} nulls of Arrow's own`, {
        hint: 'in a frame a missing number is NaN and a missing category -1: write it with `writeFrame`',
      });
    if (data.type instanceof Dictionary) {
      const dictionary = data.dictionary as Vector<Utf8>;
      return {
        ...spec,
        type: 'category',
        labels: Array.from({ length: dictionary.length }, (_, k) => dictionary.get(k) as string),
        codes: (data.values as Int32Array).subarray(0, table.numRows),
      };
    }
    return { ...spec, type: 'number', values: (data.values as Float32Array | Float64Array).subarray(0, table.numRows) };
  });
  return { rows: table.numRows, columns };
}

export async function writeFrame(path: string, frame: Frame): Promise<void> {
  await writeFile(path, encodeFrame(frame));
}

/** Reads a frame; `shared` are its bytes where somebody has loaded them already. */
export async function readFrame(path: string, shared?: SharedArrayBuffer): Promise<Frame> {
  return decodeFrame(shared === undefined ? await readFile(path) : new Uint8Array(shared), path);
}
