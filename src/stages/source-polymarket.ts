import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const csv = (what: string) => z.string().min(1).describe(`Path of ${what}, CSV, gzipped if it ends in .gz`);

export const params = z
  .strictObject({
    format: z
      .enum(['data-api-csv', 'poly-data-v1'])
      .describe('data-api-csv: rows of the data API (9 columns); poly-data-v1: trades.csv (11 columns) of poly_data'),
    trades: csv('the trades'),
    markets: csv("poly_data's markets (13 columns); poly-data-v1 only").optional(),
    missingMarkets: csv(
      "poly_data's missing_markets, of markets that a trade named later; poly-data-v1 only",
    ).optional(),
    resolutions: csv('payouts: market_id,payout1,payout2,final_at (UTC or with a zone)').optional(),
    timeZone: z
      .string()
      .refine(isTimeZone, 'not a time zone of the IANA list, such as America/New_York')
      .optional()
      .describe('Zone of the times of data-api-csv, which have none, such as America/New_York; there is no default'),
    duplicates: z
      .enum(['keep', 'drop-exact'])
      .default('keep')
      .describe('Rows equal in every column: keep them, or all but the first; the totals of both are reported'),
    maxRejected: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('Share of the rows of a file that may be refused before the run stops, 0 to 1'),
  })
  .superRefine((value, context) => {
    const problem = (field: 'markets' | 'missingMarkets' | 'timeZone', message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (value.format === 'data-api-csv') {
      if (value.timeZone === undefined)
        problem('timeZone', 'the times of data-api-csv have no zone: name it, e.g. America/New_York');
      if (value.markets !== undefined) problem('markets', 'data-api-csv names the markets in its rows: leave it out');
      if (value.missingMarkets !== undefined) problem('missingMarkets', 'only poly-data-v1 has it: leave it out');
    } else {
      if (value.markets === undefined) problem('markets', 'poly-data-v1 needs its markets.csv');
      if (value.timeZone !== undefined) problem('timeZone', 'the times of poly-data-v1 are UTC: leave it out');
    }
  });

export default defineStage({
  name: 'source.polymarket',
  version: 3,
  summary: 'Reads recorded Polymarket trades, checks every row, and says what it refused',
  params,
  inputs: {},
  outputs: {
    trades: output('table', 'Fills, one row a wallet and fill', { orderBy: canonicalOrder.trades }),
    markets: output('table', 'Markets with their event and category', { orderBy: canonicalOrder.markets }),
    resolutions: output('table', 'Payouts, if a file of them is given', {
      optional: true,
      orderBy: canonicalOrder.resolutions,
    }),
    metrics: output('metrics', 'What became of the rows of each file, and totals under both policies on duplicates'),
    figures: output('figures', 'Fills and volume over time, wallets by size, reasons for refusal'),
  },
  isolation: 'process',
  runs: 'source-polymarket',
  resources: () => ({ threads: 2, memoryMb: 3000, gpus: 0 }),
  files: ({ trades, markets, missingMarkets, resolutions }) =>
    [trades, markets, missingMarkets, resolutions].filter((file) => file !== undefined),
});
