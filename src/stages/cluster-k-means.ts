import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { openblasRequirement } from '../native/openblas.ts';
import { groupingFields, groupingInputs, kMeansFields, standardizeField } from './grouping-fields.ts';

const params = z.strictObject({
  ...groupingFields,
  ...standardizeField,
  ...kMeansFields,
  k: z
    .union([z.literal('auto'), z.int().min(1).max(200)])
    .default('auto')
    .describe('Clusters; auto takes the k of the range with the largest silhouette.'),
  range: z
    .strictObject({
      from: z.int().min(2).default(2).describe('Fewest clusters tried'),
      to: z.int().min(2).max(50).default(8).describe('Most clusters tried'),
    })
    .refine(({ from, to }) => from <= to, 'from is larger than to')
    .prefault({})
    .describe('Numbers of clusters for which inertia, silhouette and stability are shown.'),
  stabilityResamples: z
    .int()
    .min(0)
    .max(200)
    .default(10)
    .describe('Fits without a fifth of the wallets, for each k, to see whether the same clusters come again.'),
});

export type KMeansParams = z.infer<typeof params>;

export default defineStage<KMeansParams>({
  name: 'cluster.k-means',
  version: 1,
  summary: 'Sorts rows into k clusters around centres, chooses k, and compares with what is known of them.',
  params,
  inputs: groupingInputs,
  outputs: {
    assignments: output('table', 'id, time, cluster (0 is the largest) and distance to its centre', {
      orderBy: ['id', 'time'],
    }),
    frame: output('frame', 'The frame with a column cluster of role info, to colour maps by'),
    model: output('model', 'Features, scale and centres as JSON; assigns later rows'),
    metrics: output('metrics', 'Silhouette, stability and inertia by k; adjusted Rand index against the truth'),
    figures: output('figures', 'Choice of k, centres, sizes, medians, clusters against the truth'),
  },
  isolation: (engine) => (engine === 'openblas' ? 'process' : 'thread'),
  engines: [{ name: 'openblas', requires: openblasRequirement }, { name: 'wasm' }],
  runs: 'cluster-k-means',
  resources: ({ maxRows }) => ({ threads: 1, memoryMb: 400 + Math.ceil((maxRows * 2000) / 1e6), gpus: 0 }),
});
