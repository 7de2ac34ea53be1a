/** Fitted principal components as a file, and rows that come later laid out by it. */
import { z } from 'zod';
import type { Frame } from '../../tables/frame.ts';
import { type FeatureSpace, featureSpaceSchema, parseModel, pointsOf } from '../feature-space.ts';

const schema = z
  .strictObject({
    schema: z.literal('fathom.pca'),
    version: z.literal(1),
    space: featureSpaceSchema,
    /** Mean of each feature in the scale of the space. */
    means: z.array(z.number()),
    /** One unit vector a component, the one with the largest variance first. */
    vectors: z.array(z.array(z.number())).min(1),
    /** Share of the variance that each component holds. */
    shares: z.array(z.number().min(0).max(1)),
  })
  .refine(
    ({ space, means, vectors, shares }) =>
      means.length === space.features.length &&
      shares.length === vectors.length &&
      vectors.every((vector) => vector.length === means.length),
    'a component has not one number a feature',
  );

export type PcaModel = z.infer<typeof schema>;

/** @param vectors `vectors[component * features + feature]` */
export function pcaModel(
  space: FeatureSpace,
  { means, vectors, shares }: { means: Float64Array; vectors: Float64Array; shares: Float64Array },
): PcaModel {
  const columns = means.length;
  return {
    schema: 'fathom.pca',
    version: 1,
    space,
    means: Array.from(means),
    vectors: Array.from(shares, (_, c) => Array.from(vectors.subarray(c * columns, (c + 1) * columns))),
    // Rounding may leave a little more than all.
    shares: Array.from(shares, (share) => Math.min(1, share)),
  };
}

export function parsePca(text: string): PcaModel {
  return parseModel(schema, 'principal components', text);
}

/** Scores of all rows of a frame, one list a component. */
export function scorePca({ space, means, vectors }: PcaModel, frame: Frame): Float64Array[] {
  const { rows, columns, values } = pointsOf(space, frame);
  return vectors.map((vector) =>
    Float64Array.from({ length: rows }, (_, i) => {
      let score = 0;
      for (let c = 0; c < columns; c++)
        score += ((values[i * columns + c] as number) - (means[c] as number)) * (vector[c] as number);
      return score;
    }),
  );
}
