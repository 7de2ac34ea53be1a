import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';

export const params = z
  .strictObject({
    format: z
      .enum(['gamma-markets', 'gamma-events', 'clob', 'poly-data-v1'])
      .describe(
        "gamma-markets, gamma-events: answers of Gamma (JSON, JSON lines); clob: pages of the order book service (JSON) or poly_data version 2's CSV of them; poly-data-v1: markets.csv and missing_markets.csv",
      ),
    files: z.array(z.string().min(1)).min(1).describe('Files of that format, gzipped if the name ends in .gz'),
    resolutions: z
      .array(z.string().min(1))
      .default([])
      .describe('Payouts from elsewhere: CSV market_id,payout1,payout2,final_at (UTC or with a zone)'),
    name: z
      .enum(['condition', 'number'])
      .default('condition')
      .describe("What names a market of Gamma: its condition on the chain, or Gamma's number, as poly-data-v1 does"),
    capturedAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe(
        'When the files were downloaded, ISO 8601 with a zone; clob needs it, since it does not say when a market paid',
      ),
    maxRejected: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('Share of the rows of a file that may be refused before the run stops, 0 to 1'),
  })
  .superRefine(({ format, capturedAt }, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', path: ['capturedAt'], message });
    if (format === 'clob' && capturedAt === undefined)
      problem('clob does not say when a market paid: say when it was captured');
    if (format !== 'clob' && capturedAt !== undefined)
      problem(`${format} says when markets paid, or does not at all: leave it out`);
  });

export default defineStage({
  name: 'source.polymarket-markets',
  version: 1,
  summary: 'Reads what Polymarket says of its markets: tokens, events, payouts with their times, and fee schedules',
  params,
  inputs: {},
  outputs: {
    markets: output('table', 'Markets with their event and category', { orderBy: canonicalOrder.markets }),
    events: output('table', 'Events, as far as the files tell of them', { orderBy: canonicalOrder.events }),
    resolutions: output('table', 'Payouts that are final', { orderBy: canonicalOrder.resolutions }),
    feeSchedules: output('table', 'Fee schedules with the time from which they hold', {
      orderBy: canonicalOrder.feeSchedules,
    }),
    metrics: output('metrics', 'What became of the rows of each file'),
    figures: output('figures', 'Reasons for refusal'),
  },
  isolation: 'process',
  runs: 'source-polymarket-markets',
  resources: () => ({ threads: 1, memoryMb: 2000, gpus: 0 }),
  files: ({ files, resolutions }) => [...files, ...resolutions],
});
