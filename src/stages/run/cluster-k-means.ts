import { writeFile } from 'node:fs/promises';
import type { StageContext, StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { written } from '../../evaluation/words.ts';
import { type Candidate, candidates, shuffledColumns, widest } from '../../models/clusters/choose-k.ts';
import { kMeans } from '../../models/clusters/k-means.ts';
import { KMeansFitter } from '../../models/clusters/k-means-fitter.ts';
import { kMeansModel } from '../../models/clusters/k-means-model.ts';
import { silhouettes } from '../../models/clusters/silhouette.ts';
import { type Frame, writeFrame } from '../../tables/frame.ts';
import type { KMeansParams } from '../cluster-k-means.ts';
import { choiceFigures, clusterName } from './cluster-figures.ts';
import { writeReport } from './cluster-report.ts';
import { shown, type Taken, takeRows, truthOf, writeRows } from './grouping.ts';

/** Below this agreement of fits the clusters are not the same when some wallets are missing. */
const STABLE = 0.8;

const run: StageRun<KMeansParams> = async (context) => {
  const { params } = context;
  const taken = await takeRows(context, params.standardize);
  const truth = truthOf(taken, params.truth);
  const makeFitter = await fitters(context.engine);
  const { list, chosen, notes } = choose(context, taken, makeFitter);
  const { clustering, silhouette, stability } = chosen;
  const { labels, k } = clustering;
  const unrelated = silhouetteOfShuffled(context, taken, k);

  await writeRows(context.outputPath('assignments'), taken, [
    { name: 'cluster', type: 'INT32', values: labels, description: 'Cluster, 0 is the largest' },
    {
      name: 'distance',
      type: 'DOUBLE',
      values: clustering.squared.map(Math.sqrt),
      description: `Distance to the centre${params.standardize ? ', standard deviations' : ''}`,
    },
  ]);
  await writeFrame(context.outputPath('frame'), withClusters(taken, labels));
  await writeFile(context.outputPath('model'), `${JSON.stringify(kMeansModel(taken.space, clustering))}\n`);

  await writeReport(context, taken, labels, truth, {
    aside:
      `${k} clusters${params.k === 'auto' ? ` (chosen by silhouette from ${params.range.from} to ${params.range.to})` : ''} ` +
      `have a silhouette of ${written(silhouette)} (${written(unrelated)} with every feature shuffled) ` +
      `and a stability of ${written(stability)}.`,
    scalars: {
      k,
      inertia: shown(clustering.inertia),
      silhouette: shown(silhouette),
      'silhouette.shuffled': shown(unrelated),
      stability: shown(stability),
    },
    notes: [
      ...notes,
      ...(silhouette <= unrelated
        ? ['Shuffled features make clusters as far apart as these: nothing here says that there are kinds.']
        : []),
      ...(stability < STABLE
        ? [`Without a fifth of the ${taken.noun} other clusters come out (agreement ${written(stability)}).`]
        : []),
    ],
    figures: choiceFigures(taken, list, chosen, params.k === 'auto'),
  });
};

/**
 * Who multiplies. Rows whose nearest centre single precision leaves open are settled in double precision, so that the
 * clusters are the same with either; native code is loaded only here, and only if it is asked for.
 */
async function fitters(engine: string | undefined): Promise<() => KMeansFitter> {
  if (engine !== 'openblas') return () => new KMeansFitter();
  const [{ loadOpenblas }, { requireOpenblas }, { Cuts }, { openblasProducts }] = await Promise.all([
    import('../../native/blas.ts'),
    import('../../native/openblas.ts'),
    import('../../models/mtl/cuts.ts'),
    import('../../models/mtl/openblas.ts'),
  ]);
  const openblas = loadOpenblas(requireOpenblas().path);
  const cuts = new Cuts(openblas, () => process.cpuUsage().user);
  return () => new KMeansFitter(openblasProducts(openblas, cuts));
}

/** Clusters for every k of the range and the k asked for; the one that is taken. */
function choose(
  context: StageContext<KMeansParams>,
  { points, subjects, noun }: Taken,
  makeFitter: () => KMeansFitter,
): { list: readonly Candidate[]; chosen: Candidate; notes: readonly string[] } {
  const { k, range, starts, maxIterations, batchRows, stabilityResamples } = context.params;
  const asked = Array.from({ length: range.to - range.from + 1 }, (_, i) => range.from + i);
  const wanted = k === 'auto' || asked.includes(k) ? asked : [...asked, k].sort((a, b) => a - b);
  const notes: string[] = [];
  const possible = wanted.filter((one) => one <= points.rows);
  const ks = possible.length > 0 ? possible : [points.rows];
  if (possible.length < wanted.length)
    notes.push(`${points.rows} ${noun} cannot be in more clusters than there are of them.`);
  const onProgress = (done: number, total: number): void => {
    context.progress(done, total, 'fits');
    context.throwIfCancelled();
  };
  const options = { starts, maxIterations, batchRows, resamples: stabilityResamples };
  const all = candidates(points, ks, options, subjects, (purpose) => context.rng(purpose), onProgress, makeFitter);
  // With fewer different rows than clusters, several k give the same clusters.
  const list = all.filter((one, i) => all.findIndex((other) => other.clustering.k === one.clustering.k) === i);
  if (list.length < all.length)
    notes.push(`There are only ${list.at(-1)?.clustering.k} different rows, and so no more clusters.`);
  const fixed = k === 'auto' ? undefined : (all[ks.indexOf(k)] ?? all.at(-1));
  return { list, chosen: fixed ?? widest(list), notes };
}

function silhouetteOfShuffled(context: StageContext<KMeansParams>, { points }: Taken, k: number): number {
  const rng = context.rng('shuffle');
  const shuffled = shuffledColumns(points, rng);
  const stop = (): void => context.throwIfCancelled();
  const { labels } = kMeans(shuffled, k, { ...context.params, starts: 3 }, rng, stop);
  return silhouettes(shuffled, [labels], context.rng('silhouette'), stop)[0] ?? NaN;
}

/** The frame with each row's cluster; rows that were not taken have none. */
function withClusters({ frame, selection }: Taken, labels: Int32Array): Frame {
  const codes = new Int32Array(frame.rows).fill(-1);
  let clusters = 0;
  for (const [i, row] of selection.rows.entries()) {
    codes[row] = labels[i] as number;
    clusters = Math.max(clusters, (labels[i] as number) + 1);
  }
  const names = Array.from({ length: clusters }, (_, c) => clusterName(c));
  if (frame.columns.some(({ name }) => name === 'cluster'))
    throw new FathomError('data', 'the frame has a column "cluster" already', { hint: 'rename it' });
  return {
    rows: frame.rows,
    columns: [...frame.columns, { name: 'cluster', role: 'info', type: 'category', labels: names, codes }],
  };
}

export default run;
