/** A fitted k-means as a file, and rows that come later assigned by it. */
import { z } from 'zod';
import type { Frame } from '../../tables/frame.ts';
import { type FeatureSpace, featureSpaceSchema, parseModel, pointsOf } from '../feature-space.ts';
import { type Clustering, nearestCentres } from './k-means.ts';

export const kMeansModelSchema = z
  .strictObject({
    schema: z.literal('fathom.k-means'),
    version: z.literal(1),
    space: featureSpaceSchema,
    /** One row a cluster, in the scale of the space. */
    centres: z.array(z.array(z.number())).min(1),
  })
  .refine(
    ({ space, centres }) => centres.every((centre) => centre.length === space.features.length),
    'a centre has not one number a feature',
  );

export type KMeansModel = z.infer<typeof kMeansModelSchema>;

export function kMeansModel(space: FeatureSpace, { k, centres }: Pick<Clustering, 'k' | 'centres'>): KMeansModel {
  const columns = space.features.length;
  return {
    schema: 'fathom.k-means',
    version: 1,
    space,
    centres: Array.from({ length: k }, (_, c) => Array.from(centres.subarray(c * columns, (c + 1) * columns))),
  };
}

export function parseKMeans(text: string): KMeansModel {
  return parseModel(kMeansModelSchema, 'k-means', text);
}

/** Cluster and distance to its centre (in the scale of the model) of every row of a frame. */
export function scoreKMeans(model: KMeansModel, frame: Frame): { labels: Int32Array; distances: Float64Array } {
  const { labels, squared } = nearestCentres(pointsOf(model.space, frame), Float64Array.from(model.centres.flat()));
  return { labels, distances: squared.map(Math.sqrt) };
}
