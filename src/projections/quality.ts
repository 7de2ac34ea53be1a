/** How much of the input's neighbourhoods a map keeps. */
import type { Rng } from '../random/rng.ts';
import type { Matrix, Plane } from './matrix.ts';
import { squaredDistances } from './neighbours.ts';

/** Above this many rows, quality is estimated on a sample of as many. */
const EXACT_ROWS = 5000;
const SAMPLED_ROWS = 2000;

export interface MapQuality {
  readonly k: number;
  /**
   * 1 if all of a point's neighbours in the map are neighbours in the input, less by how far down the input's order
   * the intruders come from; 0.5 is about chance (Venna and Kaski, ICANN 2001).
   */
  readonly trustworthiness: number;
  /** Share of a row's k nearest in the input that are among its k nearest in the map; chance is k / (rows - 1). */
  readonly neighbourPreservation: number;
  /** Rows that were looked at, each against all others. */
  readonly measured: number;
}

/**
 * Exact up to 5,000 rows, on 2,000 seeded rows above. Ties of distance are broken by index.
 * @param k neighbours; trustworthiness is defined below half the rows
 * @returns undefined if there are too few rows for k
 */
export function mapQuality(
  matrix: Matrix,
  points: Plane,
  k: number,
  rng: Rng,
  onProgress?: (done: number, total: number) => void,
): MapQuality | undefined {
  const { rows } = matrix;
  if (!(k >= 1 && 2 * k < rows)) return undefined;
  const sample = rows <= EXACT_ROWS ? undefined : rng.shuffle(Int32Array.from({ length: rows }, (_, i) => i));
  const measured = sample === undefined ? rows : SAMPLED_ROWS;
  const inInput = new Float64Array(rows);
  const inMap = new Float64Array(rows);
  let penalty = 0;
  let kept = 0;
  for (let s = 0; s < measured; s++) {
    const row = sample === undefined ? s : (sample[s] as number);
    squaredDistances(matrix.values, matrix.columns, row, 0, inInput);
    squaredDistances(points, 2, row, 0, inMap);
    for (const rank of ranksOf(inInput, row, nearestTo(inMap, row, k))) {
      if (rank > k) penalty += rank - k;
      else kept++;
    }
    onProgress?.(s + 1, measured);
  }
  return {
    k,
    trustworthiness: 1 - (2 * penalty) / (measured * k * (2 * rows - 3 * k - 1)),
    neighbourPreservation: kept / (measured * k),
    measured,
  };
}

/** The k nearest by (distance, index), without the row itself. */
function nearestTo(distances: Float64Array, row: number, k: number): Int32Array {
  const best = new Int32Array(k);
  let held = 0;
  for (let j = 0; j < distances.length; j++) {
    if (j === row) continue;
    const d = distances[j] as number;
    if (held === k && d >= (distances[best[k - 1] as number] as number)) continue;
    let place = held < k ? held++ : k - 1;
    for (; place > 0 && (distances[best[place - 1] as number] as number) > d; place--)
      best[place] = best[place - 1] as number;
    best[place] = j;
  }
  return best;
}

/** Places of some rows among all others by (distance, index), from 1, in one sweep; in ascending order. */
function ranksOf(distances: Float64Array, row: number, some: Int32Array): Int32Array {
  const order = some.slice().sort((i, j) => (distances[i] as number) - (distances[j] as number) || i - j);
  const limits = Float64Array.from(order, (j) => distances[j] as number);
  const last = limits[limits.length - 1] as number;
  // counts[r]: rows that come after order[r - 1], and not after order[r].
  const counts = new Int32Array(order.length);
  for (let other = 0; other < distances.length; other++) {
    const d = distances[other] as number;
    if (d > last || other === row) continue;
    let r = 0;
    while (r < order.length && (d > (limits[r] as number) || (d === limits[r] && other > (order[r] as number)))) r++;
    if (r < order.length) counts[r] = (counts[r] as number) + 1;
  }
  for (let r = 1; r < counts.length; r++) counts[r] = (counts[r] as number) + (counts[r - 1] as number);
  return counts;
}

/** How often the nearest rows of the input share a category. */
export interface Agreement {
  /** Share of (row, neighbour) pairs in one category, over rows whose category is known. */
  readonly share: number;
  /** What shuffled categories would give. */
  readonly chance: number;
  readonly pairs: number;
}

/**
 * @param nearest indices of neighbours, k a row
 * @param codes category of a row; below 0 is unknown
 * @returns undefined if no pair is known
 */
export function neighbourAgreement(nearest: Int32Array, k: number, codes: Int32Array): Agreement | undefined {
  const counts = new Map<number, number>();
  let known = 0;
  let pairs = 0;
  let same = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code < 0) continue;
    known++;
    counts.set(code, (counts.get(code) ?? 0) + 1);
    for (let r = 0; r < k; r++) {
      const other = codes[nearest[i * k + r] as number] as number;
      if (other < 0) continue;
      pairs++;
      if (other === code) same++;
    }
  }
  if (pairs === 0) return undefined;
  let equalPairs = 0;
  for (const count of counts.values()) equalPairs += count * (count - 1);
  return { share: same / pairs, chance: equalPairs / (known * (known - 1)), pairs };
}
