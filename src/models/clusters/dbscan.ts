/** DBSCAN: clusters as regions where rows lie dense, the rest noise (Ester, Kriegel, Sander, Xu, KDD 1996). */
import type { Points } from '../feature-space.ts';
import { DenseRegion } from './dense-region.ts';

export interface Density {
  /** Cluster of each row, numbered by the first core row; -1 is noise. */
  readonly labels: Int32Array;
  /** 1 for rows with at least `minPoints` rows (themselves included) within `eps`. */
  readonly core: Uint8Array;
  readonly clusters: number;
}

/** Rows of a leaf: small enough to skip leaves, large enough for a search to find what it needs in its own. */
const LEAF_ROWS = 512;

/**
 * Core rows within `eps` of each other are of one cluster; a row that is not core belongs to the first cluster with a
 * core row within `eps`. The same labels as scikit-learn's. Distances are those of double precision.
 * @param onRow called after every leaf; may throw to stop
 */
export function dbscan(
  points: Points,
  eps: number,
  minPoints: number,
  onRow: (done: number, total: number) => void = () => undefined,
): Density {
  const { rows } = points;
  if (rows === 0) return { labels: new Int32Array(0), core: new Uint8Array(0), clusters: 0 };
  const region = new DenseRegion(points, eps, LEAF_ROWS);
  const { count, pitch, rowOf } = region.leaves;
  const step = (phase: number, leaf: number): void => onRow(Math.floor((phase + (leaf + 1) / count) * rows), 2 * rows);
  // Kept for the rows that are not core: who is within eps.
  const around = new Map<number, Int32Array>();
  for (let leaf = 0; leaf < count; leaf++) {
    region.countLeaf(leaf, minPoints, (slot, near) => around.set(slot, near));
    step(0, leaf);
  }
  const isCore = region.core();
  region.unite((leaf) => step(1, leaf));
  const core = new Uint8Array(rows);
  const slotOf = new Int32Array(rows);
  for (let slot = 0; slot < count * pitch; slot++) {
    const row = rowOf[slot] as number;
    if (row < 0) continue;
    slotOf[row] = slot;
    core[row] = isCore[slot] as number;
  }
  const labels = new Int32Array(rows).fill(-1);
  const clusterOf = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    if (core[row] === 0) continue;
    const root = region.rootOf(slotOf[row] as number);
    if (!clusterOf.has(root)) clusterOf.set(root, clusterOf.size);
    labels[row] = clusterOf.get(root) as number;
  }
  for (const [slot, near] of around) {
    let first = -1;
    for (const other of near) {
      if (isCore[other] === 0) continue;
      const label = labels[rowOf[other] as number] as number;
      if (first < 0 || label < first) first = label;
    }
    labels[rowOf[slot] as number] = first;
  }
  return { labels, core, clusters: clusterOf.size };
}

/**
 * Index at which a rising curve bends most: where it lies farthest below the line from its first to its last value
 * (Satopaa et al., "Finding a kneedle in a haystack", 2011, without smoothing).
 * @param sorted ascending, not empty
 */
export function kneeOf(sorted: Float64Array): number {
  const n = sorted.length;
  const first = sorted[0] as number;
  const height = (sorted[n - 1] as number) - first;
  if (!(height > 0)) return n - 1;
  let knee = n - 1;
  let deepest = 0;
  for (let i = 0; i < n; i++) {
    const below = i / (n - 1) - ((sorted[i] as number) - first) / height;
    if (below > deepest) {
      deepest = below;
      knee = i;
    }
  }
  return knee;
}
