/** Principal components: an exact linear map, and the start of the other methods. */
import { Arena } from '../kernels/arena.ts';
import { makeKernels } from '../kernels/kernels.ts';
import { symmetricEigen } from './eigen.ts';
import type { Matrix, Plane } from './matrix.ts';

/** Rows that are centred on their own means and multiplied at a time; even. */
const BLOCK_ROWS = 256;

/** Directions in which rows vary most. */
export interface Components {
  /** Mean of each column. */
  readonly means: Float64Array;
  /** Unit vectors, `vectors[component * columns + column]`, the one with the largest variance first. */
  readonly vectors: Float64Array;
  /** Sum of squared scores of each component. */
  readonly squares: Float64Array;
  /** Share of the variance of all columns that each component holds; 0 where there is none. */
  readonly shares: Float64Array;
}

/** Who finds them. */
export type ComponentFinder = (matrix: Matrix, count: number) => Components;

/** The first `count` components (at most one a column), from the covariance matrix. */
export const principalComponents: ComponentFinder = (matrix, count) => {
  const { columns } = matrix;
  const { means, products } = sumsOfProducts(matrix);
  const { values, vectors } = symmetricEigen(products, columns);
  let total = 0;
  for (let c = 0; c < columns; c++) total += products[c * columns + c] as number;
  const found = Math.min(count, columns);
  return componentsOf(means, vectors.slice(0, found * columns), values.slice(0, found), total);
};

/** @param total sum of squares of all columns, less their means */
export function componentsOf(
  means: Float64Array,
  vectors: Float64Array,
  values: Float64Array,
  total: number,
): Components {
  const squares = values.map((value) => Math.max(0, value));
  return { means, vectors, squares, shares: squares.map((value) => (total > 0 ? value / total : 0)) };
}

/**
 * Means, and sums over rows of (x - mean)(y - mean)' for all pairs of columns, in double precision: block by block, each
 * less its own means, then put together (Chan, Golub and LeVeque 1979).
 */
export function sumsOfProducts({ rows, columns, values }: Matrix): { means: Float64Array; products: Float64Array } {
  const size = columns + (columns % 2);
  const kernels = makeKernels();
  const at = new Arena(kernels).lay({
    rows: BLOCK_ROWS * columns * 8,
    centred: BLOCK_ROWS * size * 8,
    means: columns * 8,
    products: size * size * 8,
  });
  const { buffer } = kernels.memory;
  const block = new Float64Array(buffer, at.rows, BLOCK_ROWS * columns);
  const blockMeans = new Float64Array(buffer, at.means, columns);
  const sums = new Float64Array(buffer, at.products, size * size);
  new Float64Array(buffer, at.centred, BLOCK_ROWS * size).fill(0);
  sums.fill(0);
  const means = new Float64Array(columns);
  const apart = new Float64Array(columns);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - first);
    block.set(values.subarray(first * columns, (first + count) * columns));
    kernels.centreColumns(at.rows, count, columns, BLOCK_ROWS, at.centred, at.means);
    kernels.addProducts(at.centred, count + (count % 2), BLOCK_ROWS, size, at.products);
    const weight = (first / (first + count)) * count;
    for (let c = 0; c < columns; c++) {
      const d = (blockMeans[c] as number) - (means[c] as number);
      apart[c] = d;
      means[c] = (means[c] as number) + (d * count) / (first + count);
    }
    for (let b = 0; b < columns; b++)
      for (let c = b; c < columns; c++)
        sums[b * size + c] = (sums[b * size + c] as number) + weight * (apart[b] as number) * (apart[c] as number);
  }
  const products = new Float64Array(columns * columns);
  for (let b = 0; b < columns; b++)
    for (let c = b; c < columns; c++) {
      products[b * columns + c] = sums[b * size + c] as number;
      products[c * columns + b] = sums[b * size + c] as number;
    }
  return { means, products };
}

/** Scores of rows on components: `[row * count + component]`, sum over columns of (x - mean) * vector. */
export function scoresOn({ means, vectors }: Pick<Components, 'means' | 'vectors'>, matrix: Matrix): Float64Array {
  const { rows, columns, values } = matrix;
  const count = vectors.length / columns;
  const pairs = Math.ceil(count / 2);
  const kernels = makeKernels();
  const at = new Arena(kernels).lay({
    rows: BLOCK_ROWS * columns * 8,
    means: columns * 8,
    vectors: pairs * 2 * columns * 8,
    scores: BLOCK_ROWS * pairs * 2 * 8,
  });
  const { buffer } = kernels.memory;
  const block = new Float64Array(buffer, at.rows, BLOCK_ROWS * columns);
  new Float64Array(buffer, at.means, columns).set(means);
  const paired = new Float64Array(buffer, at.vectors, pairs * 2 * columns).fill(0);
  for (let component = 0; component < count; component++)
    for (let c = 0; c < columns; c++)
      paired[(Math.floor(component / 2) * columns + c) * 2 + (component % 2)] = vectors[
        component * columns + c
      ] as number;
  const scores = new Float64Array(buffer, at.scores, BLOCK_ROWS * pairs * 2);
  const out = new Float64Array(rows * count);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const taken = Math.min(BLOCK_ROWS, rows - first);
    block.set(values.subarray(first * columns, (first + taken) * columns));
    kernels.projectRows(at.rows, taken, columns, at.means, at.vectors, pairs, at.scores);
    if (count === 2 * pairs) out.set(scores.subarray(0, taken * count), first * count);
    else
      for (let i = 0; i < taken; i++)
        for (let component = 0; component < count; component++)
          out[(first + i) * count + component] = scores[i * 2 * pairs + component] as number;
  }
  return out;
}

export interface Pca {
  /** Scores on the first two components; the second is 0 for one column. */
  readonly points: Plane;
  /** Share of the variance that the two components hold. */
  readonly explained: readonly [number, number];
}

/** A map by the first two components. */
export function pca2(matrix: Matrix, components: Components = principalComponents(matrix, 2)): Pca {
  const { columns } = matrix;
  const two = new Float64Array(2 * columns);
  two.set(components.vectors.subarray(0, 2 * columns));
  const points = scoresOn({ means: components.means, vectors: two }, matrix);
  return { points, explained: [components.shares[0] ?? 0, components.shares[1] ?? 0] };
}
