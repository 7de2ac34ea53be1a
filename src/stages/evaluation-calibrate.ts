import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

export const calibrateParams = z.strictObject({
  target: z.string().describe('Target to calibrate, 0 or 1; its predictions are probabilities'),
  method: z
    .enum(['isotonic', 'platt'])
    .default('isotonic')
    .describe('isotonic: any rising function, for a thousand validation rows or more. platt: two numbers, for fewer'),
  bins: z.int().min(2).max(50).default(10).describe('Groups of the reliability curve'),
  resamples: z.int().min(100).max(20_000).default(500).describe('Bootstrap resamples for intervals'),
});

export type CalibrateParams = z.infer<typeof calibrateParams>;

export default defineStage<CalibrateParams>({
  name: 'evaluation.calibrate',
  version: 1,
  summary: 'Makes predicted probabilities honest, fitted on the validation rows of each fold; no test row fits itself.',
  params: calibrateParams,
  inputs: { predictions: input('table', 'Predictions of one model, all folds, with validation rows', { take: 'all' }) },
  outputs: {
    predictions: output('table', 'Test rows with calibrated probabilities, as models write them', {
      orderBy: ['target', 'fold', 'row'],
    }),
    metrics: output('metrics', 'Brier score in its parts, before and after'),
    figures: output('figures', 'Reliability before and after'),
  },
  isolation: 'thread',
  runs: 'evaluation-calibrate',
  resources: () => ({ threads: 1, memoryMb: 1024, gpus: 0 }),
});
