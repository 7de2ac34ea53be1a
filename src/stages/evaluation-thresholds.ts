import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

export const thresholdsParams = z.strictObject({
  target: z.string().describe('Target, 0 or 1, or a number of which more than `positiveAbove` is positive'),
  positiveAbove: z
    .number()
    .optional()
    .describe(
      'For targets that are numbers: what counts as positive is strictly above this, in the unit of the target',
    ),
  profit: z
    .string()
    .optional()
    .describe(
      'Column of the features that holds what acting on a row earns, USD per USD staked; missing counts neither way',
    ),
  price: z
    .string()
    .optional()
    .describe(
      'Column of the features that holds the price of a share that pays 1 USD where the target is positive: acting earns actual / price − 1',
    ),
  cost: z.number().min(0).default(0).describe('Cost of acting, taken from the profit, USD per USD staked'),
  goal: z
    .enum(['totalProfit', 'f1'])
    .optional()
    .describe('What thresholds are chosen for on validation rows; default: totalProfit where profit is known, else f1'),
  leastCoverage: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Share of validation rows that a threshold must act on at least'),
  resamples: z.int().min(100).max(20_000).default(500).describe('Bootstrap resamples for intervals'),
});

export type ThresholdsParams = z.infer<typeof thresholdsParams>;

export default defineStage<ThresholdsParams>({
  name: 'evaluation.thresholds',
  version: 1,
  summary: 'Precision, recall, coverage and profit of acting above a threshold, chosen on validation rows only.',
  params: thresholdsParams,
  inputs: {
    predictions: input('table', 'Predictions of one model, all folds, with validation rows', { take: 'all' }),
    features: input('frame', 'The frame that was predicted, for the columns of profit or price', { optional: true }),
  },
  outputs: {
    metrics: output('metrics', 'Values at the chosen thresholds'),
    figures: output('figures', 'Values by threshold, and the thresholds chosen'),
  },
  isolation: 'thread',
  runs: 'evaluation-thresholds',
  resources: () => ({ threads: 1, memoryMb: 1024, gpus: 0 }),
});
