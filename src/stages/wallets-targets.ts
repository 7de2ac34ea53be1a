import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { duration } from '../tables/time-schemas.ts';
import { asOfSchema } from '../wallets/as-of.ts';
import { targetFamilies } from '../wallets/targets/columns.ts';

const params = z.strictObject({
  asOf: asOfSchema.prefault({}).describe('The dates, as in wallets.profile; give both stages the same'),
  minTrades: z.int().min(1).default(1).describe('As in wallets.profile; give both stages the same (fills)'),
  horizon: duration.default('30d').describe('Length of the window after each date that the labels describe, e.g. 30d'),
  families: z
    .array(z.enum(targetFamilies))
    .min(1)
    .default([...targetFamilies])
    .describe(
      'Families of targets. labelEnd is when the latest of them was known, so name those that are learned: style, risk, bot and influence wait for the window alone, outcomes and sophistication for settlement, ranks of edge for that of all wallets',
    ),
  baselines: z
    .boolean()
    .default(true)
    .describe('Also write, as past..., what each target was on the look-back: its value as a baseline'),
  settleWithin: duration
    .nullable()
    .default('30d')
    .describe(
      'How long after the window an outcome may become known and count, e.g. 30d. Null: however late, as far as the data go',
    ),
  style: z
    .strictObject({
      recent: duration.default('1d').describe('The recent path of a token before a fill, e.g. 1d'),
      trend: duration.default('7d').describe('The longer path that tells its trend, e.g. 7d'),
    })
    .prefault({})
    .describe('Spans of the price paths that fills are held against'),
  influenceWindow: duration
    .default('1h')
    .describe('How long after a fill the move of the price and others on its side are looked for, e.g. 1h'),
  closingLead: duration
    .default('2h')
    .describe('How long before the outcome was public the closing price is taken, e.g. 2h'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'wallets.targets',
  version: 2,
  summary:
    'Labels for every wallet and date: outcomes, style, risk, profit rank, automation, influence, sophistication; each known at a stated time.',
  params,
  inputs: {
    trades: input('table', 'Fills, as for wallets.profile'),
    markets: input('table', 'Markets with their category'),
    resolutions: input('table', 'Payouts with the moment at which they could be known', { optional: true }),
  },
  outputs: {
    table: output('table', 'One row a wallet and date, the rows of wallets.profile', { orderBy: ['asOf', 'wallet'] }),
    metrics: output('metrics', 'Rows, rows without labels and why, coverage and baseline of each target'),
    figures: output('figures', 'Definition, unit, coverage and baseline of each target'),
  },
  isolation: 'process',
  runs: 'wallets-targets',
  resources: () => ({ threads: 2, memoryMb: 3072, gpus: 0 }),
});
