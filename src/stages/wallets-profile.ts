import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { asOfSchema } from '../wallets/dates.ts';

const params = z.strictObject({
  asOf: asOfSchema.prefault({}).describe('The dates as of which wallets are described, on UTC'),
  minTrades: z
    .int()
    .min(1)
    .default(1)
    .describe('Wallets with fewer fills in the window before a date have no row for it (fills)'),
  describe: z
    .enum(['nothing', 'figures', 'findings'])
    .default('figures')
    .describe(
      'What the report says of the wallets. figures: their number by date and, as of the last, the largest, the concentration of volume, profit; findings: also answers who makes the volume and, where nothing is settled, whether most are ahead at the last price',
    ),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'wallets.profile',
  version: 2,
  summary: 'Describes every wallet as of dates: size, pace, focus, settled profit and edge, with nothing from later.',
  params,
  inputs: {
    trades: input(
      'table',
      'Fills: seq, time, market, event, token, outcomeIndex, wallet, role, side, price, usd, shares, fee',
    ),
    markets: input('table', 'Markets with their category'),
    resolutions: input('table', 'Payouts with the moment at which they could be known', { optional: true }),
  },
  outputs: {
    table: output('table', 'One row a wallet and date', { orderBy: ['asOf', 'wallet'] }),
    metrics: output('metrics', 'Rows, wallets, dates, unknown values'),
    figures: output('figures', 'Wallets by date, the largest, concentration of volume, profit, calibration of prices'),
  },
  isolation: 'process',
  runs: 'wallets-profile',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
