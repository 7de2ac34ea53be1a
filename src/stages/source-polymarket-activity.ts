import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';
import { flowOrder } from '../markets/flows.ts';

export const params = z.strictObject({
  files: z
    .array(z.string().min(1))
    .min(1)
    .describe("Answers of the data API's /activity as JSON or JSON lines, gzipped if the name ends in .gz"),
  duplicates: z
    .enum(['keep', 'drop-exact'])
    .default('keep')
    .describe('Rows equal to an earlier one in all that is read: keep them, or drop them (overlapping pages)'),
  maxRejected: z
    .number()
    .min(0)
    .max(1)
    .default(0.001)
    .describe('Share of the rows of a file that may be refused before the run stops, 0 to 1'),
});

export default defineStage({
  name: 'source.polymarket-activity',
  version: 2,
  summary: 'Reads the recorded activity of wallets: fills, and the splits, merges, redemptions and rewards beside them',
  params,
  inputs: {},
  outputs: {
    trades: output('table', 'Fills, one row a wallet and fill', { orderBy: canonicalOrder.trades }),
    flows: output('table', 'Cash and tokens that moved without a trade', { orderBy: flowOrder }),
    markets: output('table', 'Markets as far as the activity names them', { orderBy: canonicalOrder.markets }),
    metrics: output('metrics', 'What became of the rows of each file, flows by kind'),
    figures: output('figures', 'Fills and volume over time, wallets by size, reasons for refusal'),
  },
  isolation: 'process',
  runs: 'source-polymarket-activity',
  resources: () => ({ threads: 1, memoryMb: 2000, gpus: 0 }),
  files: ({ files }) => files,
});
