import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { asOfSchema } from '../wallets/as-of.ts';

const params = z.strictObject({
  asOf: asOfSchema.prefault({}).describe('The dates as of which wallets are described, on UTC'),
  minTrades: z
    .int()
    .min(1)
    .default(1)
    .describe('Wallets with fewer fills in the window before a date have no row for it (fills)'),
  definitions: z
    .enum(['ours', 'original'])
    .default('ours')
    .describe(
      'What the columns mean. original: the formulas of the pipeline that this one is compared with, defects included (see docs/methods.md); for comparison only',
    ),
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
  version: 7,
  summary:
    'Describes every wallet as of dates: size, pace, focus, settled profit, edge, counterparties, with nothing from later.',
  params,
  inputs: {
    trades: input(
      'table',
      'Fills: seq, time, market, event, token, outcomeIndex, wallet, role, side, price, usd, shares, fee',
    ),
    markets: input('table', 'Markets with their category'),
    resolutions: input('table', 'Payouts with the moment at which they could be known', { optional: true }),
    facts: input('folder', 'The same fills as wallets.facts leaves them; made here if not connected', {
      optional: true,
    }),
    funding: input('table', 'When wallets were first funded: wallet, fundedAt', { optional: true }),
  },
  outputs: {
    table: output('table', 'One row a wallet and date; parts of wallets beyond half a million rows', {
      orderBy: ['asOf', 'wallet'],
    }),
    metrics: output('metrics', 'Rows, wallets, dates, unknown values'),
    figures: output('figures', 'Wallets by date, the largest, concentration of volume, profit, calibration of prices'),
  },
  isolation: 'process',
  runs: 'wallets-profile',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
