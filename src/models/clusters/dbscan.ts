/** DBSCAN: clusters as regions where rows lie dense, the rest noise (Ester, Kriegel, Sander, Xu, KDD 1996). */
import { z } from 'zod';
import type { Frame } from '../../tables/frame.ts';
import { type FeatureSpace, featureSpaceSchema, type Points, parseModel, pointsOf } from '../feature-space.ts';
import { squaredDistance } from './k-means.ts';

export interface Density {
  /** Cluster of each row, numbered by the first core row; -1 is noise. */
  readonly labels: Int32Array;
  /** 1 for rows with at least `minPoints` rows (themselves included) within `eps`. */
  readonly core: Uint8Array;
  readonly clusters: number;
}

/**
 * Core rows within `eps` of each other are of one cluster; a row that is not core belongs to the first cluster with a
 * core row within `eps`. The same labels as scikit-learn's.
 * @param onRow called now and then; may throw to stop
 */
export function dbscan(
  points: Points,
  eps: number,
  minPoints: number,
  onRow: (done: number, total: number) => void = () => undefined,
): Density {
  const { rows } = points;
  const around = rangeSearch(points, eps);
  const core = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    if (i % 200 === 0) onRow(i, 2 * rows);
    let count = 0;
    around(i, () => {
      count++;
    });
    core[i] = count >= minPoints ? 1 : 0;
  }
  const labels = new Int32Array(rows).fill(-1);
  let clusters = 0;
  let reached = 0;
  for (let first = 0; first < rows; first++) {
    if (labels[first] !== -1 || core[first] === 0) continue;
    labels[first] = clusters;
    const open = [first];
    for (let row = open.pop(); row !== undefined; row = open.pop()) {
      if (reached++ % 200 === 0) onRow(rows + Math.min(reached, rows), 2 * rows);
      around(row, (other) => {
        if (labels[other] !== -1) return;
        labels[other] = clusters;
        if (core[other] === 1) open.push(other);
      });
    }
    clusters++;
  }
  return { labels, core, clusters };
}

/** Calls back with every row within `eps` of a row, itself included. Only rows near in the widest column are measured. */
function rangeSearch(
  { rows, columns, values }: Points,
  eps: number,
): (row: number, found: (other: number) => void) => void {
  const axis = widestColumn({ rows, columns, values });
  const at = (row: number): number => values[row * columns + axis] as number;
  const order = Int32Array.from({ length: rows }, (_, i) => i).sort((a, b) => at(a) - at(b) || a - b);
  const place = new Int32Array(rows);
  for (const [p, row] of order.entries()) place[row] = p;
  const squaredEps = eps * eps;
  return (row, found) => {
    const near = (p: number): boolean => {
      const other = order[p] as number;
      const gap = at(other) - at(row);
      if (gap * gap > squaredEps) return false;
      if (squaredDistance(values, row * columns, values, other * columns, columns) <= squaredEps) found(other);
      return true;
    };
    const start = place[row] as number;
    for (let p = start; p < rows && near(p); p++);
    for (let p = start - 1; p >= 0 && near(p); p--);
  };
}

function widestColumn({ rows, columns, values }: Points): number {
  let widest = 0;
  let width = -1;
  for (let c = 0; c < columns; c++) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < rows; i++) {
      const value = values[i * columns + c] as number;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high - low > width) {
      width = high - low;
      widest = c;
    }
  }
  return widest;
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

const schema = z
  .strictObject({
    schema: z.literal('fathom.dbscan'),
    version: z.literal(1),
    space: featureSpaceSchema,
    /** In the scale of the space. */
    eps: z.number().min(0),
    minPoints: z.int().min(1),
    /** Core rows with their clusters: all that is needed to place other rows. */
    core: z.array(z.array(z.number())),
    clusters: z.array(z.int().min(0)),
  })
  .refine(
    ({ space, core, clusters }) =>
      core.length === clusters.length && core.every((row) => row.length === space.features.length),
    'a core row has not one number a feature, or no cluster',
  );

export type DbscanModel = z.infer<typeof schema>;

export function dbscanModel(
  space: FeatureSpace,
  { columns, values }: Points,
  { labels, core }: Density,
  { eps, minPoints }: { eps: number; minPoints: number },
): DbscanModel {
  const rows = Array.from(core.keys()).filter((row) => core[row] === 1);
  return {
    schema: 'fathom.dbscan',
    version: 1,
    space,
    eps,
    minPoints,
    core: rows.map((row) => Array.from(values.subarray(row * columns, (row + 1) * columns))),
    clusters: rows.map((row) => labels[row] as number),
  };
}

export function parseDbscan(text: string): DbscanModel {
  return parseModel(schema, 'DBSCAN', text);
}

/** Cluster of every row of a frame: the first with a core row within eps; -1 where there is none. */
export function scoreDbscan(model: DbscanModel, frame: Frame): Int32Array {
  const { rows, columns, values } = pointsOf(model.space, frame);
  const core = Float64Array.from(model.core.flat());
  return Int32Array.from({ length: rows }, (_, row) => {
    let label = -1;
    for (const [c, cluster] of model.clusters.entries())
      if (label < 0 || cluster < label)
        if (squaredDistance(values, row * columns, core, c * columns, columns) <= model.eps * model.eps)
          label = cluster;
    return label;
  });
}
