import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { duration } from '../tables/time.ts';
import { asOfSchema } from '../wallets/dates.ts';

const params = z.strictObject({
  asOf: asOfSchema.prefault({}).describe('The dates, as in wallets.profile; give both stages the same'),
  minTrades: z.int().min(1).default(1).describe('As in wallets.profile; give both stages the same (fills)'),
  horizon: duration.default('30d').describe('Length of the window after each date that the labels describe, e.g. 30d'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'wallets.targets',
  version: 1,
  summary: 'Labels for every wallet and date: edge, profit and volume of what it trades next, and when that was known.',
  params,
  inputs: {
    trades: input('table', 'Fills, as for wallets.profile'),
    markets: input('table', 'Markets with their category'),
    resolutions: input('table', 'Payouts with the moment at which they could be known', { optional: true }),
  },
  outputs: {
    table: output('table', 'One row a wallet and date, the rows of wallets.profile', { orderBy: ['asOf', 'wallet'] }),
    metrics: output('metrics', 'Rows, rows without labels and why'),
  },
  isolation: 'process',
  runs: 'wallets-targets',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
