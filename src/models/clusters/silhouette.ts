/** Silhouettes: how much nearer a row is to its own cluster than to the next (Rousseeuw 1987). */
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';
import { squaredDistance } from './k-means.ts';

/** Up to this many rows every distance is looked at. */
export const EXACT_ROWS = 5000;

/**
 * Mean silhouette of each partition: (b - a) / max(a, b) over rows, a the mean distance to the row's own cluster, b to
 * the nearest other; 0 for a row alone in its cluster. NaN where there are not two clusters. Above 5,000 rows a
 * random sample of that many stands for all.
 * @param partitions cluster numbers of all rows; negative ones (noise) are left out
 * @param onRow called now and then; may throw to stop
 */
export function silhouettes(
  points: Points,
  partitions: readonly Int32Array[],
  rng: Rng,
  onRow?: (done: number, total: number) => void,
): number[] {
  const { columns, values } = points;
  const all = Int32Array.from({ length: points.rows }, (_, i) => i);
  const rows = points.rows <= EXACT_ROWS ? all : rng.shuffle(all).slice(0, EXACT_ROWS).sort();
  const kept = partitions.map((labels) => rows.map((row) => labels[row] as number));
  const sizes = kept.map(sizesOf);
  const sums = kept.map((_, p) => new Float64Array((sizes[p] as Int32Array).length));
  const totals = new Float64Array(partitions.length);
  const distances = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    if (i % 100 === 0) onRow?.(i, rows.length);
    const at = (rows[i] as number) * columns;
    for (let j = 0; j < rows.length; j++)
      distances[j] = Math.sqrt(squaredDistance(values, at, values, (rows[j] as number) * columns, columns));
    for (let p = 0; p < kept.length; p++) {
      const labels = kept[p] as Int32Array;
      const sum = (sums[p] as Float64Array).fill(0);
      for (let j = 0; j < rows.length; j++) {
        const label = labels[j] as number;
        if (label >= 0) sum[label] = (sum[label] as number) + (distances[j] as number);
      }
      totals[p] = (totals[p] as number) + silhouetteOf(labels[i] as number, sum, sizes[p] as Int32Array);
    }
  }
  return kept.map((labels, p) => {
    const clusters = (sizes[p] as Int32Array).filter((size) => size > 0).length;
    const clustered = labels.filter((label) => label >= 0).length;
    return clusters < 2 ? NaN : (totals[p] as number) / clustered;
  });
}

function silhouetteOf(own: number, sums: Float64Array, sizes: Int32Array): number {
  if (own < 0 || sizes[own] === 1) return 0;
  const within = (sums[own] as number) / ((sizes[own] as number) - 1);
  let between = Infinity;
  for (let c = 0; c < sizes.length; c++)
    if (c !== own && sizes[c] !== 0) between = Math.min(between, (sums[c] as number) / (sizes[c] as number));
  const larger = Math.max(within, between);
  return larger > 0 && larger < Infinity ? (between - within) / larger : 0;
}

function sizesOf(labels: Int32Array): Int32Array {
  let most = -1;
  for (const label of labels) most = Math.max(most, label);
  const sizes = new Int32Array(most + 1);
  for (const label of labels) if (label >= 0) sizes[label] = (sizes[label] as number) + 1;
  return sizes;
}
