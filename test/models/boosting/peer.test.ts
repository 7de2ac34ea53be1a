import { describe, it } from 'vitest';
import { makeFrame, makeSplits } from '../../support/boosting.ts';
import { whyNoPeer } from './peer.ts';
import { expectSameAsPython } from './same.ts';

describe.skipIf(whyNoPeer !== undefined)(`the same bits as XGBoost's Python package (${whyNoPeer ?? 'found'})`, () => {
  const frame = makeFrame(600);
  const splits = makeSplits(600, 5);

  it('for a binary target with subsampling, penalties and constraints', () =>
    expectSameAsPython({
      frame,
      splits,
      fold: 3,
      params: {
        target: 'good',
        objective: 'binary',
        rounds: 120,
        earlyStoppingRounds: 10,
        learningRate: 0.2,
        maxDepth: 5,
        subsample: 0.7,
        colsampleByTree: 0.8,
        minChildWeight: 2,
        lambda: 3,
        alpha: 0.5,
        gamma: 0.1,
        maxBins: 64,
        monotone: { a: 1, c: -1 },
      },
      parameters: {
        objective: 'binary:logistic',
        tree_method: 'hist',
        eta: 0.2,
        max_depth: 5,
        subsample: 0.7,
        colsample_bytree: 0.8,
        min_child_weight: 2,
        reg_lambda: 3,
        reg_alpha: 0.5,
        min_split_loss: 0.1,
        max_bin: 64,
        monotone_constraints: '(1,0,-1,0)',
      },
    }));

  it('for a numeric target without early stopping', () =>
    expectSameAsPython({
      frame,
      splits,
      fold: 0,
      params: {
        target: 'gain',
        objective: 'regression',
        rounds: 40,
        earlyStoppingRounds: 0,
        numParallelTree: 3,
        subsample: 0.5,
      },
      parameters: {
        objective: 'reg:squarederror',
        tree_method: 'hist',
        eta: 0.1,
        max_depth: 4,
        num_parallel_tree: 3,
        subsample: 0.5,
      },
    }));

  it('for classes, splits searched exactly', () =>
    expectSameAsPython({
      frame,
      splits,
      fold: 4,
      params: { target: 'kind', objective: 'multiclass', rounds: 60, earlyStoppingRounds: 5, treeMethod: 'exact' },
      parameters: { objective: 'multi:softprob', num_class: 3, tree_method: 'exact', eta: 0.1, max_depth: 4 },
    }));
});
