/** How rows are brought into single precision, and rows drawn by weights. */
import { BLOCK_ROWS } from '../../kernels/cluster-kernels.ts';
import type { Points } from '../feature-space.ts';

const SAMPLE = 1024;

/** Packed values are (x - mean) * factor, one factor for all columns, so that distances keep their order. */
export interface Scale {
  readonly means: Float64Array;
  readonly factor: number;
}

/** Means, and the factor that brings the largest deviation to 1: of about 1,024 rows in even steps, or of all. */
export function scaleOf({ rows, columns, values }: Points, of: 'sample' | 'all'): Scale {
  const step = of === 'all' ? 1 : Math.max(1, Math.floor(rows / SAMPLE));
  const count = Math.ceil(rows / step);
  const means = new Float64Array(columns);
  for (let i = 0; i < rows; i += step)
    for (let c = 0; c < columns; c++) means[c] = (means[c] as number) + (values[i * columns + c] as number) / count;
  let largest = 0;
  for (let i = 0; i < rows; i += step)
    for (let c = 0; c < columns; c++)
      largest = Math.max(largest, Math.abs((values[i * columns + c] as number) - (means[c] as number)));
  return { means, factor: largest > 0 ? 1 / largest : 1 };
}

/** The first row at which the running sum of the weights passes `at`; never one of weight 0. */
export function drawn(weights: Float32Array, blockSums: Float64Array, at: number): number {
  let sum = 0;
  for (const [block, blockSum] of blockSums.entries()) {
    if (sum + blockSum <= at) {
      sum += blockSum;
      continue;
    }
    const first = block * BLOCK_ROWS;
    for (let i = first; i < Math.min(first + BLOCK_ROWS, weights.length); i++) {
      sum += weights[i] as number;
      if (sum > at) return i;
    }
  }
  // What rounding leaves over goes to the last row that has a weight.
  return weights.findLastIndex((weight) => weight > 0);
}
