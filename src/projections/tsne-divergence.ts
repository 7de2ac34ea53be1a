/** What t-SNE brings down: the divergence of a map from the affinities of its rows. */
import { log } from '../numeric/elementary.ts';

/** Edges as in `Graph`, in either precision. */
interface Edges {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float64Array | Float32Array;
}

/**
 * Sum of p log(p / q), in nats, added up edge by edge in doubles; edges of weight 0 add nothing.
 * @param points x and y of every row, side by side
 * @param z sum over all ordered pairs of 1 / (1 + squared distance)
 */
export function divergenceOf(
  { starts, targets, weights }: Edges,
  points: Float64Array | Float32Array,
  z: number,
): number {
  const rows = points.length / 2;
  let sum = 0;
  for (let i = 0; i < rows; i++)
    for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++) {
      const p = weights[edge] as number;
      if (!(p > 0)) continue;
      const j = targets[edge] as number;
      const dx = (points[2 * i] as number) - (points[2 * j] as number);
      const dy = (points[2 * i + 1] as number) - (points[2 * j + 1] as number);
      sum += p * log(p * z * (1 + dx * dx + dy * dy));
    }
  return sum;
}
