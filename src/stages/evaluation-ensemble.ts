import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

export const ensembleParams = z.strictObject({});

export type EnsembleParams = z.infer<typeof ensembleParams>;

export default defineStage<EnsembleParams>({
  name: 'evaluation.ensemble',
  version: 1,
  summary: 'Averages the predictions of several models or replicates, with how far they disagree.',
  params: ensembleParams,
  inputs: {
    predictions: input('table', 'Predictions of models and replicates for the same rows', { take: 'all', many: true }),
  },
  outputs: {
    predictions: output('table', 'Mean predictions as models write them, and spread (standard deviation)', {
      orderBy: ['target', 'fold', 'row'],
    }),
    metrics: output('metrics', 'Members, and the median disagreement by target'),
  },
  isolation: 'thread',
  runs: 'evaluation-ensemble',
  resources: () => ({ threads: 1, memoryMb: 2048, gpus: 0 }),
});
