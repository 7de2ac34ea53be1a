import { z } from 'zod';
import { defineStage } from '../contract/stage.ts';
import { xgboostRequirement } from '../native/find.ts';
import { share, treeFields, treeInputs, treeOutputs, treeResources } from './tree-fields.ts';

const penalty = z.number().min(0);

export const boostingParams = z
  .strictObject({
    ...treeFields,
    objective: z
      .enum(['binary', 'regression', 'multiclass', 'ranking'])
      .describe(
        'binary: probability of a 0/1 label. regression: squared error. multiclass: a probability a class. ranking: a score that orders the rows of a query',
      ),
    rounds: z.int().min(1).max(100_000).default(300).describe('Most boosting rounds'),
    earlyStoppingRounds: z
      .int()
      .min(0)
      .default(20)
      .describe('Stop after this many rounds without a better validation loss and keep the best round; 0: never stop'),
    learningRate: z.number().gt(0).max(1).default(0.1).describe('Factor on the leaves of each tree'),
    maxDepth: z.int().min(1).max(30).default(4).describe('Most splits from the root to a leaf'),
    subsample: share.default(1).describe('Part of the rows drawn for each round'),
    colsampleByTree: share.default(1).describe('Part of the features drawn for each tree'),
    colsampleByNode: share.default(1).describe('Part of the features drawn for each split'),
    minChildWeight: penalty.default(1).describe('Least sum of second derivatives of the loss in a leaf'),
    lambda: penalty.default(1).describe('L2 penalty on leaves'),
    alpha: penalty.default(0).describe('L1 penalty on leaves'),
    gamma: penalty.default(0).describe('Least reduction of the loss for a split'),
    treeMethod: z.enum(['hist', 'approx', 'exact']).default('hist').describe('How splits are searched'),
    numParallelTree: z.int().min(1).max(10_000).default(1).describe('Trees a round: more than 1 boosts forests'),
    dart: z
      .strictObject({
        rateDrop: z.number().min(0).max(1).default(0.1).describe('Part of the trees dropped in a round'),
        skipDrop: z.number().min(0).max(1).default(0).describe('Probability that a round drops none'),
        sampleType: z
          .enum(['uniform', 'weighted'])
          .default('uniform')
          .describe('uniform: every tree is as likely to be dropped; weighted: in proportion to its weight'),
        normalizeType: z
          .enum(['tree', 'forest'])
          .default('tree')
          .describe('tree: a new tree weighs as much as each dropped one; forest: as all of them together'),
      })
      .optional()
      .describe('Drops trees while boosting (DART), so that late trees are not trivial; default: never'),
    query: z
      .string()
      .optional()
      .describe('For ranking: column whose equal values make a query; default: the time (rows of one date)'),
    grades: z
      .int()
      .min(2)
      .max(32)
      .optional()
      .describe(
        'For ranking: cut the target into this many grades within each query; default: it holds grades, whole numbers from 0 to 31',
      ),
    rankingLoss: z
      .enum(['ndcg', 'pairwise'])
      .default('ndcg')
      .describe('For ranking: ndcg weighs a pair by what swapping it would do to the NDCG; pairwise weighs all alike'),
    top: z.int().min(1).optional().describe('For ranking: first places that count; default: all'),
  })
  .refine((params) => params.fitOn === 'train' || params.earlyStoppingRounds === 0, {
    path: ['earlyStoppingRounds'],
    message: 'must be 0 where fitOn is train+validation: no rows are left to stop by',
  })
  .refine(
    (params) =>
      params.objective === 'ranking' || (['query', 'grades', 'top'] as const).every((key) => params[key] === undefined),
    {
      path: ['objective'],
      message: 'must be ranking where query, grades or top are given',
    },
  );

export type BoostingParams = z.infer<typeof boostingParams>;

export default defineStage<BoostingParams>({
  name: 'train.boosting',
  version: 3,
  summary:
    'Trains gradient-boosted trees with XGBoost: classes, probabilities, numbers or rankings, on the folds of a splitter.',
  params: boostingParams,
  inputs: treeInputs,
  outputs: treeOutputs,
  isolation: 'process',
  runs: 'train-boosting',
  requires: xgboostRequirement,
  engines: [{ name: 'xgboost' }],
  resources: treeResources,
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
