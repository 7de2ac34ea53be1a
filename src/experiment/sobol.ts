/**
 * Sobol points in up to 64 dimensions.
 *
 * Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections",
 * SIAM J. Sci. Comput. 30 (2008), file new-joe-kuo-6. Order: Gray code (Antonov and Saleev 1979), so that each point
 * is one xor away from the last. Scramble: nested uniform (Owen 1995) in the hashed form of B. Burley, "Practical
 * hash-based Owen scrambling", JCGT 9 (2020), from the Laine-Karras permutation.
 */
import { makeRng } from '../random/rng.ts';

/** Per dimension from the second on: the primitive polynomial over GF(2), all bits, then the first odd numbers m. */
const joeKuo: readonly (readonly number[])[] = [
  [3, 1],
  [7, 1, 3],
  [11, 1, 3, 1],
  [13, 1, 1, 1],
  [19, 1, 1, 3, 3],
  [25, 1, 3, 5, 13],
  [37, 1, 1, 5, 5, 17],
  [41, 1, 1, 5, 5, 5],
  [47, 1, 1, 7, 11, 19],
  [55, 1, 1, 5, 1, 1],
  [59, 1, 1, 1, 3, 11],
  [61, 1, 3, 5, 5, 31],
  [67, 1, 3, 3, 9, 7, 49],
  [91, 1, 1, 1, 15, 21, 21],
  [97, 1, 3, 1, 13, 27, 49],
  [103, 1, 1, 1, 15, 7, 5],
  [109, 1, 3, 1, 15, 13, 25],
  [115, 1, 1, 5, 5, 19, 61],
  [131, 1, 3, 7, 11, 23, 15, 103],
  [137, 1, 3, 7, 13, 13, 15, 69],
  [143, 1, 1, 3, 13, 7, 35, 63],
  [145, 1, 3, 5, 9, 1, 25, 53],
  [157, 1, 3, 1, 13, 9, 35, 107],
  [167, 1, 3, 1, 5, 27, 61, 31],
  [171, 1, 1, 5, 11, 19, 41, 61],
  [185, 1, 3, 5, 3, 3, 13, 69],
  [191, 1, 1, 7, 13, 1, 19, 1],
  [193, 1, 3, 7, 5, 13, 19, 59],
  [203, 1, 1, 3, 9, 25, 29, 41],
  [211, 1, 3, 5, 13, 23, 1, 55],
  [213, 1, 3, 7, 3, 13, 59, 17],
  [229, 1, 3, 1, 3, 5, 53, 69],
  [239, 1, 1, 5, 5, 23, 33, 13],
  [241, 1, 1, 7, 7, 1, 61, 123],
  [247, 1, 1, 7, 9, 13, 61, 49],
  [253, 1, 3, 3, 5, 3, 55, 33],
  [285, 1, 3, 1, 15, 31, 13, 49, 245],
  [299, 1, 3, 5, 15, 31, 59, 63, 97],
  [301, 1, 3, 1, 11, 11, 11, 77, 249],
  [333, 1, 3, 1, 11, 27, 43, 71, 9],
  [351, 1, 1, 7, 15, 21, 11, 81, 45],
  [355, 1, 3, 7, 3, 25, 31, 65, 79],
  [357, 1, 3, 1, 1, 19, 11, 3, 205],
  [361, 1, 1, 5, 9, 19, 21, 29, 157],
  [369, 1, 3, 7, 11, 1, 33, 89, 185],
  [391, 1, 3, 3, 3, 15, 9, 79, 71],
  [397, 1, 3, 7, 11, 15, 39, 119, 27],
  [425, 1, 1, 3, 1, 11, 31, 97, 225],
  [451, 1, 1, 1, 3, 23, 43, 57, 177],
  [463, 1, 3, 7, 7, 17, 17, 37, 71],
  [487, 1, 3, 1, 5, 27, 63, 123, 213],
  [501, 1, 1, 3, 5, 11, 43, 53, 133],
  [529, 1, 3, 5, 5, 29, 17, 47, 173, 479],
  [539, 1, 3, 3, 11, 3, 1, 109, 9, 69],
  [545, 1, 1, 1, 5, 17, 39, 23, 5, 343],
  [557, 1, 3, 1, 5, 25, 15, 31, 103, 499],
  [563, 1, 1, 1, 11, 11, 17, 63, 105, 183],
  [601, 1, 1, 5, 11, 9, 29, 97, 231, 363],
  [607, 1, 1, 5, 15, 19, 45, 41, 7, 383],
  [617, 1, 3, 7, 7, 31, 19, 83, 137, 221],
  [623, 1, 1, 1, 3, 23, 15, 111, 223, 83],
  [631, 1, 1, 5, 13, 31, 15, 55, 25, 161],
  [637, 1, 1, 3, 13, 25, 47, 39, 87, 257],
];

