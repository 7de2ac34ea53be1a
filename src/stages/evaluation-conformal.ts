import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

export const conformalParams = z.strictObject({
  target: z.string().describe('Target whose predictions get intervals, in its own unit'),
  confidence: z.number().gt(0).lt(1).default(0.9).describe('Share of outcomes that intervals promise to hold'),
  scale: z
    .enum(['auto', 'constant', 'spread'])
    .default('auto')
    .describe(
      'spread: wider where an ensemble disagrees. constant: one width. auto: spread where predictions carry it',
    ),
  resamples: z.int().min(100).max(20_000).default(500).describe('Bootstrap resamples for intervals'),
});

export type ConformalParams = z.infer<typeof conformalParams>;

export default defineStage<ConformalParams>({
  name: 'evaluation.conformal',
  version: 1,
  summary:
    'Intervals around predicted numbers from errors on validation rows, with the coverage measured on test rows.',
  params: conformalParams,
  inputs: {
    predictions: input('table', 'Predictions of one model or ensemble, all folds, with validation rows', {
      take: 'all',
    }),
  },
  outputs: {
    intervals: output('table', 'Test rows with low, high and whether they held', { orderBy: ['fold', 'row'] }),
    metrics: output('metrics', 'Coverage beside what was promised, and widths'),
    figures: output('figures', 'Coverage by promise, and by fold and group'),
  },
  isolation: 'thread',
  runs: 'evaluation-conformal',
  resources: () => ({ threads: 1, memoryMb: 1024, gpus: 0 }),
});
