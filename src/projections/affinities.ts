/** The input side of t-SNE: how likely each row would pick each other row as its neighbour. */
import { exp, log } from '../numeric/elementary.ts';
import { type Graph, symmetricGraph } from './graph.ts';
import type { Neighbours } from './neighbours.ts';

export interface Affinities {
  /** p(j | i), aligned with `neighbours.indices`; every row sums to 1. */
  readonly conditional: Float64Array;
  /** Rows whose entropy cannot be log(perplexity), because more neighbours than that lie at one smallest distance. */
  readonly unreachable: number;
}

const TOLERANCE = 1e-10;

/**
 * Gaussian weights whose width is chosen per row such that the entropy is log(perplexity) (van der Maaten and Hinton,
 * JMLR 2008, eq. 1 and section 2). Newton's method on the precision beta inside a bisection, started from the row
 * before.
 */
export function conditionalAffinities({ rows, k, squared }: Neighbours, perplexity: number): Affinities {
  const wanted = log(Math.min(perplexity, k));
  const conditional = new Float64Array(rows * k);
  let unreachable = 0;
  let start = 0;
  for (let i = 0; i < rows; i++) {
    const first = i * k;
    const nearest = squared[first] as number;
    const furthest = (squared[first + k - 1] as number) - nearest;
    if (!(furthest > 0)) {
      // All neighbours at one distance: no width makes a difference.
      conditional.fill(1 / k, first, first + k);
      if (Math.abs(log(k) - wanted) > TOLERANCE) unreachable++;
      continue;
    }
    let beta = start > 0 ? start : 1 / furthest;
    let low = 0;
    let high = Infinity;
    let error = Infinity;
    for (let step = 0; step < 200; step++) {
      let sum = 0;
      let sumX = 0;
      let sumXX = 0;
      for (let r = 0; r < k; r++) {
        const x = (squared[first + r] as number) - nearest;
        const e = exp(-beta * x);
        conditional[first + r] = e;
        sum += e;
        sumX += x * e;
        sumXX += x * x * e;
      }
      const mean = sumX / sum;
      error = log(sum) + beta * mean - wanted;
      if (Math.abs(error) < TOLERANCE) break;
      // The entropy falls as beta grows.
      if (error > 0) low = beta;
      else high = beta;
      const slope = -beta * (sumXX / sum - mean * mean);
      const newton = beta - error / slope;
      if (newton > low && newton < high && newton < 8 * beta && newton > beta / 8) beta = newton;
      else beta = high === Infinity ? beta * 4 : (low + high) / 2;
      if (beta * furthest > 1e12) break;
    }
    if (Math.abs(error) < 1e-5) start = beta;
    else unreachable++;
    let sum = 0;
    for (let r = 0; r < k; r++) sum += conditional[first + r] as number;
    for (let r = 0; r < k; r++) conditional[first + r] = (conditional[first + r] as number) / sum;
  }
  return { conditional, unreachable };
}

/** P of t-SNE: symmetric, sums to 1 over all ordered pairs. */
export function jointAffinities(neighbours: Neighbours, conditional: Float64Array): Graph {
  const scale = 1 / (2 * neighbours.rows);
  return symmetricGraph(neighbours, conditional, (there, back) => (there + back) * scale);
}
