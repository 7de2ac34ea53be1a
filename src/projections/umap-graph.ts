/** The input side of UMAP: how strongly rows belong to each other's neighbourhoods. */
import { exp, log } from '../numeric/elementary.ts';
import { type Graph, symmetricGraph } from './graph.ts';
import type { Neighbours } from './neighbours.ts';

/**
 * The fuzzy simplicial set of McInnes, Healy and Melville (arXiv 1802.03426, section 3.1 and algorithms 2 and 3):
 * a neighbour beyond the nearest distinct one, rho, has weight exp(-(d - rho) / sigma), where sigma makes a row's
 * weights sum to log2(k + 1); the two directions of a pair are joined by a + b - ab.
 * @param neighbours without the row itself, which counts as one of UMAP's n_neighbors
 */
export function fuzzyGraph(neighbours: Neighbours): Graph {
  // a + b - ab, written such that a weight of 1 stays exactly 1.
  return symmetricGraph(neighbours, memberships(neighbours), (there, back) => 1 - (1 - there) * (1 - back));
}

/** Weight of each neighbour as seen from its row alone, aligned with `neighbours.indices`. */
export function memberships({ rows, k, squared }: Neighbours): Float64Array {
  const wanted = log(k + 1) / Math.LN2;
  const weights = new Float64Array(rows * k);
  let overall = 0;
  for (const square of squared) overall += Math.sqrt(square);
  overall /= squared.length;
  for (let i = 0; i < rows; i++) {
    const own = squared.subarray(i * k, (i + 1) * k).map(Math.sqrt);
    const rho = own.find((d) => d > 0) ?? 0;
    let mean = 0;
    for (const d of own) mean += d;
    mean /= k;
    // A width far below the typical distance would turn rounding into structure.
    const sigma = Math.max(findWidth(own, rho, wanted), 1e-3 * (rho > 0 ? mean : overall));
    for (let r = 0; r < k; r++) {
      const beyond = (own[r] as number) - rho;
      weights[i * k + r] = beyond > 0 ? exp(-beyond / sigma) : 1;
    }
  }
  return weights;
}

/** Sigma such that the weights sum to `wanted`, by bisection; near 0 if more rows than that lie within rho. */
function findWidth(distances: Float64Array, rho: number, wanted: number): number {
  let low = 0;
  let high = Infinity;
  let sigma = 1;
  for (let step = 0; step < 64; step++) {
    let sum = 0;
    for (const d of distances) sum += d > rho ? exp((rho - d) / sigma) : 1;
    if (Math.abs(sum - wanted) < 1e-5) break;
    if (sum > wanted) high = sigma;
    else low = sigma;
    sigma = high === Infinity ? sigma * 2 : (low + high) / 2;
  }
  return sigma;
}

/**
 * Start of the layout: principal components smoothed over the graph by power iterations of its lazy random walk,
 * which tend to the first two eigenvectors after the constant one (the spectral layout of Belkin and Niyogi, Neural
 * Computation 2003). Orthogonalised in every step; sums in row order.
 */
export function spectralStart(graph: Graph, start: Float64Array, steps = 100): Float64Array {
  const { rows, starts, targets, weights } = graph;
  /** Square roots of the degrees: the constant eigenvector of the normalised walk. */
  const roots = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let degree = 0;
    for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++) degree += weights[edge] as number;
    roots[i] = Math.sqrt(degree);
  }
  let current = Float64Array.from(start);
  let next = new Float64Array(2 * rows);
  orthonormalise(current, roots);
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < rows; i++) {
      let x = 0;
      let y = 0;
      for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++) {
        const j = targets[edge] as number;
        const share = (weights[edge] as number) / (roots[j] as number);
        x += share * (current[2 * j] as number);
        y += share * (current[2 * j + 1] as number);
      }
      next[2 * i] = 0.5 * (current[2 * i] as number) + (0.5 * x) / (roots[i] as number);
      next[2 * i + 1] = 0.5 * (current[2 * i + 1] as number) + (0.5 * y) / (roots[i] as number);
    }
    [current, next] = [next, current];
    orthonormalise(current, roots);
  }
  return current.map((x, c) => x / (roots[c >> 1] as number));
}

/** Makes both columns of `plane` orthogonal to `constant` and to each other, and of length 1. */
function orthonormalise(plane: Float64Array, constant: Float64Array): void {
  const rows = constant.length;
  let length = 0;
  for (const c of constant) length += c * c;
  for (let axis = 0; axis < 2; axis++) {
    let along = 0;
    for (let i = 0; i < rows; i++) along += (plane[2 * i + axis] as number) * (constant[i] as number);
    for (let i = 0; i < rows; i++)
      plane[2 * i + axis] = (plane[2 * i + axis] as number) - (along / length) * (constant[i] as number);
  }
  normalise(plane, 0);
  let across = 0;
  for (let i = 0; i < rows; i++) across += (plane[2 * i] as number) * (plane[2 * i + 1] as number);
  for (let i = 0; i < rows; i++) plane[2 * i + 1] = (plane[2 * i + 1] as number) - across * (plane[2 * i] as number);
  normalise(plane, 1);
}

/** Scales one column to length 1; a column of zeros stays. */
function normalise(plane: Float64Array, axis: 0 | 1): void {
  let squares = 0;
  for (let c = axis; c < plane.length; c += 2) squares += (plane[c] as number) * (plane[c] as number);
  if (squares === 0) return;
  const length = Math.sqrt(squares);
  for (let c = axis; c < plane.length; c += 2) plane[c] = (plane[c] as number) / length;
}
