import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { cudaRequirement } from '../native/find-cuda.ts';
import { openblasRequirement } from '../native/openblas.ts';
import { tensorflowRequirement } from '../native/tensorflow.ts';

const head = z.strictObject({
  target: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe('Label column; several make a vector head'),
  kind: z
    .enum(['regression', 'relu', 'tanh', 'sigmoid', 'binary', 'multiclass'])
    .describe(
      'Output and loss. regression: identity, squared error of the standardised target. relu: at least 0. tanh, sigmoid: within [-1, 1], [0, 1], squared error. binary: 0 or 1, logistic loss. multiclass: softmax, cross-entropy',
    ),
  weight: z.number().min(0).default(1).describe('Weight of this head in the loss and in validation.score'),
  name: z.string().min(1).optional().describe('Name of the head; default: its targets joined by "+"'),
});

const rate = z.number().min(0).max(0.95);

export const mtlParams = z.strictObject({
  heads: z.array(head).min(1).describe('What is predicted'),
  hidden: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(32)
    .default([256, 256, 128])
    .describe('Units of the shared hidden layers, each Linear, BatchNorm, ReLU, Dropout'),
  learningRate: z.number().positive().max(10).default(1e-3).describe('Learning rate of Adam'),
  weightDecay: z.number().min(0).max(10).default(1e-5).describe('Weight decay'),
  decoupledDecay: z
    .boolean()
    .default(false)
    .describe('Decay the weights themselves (AdamW) instead of adding the decay to the gradient (Adam)'),
  dropout: z
    .union([rate, z.array(rate)])
    .default(0.3)
    .describe('Part of the units dropped after each hidden layer; a list gives one rate a layer'),
  lossWeights: z
    .record(z.string(), z.number().min(0))
    .default({})
    .describe('Weights by name of head, in place of those in `heads`: for sweeps'),
  batchSize: z
    .int()
    .min(2)
    .max(65536)
    .default(32)
    .describe('Rows of a batch; a last batch of one row joins the one before'),
  epochs: z.int().min(1).max(100000).default(20).describe('Most passes over the training rows'),
  clipNorm: z.number().positive().default(1).describe('Largest norm of the whole gradient'),
  plateau: z
    .strictObject({
      factor: z.number().gt(0).max(1).default(0.5).describe('Multiplies the learning rate'),
      patience: z.int().min(0).default(3).describe('Epochs without a lower loss before that'),
    })
    .default({ factor: 0.5, patience: 3 })
    .describe('Lowers the learning rate when the validation loss no longer falls'),
  earlyStopping: z
    .strictObject({ patience: z.int().min(1).default(5).describe('Epochs without a new best before training stops') })
    .nullable()
    .default({ patience: 5 })
    .describe('Stops early and keeps the best weights; null runs all epochs, and still keeps the best'),
  fitOn: z
    .enum(['train', 'train+validation'])
    .default('train')
    .describe('Rows that train. train+validation: no early stopping, for the winner of a sweep'),
  baselineColumns: z
    .record(z.string(), z.string())
    .default({})
    .describe('Feature that holds the past value of a target, by target: the baseline in place of the training mean'),
  resamples: z.int().min(0).max(100000).default(500).describe('Bootstrap resamples of groups for the intervals'),
});

export type MtlParams = z.infer<typeof mtlParams>;

export default defineStage<MtlParams>({
  name: 'train.mtl',
  version: 3,
  summary: 'Trains a multi-task network: a shared encoder with a head per target.',
  params: mtlParams,
  inputs: {
    features: input('frame', 'Rows with features, labels, groups and times'),
    splits: input('frame', 'Part of every row, one column a fold'),
  },
  outputs: {
    model: output('model', 'Weights, scaling and heads in one safetensors file'),
    predictions: output('table', 'Held-out predictions beside the baseline', { orderBy: ['target', 'row'] }),
    metrics: output('metrics', 'Scores by target and set, with intervals and baselines'),
    figures: output('figures', 'Learning curves'),
  },
  isolation: (engine) => (engine === 'wasm' ? 'thread' : 'process'),
  stacks: (engine) => engine === 'cuda',
  runs: 'train-mtl',
  resources: ({ hidden }) => ({ threads: 1, memoryMb: 512 + Math.ceil(weightsOf(hidden) / 40_000), gpus: 0 }),
  engines: [
    { name: 'cuda', requires: cudaRequirement, gpus: 1 },
    { name: 'openblas', requires: openblasRequirement },
    { name: 'wasm' },
    { name: 'tensorflow', requires: tensorflowRequirement },
  ],
  stackable: ['learningRate', 'weightDecay', 'dropout', 'lossWeights', 'seed'],
  refit: (params, metrics) => {
    const best = metrics.map((file) => file.scalars['bestEpoch']).filter((value) => typeof value === 'number');
    if (best.length === 0) throw new FathomError('internal', 'no trial of train.mtl reported its bestEpoch');
    const mean = best.reduce((sum, value) => sum + value, 0) / best.length;
    return { ...params, fitOn: 'train+validation', earlyStopping: null, epochs: Math.max(1, Math.round(mean)) };
  },
});

/** Weights between hidden layers, for an estimate of memory: 7 copies of 4 bytes each. */
function weightsOf(hidden: readonly number[]): number {
  return hidden.reduce((sum, units, i) => sum + units * (hidden[i - 1] ?? 256), 0);
}
