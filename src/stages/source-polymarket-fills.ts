import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';

export const params = z
  .strictObject({
    format: z
      .enum(['order-filled', 'logs', 'data-api'])
      .describe(
        "order-filled: poly_data's goldsky/orderFilled.csv, both versions; logs: raw OrderFilled and OrdersMatched logs as CSV with JSON arguments; data-api: answers of the data API's /trades as JSON or JSON lines",
      ),
    files: z.array(z.string().min(1)).min(1).describe('Files of that format, gzipped if the name ends in .gz'),
    unknownTokens: z
      .enum(['reject', 'own-market'])
      .default('reject')
      .describe('Tokens in none of the markets given: refuse their fills, or take each for a market of its own'),
    cutTransactions: z
      .enum(['keep', 'drop'])
      .default('keep')
      .describe("logs: fills of transactions whose makers' tokens do not add up to the taker's, such as at the edges"),
    feeUnit: z
      .enum(['received', 'usd'])
      .optional()
      .describe(
        'order-filled with a column fee, in millionths: of what the order took (older contracts), or of dollars',
      ),
    takersOnly: z
      .boolean()
      .default(false)
      .describe('data-api: the answer lists takers only (takerOnly=true, its default); else the role is unknown'),
    duplicates: z
      .enum(['keep', 'drop-exact'])
      .default('keep')
      .describe(
        "Rows equal to an earlier one in all that is read (of logs: in all but the recorder's id and time): keep them, or drop them; the totals of both are reported",
      ),
    maxRejected: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('Share of the rows of a file that may be refused before the run stops, 0 to 1'),
  })
  .superRefine(({ format, feeUnit, takersOnly }, context) => {
    const problem = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (format !== 'order-filled' && feeUnit !== undefined)
      problem('feeUnit', 'only order-filled has it: leave it out');
    if (format !== 'data-api' && takersOnly) problem('takersOnly', 'the chain tells who took: leave it out');
  });

export default defineStage({
  name: 'source.polymarket-fills',
  version: 2,
  summary: 'Reads fills from the chain or the data API, gives every fill one row, and says what it refused',
  params,
  inputs: {
    markets: input('table', 'Markets of source.polymarket-markets, which name the tokens', { optional: true }),
  },
  outputs: {
    trades: output('table', 'Fills, one row a wallet and fill', { orderBy: canonicalOrder.trades }),
    markets: output('table', 'Markets with fills', { orderBy: canonicalOrder.markets }),
    metrics: output('metrics', 'What became of the rows of each file, and totals under both policies on duplicates'),
    figures: output('figures', 'Fills and volume over time, wallets by size, reasons for refusal'),
  },
  isolation: 'process',
  runs: 'source-polymarket-fills',
  resources: () => ({ threads: 2, memoryMb: 3000, gpus: 0 }),
  files: ({ files }) => files,
});
