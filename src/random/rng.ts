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

/** Inverse of the normal distribution function, Wichura's AS 241 (PPND16), relative error about 1e-16. p in (0, 1). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q *
        (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r +
          45921.953931549871457) *
          r +
          13731.693765509461125) *
          r +
          1971.5909503065514427) *
          r +
          133.14166789178437745) *
          r +
          3.387132872796366608)) /
      (((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r +
        21213.794301586595867) *
        r +
        5394.1960214247511077) *
        r +
        687.1870074920579083) *
        r +
        42.313330701600911252) *
        r +
        1)
    );
  }
  // sqrt(-log(tail)) = sqrtOfMinusTwoLog(tail) / sqrt(2)
  let r = sqrtOfMinusTwoLog(q < 0 ? p : 1 - p) / Math.SQRT2;
  let x: number;
  if (r <= 5) {
    r -= 1.6;
    x =
      (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r +
        1.27045825245236838258) *
        r +
        3.64784832476320460504) *
        r +
        5.7694972214606914055) *
        r +
        4.6303378461565452959) *
        r +
        1.42343711074968357734) /
      (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
        0.14810397642748007459) *
        r +
        0.68976733498510000455) *
        r +
        1.6763848301838038494) *
        r +
        2.05319162663775882187) *
        r +
        1);
  } else {
    r -= 5;
    x =
      (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r +
        0.026532189526576123093) *
        r +
        0.29656057182850489123) *
        r +
        1.7848265399172913358) *
        r +
        5.4637849111641143699) *
        r +
        6.6579046435011037772) /
      (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r +
        7.868691311456132591e-4) *
        r +
        0.0148753612908506148525) *
        r +
        0.13692988092273580531) *
        r +
        0.59983220655588793769) *
        r +
        1);
  }
  return q < 0 ? -x : x;
}
