/** Rows in leaves with a radius around each, in kernel memory; see kernels/density.ts. */
import { type Kernels, makeKernels, type Pointer } from '../../kernels/kernels.ts';
import { HALF_ULP, type Leaves, layOutLeaves } from '../../kernels/leaves.ts';
import type { Points } from '../feature-space.ts';

/** Above every squared distance of two rows, below that of a row and a slot without one. */
const BEYOND_ALL = 2 ** 110;
/** Squared norms from here on are too large to compute with. */
const FAR_AWAY = 2 ** 100;

export class DenseRegion {
  readonly leaves: Leaves;
  readonly #kernels: Kernels;
  readonly #points: Points;
  readonly #eps: number;
  readonly #region: Pointer;
  readonly #core: Pointer;
  #kept: { readonly room: number; readonly slots: Pointer; readonly ends: Pointer } | undefined;

  /** @param points at least one row */
  constructor(points: Points, eps: number, leafRows: number) {
    const kernels = makeKernels();
    this.#kernels = kernels;
    this.#points = points;
    this.#eps = eps;
    const all = Int32Array.from({ length: points.rows }, (_, row) => row);
    this.leaves = layOutLeaves(kernels, points, all, leafRows, 1);
    const { slots, pointer, norms, rowOf } = this.leaves;
    const [lows, highs] = [kernels.allocate(slots * 4), kernels.allocate(slots * 4)];
    this.#core = kernels.allocate(slots);
    const parents = kernels.allocate(slots * 4);
    this.#region = kernels.makeRegion(pointer, eps * eps, lows, highs, this.#core, parents);
    const low = new Float32Array(kernels.memory.buffer, lows, slots);
    const high = new Float32Array(kernels.memory.buffer, highs, slots);
    for (let slot = 0; slot < slots; slot++) {
      if ((rowOf[slot] as number) < 0) continue;
      const bounds = this.#boundsOf(norms[slot] as number);
      low[slot] = Math.min(BEYOND_ALL, bounds.low);
      high[slot] = Math.min(BEYOND_ALL, bounds.high);
    }
  }

  /**
   * Between which squared distances, as single precision computes them, a row may or may not be within eps. Rounding of
   * the inputs moves a difference of two rows by at most `moved`; a sum of n squares loses at most n + 1 roundings of
   * its size. A tenth more is taken.
   */
  #boundsOf(norm: number): { low: number; high: number } {
    const eps = this.#eps * this.leaves.scale;
    const { columns } = this.#points;
    if (!(norm < FAR_AWAY)) return { low: -1, high: Infinity };
    if (!(eps * eps < BEYOND_ALL)) return { low: BEYOND_ALL, high: BEYOND_ALL };
    const moved = HALF_ULP * (2 * Math.sqrt(norm) + eps) * 1.1;
    const margin =
      (2 * eps * moved + moved ** 2 + (columns + 4) * HALF_ULP * (eps + moved) ** 2) * 1.1 + columns * 2 ** -125;
    return { low: eps * eps - margin, high: eps * eps + margin };
  }

  /**
   * Finds the core rows of a leaf.
   * @param notCore called with each slot whose row is not core, and the slots within eps of it
   */
  countLeaf(leaf: number, minPoints: number, notCore: (slot: number, near: Int32Array) => void): void {
    const kernels = this.#kernels;
    const { pitch, rowOf } = this.leaves;
    const room = Math.min(minPoints, this.#points.rows + 1);
    this.#kept ??= { room, slots: kernels.allocate(pitch * room * 4), ends: kernels.allocate(pitch * 4) };
    const kept = this.#kept;
    kernels.countLeaf(this.#region, leaf, room, kept.slots, kept.ends);
    const { buffer } = kernels.memory;
    const ends = new Int32Array(buffer, kept.ends, pitch);
    const core = new Uint8Array(buffer, this.#core + leaf * pitch, pitch);
    for (let i = 0; i < pitch && (rowOf[leaf * pitch + i] as number) >= 0; i++) {
      if (core[i] === 1) continue;
      const start = i === 0 ? 0 : (ends[i - 1] as number);
      notCore(leaf * pitch + i, new Int32Array(buffer, kept.slots + start * 4, (ends[i] as number) - start).slice());
    }
  }

  /** Per slot: 1 for core rows. A copy. */
  core(): Uint8Array {
    return new Uint8Array(this.#kernels.memory.buffer, this.#core, this.leaves.slots).slice();
  }

  /** Joins core rows within eps of each other; `rootOf` then tells components apart. */
  unite(onLeaf: (leaf: number) => void): void {
    const kernels = this.#kernels;
    const { count } = this.leaves;
    kernels.beginUnions(this.#region);
    for (let leaf = 0; leaf < count; leaf++) kernels.uniteWithin(this.#region, leaf);
    for (let leaf = 0; leaf < count; leaf++) {
      kernels.uniteAcross(this.#region, leaf);
      onLeaf(leaf);
    }
  }

  /** One slot of the component, the same for all of its slots. */
  rootOf(slot: number): number {
    return this.#kernels.rootOf(this.#region, slot);
  }

  /**
   * A function that gives the smallest label of a row within eps of a point, -1 if there is none.
   * @param labelOfRow one a row, not negative
   */
  labelling(labelOfRow: Int32Array): (point: Float64Array) => number {
    const kernels = this.#kernels;
    const { count, pitch, slots, rowOf, means, scale } = this.leaves;
    const { columns } = this.#points;
    const labels = kernels.allocate(slots * 4);
    const leafLabels = kernels.allocate(count * 4);
    const single = kernels.allocate(columns * 4);
    const double = kernels.allocate(columns * 8);
    const { buffer } = kernels.memory;
    const bySlot = new Int32Array(buffer, labels, slots);
    const byLeaf = new Int32Array(buffer, leafLabels, count).fill(2147483647);
    for (let slot = 0; slot < slots; slot++) {
      const row = rowOf[slot] as number;
      if (row < 0) continue;
      const label = labelOfRow[row] as number;
      const leaf = Math.floor(slot / pitch);
      bySlot[slot] = label;
      byLeaf[leaf] = Math.min(byLeaf[leaf] as number, label);
    }
    const inSingle = new Float32Array(buffer, single, columns);
    const inDouble = new Float64Array(buffer, double, columns);
    return (point) => {
      let norm = 0;
      for (let c = 0; c < columns; c++) {
        const centred = ((point[c] as number) - (means[c] as number)) * scale;
        inDouble[c] = point[c] as number;
        inSingle[c] = centred;
        norm += centred * centred;
      }
      const { low, high } = this.#boundsOf(norm);
      return kernels.labelAround(this.#region, labels, leafLabels, single, double, low, high);
    };
  }
}
