import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

export const compareParams = z.strictObject({
  target: z
    .string()
    .optional()
    .describe('Target that the first finding answers; default: the first of the first model'),
  metric: z
    .enum(['auc', 'averagePrecision', 'logLoss', 'brier', 'accuracy', 'spearman', 'gini', 'rmse', 'mae', 'r2'])
    .optional()
    .describe('Score that decides where a target has it; default: auc for classes, spearman for numbers'),
  smallestGain: z
    .number()
    .positive()
    .optional()
    .describe(
      'Gain over the baseline below which it would not matter, in the unit of the score; default: 0.02 (spearman and gini 0.05), for errors 2 % of the baseline',
    ),
  clusters: z
    .string()
    .min(1)
    .default('groups')
    .describe('What the group column of the predictions names, in the plural, for sentences: wallets, events'),
  resamples: z
    .int()
    .min(100)
    .max(20_000)
    .default(1000)
    .describe('Bootstrap resamples of whole clusters, of stretches of time and of both'),
  ranks: z
    .enum(['within-folds', 'across-folds'])
    .default('within-folds')
    .describe(
      'Whether rank scores (auc, averagePrecision, spearman, gini) compare rows of different folds, whose models differ',
    ),
});

export type CompareParams = z.infer<typeof compareParams>;

export default defineStage<CompareParams>({
  name: 'evaluation.compare',
  version: 2,
  summary: 'Compares models with their baselines and each other on pooled test predictions, and answers in words.',
  params: compareParams,
  inputs: {
    predictions: input('table', 'Test predictions of models and folds', { take: 'all', many: true }),
  },
  outputs: {
    table: output('table', 'Scores and gains with intervals, by target, model and metric', {
      orderBy: ['target', 'model', 'metric'],
    }),
    metrics: output('metrics', 'Scores beside their baselines, and the findings'),
    figures: output('figures', 'Scores, gains, ROC, calibration and confusion'),
  },
  isolation: 'thread',
  runs: 'evaluation-compare',
  resources: () => ({ threads: 1, memoryMb: 2048, gpus: 0 }),
});
