/** The first two principal components: an exact linear map, and the start of the other methods. */
import { columnMeans, type Matrix, type Plane } from './matrix.ts';

/** Eigenvalues (largest first) and unit eigenvectors, `vectors[component * size + i]`, of a symmetric matrix. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * Cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations", 8.5): only products, quotients and square roots,
 * so equal bits on every machine.
 */
export function symmetricEigen(symmetric: Float64Array, size: number): Eigen {
  const a = Float64Array.from(symmetric);
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  let total = 0;
  for (const x of a) total += x * x;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        const apq = a[p * size + q] as number;
        off += apq * apq;
        if (Math.abs(apq) > 1e-300) rotate(a, v, size, p, q);
      }
    if (off <= 1e-30 * total) break;
  }
  const order = Array.from({ length: size }, (_, i) => i).sort(
    (i, j) => (a[j * size + j] as number) - (a[i * size + i] as number) || i - j,
  );
  const vectors = new Float64Array(size * size);
  for (const [component, e] of order.entries()) {
    // An eigenvector's sign is free: the entry of largest size is made positive.
    let largest = 0;
    for (let i = 1; i < size; i++)
      if (Math.abs(v[i * size + e] as number) > Math.abs(v[largest * size + e] as number)) largest = i;
    const sign = (v[largest * size + e] as number) < 0 ? -1 : 1;
    for (let i = 0; i < size; i++) vectors[component * size + i] = sign * (v[i * size + e] as number);
  }
  return { values: Float64Array.from(order, (e) => a[e * size + e] as number), vectors };
}

/** One rotation in the plane of axes p and q that makes `a[p][q]` zero; `v` collects the rotations. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const theta = ((a[q * size + q] as number) - (a[p * size + p] as number)) / (2 * (a[p * size + q] as number));
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const mix = (m: Float64Array, i: number, j: number): void => {
    const x = m[i] as number;
    const y = m[j] as number;
    m[i] = c * x - s * y;
    m[j] = s * x + c * y;
  };
  for (let i = 0; i < size; i++) mix(a, i * size + p, i * size + q);
  for (let i = 0; i < size; i++) mix(a, p * size + i, q * size + i);
  for (let i = 0; i < size; i++) mix(v, i * size + p, i * size + q);
}

export interface Pca {
  /** Scores on the first two components; the second is 0 for one column. */
  readonly points: Plane;
  /** Share of the variance that the two components hold. */
  readonly explained: readonly [number, number];
}

/** Principal components of the centred rows, from the covariance matrix. */
export function pca2(matrix: Matrix): Pca {
  const { rows, columns, values } = matrix;
  const means = columnMeans(matrix);
  const covariance = new Float64Array(columns * columns);
  const centred = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < columns; c++) centred[c] = (values[i * columns + c] as number) - (means[c] as number);
    for (let b = 0; b < columns; b++) {
      const x = centred[b] as number;
      for (let c = b; c < columns; c++)
        covariance[b * columns + c] = (covariance[b * columns + c] as number) + x * (centred[c] as number);
    }
  }
  let total = 0;
  for (let b = 0; b < columns; b++) {
    total += covariance[b * columns + b] as number;
    for (let c = b + 1; c < columns; c++) covariance[c * columns + b] = covariance[b * columns + c] as number;
  }
  const { values: variances, vectors } = symmetricEigen(covariance, columns);
  const points = new Float64Array(2 * rows);
  for (let component = 0; component < Math.min(2, columns); component++)
    for (let i = 0; i < rows; i++) {
      let score = 0;
      for (let c = 0; c < columns; c++)
        score +=
          ((values[i * columns + c] as number) - (means[c] as number)) * (vectors[component * columns + c] as number);
      points[2 * i + component] = score;
    }
  const share = (component: number): number => (total > 0 ? Math.max(0, variances[component] ?? 0) / total : 0);
  return { points, explained: [share(0), share(1)] };
}
