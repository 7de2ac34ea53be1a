import { z } from 'zod';
import { defineStage } from '../contract/stage.ts';
import { xgboostRequirement } from '../native/find.ts';
import { share, treeFields, treeInputs, treeOutputs, treeResources } from './tree-fields.ts';

export const forestParams = z.strictObject({
  ...treeFields,
  objective: z
    .enum(['binary', 'regression', 'multiclass'])
    .describe('binary: share of votes for a 0/1 label. regression: mean of votes. multiclass: a share a class'),
  trees: z.int().min(1).max(100_000).default(100).describe('Trees, of each class where there are several'),
  maxDepth: z.int().min(1).max(60).default(20).describe('Most splits from the root to a leaf'),
  subsample: share
    .default(0.632)
    .describe('Part of the rows drawn for each tree, without repeats: as many as differ in a bootstrap sample'),
  colsampleByNode: share
    .optional()
    .describe('Part of the features drawn for each split; default: √n of n for classes, a third for numbers'),
  minLeafWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('Least sum of sample weights in a leaf: of rows, where they weigh 1'),
});

export type ForestParams = z.infer<typeof forestParams>;

export default defineStage<ForestParams>({
  name: 'train.forest',
  version: 2,
  summary: 'Trains random forests with XGBoost (one round of parallel trees), on the folds of a splitter.',
  params: forestParams,
  inputs: treeInputs,
  outputs: { ...treeOutputs },
  isolation: 'process',
  runs: 'train-forest',
  requires: xgboostRequirement,
  engines: [{ name: 'xgboost' }],
  resources: treeResources,
  refit: (params) => ({ ...params, fitOn: 'train+validation' }),
});
