import type { StageRun } from '../../contract/stage.ts';
import { boostingParameters, lossNames } from '../../models/boosting/parameters.ts';
import type { BoostingParams } from '../train-boosting.ts';
import { trainTrees } from './trees.ts';

const marginUnits = { binary: 'log odds', multiclass: 'log odds', regression: 'units of the target', ranking: 'score' };

const run: StageRun<BoostingParams> = (context) => {
  const { params } = context;
  return trainTrees(context, {
    kind: 'boosting',
    rounds: params.rounds,
    earlyStoppingRounds: params.earlyStoppingRounds,
    lossName: lossNames[params.objective],
    marginUnit: marginUnits[params.objective],
    ranking:
      params.objective === 'ranking' ? { query: params.query, grades: params.grades, top: params.top } : undefined,
    parametersFor: (target, features) => boostingParameters(target, features, params, context.seed),
  });
};

export default run;