export const mostDimensions = joeKuo.length + 1;

const bits = 32;

/** The 32 direction numbers of a dimension (from 0), each a fraction of 2^32. */
function directionNumbers(dimension: number): Uint32Array {
  const v = new Uint32Array(bits);
  const row = joeKuo[dimension - 1];
  if (row === undefined) {
    for (let i = 0; i < bits; i++) v[i] = 2 ** (31 - i);
    return v;
  }
  const [polynomial, ...m] = row as [number, ...number[]];
  const degree = m.length;
  for (let i = 0; i < bits; i++) {
    if (i < degree) {
      v[i] = (m[i] as number) << (31 - i);
      continue;
    }
    // v_i = v_(i-s) ^ (v_(i-s) >> s) ^ sum of a_k v_(i-k), where a_k are the inner coefficients of the polynomial.
    let next = (v[i - degree] as number) ^ ((v[i - degree] as number) >>> degree);
    for (let k = 1; k < degree; k++) if ((polynomial >>> (degree - k)) & 1) next ^= v[i - k] as number;
    v[i] = next;
  }
  return v;
}

/**
 * The first `count` points of the plain sequence, starting at the origin, as integers of 2^-32.
 * @returns one array of `count` a dimension
 */
export function sobolIntegers(dimensions: number, count: number): readonly Uint32Array[] {
  if (dimensions > mostDimensions) throw new RangeError(`${dimensions} dimensions, at most ${mostDimensions}`);
  return Array.from({ length: dimensions }, (_, dimension) => {
    const v = directionNumbers(dimension);
    const points = new Uint32Array(count);
    for (let n = 1; n < count; n++) {
      // The bit that changes from Gray code n - 1 to n is the lowest set bit of n.
      const changed = 31 - Math.clz32(n & -n);
      points[n] = (points[n - 1] as number) ^ (v[changed] as number);
    }
    return points;
  });
}

/**
 * Scrambled points in (0, 1): any 2^k points from the start have one in each interval of length 2^-k of each
 * coordinate, whatever the seed. More points extend the same sequence.
 */
export function sobolPoints(dimensions: number, count: number, seed: number): readonly Float64Array[] {
  return sobolIntegers(dimensions, count).map((points, dimension) => {
    const key = makeRng(seed, 'sobol', dimension).uint32();
    // The middle of the cell: never 0, so that a logarithm of it stays finite.
    return Float64Array.from(points, (x) => (scramble(x, key) + 0.5) / 4294967296);
  });
}

/** Flips each bit depending on the bits above it and the key. */
function scramble(x: number, key: number): number {
  let y = (reverseBits(x) + key) | 0;
  y ^= Math.imul(y, 0x6c50b47c);
  y ^= Math.imul(y, 0xb82f1e52);
  y ^= Math.imul(y, 0xc7afe638);
  y ^= Math.imul(y, 0x8d22f6e6);
  return reverseBits(y);
}

function reverseBits(x: number): number {
  let y = x;
  y = ((y >>> 1) & 0x55555555) | ((y & 0x55555555) << 1);
  y = ((y >>> 2) & 0x33333333) | ((y & 0x33333333) << 2);
  y = ((y >>> 4) & 0x0f0f0f0f) | ((y & 0x0f0f0f0f) << 4);
  y = ((y >>> 8) & 0x00ff00ff) | ((y & 0x00ff00ff) << 8);
  return ((y >>> 16) | (y << 16)) >>> 0;
}
