import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { duration } from '../tables/time-schemas.ts';

const params = z.strictObject({
  horizon: duration.default('6h').describe('How long after a fill it is judged, e.g. 6h'),
  tolerance: duration
    .default('1h')
    .describe('How much older than the horizon the price there may be, e.g. 1h; a fill without one has no label'),
  payouts: z
    .boolean()
    .default(true)
    .describe('A token whose outcome is public by the horizon is worth its payout then; false: only prices count'),
  costs: z
    .strictObject({
      halfSpread: z
        .number()
        .min(0)
        .max(0.5)
        .default(0.005)
        .describe('Paid on entry and again on exit at a price, USD per share'),
      feeRate: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('Fee of a taker: shares x rate x (p(1-p))^exponent, on entry and on exit; USD per share'),
      feeExponent: z.number().min(0).max(4).default(1).describe('Power of p(1-p) in the fee'),
    })
    .prefault({})
    .describe('What copying a fill costs'),
  minHistory: z
    .int()
    .min(2)
    .default(10)
    .describe('Fewest earlier fills of the wallet for the z-score of a size (fills)'),
  spreadWindow: duration.default('1h').describe('Quotes and prices older than this say nothing of the spread, e.g. 1h'),
  sampleRows: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('Fills to take, drawn by the seed without replacement; null takes all (rows)'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'features.trades',
  version: 1,
  summary: 'One row a fill: what was known when it was made, and what copying it would have earned by a horizon.',
  params,
  inputs: {
    trades: input('table', 'Fills, as for wallets.profile'),
    markets: input('table', 'Markets with their category'),
    resolutions: input('table', 'Payouts with the moment at which they could be known', { optional: true }),
    events: input('table', 'Events with their planned end', { optional: true }),
    quotes: input('table', 'Best quotes: market, token, time, bid, ask. Without: spread of the last fills of takers', {
      optional: true,
    }),
  },
  outputs: {
    table: output('table', 'One row a fill: features, labels, labelEnd, group event', { orderBy: ['seq'] }),
    metrics: output('metrics', 'Rows, rows without label and why, share of profitable fills, missing values'),
  },
  isolation: 'process',
  runs: 'features-trades',
  resources: () => ({ threads: 2, memoryMb: 3072, gpus: 0 }),
});
