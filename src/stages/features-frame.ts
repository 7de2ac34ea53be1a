import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

const names = z.array(z.string().min(1));

const params = z.strictObject({
  features: names.optional().describe('Columns to learn from. Default: all of role feature'),
  labels: names.optional().describe('Columns to predict. Default: all of role label'),
  log1p: names
    .default([])
    .describe('Features replaced by sign(x) log(1 + |x|), named <column>Log1p; the column stays to be shown'),
  oneHot: names
    .default([])
    .describe('Features replaced by one indicator a value, named <column>=<value>; 0 everywhere where missing'),
  categories: names
    .default([])
    .describe(
      'Text features kept as codes of their values, for models that split categories: train.boosting, train.forest',
    ),
  quantileRanks: names
    .default([])
    .describe('Features replaced by their rank within the same date, 0 to 1, named <column>Rank'),
  clip: z
    .record(z.string(), z.tuple([z.number().nullable(), z.number().nullable()]))
    .default({})
    .describe('Bounds by feature, in its unit, applied before logarithms: { edge: [-0.5, 0.5] }; null is no bound'),
  dropRowsWithoutLabel: z.boolean().default(false).describe('Leaves out rows in which every label is missing'),
  group: z.string().optional().describe('Column whose rows must stay in one fold. Default: the id'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'features.frame',
  version: 1,
  summary: 'Joins features, labels and truth into the frame that models learn from; scaling is left to training.',
  params,
  inputs: {
    table: input('table', 'Rows with roles: profiles of wallets, or any imported table'),
    targets: input('table', 'Labels by the same id and time', { optional: true }),
    truth: input('table', 'Facts by id that a simulation knows; shown, never trained on', { optional: true }),
  },
  outputs: {
    frame: output('frame', 'Typed columns with roles, rows sorted by (time, id)'),
    metrics: output('metrics', 'Rows, and missing values by column'),
  },
  isolation: 'process',
  runs: 'features-frame',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
