import { readFile } from 'node:fs/promises';
import type { StageContext, StageRun } from '../../contract/stage.ts';
import { centroidModel } from '../../models/anomalies/centroid-distance.ts';
import { kMeans } from '../../models/clusters/k-means.ts';
import { type KMeansModel, kMeansModel, parseKMeans, scoreKMeans } from '../../models/clusters/k-means-model.ts';
import type { CentroidParams } from '../anomaly-centroid-distance.ts';
import { reportAnomalies } from './anomaly.ts';
import { type Taken, takeRows } from './grouping.ts';

const run: StageRun<CentroidParams> = async (context) => {
  const given = context.optionalInput('model');
  const model = given === undefined ? undefined : parseKMeans(await readFile(given.path, 'utf8'));
  const taken = await takeRows(context, context.params.standardize);
  const { kMeans: centres, scores } = model === undefined ? fitted(context, taken) : scored(model, taken);
  const unit = centres.space.standardize ? ', standard deviations' : '';
  await reportAnomalies(context, taken, scores, {
    name: 'distance to the nearest centre',
    what: `Distance to the nearest centre${unit}`,
    caption: `${centres.centres.length} centres of k-means${given === undefined ? '' : ` (${given.stage})`}.`,
    modelOf: (threshold) => centroidModel(centres, threshold),
    notes: given === undefined ? [] : [`The centres and the scale are those of ${given.stage}.`],
  });
};

interface Result {
  readonly kMeans: KMeansModel;
  readonly scores: Float64Array;
}

function fitted(context: StageContext<CentroidParams>, { points, space }: Taken): Result {
  const { k, starts, maxIterations, batchRows } = context.params;
  let steps = 0;
  const clustering = kMeans(points, k, { starts, maxIterations, batchRows }, context.rng('k-means'), () => {
    context.progress(Math.min(++steps, starts * maxIterations), starts * maxIterations, 'iterations');
    context.throwIfCancelled();
  });
  return { kMeans: kMeansModel(space, clustering), scores: clustering.squared.map(Math.sqrt) };
}

function scored(model: KMeansModel, { frame, selection }: Taken): Result {
  const { distances } = scoreKMeans(model, frame);
  return { kMeans: model, scores: Float64Array.from(selection.rows, (row) => distances[row] as number) };
}

export default run;
