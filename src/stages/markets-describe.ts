import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

const params = z.strictObject({
  hoursToClose: z
    .array(z.number().min(0).max(8760))
    .min(1)
    .default([24, 1, 168])
    .describe(
      'Hours before the close at which prices are judged; the first is the one that is drawn and split by category',
    ),
  resamples: z.int().min(100).max(10_000).default(1000).describe('Resamples of events for the intervals of the curve'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'markets.describe',
  version: 1,
  summary:
    'What the data holds: days covered, volume counted once, where it lies, and whether prices said what came true.',
  params,
  inputs: {
    trades: input('table', 'Fills, one row a wallet and fill'),
    markets: input('table', 'Markets with their category and close'),
    resolutions: input('table', 'Payouts; without them prices are not judged', { optional: true }),
  },
  outputs: {
    metrics: output('metrics', 'Days, volume, scores of prices'),
    figures: output('figures', 'Volume by day and market, reliability of prices, longshot bias'),
  },
  isolation: 'process',
  runs: 'markets-describe',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
