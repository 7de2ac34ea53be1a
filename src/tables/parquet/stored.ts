/** Where the pages of a file are that `writeEncoded` wrote. What others wrote is left to DuckDB. */
import { type FileHandle, open } from 'node:fs/promises';
import { FathomError } from '../../errors.ts';
import { type Encoding, encodingNumbers, MAGIC, WRITER } from './encoded.ts';
import { decodeThrift, type ThriftFields, type ThriftRead } from './thrift-read.ts';

/** The pages of a column in a group of rows: perhaps a dictionary, and one page of values. */
export interface StoredChunk {
  /** Where it begins in the file, and its length in bytes. */
  readonly at: number;
  readonly bytes: number;
  /** True if values may lack, and in how many rows they do. */
  readonly nullable: boolean;
  readonly nulls: number;
  /** Smallest and largest value, of whole numbers whose range was told. */
  readonly least?: number | undefined;
  readonly greatest?: number | undefined;
}

export interface StoredGroup {
  readonly rows: number;
  /** By name of the column. */
  readonly columns: Readonly<Record<string, StoredChunk>>;
}

export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  readonly groups: readonly StoredGroup[];
}

/** What is in a chunk; see `EncodedColumn`. */
export interface StoredPages {
  readonly encoding: Encoding;
  readonly values: Uint8Array;
  readonly dictionary?: { readonly count: number; readonly bytes: Uint8Array } | undefined;
  readonly present?: Uint8Array | undefined;
}

/** Bytes at the end of a file: the length of its footer, and the magic number. */
const TAIL = 8;

/** Reads the footer of a file; undefined if it is none of ours. */
export async function readStored(path: string): Promise<StoredFile | undefined> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size < 2 * TAIL) return undefined;
    const tail = await readAt(file, size - TAIL, TAIL);
    const length = tail.readUInt32LE(0);
    if (!tail.subarray(4).equals(MAGIC) || length > size - TAIL) return undefined;
    const { fields } = decodeThrift(await readAt(file, size - TAIL - length, length));
    if (textOf(fields.get(6)) !== WRITER) return undefined;
    return { path, bytes: size, groups: listOf(fields.get(4)).map((group) => groupOf(group, nullableOf(fields))) };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead < length) throw new FathomError('data', 'a Parquet file is cut');
  return buffer;
}

const structOf = (value: ThriftRead | undefined): ThriftFields => value as ThriftFields;
const listOf = (value: ThriftRead | undefined): ThriftFields[] => (value ?? []) as ThriftFields[];
const numberOf = (value: ThriftRead | undefined): number => value as number;
const textOf = (value: ThriftRead | undefined): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString() : '';

/** Names of the columns whose values may lack. */
function nullableOf(footer: ThriftFields): ReadonlySet<string> {
  const elements = listOf(footer.get(2)).slice(1);
  return new Set(elements.filter((element) => element.get(3) === 1).map((element) => textOf(element.get(4))));
}

function groupOf(group: ThriftFields, nullable: ReadonlySet<string>): StoredGroup {
  const columns = listOf(group.get(1)).map((chunk): [string, StoredChunk] => {
    const found = structOf(chunk.get(3));
    const name = (found.get(3) as Uint8Array[]).map(textOf).join('.');
    const statistics = structOf(found.get(12));
    return [
      name,
      {
        at: numberOf(chunk.get(2)),
        bytes: numberOf(found.get(7)),
        nullable: nullable.has(name),
        nulls: numberOf(statistics.get(3)),
        greatest: wholeOf(statistics.get(5)),
        least: wholeOf(statistics.get(6)),
      },
    ];
  });
  return { rows: numberOf(group.get(3)), columns: Object.fromEntries(columns) };
}

function wholeOf(bytes: ThriftRead | undefined): number | undefined {
  if (!(bytes instanceof Uint8Array)) return undefined;
  const buffer = Buffer.from(bytes);
  return bytes.length === 4 ? buffer.readInt32LE() : Number(buffer.readBigInt64LE());
}

/** The pages of a chunk, as views of its bytes. */
export function pagesOf(bytes: Uint8Array, { nullable }: Pick<StoredChunk, 'nullable'>): StoredPages {
  let at = 0;
  /** The next page: what its header says, and what is in it. */
  const take = (field: number): { header: ThriftFields; content: Uint8Array } | undefined => {
    const { fields, length } = decodeThrift(bytes.subarray(at));
    const header = fields.get(field);
    if (header === undefined) return undefined;
    const start = at + length;
    at = start + numberOf(fields.get(3));
    return { header: structOf(header), content: bytes.subarray(start, at) };
  };
  const listed = take(7);
  const page = take(5);
  const code = page?.header.get(2);
  const encoding = (Object.keys(encodingNumbers) as Encoding[]).find((name) => encodingNumbers[name] === code);
  if (page === undefined || encoding === undefined) throw new FathomError('internal', 'a page is not what was written');
  const { content } = page;
  const levels = nullable ? 4 + Buffer.from(content.buffer, content.byteOffset, 4).readUInt32LE() : 0;
  return {
    encoding,
    values: content.subarray(levels),
    dictionary: listed === undefined ? undefined : { count: numberOf(listed.header.get(1)), bytes: listed.content },
    present: nullable ? content.subarray(4, levels) : undefined,
  };
}
