import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { groupingFields, groupingInputs, standardizeField } from './grouping-fields.ts';

const params = z.strictObject({
  ...groupingFields,
  ...standardizeField,
  maxRows: z
    .int()
    .min(1)
    .max(200_000)
    .default(20_000)
    .describe('Above this many rows a seeded random sample is taken; time grows with its square at worst.'),
  eps: z
    .union([z.literal('auto'), z.number().positive()])
    .default('auto')
    .describe(
      'Radius of a neighbourhood, in standard deviations if standardised; auto is the knee of the k-distances.',
    ),
  minPoints: z.int().min(2).default(10).describe('Rows within eps, the row itself included, that make it a core row.'),
});

export type DbscanParams = z.infer<typeof params>;

export default defineStage<DbscanParams>({
  name: 'cluster.dbscan',
  version: 1,
  summary: 'Finds regions where rows lie dense, however many there are, and calls the rest noise.',
  params,
  inputs: groupingInputs,
  outputs: {
    assignments: output('table', 'id, time, cluster (-1 is noise), and whether the row is core', {
      orderBy: ['id', 'time'],
    }),
    model: output('model', 'Features, scale and core rows as JSON; assigns later rows'),
    metrics: output('metrics', 'Clusters, noise, silhouette; adjusted Rand index against the truth'),
    figures: output('figures', 'Choice of eps, what sets clusters apart, sizes, medians, clusters against the truth'),
  },
  isolation: 'thread',
  runs: 'cluster-dbscan',
  resources: ({ maxRows, minPoints }) => ({
    threads: 1,
    memoryMb: 400 + Math.ceil((maxRows * (minPoints * 24 + 2000)) / 1e6),
    gpus: 0,
  }),
});
