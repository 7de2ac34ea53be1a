/**
 * Parquet files from columns that are encoded already
 * (https://parquet.apache.org/docs/file-format/). They are not compressed: what is written this way is packed tightly.
 */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { type ColumnSpec, METADATA_KEY } from '../columns.ts';
import type { FileInPieces, PieceWriter } from '../pieces.ts';
import { encodeThrift, type ThriftStruct, type ThriftValue } from './thrift.ts';

/** Types as DuckDB calls them. */
export type EncodedType = 'VARCHAR' | 'TIMESTAMP' | 'DECIMAL(18, 6)' | 'DOUBLE' | 'BIGINT' | 'INTEGER' | 'UTINYINT';

/** `plain`: 8 bytes a value, or a text with its length before it; `differences`: DELTA_BINARY_PACKED; `dictionary`: one byte with the width, then places in it. */
export type Encoding = 'plain' | 'differences' | 'dictionary';

export interface EncodedColumn {
  readonly type: EncodedType;
  readonly encoding: Encoding;
  /** Values that are there, encoded. */
  readonly values: readonly Uint8Array[];
  /** Different values, one after the other as `plain` has them: texts have their length before them. */
  readonly dictionary?: { readonly count: number; readonly bytes: Uint8Array } | undefined;
  /** Where values lack: a 1 for each that is there, as runs and packed bits of width 1. */
  readonly present?: Uint8Array | undefined;
  readonly nulls?: number | undefined;
  /** Smallest and largest value, of whole numbers. */
  readonly range?: { readonly least: bigint; readonly greatest: bigint } | undefined;
}

/** Rows of a group, as many as DuckDB's have: where groups were larger, a query was left without memory. */
export const GROUP_ROWS = 122_880;

/** Some rows of all columns, by name. Readers take a group at a time, so it should not be large. */
export interface EncodedRows {
  readonly rows: number;
  readonly columns: Readonly<Record<string, EncodedColumn>>;
}

/** The bytes that a file begins and ends with. */
export const MAGIC = Buffer.from('PAR1');

/** Who wrote a file, as its footer says. */
export const WRITER = 'fathom';

/** What pages call their encodings. */
export const encodingNumbers: Readonly<Record<Encoding, number>> = { plain: 0, differences: 5, dictionary: 8 };
const PLAIN = 0;
const RLE = 3;

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;

const UNCOMPRESSED = 0;

const REQUIRED = 0;
const OPTIONAL = 1;

/** Physical types. */
const INT32 = 1;
const INT64 = 2;
const FLOAT64 = 5;
const BYTE_ARRAY = 6;

/** Fields of a schema element: 1 physical, 6 converted, 7 scale, 8 precision, 10 logical type. */
const schemas: Readonly<Record<EncodedType, ThriftStruct>> = {
  VARCHAR: { 1: { i32: BYTE_ARRAY }, 6: { i32: 0 }, 10: { struct: { 1: { struct: {} } } } },
  // Not of any zone, in microseconds.
  TIMESTAMP: {
    1: { i32: INT64 },
    6: { i32: 10 },
    10: { struct: { 8: { struct: { 1: { bool: false }, 2: { struct: { 2: { struct: {} } } } } } } },
  },
  'DECIMAL(18, 6)': {
    1: { i32: INT64 },
    6: { i32: 5 },
    7: { i32: 6 },
    8: { i32: 18 },
    10: { struct: { 5: { struct: { 1: { i32: 6 }, 2: { i32: 18 } } } } },
  },
  DOUBLE: { 1: { i32: FLOAT64 } },
  BIGINT: { 1: { i32: INT64 } },
  INTEGER: { 1: { i32: INT32 } },
  UTINYINT: {
    1: { i32: INT32 },
    6: { i32: 11 },
    10: { struct: { 10: { struct: { 1: { i8: 8 }, 2: { bool: false } } } } },
  },
};

const size = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/**
 * Writes a file column by column, so that the bytes of one column at a time are needed; whole or not at all: until it is
 * written it has another name.
 */
export class EncodedWriter {
  private readonly path: string;
  private readonly specs: readonly ColumnSpec[];
  private readonly file: FileInPieces;
  private readonly groups: ThriftValue[] = [];
  private columns: EncodedRows['columns'] = {};
  private rows = 0;
  private at = 0;

