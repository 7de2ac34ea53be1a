import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { xgboostRequirement } from '../native/find.ts';
import { treeFields } from './tree-fields.ts';

export const predictParams = z.strictObject({
  nthread: treeFields.nthread.describe('Threads; predictions do not depend on their number'),
});

export type PredictParams = z.infer<typeof predictParams>;

export default defineStage<PredictParams>({
  name: 'predict.trees',
  version: 1,
  summary: 'Predicts other rows with a model of train.boosting or train.forest, if they have the features it knows.',
  params: predictParams,
  inputs: {
    model: input('model', 'Model of train.boosting or train.forest'),
    features: input('frame', 'Rows with the same features: names, units and types'),
  },
  outputs: {
    predictions: output('table', 'A prediction a row, and class where there are several', {
      orderBy: ['target', 'row'],
    }),
    metrics: output('metrics', 'What was predicted, and how many values were missing or of unknown categories'),
  },
  isolation: 'process',
  runs: 'predict-trees',
  requires: xgboostRequirement,
  engines: [{ name: 'xgboost' }],
  resources: (params) => ({ threads: params.nthread, memoryMb: 1024, gpus: 0 }),
});
