import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { duration } from '../tables/time-schemas.ts';
import { asOfSchema } from '../wallets/as-of.ts';

const params = z.strictObject({
  asOf: asOfSchema.prefault({}).describe('The dates as of which wallets are described, on UTC'),
  minFills: z
    .int()
    .min(1)
    .default(1)
    .describe('Wallets with fewer fills in the window before a date have no row for it (fills)'),
  maxQuoteAge: duration.default('5s').describe('A quote older than this at an execution says nothing of it'),
  maxBookAge: duration.default('5s').describe('A book older than this at an execution says nothing of it'),
  maxCandleAge: duration
    .default('5m')
    .describe('A last complete candle that became known longer ago than this says nothing of an execution'),
  candleInterval: z
    .string()
    .regex(/^\d{1,3}[mhdwM]$/, 'expected an interval such as 1m')
    .default('1m')
    .describe('Length of the candles to use, as the exchange writes it'),
  impactHorizon: duration.default('10s').describe('How long after an execution its impact on the mid is measured'),
  describe: z
    .enum(['figures', 'findings'])
    .default('figures')
    .describe('findings: also answers whether most wallets realise more than they pay in fees'),
});

export type Params = z.output<typeof params>;

export default defineStage<Params>({
  name: 'features.hyperliquid',
  version: 1,
  summary: 'Describes wallets of a perpetual exchange as of dates: style, slippage, impact, candles, positions.',
  params,
  inputs: {
    fills: input('table', 'Fills of wallets, from source.hyperliquid'),
    quotes: input('table', 'Best bid and offer', { optional: true }),
    books: input('table', 'Levels of the order book', { optional: true }),
    candles: input('table', 'Complete candles', { optional: true }),
    transactions: input('table', 'Transactions of the EVM chain', { optional: true }),
  },
  outputs: {
    table: output('table', 'One row a wallet and date', { orderBy: ['asOf', 'wallet'] }),
    metrics: output('metrics', 'Rows, wallets, dates, executions, unknown values'),
    figures: output('figures', 'What is known of wallets, the largest of them'),
  },
  isolation: 'process',
  runs: 'features-hyperliquid',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
