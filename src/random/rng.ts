/** Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */
import { createHash } from 'node:crypto';
import { log, sqrtOfMinusTwoLog } from '../numeric/elementary.ts';

/** A stream of random numbers. Streams with different keys are independent; `at` jumps anywhere at no cost. */
export interface Rng {
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal, by inversion: one uniform a number. */
  normal(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Uniform integer in [0, n), unbiased. `n` from 1 to 2^32. */
  below(n: number): number;
  /** Fisher-Yates shuffle in place; returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
  /** The stream that starts at block `counter` (four 32-bit numbers a block). */
  at(counter: number): Rng;
}

/** The first 64 bits of SHA-256 of the parts, as two 32-bit words: a key for `philox`. */
export function keyOf(...parts: readonly (string | number)[]): readonly [number, number] {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/** A stream for (seed, purpose, ...): equal arguments give equal numbers on every machine. */
export function makeRng(...parts: readonly (string | number)[]): Rng {
  return new Philox(keyOf(...parts));
}

/** One block of Philox4x32-10, written into `out`. Test vectors: Random123's kat_vectors. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle1 = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle1 & 0xffff);
  return (aHigh * bHigh + Math.floor(middle1 / 65536) + Math.floor(middle2 / 65536)) | 0;
}

class Philox implements Rng {
  readonly #key: readonly [number, number];
  readonly #block = new Uint32Array(4);
  #counter: number;
  #used = 4;

  constructor(key: readonly [number, number], counter = 0) {
    this.#key = key;
    this.#counter = counter;
  }

  uint32(): number {
    if (this.#used === 4) {
      const low = this.#counter >>> 0;
      const high = Math.floor(this.#counter / 4294967296);
      philox4x32([low, high, 0, 0], this.#key, this.#block);
      this.#counter++;
      this.#used = 0;
    }
    return this.#block[this.#used++] as number;
  }

  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  normal(): number {
    return normalQuantile((this.uint32() + 0.5) / 4294967296);
  }

  exponential(): number {
    return -log(1 - this.uniform());
  }

  below(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let x = this.uint32();
    while (x >= limit) x = this.uint32();
    return x % n;
  }

  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  at(counter: number): Rng {
    return new Philox(this.#key, counter);
  }
}

/** Coefficients of AS 241, numerator and denominator, constant term first: the middle, the tails, the far tails. */
const middle = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
] as const;
const tail = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
] as const;
const farTail = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
] as const;

function ratio([numerator, denominator]: readonly [readonly number[], readonly number[]], r: number): number {
  let above = 0;
  let below = 0;
  for (let i = numerator.length - 1; i >= 0; i--) {
    above = above * r + (numerator[i] as number);
    below = below * r + (denominator[i] as number);
  }
  return above / below;
}

/** Inverse of the normal distribution function, Wichura's AS 241 (PPND16), relative error about 1e-16. p in (0, 1). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(middle, 0.180625 - q * q);
  // sqrt(-log(tail)) = sqrtOfMinusTwoLog(tail) / sqrt(2)
  const r = sqrtOfMinusTwoLog(q < 0 ? p : 1 - p) / Math.SQRT2;
  const x = r <= 5 ? ratio(tail, r - 1.6) : ratio(farTail, r - 5);
  return q < 0 ? -x : x;
}
