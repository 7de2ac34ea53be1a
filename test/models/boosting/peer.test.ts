import { describe, it } from 'vitest';
import { makeFrame, makeSplits, withCategories, withQueries } from '../../support/boosting.ts';
import { whyNoPeer } from './peer.ts';
import { expectSameAsPython, floatsOf } from './same.ts';

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

  it('for DART, whose dropped trees are drawn', () =>
    expectSameAsPython({
      frame,
      splits,
      fold: 1,
      params: {
        target: 'good',
        objective: 'binary',
        rounds: 30,
        earlyStoppingRounds: 0,
        dart: { rateDrop: 0.3, skipDrop: 0.2, sampleType: 'weighted', normalizeType: 'forest' },
      },
      parameters: {
        booster: 'dart',
        objective: 'binary:logistic',
        eta: 0.1,
        max_depth: 4,
        rate_drop: 0.3,
        skip_drop: 0.2,
        sample_type: 'weighted',
        normalize_type: 'forest',
      },
    }));

  it('for weights and categories, some of them missing', () => {
    const mixed = withCategories(frame);
    return expectSameAsPython({
      frame: mixed,
      splits,
      fold: 2,
      params: {
        target: 'gain',
        objective: 'regression',
        rounds: 30,
        earlyStoppingRounds: 5,
        weight: 'importance',
        maxCategoriesToOneHot: 3,
        treeMethod: 'approx',
      },
      parameters: {
        objective: 'reg:squarederror',
        eta: 0.1,
        max_depth: 4,
        tree_method: 'approx',
        max_cat_to_onehot: 3,
      },
      weights: floatsOf(mixed, 'importance'),
    });
  });

  it('for ranking, by grades cut within each query', () => {
    const { ranked, queries, grades } = withQueries(frame);
    return expectSameAsPython({
      frame: ranked,
      splits,
      fold: 0,
      params: {
        target: 'gain',
        objective: 'ranking',
        query: 'date',
        grades: 4,
        top: 5,
        rounds: 40,
        earlyStoppingRounds: 10,
        learningRate: 0.3,
      },
      parameters: {
        objective: 'rank:ndcg',
        eval_metric: 'ndcg@5',
        lambdarank_pair_method: 'topk',
        lambdarank_num_pair_per_sample: 5,
        eta: 0.3,
        max_depth: 4,
      },
      labels: grades,
      queries,
    });
  });

  it('for ranking by pairs', () => {
    const { ranked, queries, grades } = withQueries(frame);
    return expectSameAsPython({
      frame: ranked,
      splits,
      fold: 3,
      params: {
        target: 'gain',
        objective: 'ranking',
        query: 'date',
        grades: 4,
        rankingLoss: 'pairwise',
        rounds: 20,
        earlyStoppingRounds: 0,
      },
      parameters: { objective: 'rank:pairwise', eval_metric: 'ndcg', eta: 0.1, max_depth: 4 },
      labels: grades,
      queries,
    });
  });

  const forestParameters = {
    objective: 'reg:squarederror',
    num_parallel_tree: 20,
    eta: 1,
    max_depth: 20,
    subsample: 0.632,
    lambda: 0,
  };

  it.each([
    ['probabilities', 'good', 'binary', 0.5],
    ['numbers', 'gain', 'regression', 1 / 3],
  ])('for a forest of %s', async (_, target, objective, colsample) => {
    await expectSameAsPython({
      frame,
      splits,
      fold: 4,
      stage: 'forest',
      params: { target, objective, trees: 20 },
      parameters: { ...forestParameters, colsample_bynode: colsample },
    });
  });

  it('for a forest of classes, which is one a class', () => {
    const kind = frame.columns.find(({ name }) => name === 'kind');
    if (kind?.type !== 'category') throw new Error('kind holds categories');
    return expectSameAsPython({
      frame,
      splits,
      fold: 0,
      stage: 'forest',
      params: { target: 'kind', objective: 'multiclass', trees: 20, minLeafWeight: 5, colsampleByNode: 0.8 },
      parameters: { ...forestParameters, colsample_bynode: 0.8, min_child_weight: 5 },
      labels: Float32Array.from({ length: 600 * 3 }, (_, i) => Number(kind.codes[Math.floor(i / 3)] === i % 3)),
    });
  });
});
