import path from 'node:path';
import type { InputArtifact, StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { ALPHA, compareModels, type TargetComparison } from '../../evaluation/compare.ts';
import { compareFigures } from '../../evaluation/compare-figures.ts';
import { findingOf } from '../../evaluation/findings.ts';
import { type PredictionTable, poolTestRows, targetsOf } from '../../evaluation/predictions.ts';
import { resultColumns } from '../../evaluation/result-table.ts';
import { readParquet, writeParquet } from '../../tables/parquet.ts';
import type { CompareParams } from '../evaluation-compare.ts';

const run: StageRun<CompareParams> = async (context) => {
  const { params } = context;
  const artifacts = context.inputs('predictions');
  const labels = labelsOf(artifacts);
  const tables: PredictionTable[] = [];
  for (const [i, artifact] of artifacts.entries()) {
    const { rows } = await readParquet(artifact.path);
    tables.push({ model: labels[i] as string, file: path.basename(artifact.path), rows });
    context.throwIfCancelled();
  }
  const pooled = poolTestRows(tables);
  const targets = targetsOf(pooled);
  if (targets.size === 0)
    throw new FathomError('data', 'the predictions hold no test row whose outcome is known', {
      hint: 'train with splits that have test rows, or connect more predictions',
    });
  const withinFolds = params.ranks === 'within-folds';
  const all = compareModels(targets, {
    metric: params.metric,
    resamples: params.resamples,
    withinFolds,
    rng: (target) => context.rng(`bootstrap ${target}`),
    progress: (done, total) => context.progress(done, total, 'targets'),
  });
  const comparisons = askedFirst(all, params);
  const wording = { smallestGain: params.smallestGain, clusterName: params.clusters };
  await writeParquet(context.outputPath('table'), resultColumns(comparisons));
  await context.writeMetrics('metrics', {
    scalars: scalarsOf(comparisons),
    metrics: comparisons.flatMap(({ models }) =>
      models.flatMap(({ model, metrics }) => metrics.map((metric) => ({ ...metric, model }))),
    ),
    findings: comparisons.map((comparison) => findingOf(comparison, wording)),
    notes: notesOf(comparisons, params, pooled.unlabelled),
  });
  const figures = compareFigures(comparisons, {
    ...wording,
    withinFolds,
    resamples: params.resamples,
    rng: (purpose) => context.rng(purpose),
  });
  await context.writeFigures('figures', figures);
};

export default run;

/** The stage is the model; trials and replicates of one stage are models of their own. */
function labelsOf(artifacts: readonly InputArtifact[]): string[] {
  return artifacts.map(({ stage, coordinates }) => {
    const peers = artifacts.filter((other) => other.stage === stage);
    const differs = (axis: 'trial' | 'replicate' | 'shard'): boolean =>
      new Set(peers.map((peer) => peer.coordinates[axis])).size > 1;
    return (['trial', 'replicate', 'shard'] as const).reduce(
      (label, axis) =>
        differs(axis) && coordinates[axis] !== undefined ? `${label}, ${axis} ${coordinates[axis]}` : label,
      stage,
    );
  });
}

function askedFirst(all: readonly TargetComparison[], params: CompareParams): TargetComparison[] {
  const asked = params.target === undefined ? all[0] : all.find(({ target }) => target === params.target);
  if (asked === undefined)
    throw new FathomError('data', `no test predictions of "${params.target}"`, {
      hint: `the targets are ${all.map(({ target }) => target).join(', ')}`,
    });
  if (params.metric !== undefined && asked.metric !== params.metric)
    throw new FathomError('data', `${params.metric} is no score of "${asked.target}", which is ${asked.kind}`, {
      hint: `leave out \`metric\` for ${asked.metric}`,
    });
  return [asked, ...all.filter((other) => other !== asked)];
}

function scalarsOf(comparisons: readonly TargetComparison[]): Record<string, number | null> {
  const scalars: Record<string, number | null> = {};
  const first = comparisons[0];
  if (first !== undefined) {
    scalars['test.score'] = first.best.score.value;
    scalars['test.gain'] = first.best.gain.value;
  }
  for (const { target, metric, models } of comparisons)
    for (const { model, score, gain } of models) {
      scalars[`${model}.${target}.${metric}`] = score.value;
      scalars[`${model}.${target}.gain`] = gain.value;
    }
  return scalars;
}

function notesOf(comparisons: readonly TargetComparison[], params: CompareParams, unlabelled: number): string[] {
  const asked = comparisons[0]?.comparisons ?? 0;
  const notes: string[] = [];
  if (unlabelled > 0) notes.push(`${unlabelled} test rows without a known outcome were left out.`);
  if (asked > 0 && (ALPHA / asked / 2) * (params.resamples + 1) < 1)
    notes.push(
      `${params.resamples} resamples are too few to correct ${asked} comparisons: raise \`resamples\` to ${Math.ceil((2 * asked) / ALPHA)} or more.`,
    );
  if (comparisons.some(({ models }) => models.length > 1))
    notes.push('The best model was chosen on the test rows it is reported on; its score is that of a winner.');
  return notes;
}
