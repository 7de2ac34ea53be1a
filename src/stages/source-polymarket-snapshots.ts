import { z } from 'zod';
import { defineStage, output } from '../contract/stage.ts';
import { canonicalOrder } from '../markets/canonical.ts';

const files = (what: string) =>
  z
    .array(z.string().min(1))
    .default([])
    .describe(`Answers of the data API's ${what} as JSON or JSON lines, gzipped if the name ends in .gz`);

export const params = z
  .strictObject({
    positions: files('/positions'),
    leaderboard: files('leaderboard'),
    capturedAt: z.iso
      .datetime({ offset: true })
      .describe('When the snapshot was taken, ISO 8601 with a zone: the answers do not say'),
    maxRejected: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('Share of the rows of a file that may be refused before the run stops, 0 to 1'),
  })
  .refine(
    ({ positions, leaderboard }) => positions.length + leaderboard.length > 0,
    'name positions, leaderboard or both',
  );

export default defineStage({
  name: 'source.polymarket-snapshots',
  version: 1,
  summary: "Reads the venue's own snapshots of positions and ranks, for comparison with the ledger",
  params,
  inputs: {},
  outputs: {
    positions: output('table', 'What wallets held, as the venue says', {
      optional: true,
      orderBy: canonicalOrder.positions,
    }),
    leaderboard: output('table', 'How wallets ranked, as the venue says', {
      optional: true,
      orderBy: canonicalOrder.leaderboard,
    }),
    metrics: output('metrics', 'What became of the rows of each file'),
    figures: output('figures', 'Reasons for refusal'),
  },
  isolation: 'process',
  runs: 'source-polymarket-snapshots',
  resources: () => ({ threads: 1, memoryMb: 1500, gpus: 0 }),
  files: ({ positions, leaderboard }) => [...positions, ...leaderboard],
});
