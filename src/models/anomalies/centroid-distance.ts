/** Rows far from every centre of a k-means are unusual. */
import { z } from 'zod';
import type { Frame } from '../../tables/frame.ts';
import { type KMeansModel, kMeansModelSchema, scoreKMeans } from '../clusters/k-means-model.ts';
import { parseModel } from '../feature-space.ts';

const schema = z.strictObject({
  schema: z.literal('fathom.centroid-distance'),
  version: z.literal(1),
  kMeans: kMeansModelSchema,
  /** Distances above it are called anomalous. */
  threshold: z.number().min(0),
});

export type CentroidModel = z.infer<typeof schema>;

export function centroidModel(kMeans: KMeansModel, threshold: number): CentroidModel {
  return { schema: 'fathom.centroid-distance', version: 1, kMeans, threshold };
}

export function parseCentroid(text: string): CentroidModel {
  return parseModel(schema, 'centroid distance', text);
}

/** Distance of every row of a frame to its nearest centre, and which lie above the model's threshold. */
export function scoreCentroid(model: CentroidModel, frame: Frame): { scores: Float64Array; anomalous: Uint8Array } {
  const scores = scoreKMeans(model.kMeans, frame).distances;
  return { scores, anomalous: Uint8Array.from(scores, (score) => (score > model.threshold ? 1 : 0)) };
}
