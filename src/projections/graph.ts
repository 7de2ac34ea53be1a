/** Sparse symmetric graphs over rows, made from lists of nearest neighbours. */
import type { Neighbours } from './neighbours.ts';

/** Compressed rows: the edges of row i are `starts[i] .. starts[i + 1] - 1`, ascending by `targets`. */
export interface Graph {
  readonly rows: number;
  readonly starts: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Joins each directed weight with that of the opposite direction (0 where there is none).
 * @param weights aligned with `neighbours.indices`
 * @param combine symmetric, e.g. `(a, b) => (a + b) / 2`
 */
export function symmetricGraph(
  { rows, k, indices }: Neighbours,
  weights: Float64Array,
  combine: (there: number, back: number) => number,
): Graph {
  const incoming = transpose(rows, k, indices);
  const starts = new Int32Array(rows + 1);
  // Room for edges without an opposite one; what is not used is never touched, and costs no memory.
  const targets = new Int32Array(2 * rows * k);
  const joined = new Float64Array(2 * rows * k);
  const byTarget = new Int32Array(k);
  let edges = 0;
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < k; r++) byTarget[r] = i * k + r;
    byTarget.sort((a, b) => (indices[a] as number) - (indices[b] as number));
    let out = 0;
    let back = incoming.starts[i] as number;
    const backEnd = incoming.starts[i + 1] as number;
    while (out < k || back < backEnd) {
      const entry = out < k ? (byTarget[out] as number) : -1;
      const there = entry < 0 ? rows : (indices[entry] as number);
      const here = back < backEnd ? (incoming.sources[back] as number) : rows;
      const target = Math.min(there, here);
      const forward = there === target ? (weights[entry] as number) : 0;
      const backward = here === target ? (weights[incoming.entries[back] as number] as number) : 0;
      if (there === target) out++;
      if (here === target) back++;
      targets[edges] = target;
      joined[edges++] = combine(forward, backward);
    }
    starts[i + 1] = edges;
  }
  return { rows, starts, targets: targets.subarray(0, edges), weights: joined.subarray(0, edges) };
}

/** For every row, who names it as a neighbour (ascending) and in which entry. */
function transpose(
  rows: number,
  k: number,
  indices: Int32Array,
): { starts: Int32Array; sources: Int32Array; entries: Int32Array } {
  const starts = new Int32Array(rows + 1);
  for (const j of indices) starts[j + 1] = (starts[j + 1] as number) + 1;
  for (let i = 0; i < rows; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
  const next = starts.slice(0, rows);
  const sources = new Int32Array(rows * k);
  const entries = new Int32Array(rows * k);
  for (let entry = 0; entry < indices.length; entry++) {
    const j = indices[entry] as number;
    const place = next[j] as number;
    next[j] = place + 1;
    sources[place] = Math.floor(entry / k);
    entries[place] = entry;
  }
  return { starts, sources, entries };
}
