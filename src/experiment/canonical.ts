/** One text for one value: what identities are hashes of. */
import { createHash } from 'node:crypto';

/**
 * JSON with keys sorted by UTF-16 code units, no spaces, and numbers in their shortest form (RFC 8785). Keys whose
 * value is undefined are left out. Throws a TypeError for what JSON cannot hold: NaN, infinities, bigints, functions,
 * undefined in lists, class instances other than plain objects.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no place in JSON`);
    // Minus zero is written 0, so that equal numbers have equal texts.
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw new TypeError(`only plain objects have a place in JSON, not ${value.constructor?.name ?? 'this one'}`);
    }
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`a value of type ${typeof value} has no place in JSON`);
}

/** SHA-256 of a text (as UTF-8) or of bytes, in lower-case hex. */
export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}
