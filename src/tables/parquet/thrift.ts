/**
 * Thrift's compact protocol, as far as Parquet's footers and headers of pages need it
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */

/** A value of a field. Structs list their fields by number, in rising order; undefined ones are left out. */
export type ThriftValue =
  | { readonly i8: number }
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly bool: boolean }
  | { readonly bytes: Uint8Array }
  | { readonly text: string }
  | { readonly list: readonly ThriftValue[] }
  | { readonly struct: ThriftStruct };

export type ThriftStruct = Readonly<Record<number, ThriftValue | undefined>>;

const TRUE = 1;
const FALSE = 2;
const I8 = 3;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

/** Up to so many elements, and so many field numbers skipped, stand in one byte with the type. */
const SHORT = 15;

export function encodeThrift(struct: ThriftStruct): Buffer {
  const bytes: number[] = [];
  putStruct(bytes, struct);
  return Buffer.from(bytes);
}

function typeOf(value: ThriftValue): number {
  if ('bool' in value) return value.bool ? TRUE : FALSE;
  if ('i8' in value) return I8;
  if ('i32' in value) return I32;
  if ('i64' in value) return I64;
  if ('list' in value) return LIST;
  return 'struct' in value ? STRUCT : BINARY;
}

function putStruct(bytes: number[], struct: ThriftStruct): void {
  let last = 0;
  for (const [key, value] of Object.entries(struct)) {
    if (value === undefined) continue;
    const field = Number(key);
    if (field - last <= SHORT) bytes.push(((field - last) << 4) | typeOf(value));
    else {
      bytes.push(typeOf(value));
      putSigned(bytes, field);
    }
    last = field;
    // A field of a truth value has it in its type.
    if (!('bool' in value)) putValue(bytes, value);
  }
  bytes.push(0);
}

function putValue(bytes: number[], value: ThriftValue): void {
  if ('i8' in value) bytes.push(value.i8);
  else if ('i32' in value) putSigned(bytes, value.i32);
  else if ('i64' in value) putSigned(bytes, value.i64);
  else if ('bool' in value) bytes.push(typeOf(value));
  else if ('struct' in value) putStruct(bytes, value.struct);
  else if ('list' in value) putList(bytes, value.list);
  else putBytes(bytes, 'text' in value ? Buffer.from(value.text) : value.bytes);
}

function putList(bytes: number[], list: readonly ThriftValue[]): void {
  const type = list[0] === undefined ? STRUCT : typeOf(list[0]);
  if (list.length < SHORT) bytes.push((list.length << 4) | type);
  else {
    bytes.push((SHORT << 4) | type);
    putVarint(bytes, list.length);
  }
  for (const value of list) putValue(bytes, value);
}

function putBytes(bytes: number[], value: Uint8Array): void {
  putVarint(bytes, value.length);
  for (const byte of value) bytes.push(byte);
}

/** Whole numbers within 2^52 of zero. */
function putSigned(bytes: number[], value: number): void {
  putVarint(bytes, value < 0 ? -2 * value - 1 : 2 * value);
}

function putVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
}
