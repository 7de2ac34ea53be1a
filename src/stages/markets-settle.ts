import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { feeModes, profitFeeBases } from '../markets/settlement/fees.ts';
import { historyOrder, ledgerOrder } from '../markets/settlement/ledger-order.ts';
import { moment } from '../tables/time-schemas.ts';

const rate = (fallback: number, what: string) => z.number().min(0).max(1).default(fallback).describe(what);

const params = z.strictObject({
  asOf: moment
    .optional()
    .describe('Nothing from this moment on is used: no fill, no price, no outcome. Default: all of the data'),
  fees: z
    .enum(feeModes)
    .default('recorded')
    .describe(
      'none; recorded: as the source says; profit: a rate on winning; curve: shares * rate * p(1-p) of every taker, by the fee schedules of the markets if they are given, else by category',
    ),
  winningFeeRate: rate(0.02, 'Mode profit: the rate, charged when a token pays more than it cost'),
  winningFeeBase: z
    .enum(profitFeeBases)
    .default('profit')
    .describe('Mode profit: what the rate is of: profit (payout less cost), payout, or stake (cost)'),
  curveRates: z
    .strictObject({
      politics: rate(0.04, 'Rate in politics'),
      sports: rate(0.03, 'Rate in sports'),
      crypto: rate(0.07, 'Rate in crypto'),
      other: rate(0.05, 'Rate in all other markets'),
    })
    .prefault({})
    .describe('Mode curve without fee schedules: rate by category of the market'),
  curveFrom: moment
    .optional()
    .describe('Mode curve without fee schedules: fills before this moment are free. Default: none is'),
  makerRebateShare: rate(
    0,
    "Mode curve without fee schedules: part of the taker's fee that the maker of the fill gets back",
  ),
  history: z
    .boolean()
    .default(false)
    .describe('Writes the history of realised profit too: a row for every closing fill, flow and resolution'),
  names: z
    .boolean()
    .default(true)
    .describe(
      'Tables hold the names of wallets, markets and tokens; else their numbers, which is faster and smaller, and the names stand in the output names',
    ),
  bucketFills: z
    .int()
    .min(1)
    .default(500_000)
    .describe('Fills that are settled at once, and about as many as one file of the tables is made of; changes no row'),
});

export type Params = z.infer<typeof params>;

export default defineStage<Params>({
  name: 'markets.settle',
  version: 2,
  summary: 'Settles every wallet in every token: cost, cash, fees, realised and settled profit, exact to 0.000001 USD.',
  params,
  inputs: {
    trades: input('table', 'Fills, one row a wallet and fill'),
    markets: input('table', 'Markets with their category and tokens'),
    resolutions: input('table', 'Payouts with the moment at which they could be known', { optional: true }),
    facts: input('folder', 'Facts made of the same trades; else the stage makes its own', { optional: true }),
    feeSchedules: input('table', 'Fee schedules of markets, for mode curve', { optional: true }),
    flows: input('table', 'Splits, merges, redemptions, conversions, rewards and rebates', { optional: true }),
  },
  outputs: {
    ledger: output('table', 'One row a wallet and token, and one for cash without tokens', { orderBy: ledgerOrder }),
    history: output('table', 'Realised profit, one row whenever tokens leave or an outcome becomes knowable', {
      orderBy: historyOrder,
      optional: true,
    }),
    names: output('folder', 'wallets.parquet, markets.parquet and tokens.parquet: what the numbers stand for', {
      optional: true,
    }),
    metrics: output('metrics', 'Totals, what is settled, whether cash is conserved'),
    figures: output('figures', 'Settled profit of wallets, share of positions without an outcome'),
  },
  isolation: 'process',
  runs: 'markets-settle',
  resources: () => ({ threads: 2, memoryMb: 1536, gpus: 0 }),
});
