import type { StageRun } from '../../contract/stage.ts';
import { forestModel, growForest, scoresOf } from '../../models/anomalies/isolation-forest.ts';
import type { ForestParams } from '../anomaly-isolation-forest.ts';
import { reportAnomalies } from './anomaly.ts';
import { takeRows } from './grouping.ts';

const run: StageRun<ForestParams> = async (context) => {
  const taken = await takeRows(context, false);
  const { trees, sampleSize } = context.params;
  const forest = growForest(taken.points, { trees, sampleSize }, context.rng('forest'), (done, total) => {
    context.progress(done, total, 'trees');
    context.throwIfCancelled();
  });
  await reportAnomalies(context, taken, scoresOf(forest, taken.points), {
    name: 'isolation score',
    what: 'Isolation score, 0 to 1',
    caption: `${trees} trees on ${forest.sampleSize} random rows each; 2^(−mean cuts / expected cuts) until a row is alone.`,
    modelOf: (threshold) => forestModel(taken.space, forest, threshold),
  });
};

export default run;
