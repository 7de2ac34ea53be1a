import { z } from 'zod';
import { defineStage } from '../contract/stage.ts';
import { projectionFields, projectionInputs, projectionMemoryMb, projectionOutputs } from './projection-fields.ts';

const params = z.strictObject({ ...projectionFields });

export type PcaParams = z.infer<typeof params>;

export default defineStage<PcaParams>({
  name: 'project.pca',
  version: 1,
  summary: 'Lays rows out in the plane by their first two principal components, a linear map.',
  params,
  inputs: projectionInputs,
  outputs: projectionOutputs,
  isolation: 'thread',
  runs: 'project-pca',
  resources: ({ maxRows, qualityNeighbours }) => ({
    threads: 1,
    memoryMb: projectionMemoryMb(maxRows, qualityNeighbours),
    gpus: 0,
  }),
});
