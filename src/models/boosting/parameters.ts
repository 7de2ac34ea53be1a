/** From the words of an experiment to XGBoost's own parameters. */
import { FathomError } from '../../errors.ts';
import type { Parameters } from './booster.ts';
import type { Objective } from './fold.ts';

/** What a user chooses; see `train.boosting` for meanings and ranges. */
export interface BoostingOptions {
  readonly learningRate: number;
  readonly maxDepth: number;
  readonly subsample: number;
  readonly colsampleByTree: number;
  readonly minChildWeight: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly maxBins: number;
  readonly treeMethod: string;
  readonly numParallelTree: number;
  readonly monotone?: Readonly<Record<string, number>> | undefined;
  readonly nthread: number;
  readonly device: string;
}

const objectives: Record<Objective, { objective: string; eval_metric: string }> = {
  binary: { objective: 'binary:logistic', eval_metric: 'logloss' },
  regression: { objective: 'reg:squarederror', eval_metric: 'rmse' },
  multiclass: { objective: 'multi:softprob', eval_metric: 'mlogloss' },
};

/** Name of the loss that early stopping watches and learning curves show. */
export const lossNames: Record<Objective, string> = {
  binary: 'log loss',
  regression: 'root mean squared error',
  multiclass: 'log loss over classes',
};

/**
 * Parameters by the names of https://xgboost.readthedocs.io/en/stable/parameter.html. The same values in any language
 * give the same trees.
 *
 * @param classes number of classes; only for `multiclass`
 */
export function xgboostParameters(
  objective: Objective,
  classes: number,
  featureNames: readonly string[],
  options: BoostingOptions,
  seed: number,
): Parameters {
  return {
    ...objectives[objective],
    ...(objective === 'multiclass' ? { num_class: classes } : {}),
    tree_method: options.treeMethod,
    device: options.device,
    nthread: options.nthread,
    seed: seed % 0x80000000,
    learning_rate: options.learningRate,
    max_depth: options.maxDepth,
    subsample: options.subsample,
    colsample_bytree: options.colsampleByTree,
    min_child_weight: options.minChildWeight,
    lambda: options.lambda,
    alpha: options.alpha,
    gamma: options.gamma,
    max_bin: options.maxBins,
    num_parallel_tree: options.numParallelTree,
    ...monotoneConstraints(featureNames, options.monotone),
  };
}

function monotoneConstraints(
  featureNames: readonly string[],
  monotone: Readonly<Record<string, number>> | undefined,
): Record<string, string> {
  if (monotone === undefined) return {};
  for (const name of Object.keys(monotone))
    if (!featureNames.includes(name))
      throw new FathomError('experiment', `\`monotone\` names "${name}", which is no feature`, {
        hint: `features: ${featureNames.slice(0, 20).join(', ')}${featureNames.length > 20 ? ', ...' : ''}`,
      });
  return { monotone_constraints: `(${featureNames.map((name) => monotone[name] ?? 0).join(',')})` };
}
