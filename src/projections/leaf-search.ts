/** Nearest neighbours leaf by leaf in kernel memory; see kernels/neighbours.ts. */
import {
  type Kernels,
  type Multiply,
  makeKernels,
  ownProducts,
  type Pointer,
  type Products,
} from '../kernels/kernels.ts';
import { HALF_ULP, type Leaves, layOutLeaves } from '../kernels/leaves.ts';
import type { Matrix } from './matrix.ts';

/** Few enough rows for products to stay in cache, many enough for few visits. */
const LEAF_ROWS = 256;

export class LeafSearch {
  readonly leaves: Leaves;
  readonly #kernels: Kernels;
  readonly #multiply: Multiply;
  readonly #columns: number;
  readonly #k: number;
  readonly #search: Pointer;
  readonly #scores: Pointer;
  readonly #rows: Pointer;
  readonly #squared: Pointer;
  readonly #visits: number;

  /**
   * @param chosen rows to search among and for, more than k of them
   * @param products who does the matrix products; they choose candidates only, and enter no result
   * @param mostLeaves leaves that a leaf looks at, the nearest first; fewer than there are makes the search approximate
   */
  constructor(
    matrix: Matrix,
    chosen: Int32Array,
    k: number,
    products: Products = ownProducts,
    mostLeaves: number = Number.POSITIVE_INFINITY,
  ) {
    const kernels = makeKernels();
    this.#kernels = kernels;
    this.#columns = matrix.columns;
    this.#k = k;
    this.leaves = layOutLeaves(kernels, matrix, chosen, LEAF_ROWS, -2);
    const { pointer, count, pitch, slots, scale } = this.leaves;
    // Halving leaves at least half a leaf's rows in each, so these hold k others.
    this.#visits = Math.min(count, Math.max(mostLeaves, Math.ceil((2 * (k + 1)) / pitch) + 1));
    const [lowNorms, margins] = [kernels.allocate(slots * 4), kernels.allocate(slots * 4)];
    const leafMargins = kernels.allocate(count * 4);
    const capacity = k + 2 * pitch;
    const candidates = kernels.allocate(pitch * capacity * 8);
    this.#scores = kernels.allocate(pitch * pitch * 4);
    const panel = kernels.allocate(pitch * matrix.columns * 4);
    const visits = kernels.allocate(count * 8);
    this.#rows = kernels.allocate(k * 4);
    this.#squared = kernels.allocate(k * 8);
    this.#search = kernels.makeSearch(
      pointer,
      k,
      capacity,
      scale * scale,
      lowNorms,
      margins,
      leafMargins,
      candidates,
      this.#scores,
      panel,
      visits,
    );
    kernels.reserveGemm(pitch);
    const { buffer } = kernels.memory;
    writeMargins(
      this.leaves,
      matrix.columns,
      new Float32Array(buffer, lowNorms, slots),
      new Float32Array(buffer, margins, slots),
      new Float32Array(buffer, leafMargins, count),
    );
    this.#multiply = products(kernels);
  }

  /**
   * Finds the neighbours of all rows of a leaf.
   * @param found called with each row, its neighbours and their squared distances, in views that are used again
   */
  searchLeaf(leaf: number, found: (row: number, neighbours: Int32Array, squared: Float64Array) => void): void {
    const kernels = this.#kernels;
    const { pitch, lanes, rowOf } = this.leaves;
    const search = this.#search;
    kernels.beginLeaf(search, leaf);
    for (let turn = 0; turn < this.#visits; turn++) {
      const other = kernels.visitedLeaf(search, turn);
      if (other < 0) break;
      const active = kernels.listActive(search, other);
      if (active === 0) continue;
      const rows = kernels.activeRows(search, active) >>> 0;
      const block = lanes + other * pitch * this.#columns * 4;
      this.#multiply(0, 0, active, pitch, this.#columns, rows, this.#columns, block, pitch, this.#scores, pitch);
      kernels.takeScores(search, other, active);
    }
    const neighbours = new Int32Array(kernels.memory.buffer, this.#rows, this.#k);
    const squared = new Float64Array(kernels.memory.buffer, this.#squared, this.#k);
    for (let i = 0; i < pitch; i++) {
      const row = rowOf[leaf * pitch + i] as number;
      if (row < 0) break;
      kernels.finishRow(search, i, this.#rows, this.#squared);
      found(row, neighbours, squared);
    }
  }
}

/**
 * A bound on what rounding does to |q|^2 + |p|^2 - 2 qp and to distances from boxes, in parts of |q|^2 + |p|^2: the
 * inputs are rounded once, a sum of `columns` products loses at most that many roundings of its size (Higham, "Accuracy
 * and Stability of Numerical Algorithms", section 3.1), a few more follow. Twice as much and some is taken.
 */
function writeMargins(
  { count, pitch, norms, rowOf }: Leaves,
  columns: number,
  lowNorms: Float32Array,
  margins: Float32Array,
  leafMargins: Float32Array,
): void {
  const share = (2 * columns + 32) * HALF_ULP;
  // What vanishes below the smallest normal number.
  const least = columns * 2 ** -125;
  for (let leaf = 0; leaf < count; leaf++) {
    let most = 0;
    for (let slot = leaf * pitch; slot < (leaf + 1) * pitch; slot++) {
      if ((rowOf[slot] as number) < 0) {
        lowNorms[slot] = Infinity;
        continue;
      }
      const norm = norms[slot] as number;
      const margin = norm * share + least;
      margins[slot] = margin;
      lowNorms[slot] = norm - margin;
      most = Math.max(most, margin);
    }
    leafMargins[leaf] = most;
  }
}
