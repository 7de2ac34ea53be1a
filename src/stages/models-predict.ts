import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { projectionFields } from './projection-fields.ts';

const params = z.strictObject({
  asOf: projectionFields.asOf
    .default('all')
    .describe('Rows to take by the time column: all, those of the last time, or the newest known at a time (UTC).'),
});

export type PredictParams = z.infer<typeof params>;

export default defineStage<PredictParams>({
  name: 'models.predict',
  version: 1,
  summary: 'Applies a saved model of clusters, anomalies or components to other rows.',
  params,
  inputs: {
    model: input('model', 'Model of cluster.*, anomaly.* or project.pca'),
    features: input('frame', 'Rows with the columns and units that the model was fitted to'),
  },
  outputs: {
    predictions: output('table', 'id, time and what the model says: cluster, distance, score, anomalous, components', {
      orderBy: ['id', 'time'],
    }),
    metrics: output('metrics', 'Rows, missing values, and how many rows each cluster or threshold takes'),
  },
  isolation: 'thread',
  runs: 'models-predict',
  resources: () => ({ threads: 1, memoryMb: 1024, gpus: 0 }),
});
