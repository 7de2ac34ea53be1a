import type { StageRun } from '../../contract/stage.ts';
import { forestParameters } from '../../models/boosting/parameters.ts';
import type { ForestParams } from '../train-forest.ts';
import { trainTrees } from './trees.ts';

const run: StageRun<ForestParams> = (context) => {
  const { params } = context;
  return trainTrees(context, {
    kind: 'forest',
    rounds: 1,
    earlyStoppingRounds: 0,
    lossName: 'root mean squared error',
    marginUnit: params.objective === 'regression' ? 'units of the target' : 'shares of votes',
    ranking: undefined,
    parametersFor: (target, features) =>
      forestParameters(
        target,
        features,
        { ...params, treeMethod: 'hist', minChildWeight: params.minLeafWeight },
        context.seed,
      ),
  });
};

export default run;
