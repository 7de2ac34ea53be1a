import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { xgboostRequirement } from '../native/find.ts';

const share = z.number().gt(0).max(1);
const penalty = z.number().min(0);

export const boostingParams = z
  .strictObject({
    target: z.string().describe('Label column to predict'),
    objective: z
      .enum(['binary', 'regression', 'multiclass'])
      .describe('binary: probability of a 0/1 label. regression: squared error. multiclass: a probability a class'),
    rounds: z.int().min(1).max(100_000).default(300).describe('Most boosting rounds'),
    earlyStoppingRounds: z
      .int()
      .min(0)
      .default(20)
      .describe('Stop after this many rounds without a lower validation loss and keep the best round; 0: never stop'),
    learningRate: z.number().gt(0).max(1).default(0.1).describe('Factor on the leaves of each tree'),
    maxDepth: z.int().min(1).max(30).default(4).describe('Most splits from the root to a leaf'),
    subsample: share.default(1).describe('Part of the rows drawn for each round'),
    colsampleByTree: share.default(1).describe('Part of the features drawn for each tree'),
    minChildWeight: penalty.default(1).describe('Least sum of second derivatives of the loss in a leaf'),
    lambda: penalty.default(1).describe('L2 penalty on leaves'),
    alpha: penalty.default(0).describe('L1 penalty on leaves'),
    gamma: penalty.default(0).describe('Least reduction of the loss for a split'),
    maxBins: z.int().min(2).max(65_536).default(256).describe('Most bins a feature, for hist and approx'),
    treeMethod: z.enum(['hist', 'approx', 'exact']).default('hist').describe('How splits are searched'),
    numParallelTree: z.int().min(1).max(10_000).default(1).describe('Trees a round: more than 1 boosts forests'),
    monotone: z
      .record(z.string(), z.union([z.literal(-1), z.literal(0), z.literal(1)]))
      .optional()
      .describe('Direction in which the prediction may go as a feature rises: 1 up, -1 down, 0 free'),
    nthread: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe('Threads; results depend on their number, so it is fixed here'),
    device: z.enum(['cpu', 'cuda']).default('cpu').describe('Where to train; cuda fails where it is not there'),
    baselineColumn: z
      .string()
      .optional()
      .describe('Column that predicts the target by itself (a market price); default: the mean of the training rows'),
    fitOn: z
      .enum(['train', 'train+validation'])
      .default('train')
      .describe('Rows to train on; with train+validation there is no early stopping and only the test set is measured'),
    resamples: z.int().min(10).max(100_000).default(500).describe('Bootstrap resamples of the intervals of metrics'),
  })
  .refine((params) => params.fitOn === 'train' || params.earlyStoppingRounds === 0, {
    path: ['earlyStoppingRounds'],
    message: 'must be 0 where fitOn is train+validation: no rows are left to stop by',
  });

export type BoostingParams = z.infer<typeof boostingParams>;

export default defineStage<BoostingParams>({
  name: 'train.boosting',
  version: 1,
  summary: 'Trains gradient-boosted trees with XGBoost: classes, probabilities or numbers, on the folds of a splitter.',
  params: boostingParams,
  inputs: {
    features: input('frame', 'Columns with the roles feature and label; weight, id, group and time are used if there'),
    splits: input('frame', 'Sets of the rows by fold, from evaluation.split'),
  },
  outputs: {
    model: output('model', 'XGBoost model as JSON, with the attributes best_iteration and fathom'),
    predictions: output('table', 'Predictions for the validation and test rows beside the baseline', {
      orderBy: ['target', 'row'],
    }),
    metrics: output('metrics', 'Scores with intervals beside the baseline, losses and the best round'),
    figures: output('figures', 'Learning curves and the importance of features'),
  },
  isolation: 'process',
  runs: 'train-boosting',
  requires: xgboostRequirement,
  engines: [{ name: 'xgboost' }],
  resources: (params) => ({ threads: params.nthread, memoryMb: 2048, gpus: params.device === 'cuda' ? 1 : 0 }),
  refit: (params, metrics) => {
    const best = metrics.map(({ scalars }) => scalars['bestRound']).filter((round) => typeof round === 'number');
    const mean = best.reduce((sum, round) => sum + round, 0) / best.length;
    return {
      ...params,
      fitOn: 'train+validation',
      earlyStoppingRounds: 0,
      rounds: best.length === 0 ? params.rounds : Math.max(1, Math.round(mean)),
    };
  },
});