  private constructor(path: string, specs: readonly ColumnSpec[], file: FileInPieces) {
    this.path = path;
    this.specs = specs;
    this.file = file;
  }

  /** @param specs what the columns are, in order */
  static async open(path: string, specs: readonly ColumnSpec[], pieces: PieceWriter): Promise<EncodedWriter> {
    const writer = new EncodedWriter(path, specs, await pieces.open(`${path}.part`));
    await writer.append([MAGIC]);
    return writer;
  }

  /**
   * Appends a group. A column lacks values in all groups or in none.
   *
   * @param encode called for one column after the other, in order; the bytes of a column may be void with the next call
   */
  async add(rows: number, encode: (name: string) => EncodedColumn): Promise<void> {
    const start = this.at;
    const chunks: ThriftValue[] = [];
    const columns: Record<string, EncodedColumn> = {};
    for (const { name } of this.specs) {
      const column = encode(name);
      columns[name] = column;
      const { parts, chunk } = layColumn(name, column, rows, this.at);
      chunks.push(chunk);
      await this.append(parts);
    }
    this.groups.push(groupEntry(chunks, rows, start, this.at - start));
    this.columns = columns;
    this.rows += rows;
  }

  /** Ends the file. What is given is true once all of it is written: only then it has its name. */
  async finish(): Promise<{ readonly written: Promise<void> }> {
    await this.append(footerOf(this.specs, this.columns, this.groups, this.rows));
    const written = this.file.end().then(() => rename(`${this.path}.part`, this.path));
    // Whoever waits for it is told.
    written.catch(() => undefined);
    return { written };
  }

  /** Leaves nothing. */
  async abandon(): Promise<void> {
    await this.file.abandon();
  }

  private async append(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      this.at += part.length;
      await this.file.append(part);
    }
  }
}

/**
 * Writes a file, whole or not at all. The bytes of the columns may not change meanwhile.
 *
 * @param specs what the columns are, in order
 * @param groups their values; a column lacks values in all groups or in none
 */
