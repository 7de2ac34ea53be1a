import { writeFile } from 'node:fs/promises';
import type { LineFigure } from '../../contract/figure.ts';
import type { StageRun } from '../../contract/stage.ts';
import { counted, written } from '../../evaluation/words.ts';
import { dbscan, kneeOf } from '../../models/clusters/dbscan.ts';
import { dbscanModel } from '../../models/clusters/dbscan-model.ts';
import { silhouettes } from '../../models/clusters/silhouette.ts';
import { nearestNeighbours } from '../../projections/neighbours.ts';
import type { DbscanParams } from '../cluster-dbscan.ts';
import { writeReport } from './cluster-report.ts';
import { shown, subtitleOf, type Taken, takeRows, truthOf, writeRows } from './grouping.ts';

/** Points of the curve that the report draws. */
const DRAWN = 400;

const run: StageRun<DbscanParams> = async (context) => {
  const { params } = context;
  const taken = await takeRows(context, params.standardize);
  const truth = truthOf(taken, params.truth);
  const { points } = taken;
  const stop = (): void => context.throwIfCancelled();
  const k = Math.min(params.minPoints, points.rows) - 1;
  const curve = k < 1 ? new Float64Array(1) : kDistances(taken, k, stop);
  const eps = params.eps === 'auto' ? (curve[kneeOf(curve)] as number) : params.eps;
  const density = dbscan(points, eps, params.minPoints, (done, total) => {
    context.progress(done, total, 'rows');
    stop();
  });
  const { labels, core, clusters } = density;
  const noise = labels.filter((label) => label < 0).length;
  const silhouette = silhouettes(points, [labels], context.rng('silhouette'), stop)[0] ?? NaN;

  await writeRows(context.outputPath('assignments'), taken, [
    { name: 'cluster', type: 'INT32', values: labels, description: 'Cluster, -1 is noise' },
    { name: 'core', type: 'INT32', values: core, description: '1 for rows in a dense neighbourhood' },
  ]);
  const model = dbscanModel(taken.space, points, density, { eps, minPoints: params.minPoints });
  await writeFile(context.outputPath('model'), `${JSON.stringify(model)}\n`);

  await writeReport(context, taken, labels, truth, {
    aside: `Dense regions make ${counted(clusters, 'clusters')}; ${noise} of ${counted(points.rows, taken.noun)} are noise.`,
    scalars: {
      clusters,
      noise,
      core: core.filter((one) => one === 1).length,
      eps: shown(eps),
      silhouette: shown(silhouette),
    },
    notes: [
      ...(clusters === 0 ? [`No neighbourhood of ${written(eps)} holds ${params.minPoints} rows: all is noise.`] : []),
      ...(clusters === 1 ? ['All dense rows are of one cluster: nothing here says that there are kinds.'] : []),
    ],
    figures: [curveFigure(taken, curve, eps, params)],
  });
};

/** Distance of each row to its k-th nearest other row, ascending. */
function kDistances({ points }: Taken, k: number, stop: () => void): Float64Array {
  const { squared } = nearestNeighbours(points, k, stop);
  return Float64Array.from({ length: points.rows }, (_, i) => Math.sqrt(squared[i * k + k - 1] as number)).sort();
}

function curveFigure(taken: Taken, curve: Float64Array, eps: number, params: DbscanParams): LineFigure {
  const step = Math.max(1, Math.ceil(curve.length / DRAWN));
  const drawn = Array.from(curve.keys()).filter((i) => i % step === 0 || i === curve.length - 1);
  return {
    section: 'wallets',
    method: 'Clusters',
    kind: 'line',
    id: 'k-distance',
    title:
      params.eps === 'auto' ? `The curve bends at ${written(eps)}, taken as eps` : `Is eps ${written(eps)} a bend?`,
    subtitle: `Distance to the ${params.minPoints - 1}th nearest other row, ascending; ${subtitleOf(taken)}`,
    caption:
      'Left of the bend rows lie dense. The bend is where the curve is farthest below the line between its ends.',
    x: { label: 'rows', scale: 'linear' },
    y: { label: 'distance', scale: 'linear', min: 0 },
    series: [
      { label: 'distance', role: 'this', x: drawn.map((i) => i + 1), y: drawn.map((i) => shown(curve[i])) },
      { label: 'eps', role: 'baseline', x: [1, Math.max(2, curve.length)], y: [shown(eps), shown(eps)] },
    ],
  };
}

export default run;
