import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { openblasRequirement } from '../native/openblas.ts';
import { projectionFields, projectionInputs, projectionMemoryMb, projectionOutputs } from './projection-fields.ts';

const params = z.strictObject({
  ...projectionFields,
  components: z
    .int()
    .min(2)
    .max(1000)
    .default(10)
    .describe('Components in the model file and in the figures; the map shows the first two.'),
});

export type PcaParams = z.infer<typeof params>;

export default defineStage<PcaParams>({
  name: 'project.pca',
  version: 3,
  summary: 'Lays rows out in the plane by their first two principal components, a linear map.',
  params,
  inputs: projectionInputs,
  outputs: {
    ...projectionOutputs,
    model: output('model', 'Features, scale and components as JSON; lays out later rows'),
  },
  isolation: (engine) => (engine === 'openblas' ? 'process' : 'thread'),
  runs: 'project-pca',
  // For hundreds of columns OpenBLAS is many times faster; below that it gains nothing, and bytes depend on the CPU.
  engines: [{ name: 'wasm' }, { name: 'openblas', requires: openblasRequirement }],
  resources: ({ maxRows, qualityNeighbours }) => ({
    threads: 1,
    memoryMb: projectionMemoryMb(maxRows, qualityNeighbours),
    gpus: 0,
  }),
});
