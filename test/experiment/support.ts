/** Small stages that stand for the real ones in tests of experiments, and a loader for texts. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineStage, input, output, type StageDefinition } from '../../src/contract/stage.ts';
import { FathomError, formatError } from '../../src/errors.ts';
import { type LoadOptions, loadExperiment } from '../../src/experiment/load.ts';
import type { Experiment } from '../../src/experiment/types.ts';

const common = { version: 1, isolation: 'thread', resources: () => ({ threads: 1, memoryMb: 64, gpus: 0 }) } as const;

const trades = defineStage({
  ...common,
  name: 'source.trades',
  summary: 'Reads trades.',
  runs: 'source-trades',
  params: z.strictObject({
    dataset: z.string().min(1).describe('Name of a dataset description.'),
    maxRejected: z.number().min(0).max(1).default(0.01).describe('Largest part of the rows that may be rejected.'),
  }),
  inputs: {},
  outputs: {
    trades: output('table', 'Fills of one wallet each.', { orderBy: ['seq'] }),
    markets: output('table', 'Markets.'),
    metrics: output('metrics', 'What became of the rows.'),
  },
});

const profiles = defineStage({
  ...common,
  name: 'wallets.profile',
  summary: 'Features of wallets as of a time.',
  runs: 'wallets-profile',
  params: z.strictObject({
    lookback: z.string().default('90d').describe('How far back features look, as a length of time.'),
    asOf: z
      .strictObject({ every: z.string().default('1d').describe('Distance of snapshots.') })
      .prefault({})
      .describe('When snapshots are taken.'),
  }),
  inputs: { trades: input('table', 'Canonical trades.') },
  outputs: { profiles: output('frame', 'Features.') },
});

const splits = defineStage({
  ...common,
  name: 'evaluation.splits',
  summary: 'Folds in time order.',
  runs: 'evaluation-splits',
  params: z.strictObject({
    folds: z.int().min(2).max(50).default(4).describe('Number of folds.'),
    purge: z.string().default('30d').describe('Time around a test set that is left out.'),
  }),
  inputs: { table: input('frame', 'What is split.') },
  outputs: { splits: output('frame', 'One column a fold.'), metrics: output('metrics', 'Sizes.') },
  elements: (params) => ({ fold: params.folds }),
});

const mtl = defineStage({
  ...common,
  name: 'train.mtl',
  summary: 'A multi-task network.',
  runs: 'train-mtl',
  params: z.strictObject({
    hidden: z.array(z.int().min(1)).min(1).default([64, 32]).describe('Widths of the hidden layers.'),
    epochs: z.int().min(1).default(20).describe('Passes over the training rows.'),
    learningRate: z.number().gt(0).default(0.001).describe('Step size of Adam.'),
    dropout: z.number().min(0).lt(1).default(0.1).describe('Part of the units left out in training.'),
    lossWeights: z.record(z.string(), z.number().min(0)).default({}).describe('Weight of the loss of each target.'),
    optimizer: z.enum(['adam', 'sgd']).default('adam').describe('How weights are updated.'),
    schedule: z
      .union([
        z.strictObject({ plateau: z.strictObject({ factor: z.number().gt(0).lt(1).default(0.5) }) }),
        z.strictObject({ cosine: z.strictObject({ warmup: z.int().min(0) }) }),
        z.literal('constant'),
      ])
      .default('constant')
      .describe('How the learning rate falls.'),
  }),
  inputs: {
    features: input('frame', 'Features.'),
    splits: input('frame', 'Folds.'),
    targets: input('frame', 'Labels.', { optional: true }),
  },
  outputs: {
    model: output('model', 'Weights.'),
    predictions: output('table', 'Predictions.', { orderBy: ['target', 'row'] }),
    metrics: output('metrics', 'Scores.'),
  },
  engines: [{ name: 'wasm' }, { name: 'cuda' }],
});

const compare = defineStage({
  ...common,
  name: 'evaluation.compare',
  summary: 'Compares models.',
  runs: 'evaluation-compare',
  params: z.strictObject({}),
  inputs: { predictions: input('table', 'Predictions of models.', { many: true, take: 'all' }) },
  outputs: { metrics: output('metrics', 'Findings.') },
});

const one = defineStage({
  ...common,
  name: 'evaluation.one',
  summary: 'Looks at one set of predictions.',
  runs: 'evaluation-one',
  params: z.strictObject({ level: z.number().default(0.95).describe('Coverage of intervals.') }),
  inputs: {
    predictions: input('table', 'Predictions.'),
    before: input('metrics', 'Metrics of another stage.', { optional: true }),
  },
  outputs: { metrics: output('metrics', 'Findings.') },
});

const list = [trades, profiles, splits, mtl, compare, one] as unknown as readonly StageDefinition[];

export const stages: ReadonlyMap<string, StageDefinition> = new Map(list.map((stage) => [stage.name, stage]));

/** A small experiment without faults. */
export const goodExperiment = `name: good
stages:
  trades: { use: source.trades, dataset: sample }
  profiles: { use: wallets.profile, from: { trades: trades } }
  splits: { use: evaluation.splits, from: { table: profiles }, folds: 3 }
  mtl:
    use: train.mtl
    from: { features: profiles, splits: splits }
    each: fold
    hidden: [8, 4]
  compare: { use: evaluation.compare, from: { predictions: [mtl] } }
`;

/** Loads an experiment from texts by file name. */
export function load(files: Record<string, string> | string, options: Partial<LoadOptions> = {}): Promise<Experiment> {
  const texts: Record<string, string> = typeof files === 'string' ? { 'experiment.yaml': files } : files;
  return loadExperiment({
    file: 'experiment.yaml',
    stages,
    readFile: (file) =>
      Object.hasOwn(texts, file) ? Promise.resolve(texts[file] as string) : readFile(`/nowhere/${file}`, 'utf8'),
    ...options,
  });
}

/** The text of the error a promise ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FathomError)) throw error ?? new Error('nothing was wrong');
  return formatError(error);
}
