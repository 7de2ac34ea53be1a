import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

const params = z.strictObject({
  set: z
    .enum(['all', 'test'])
    .default('test')
    .describe('Rows to encode: test, those that the network has neither learned from nor been chosen by; or all'),
});

export type EncodeParams = z.infer<typeof params>;

export default defineStage<EncodeParams>({
  name: 'features.encode',
  version: 1,
  summary: 'Shows rows as a trained network sees them: the activations of its shared encoder as features, for maps.',
  params,
  inputs: {
    model: input('model', 'A network of train.mtl'),
    features: input('frame', 'Rows with the features that it was trained on'),
    splits: input('frame', 'The split that it was trained by; for `set: test`', { optional: true }),
  },
  outputs: {
    frame: output(
      'frame',
      'The rows, with features encoding0, encoding1, ... in place of theirs, which stay to be shown',
    ),
  },
  isolation: 'thread',
  runs: 'features-encode',
  resources: () => ({ threads: 1, memoryMb: 1024, gpus: 0 }),
});
