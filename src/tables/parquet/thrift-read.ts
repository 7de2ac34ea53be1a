/** Reads what `encodeThrift` writes, and whatever else comes in Thrift's compact protocol; see thrift.ts. */

/** A struct is a map by number of the field. Whole numbers are exact within 2^52 of zero. */
export type ThriftRead = number | boolean | Uint8Array | readonly ThriftRead[] | ThriftFields;
export type ThriftFields = ReadonlyMap<number, ThriftRead>;

/** Decodes the struct at the beginning of some bytes; says how many of them it takes. */
export function decodeThrift(bytes: Uint8Array): { fields: ThriftFields; length: number } {
  const reader = new Reader(bytes);
  return { fields: reader.struct(), length: reader.at };
}

class Reader {
  at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  struct(): ThriftFields {
    const fields = new Map<number, ThriftRead>();
    let field = 0;
    for (;;) {
      const head = this.byte();
      if (head === 0) return fields;
      field = head >> 4 === 0 ? this.signed() : field + (head >> 4);
      const type = head & 15;
      // A field of a truth value has it in its type.
      fields.set(field, type <= 2 ? type === 1 : this.value(type));
    }
  }

  private value(type: number): ThriftRead {
    if (type <= 2) return this.byte() === 1;
    if (type === 3) return (this.byte() << 24) >> 24;
    if (type <= 6) return this.signed();
    if (type === 7) return this.double();
    if (type === 8) return this.binary();
    if (type === 9 || type === 10) return this.list();
    if (type === 12) return this.struct();
    throw new RangeError(`type ${type} of Thrift is not read`);
  }

  private list(): ThriftRead[] {
    const head = this.byte();
    const length = head >> 4 === 15 ? this.varint() : head >> 4;
    return Array.from({ length }, () => this.value(head & 15));
  }

  private binary(): Uint8Array {
    const length = this.varint();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  private double(): number {
    const { buffer, byteOffset } = this.bytes;
    this.at += 8;
    return new DataView(buffer, byteOffset + this.at - 8, 8).getFloat64(0, true);
  }

  private signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  private varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new RangeError('the bytes end within a struct of Thrift');
    return byte;
  }
}
