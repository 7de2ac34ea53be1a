/**
 * One file of named arrays: the safetensors format (eight bytes with the length of a JSON header, the header, the
 * bytes of the arrays), which torch, numpy and JAX read as it is. Equal content gives equal bytes.
 */
import { FathomError } from '../../errors.ts';

export type ArrayType = 'F32' | 'U8';

export interface StoredArray {
  readonly name: string;
  readonly type: ArrayType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

export interface Container {
  /** Any JSON; stored as text under `fathom` in the header's metadata. */
  readonly metadata: unknown;
  readonly arrays: readonly StoredArray[];
}

/** Names the content; other tools see it in the metadata. */
const KEY = 'fathom';

export function encodeContainer({ metadata, arrays }: Container): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { [KEY]: JSON.stringify(metadata) } };
  let end = 0;
  for (const { name, type, shape, bytes } of arrays) {
    header[name] = { dtype: type, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The format asks for data at a multiple of eight; the header is filled with spaces.
  const length = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.fill(0x20, 8, 8 + length).set(text, 8);
  let next = 8 + length;
  for (const { bytes } of arrays) {
    file.set(bytes, next);
    next += bytes.length;
  }
  return file;
}

/** @param where name of the file in errors */
export function decodeContainer(file: Uint8Array, where: string): Container {
  const broken = (reason: string): FathomError =>
    new FathomError('data', `${where}: not a model file: ${reason}`, { hint: 'train again, or name another file' });
  if (file.length < 8) throw broken('it is shorter than its header');
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (length > file.length - 8) throw broken('it is truncated or of another format');
  let header: Record<string, { dtype: ArrayType; shape: number[]; data_offsets: [number, number] }>;
  let metadata: unknown;
  try {
    const { __metadata__, ...rest } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    header = rest;
    metadata = JSON.parse((__metadata__ as Record<string, string>)[KEY] as string);
  } catch {
    throw broken('its header cannot be read');
  }
  const arrays = Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
    const [from, to] = data_offsets;
    if (8 + length + to > file.length) throw broken(`"${name}" is truncated`);
    return { name, type: dtype, shape, bytes: file.slice(8 + length + from, 8 + length + to) };
  });
  return { metadata, arrays };
}