export async function writeEncoded(
  path: string,
  specs: readonly ColumnSpec[],
  groups: readonly EncodedRows[],
): Promise<void> {
  const all: Uint8Array[] = [MAGIC];
  let at = MAGIC.length;
  const entries = groups.map((group) => {
    const { parts, entry } = layGroup(specs, group, at);
    at += size(parts);
    all.push(...parts);
    return entry;
  });
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  all.push(...footerOf(specs, groups[0]?.columns ?? {}, entries, rows));
  const temporary = `${path}.part`;
  const file = await open(temporary, 'w');
  try {
    await writeAll(file, all);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** The same by way of pieces: the bytes of the columns may change once this is done, and then the file is being written. */
export async function writeAhead(
  path: string,
  specs: readonly ColumnSpec[],
  groups: readonly EncodedRows[],
  pieces: PieceWriter,
): Promise<{ readonly written: Promise<void> }> {
  const file = await EncodedWriter.open(path, specs, pieces);
  try {
    for (const { rows, columns } of groups) await file.add(rows, (name) => columns[name] as EncodedColumn);
    return await file.finish();
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

/** The pages of a group that begins at a byte of the file, and what the footer says of them. */
function layGroup(
  specs: readonly ColumnSpec[],
  { rows, columns }: EncodedRows,
  start: number,
): { parts: Uint8Array[]; entry: ThriftValue } {
  const parts: Uint8Array[] = [];
  const chunks: ThriftValue[] = [];
  let at = start;
  for (const { name } of specs) {
    const laid = layColumn(name, columns[name] as EncodedColumn, rows, at);
    chunks.push(laid.chunk);
    parts.push(...laid.parts);
    at += size(laid.parts);
  }
  return { parts, entry: groupEntry(chunks, rows, start, at - start) };
}

/** The same of a column of a group. */
function layColumn(
  name: string,
  column: EncodedColumn,
  rows: number,
  at: number,
): { parts: Uint8Array[]; chunk: ThriftValue } {
  const dictionary = dictionaryPage(column);
  const parts = [...dictionary, ...dataPage(column, rows)];
  return { parts, chunk: chunkOf(name, column, rows, at, size(dictionary), size(parts)) };
}

const groupEntry = (chunks: readonly ThriftValue[], rows: number, start: number, bytes: number): ThriftValue => ({
  struct: { 1: { list: chunks }, 2: { i64: bytes }, 3: { i64: rows }, 5: { i64: start }, 6: { i64: bytes } },
});

/** What stands behind the groups. */
function footerOf(
  specs: readonly ColumnSpec[],
  columns: EncodedRows['columns'],
  groups: readonly ThriftValue[],
  rows: number,
): Uint8Array[] {
  const footer = encodeThrift({
    1: { i32: 2 },
    2: { list: schemaOf(specs, columns) },
    3: { i64: rows },
    4: { list: groups },
    5: { list: [{ struct: { 1: { text: METADATA_KEY }, 2: { text: JSON.stringify(specs) } } }] },
    6: { text: WRITER },
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return [footer, length, MAGIC];
}

async function writeAll(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await file.writev(parts);
  // The system may take less than all of it at once: the rest goes one by one.
  let skipped = bytesWritten;
  for (const part of parts) {
    if (skipped < part.length) await file.appendFile(part.subarray(skipped));
    skipped = Math.max(0, skipped - part.length);
  }
}

function schemaOf(specs: readonly ColumnSpec[], columns: Readonly<Record<string, EncodedColumn>>): ThriftValue[] {
  const root: ThriftValue = { struct: { 4: { text: 'fathom' }, 5: { i32: specs.length } } };
  const elements = specs.map(({ name }): ThriftValue => {
    const { type, present } = columns[name] as EncodedColumn;
    return {
      struct: { ...schemas[type], 3: { i32: present === undefined ? REQUIRED : OPTIONAL }, 4: { text: name } },
    };
  });
  return [root, ...elements];
}

/** The header of a page and what it holds. */
function page(type: number, header: ThriftStruct, content: readonly Uint8Array[]): Uint8Array[] {
  const bytes = size(content);
  return [encodeThrift({ 1: { i32: type }, 2: { i32: bytes }, 3: { i32: bytes }, ...header }), ...content];
}

function dictionaryPage({ dictionary }: EncodedColumn): Uint8Array[] {
  if (dictionary === undefined) return [];
  const header = { 1: { i32: dictionary.count }, 2: { i32: PLAIN } };
  return page(DICTIONARY_PAGE, { 7: { struct: header } }, [dictionary.bytes]);
}

function dataPage({ encoding, values, present }: EncodedColumn, rows: number): Uint8Array[] {
  const levels: Uint8Array[] = [];
  if (present !== undefined) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(present.length);
    levels.push(length, present);
  }
  const header = { 1: { i32: rows }, 2: { i32: encodingNumbers[encoding] }, 3: { i32: RLE }, 4: { i32: RLE } };
  return page(DATA_PAGE, { 5: { struct: header } }, [...levels, ...values]);
}

function chunkOf(
  name: string,
  column: EncodedColumn,
  rows: number,
  at: number,
  dictionaryBytes: number,
  bytes: number,
): ThriftValue {
  const physical = schemas[column.type][1] as ThriftValue;
  const used = [...new Set([encodingNumbers[column.encoding], RLE, ...(dictionaryBytes > 0 ? [PLAIN] : [])])];
  const { range } = column;
  return {
    struct: {
      2: { i64: at },
      3: {
        struct: {
          1: physical,
          2: { list: used.map((encoding) => ({ i32: encoding })) },
          3: { list: [{ text: name }] },
          4: { i32: UNCOMPRESSED },
          5: { i64: rows },
          6: { i64: bytes },
          7: { i64: bytes },
          9: { i64: at + dictionaryBytes },
          11: dictionaryBytes > 0 ? { i64: at } : undefined,
          12: {
            struct: {
              3: { i64: column.nulls ?? 0 },
              5: range === undefined ? undefined : { bytes: stored(range.greatest, column.type) },
              6: range === undefined ? undefined : { bytes: stored(range.least, column.type) },
            },
          },
        },
      },
    },
  };
}

function stored(value: bigint, type: EncodedType): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return type === 'INTEGER' || type === 'UTINYINT' ? bytes.subarray(0, 4) : bytes;
}
