import { z } from 'zod';
import { defineStage, input } from '../contract/stage.ts';
import { groupingInputs, kMeansFields, standardizeField } from './grouping-fields.ts';
import { anomalyFields, anomalyOutputs } from './outlier-fields.ts';

const params = z.strictObject({
  ...anomalyFields,
  ...standardizeField,
  ...kMeansFields,
  k: z.int().min(1).max(200).default(4).describe('Clusters; not used where a model is given.'),
});

export type CentroidParams = z.infer<typeof params>;

export default defineStage<CentroidParams>({
  name: 'anomaly.centroid-distance',
  version: 1,
  summary: 'Scores how far a row lies from the nearest centre of a k-means.',
  params,
  inputs: {
    ...groupingInputs,
    model: input('model', 'Model of cluster.k-means; without it one is fitted here', { optional: true }),
  },
  outputs: anomalyOutputs,
  isolation: 'thread',
  runs: 'anomaly-centroid-distance',
  resources: ({ maxRows }) => ({ threads: 1, memoryMb: 400 + Math.ceil((maxRows * 2000) / 1e6), gpus: 0 }),
});
