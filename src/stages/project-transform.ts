import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { projectionFields } from './projection-fields.ts';

const params = z.strictObject({
  asOf: projectionFields.asOf
    .default('all')
    .describe('Rows to take by the time column: all, those of the last time, or the newest known at a time (UTC).'),
});

export type TransformParams = z.infer<typeof params>;

export default defineStage<TransformParams>({
  name: 'project.transform',
  version: 2,
  summary: 'Places other rows on a map of project.umap, which stands still.',
  params,
  inputs: {
    model: input('model', 'Model of project.umap'),
    features: input('frame', 'Rows with the columns and units that the map was made of'),
  },
  outputs: {
    embedding: output('table', 'id, time, x, y of every row.', { orderBy: ['id', 'time'] }),
    metrics: output('metrics', 'Rows placed, and those of the map'),
  },
  isolation: 'thread',
  runs: 'project-transform',
  resources: () => ({ threads: 2, memoryMb: 1024, gpus: 0 }),
});
