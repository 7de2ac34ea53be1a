import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { openblasRequirement } from '../native/openblas.ts';
import { projectionFields, projectionInputs, projectionMemoryMb, projectionOutputs } from './projection-fields.ts';

const params = z.strictObject({
  ...projectionFields,
  implementation: z
    .enum(['fathom', 'umap-js'])
    .default('fathom')
    .describe('fathom repeats on every machine; umap-js is the npm package, which repeats on one version of Node.'),
  neighbours: z
    .int()
    .min(2)
    .max(500)
    .default(15)
    .describe('Size of a neighbourhood, the row included; reduced where there are fewer rows.'),
  minDist: z.number().min(0).default(0.1).describe('How close points may come in the map, in its own units.'),
  spread: z.number().positive().default(1).describe('Scale of the map, in its own units; at least minDist.'),
  epochs: z
    .union([z.literal('auto'), z.int().min(1)])
    .default('auto')
    .describe('Passes over the neighbour graph; auto is 500 up to 10,000 rows and 200 above.'),
  learningRate: z.number().positive().default(1).describe('Step size at the start; falls to 0.'),
  negativeSamples: z.int().min(1).default(5).describe('Random points that push for every neighbour that pulls.'),
  start: z
    .enum(['spectral', 'pca'])
    .default('spectral')
    .describe('First positions: principal components, smoothed over the neighbour graph (spectral) or as they are.'),
  mostLeaves: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('Look for neighbours among so many nearest groups of 256 rows alone: approximate; null is exact.'),
});

export type UmapParams = z.infer<typeof params>;

export default defineStage<UmapParams>({
  name: 'project.umap',
  version: 4,
  summary: 'Lays rows out in the plane by their neighbour graph (UMAP).',
  params: params.refine(({ minDist, spread }) => minDist <= spread, {
    path: ['minDist'],
    error: 'minDist is larger than spread',
  }),
  inputs: projectionInputs,
  outputs: {
    ...projectionOutputs,
    model: output('model', 'Features, scale, rows and points as JSON; project.transform places later rows by it'),
  },
  isolation: (engine) => (engine === 'openblas' ? 'process' : 'thread'),
  // OpenBLAS halves the search of neighbours where columns or rows are many; the bytes are the same with either.
  engines: [{ name: 'openblas', requires: openblasRequirement }, { name: 'wasm' }],
  runs: 'project-umap',
  resources: ({ maxRows, neighbours }) => ({
    threads: 2,
    memoryMb: projectionMemoryMb(maxRows, neighbours),
    gpus: 0,
  }),
});
