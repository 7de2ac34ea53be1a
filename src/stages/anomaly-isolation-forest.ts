import { z } from 'zod';
import { defineStage } from '../contract/stage.ts';
import { groupingInputs } from './grouping-fields.ts';
import { anomalyFields, anomalyOutputs } from './outlier-fields.ts';

const params = z.strictObject({
  ...anomalyFields,
  trees: z.int().min(1).max(10_000).default(100).describe('Trees; the scores are means over them.'),
  sampleSize: z.int().min(2).max(100_000).default(256).describe('Rows behind each tree, drawn without replacement.'),
});

export type ForestParams = z.infer<typeof params>;

export default defineStage<ForestParams>({
  name: 'anomaly.isolation-forest',
  version: 1,
  summary: 'Scores how soon random cuts set a row apart from the others; needs no scaling of features.',
  params,
  inputs: groupingInputs,
  outputs: anomalyOutputs,
  isolation: 'thread',
  runs: 'anomaly-isolation-forest',
  resources: ({ maxRows, trees, sampleSize }) => ({
    threads: 1,
    memoryMb: 300 + Math.ceil((maxRows * 1000 + trees * sampleSize * 200) / 1e6),
    gpus: 0,
  }),
});
