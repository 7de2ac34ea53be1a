/** Distances between rows and centres, in double precision. */
import type { Points } from '../feature-space.ts';

/** Squared Euclidean distance of the vectors that begin at `a[i]` and `b[j]`. */
export function squaredDistance(a: Float64Array, i: number, b: Float64Array, j: number, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const d = (a[i + c] as number) - (b[j + c] as number);
    sum += d * d;
  }
  return sum;
}

/** The centre nearest to the vector at `values[from]`, the first of equally near ones, and the squared distance. */
export function nearestCentre(
  values: Float64Array,
  from: number,
  centres: Float64Array,
  columns: number,
): { nearest: number; squared: number } {
  let nearest = 0;
  let squared = Infinity;
  for (let at = 0, c = 0; at < centres.length; at += columns, c++) {
    const d = squaredDistance(values, from, centres, at, columns);
    if (d >= squared) continue;
    squared = d;
    nearest = c;
  }
  return { nearest, squared };
}

/** The nearest centre of every row, and the squared distance to it. */
export function nearestCentres(
  { rows, columns, values }: Points,
  centres: Float64Array,
): { labels: Int32Array; squared: Float64Array } {
  const labels = new Int32Array(rows);
  const squared = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const found = nearestCentre(values, i * columns, centres, columns);
    labels[i] = found.nearest;
    squared[i] = found.squared;
  }
  return { labels, squared };
}

/** Squared distance of every row to the centre of its cluster. */
export function ownDistances(
  { rows, columns, values }: Points,
  labels: Int32Array,
  centres: Float64Array,
): Float64Array {
  const squared = new Float64Array(rows);
  for (let i = 0; i < rows; i++)
    squared[i] = squaredDistance(values, i * columns, centres, (labels[i] as number) * columns, columns);
  return squared;
}
