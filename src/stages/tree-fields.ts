/** Parameters, inputs and outputs that the stages on trees have in common. */
import { z } from 'zod';
import { input, output, type Resources } from '../contract/stage.ts';

export const share = z.number().gt(0).max(1);

export const treeFields = {
  target: z.string().describe('Label column to predict'),
  weight: z.string().optional().describe('Column of sample weights, 0 or more; default: the one with the role weight'),
  monotone: z
    .record(z.string(), z.union([z.literal(-1), z.literal(0), z.literal(1)]))
    .optional()
    .describe('Direction in which the prediction may go as a feature rises: 1 up, -1 down, 0 free'),
  maxBins: z.int().min(2).max(65_536).default(256).describe('Most bins a feature, for hist and approx'),
  maxCategoriesToOneHot: z
    .int()
    .min(1)
    .default(4)
    .describe('Features of at most this many categories are split one against the others, longer ones into two groups'),
  nthread: z.int().min(1).max(256).default(1).describe('Threads; results depend on their number, so it is fixed here'),
  device: z
    .enum(['cpu', 'cuda'])
    .default('cpu')
    .describe(
      'Where to train; cuda stops with an error where the library or the machine cannot, and never takes the CPU',
    ),
  baselineColumn: z
    .string()
    .optional()
    .describe('Column that predicts the target by itself (a market price); default: the mean of the training rows'),
  fitOn: z
    .enum(['train', 'train+validation'])
    .default('train')
    .describe('Rows to train on; with train+validation there is no early stopping and only the test set is measured'),
  resamples: z.int().min(10).max(100_000).default(500).describe('Bootstrap resamples of the intervals of metrics'),
  permutations: z
    .int()
    .min(0)
    .max(1000)
    .default(5)
    .describe('Shuffles of each feature for its importance on held-out rows; 0: neither permutations nor SHAP values'),
  importanceRows: z.int().min(1).default(2000).describe('Most held-out rows for the importance of features, drawn'),
};

export const treeInputs = {
  features: input(
    'frame',
    'Columns with the roles feature (numbers, or categories as codes) and label; weight, id, group and time are used if there',
  ),
  splits: input('frame', 'Sets of the rows by fold, from evaluation.split'),
};

export const treeOutputs = {
  model: output('model', 'XGBoost model as JSON, with the attributes best_iteration and fathom'),
  predictions: output('table', 'Predictions for the validation and test rows beside the baseline', {
    orderBy: ['target', 'row'],
  }),
  metrics: output('metrics', 'Scores with intervals beside the baseline, losses and the best round'),
  figures: output('figures', 'Learning curves and the importance of features'),
};

export function treeResources(params: { readonly nthread: number; readonly device: string }): Resources {
  return { threads: params.nthread, memoryMb: 2048, gpus: params.device === 'cuda' ? 1 : 0 };
}
