import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { readingFields } from '../tables/dataset.ts';

const params = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('The file: CSV, Parquet, Arrow (IPC, Feather) or JSON lines; CSV and JSON may be .gz'),
  dataset: z.string().optional().describe('Description of the data set (YAML); what is given here goes before it'),
  ...readingFields,
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'source.table',
  version: 2,
  summary: 'Imports any table of rows strictly: CSV, Parquet, Arrow or JSON lines, with a role for every column.',
  params,
  inputs: {},
  outputs: {
    table: output('table', 'The rows in the order of the file, with roles'),
    metrics: output('metrics', 'Rows read, kept and rejected by reason; duplicates; missing values'),
  },
  isolation: 'process',
  runs: 'source-table',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
  files: ({ path, dataset }) => (dataset === undefined ? [path] : [path, dataset]),
});
