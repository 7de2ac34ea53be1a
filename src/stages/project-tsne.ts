import { z } from 'zod';
import { defineStage } from '../contract/stage.ts';
import { openblasRequirement } from '../native/openblas.ts';
import { projectionFields, projectionInputs, projectionMemoryMb, projectionOutputs } from './projection-fields.ts';

const params = z.strictObject({
  ...projectionFields,
  perplexity: z
    .number()
    .min(2)
    .max(500)
    .default(30)
    .describe('Effective number of neighbours of a row; reduced to (rows - 1) / 3 where there are too few rows.'),
  iterations: z.int().min(1).default(1000).describe('Steps of gradient descent.'),
  learningRate: z
    .union([z.literal('auto'), z.number().positive()])
    .default('auto')
    .describe('Step size of the gradient without its factor 4; auto is rows / exaggeration in force, at least 200.'),
  repulsion: z
    .enum(['auto', 'barnes-hut', 'interpolation'])
    .default('auto')
    .describe('How the push of all points is summed; auto interpolates on a grid from 2,000 rows on.'),
  theta: z.number().min(0).max(1).default(0.5).describe('Accuracy of Barnes-Hut: width over distance; 0 is exact.'),
  exaggeration: z.number().min(1).default(12).describe('Factor on the affinities at first, to pull clusters apart.'),
  exaggerationIterations: z.int().min(0).default(250).describe('Iterations with exaggeration.'),
});

export type TsneParams = z.infer<typeof params>;

export default defineStage<TsneParams>({
  name: 'project.tsne',
  version: 3,
  summary: 'Lays rows out in the plane so that near rows stay near (t-SNE).',
  params,
  inputs: projectionInputs,
  outputs: projectionOutputs,
  isolation: (engine) => (engine === 'openblas' ? 'process' : 'thread'),
  // OpenBLAS halves the search of neighbours where columns or rows are many; the bytes are the same with either.
  engines: [{ name: 'openblas', requires: openblasRequirement }, { name: 'wasm' }],
  runs: 'project-tsne',
  resources: ({ maxRows, perplexity }) => ({
    threads: 2,
    memoryMb: projectionMemoryMb(maxRows, 3 * perplexity),
    gpus: 0,
  }),
});
