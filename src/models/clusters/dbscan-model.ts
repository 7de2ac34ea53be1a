/** The file of a DBSCAN model, and the clusters of rows that it has not seen. */
import { z } from 'zod';
import type { Frame } from '../../tables/frame.ts';
import { type FeatureSpace, featureSpaceSchema, type Points, parseModel, pointsOf } from '../feature-space.ts';
import type { Density } from './dbscan.ts';
import { DenseRegion } from './dense-region.ts';

/** Rows of a leaf. */
const LEAF_ROWS = 64;

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

/**
 * Cluster of every row of a frame: the first with a core row within eps; -1 where there is none. DBSCAN says nothing of
 * new rows; this is its rule for rows that are not core.
 */
export function predictDbscan(model: DbscanModel, frame: Frame): Int32Array {
  const points = pointsOf(model.space, frame);
  const { rows, columns } = points;
  if (model.core.length === 0) return new Int32Array(rows).fill(-1);
  const core: Points = { rows: model.core.length, columns, values: Float64Array.from(model.core.flat()) };
  const labelAround = new DenseRegion(core, model.eps, LEAF_ROWS).labelling(Int32Array.from(model.clusters));
  return Int32Array.from({ length: rows }, (_, row) =>
    labelAround(points.values.subarray(row * columns, (row + 1) * columns)),
  );
}
