import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { moment } from '../tables/time-schemas.ts';
import { corrections, groupings, weightings } from '../wallets/discovery/words.ts';

const params = z.strictObject({
  asOf: moment
    .optional()
    .describe('Nothing from this moment on is used: no fill and no outcome. Default: all of the data'),
  weights: z
    .enum(weightings)
    .default('equal')
    .describe('equal: every bet counts one, exact test; shares: by the shares of its first fill, saddlepoint'),
  null: z
    .enum(['prices', 'recalibrated'])
    .default('prices')
    .describe(
      'What a bet wins without skill. prices: as often as its all-in price says; recalibrated: as often as bets like it did for other wallets in other events',
    ),
  recalibrateBy: z
    .array(z.enum(groupings))
    .default(['role'])
    .describe('null recalibrated: what may shift the chance beside the price'),
  correction: z
    .enum(corrections)
    .default('benjamini-hochberg')
    .describe('benjamini-yekutieli holds however wallets depend on each other, and finds less'),
  falseDiscoveryRate: z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.05)
    .describe('Share of false ones that is accepted among the wallets found'),
  minEvents: z.int().min(1).default(30).describe('Wallets with settled bets on fewer events are not tested'),
  largestEventShare: z
    .number()
    .gt(0)
    .max(1)
    .nullable()
    .default(0.6)
    .describe(
      'Wallets whose best event made this share of all their gains or more are not called found; null: all are',
    ),
  planted: z
    .strictObject({
      mean: z.number().min(-1).max(1).default(0.03).describe('Mean over skilled wallets, USD per share'),
      sd: z.number().min(0).max(1).default(0.02).describe('Standard deviation over skilled wallets, USD per share'),
    })
    .prefault({})
    .describe('With a truth: the distribution of planted edges, from which the share to be found is predicted'),
  describe: z
    .enum(['findings', 'figures'])
    .default('findings')
    .describe('findings: answer in words as well; figures: leave the answer to another stage'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'wallets.discover',
  version: 1,
  summary:
    'Tests whether each wallet wins more than its prices say, and keeps the share of false discoveries to a rate.',
  params,
  inputs: {
    trades: input('table', 'Fills, as for wallets.profile'),
    markets: input('table', 'Markets with their category and close'),
    resolutions: input('table', 'Payouts with the moment at which they could be known'),
    truth: input('table', 'Planted edge of each wallet', { optional: true }),
  },
  outputs: {
    table: output('table', 'One row a wallet tested', { orderBy: ['wallet'] }),
    metrics: output('metrics', 'Wallets tested and found; with a truth precision, recall and predicted power'),
    figures: output('figures', 'p-values, found wallets, edges with intervals'),
  },
  isolation: 'process',
  runs: 'wallets-discover',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
