/** From the words of an experiment to XGBoost's own parameters. */
import { FathomError } from '../../errors.ts';
import type { Parameters } from './booster.ts';
import { categoricalOf, type Features } from './features.ts';
import type { Objective, Target } from './fold.ts';

/** What trees of all kinds have in common; see `train.boosting` and `train.forest` for meanings and ranges. */
export interface TreeOptions {
  readonly maxDepth: number;
  readonly subsample: number;
  readonly minChildWeight: number;
  readonly maxBins: number;
  readonly treeMethod: string;
  readonly monotone?: Readonly<Record<string, number>> | undefined;
  readonly maxCategoriesToOneHot: number;
  readonly nthread: number;
  readonly device: string;
}

export interface BoostingOptions extends TreeOptions {
  readonly learningRate: number;
  readonly colsampleByTree: number;
  readonly colsampleByNode: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly numParallelTree: number;
  /** Only for `ranking`. */
  readonly rankingLoss: 'ndcg' | 'pairwise';
  readonly top?: number | undefined;
  /** Drops trees while boosting; undefined: never. */
  readonly dart?:
    | {
        readonly rateDrop: number;
        readonly skipDrop: number;
        readonly sampleType: string;
        readonly normalizeType: string;
      }
    | undefined;
}

export interface ForestOptions extends TreeOptions {
  readonly trees: number;
  /** Part of the features drawn for each split; undefined: the usual one for the objective. */
  readonly colsampleByNode?: number | undefined;
}

/** Name of the loss that early stopping watches and learning curves show. */
export const lossNames: Record<Objective, string> = {
  binary: 'log loss',
  regression: 'root mean squared error',
  multiclass: 'log loss over classes',
  ranking: 'normalised discounted cumulative gain',
};

function objectiveOf(target: Target, options: BoostingOptions): Parameters {
  switch (target.objective) {
    case 'binary':
      return { objective: 'binary:logistic', eval_metric: 'logloss' };
    case 'regression':
      return { objective: 'reg:squarederror', eval_metric: 'rmse' };
    case 'multiclass':
      return { objective: 'multi:softprob', eval_metric: 'mlogloss', num_class: target.classes.length };
    case 'ranking':
      return {
        objective: `rank:${options.rankingLoss}`,
        eval_metric: options.top === undefined ? 'ndcg' : `ndcg@${options.top}`,
        // Pairs with a row among the first places of its query: deterministic, unlike drawn pairs.
        lambdarank_pair_method: 'topk',
        ...(options.top === undefined ? {} : { lambdarank_num_pair_per_sample: options.top }),
      };
  }
}

/**
 * Parameters of boosted trees by the names of https://xgboost.readthedocs.io/en/stable/parameter.html. The same values
 * in any language give the same trees.
 */
export function boostingParameters(
  target: Target,
  features: Features,
  options: BoostingOptions,
  seed: number,
): Parameters {
  const { dart } = options;
  return {
    ...objectiveOf(target, options),
    ...treeParameters(features, options, seed),
    ...(dart === undefined
      ? {}
      : {
          booster: 'dart',
          rate_drop: dart.rateDrop,
          skip_drop: dart.skipDrop,
          sample_type: dart.sampleType,
          normalize_type: dart.normalizeType,
        }),
    learning_rate: options.learningRate,
    colsample_bytree: options.colsampleByTree,
    colsample_bynode: options.colsampleByNode,
    lambda: options.lambda,
    alpha: options.alpha,
    gamma: options.gamma,
    num_parallel_tree: options.numParallelTree,
  };
}

/**
 * Parameters of a random forest: one round of many unpenalised trees, each on its own draw of rows. All objectives are
 * squared errors of 0/1 or of numbers, so that a leaf holds the mean of its rows and a prediction is the mean over
 * trees: the share of votes. For 0/1 labels such trees are those of the logistic loss, whose second derivative is the
 * same for all rows before the first round; but their sum of Newton steps is no probability.
 */
export function forestParameters(target: Target, features: Features, options: ForestOptions, seed: number): Parameters {
  const width = features.names.length;
  const usual = target.objective === 'regression' ? 1 / 3 : Math.sqrt(width) / width;
  return {
    objective: 'reg:squarederror',
    eval_metric: 'rmse',
    ...treeParameters(features, options, seed),
    learning_rate: 1,
    colsample_bytree: 1,
    colsample_bynode: options.colsampleByNode ?? usual,
    lambda: 0,
    alpha: 0,
    gamma: 0,
    num_parallel_tree: options.trees,
  };
}

function treeParameters(features: Features, options: TreeOptions, seed: number): Parameters {
  const categorical = categoricalOf(features);
  const hasCategories = categorical.includes(true);
  if (hasCategories && options.treeMethod === 'exact')
    throw new FathomError(
      'experiment',
      `\`treeMethod: exact\` cannot split the categories of "${features.names[categorical.indexOf(true)]}"`,
      { hint: 'choose hist or approx, or make one column a category (one-hot) in features.frame' },
    );
  return {
    tree_method: options.treeMethod,
    device: options.device,
    nthread: options.nthread,
    seed: seed % 0x80000000,
    max_depth: options.maxDepth,
    subsample: options.subsample,
    min_child_weight: options.minChildWeight,
    max_bin: options.maxBins,
    ...(hasCategories ? { max_cat_to_onehot: options.maxCategoriesToOneHot } : {}),
    ...monotoneConstraints(features.names, categorical, options.monotone),
  };
}

function monotoneConstraints(
  featureNames: readonly string[],
  categorical: readonly boolean[],
  monotone: Readonly<Record<string, number>> | undefined,
): Record<string, string> {
  if (monotone === undefined) return {};
  for (const name of Object.keys(monotone)) {
    const at = featureNames.indexOf(name);
    if (at < 0)
      throw new FathomError('experiment', `\`monotone\` names "${name}", which is no feature`, {
        hint: `features: ${featureNames.slice(0, 20).join(', ')}${featureNames.length > 20 ? ', ...' : ''}`,
      });
    if (categorical[at] === true)
      throw new FathomError('experiment', `\`monotone\` names "${name}", whose categories have no order`);
  }
  return { monotone_constraints: `(${featureNames.map((name) => monotone[name] ?? 0).join(',')})` };
}
