import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';

const params = z.strictObject({});

export default defineStage({
  name: 'wallets.facts',
  version: 4,
  summary: 'Sorts trades by wallet as whole numbers, once for all stages that go through them wallet by wallet.',
  params,
  inputs: { trades: input('table', 'Fills, one row a wallet and fill, in order of time') },
  outputs: {
    facts: output('folder', 'facts, wallets, markets and tokens as Parquet; see docs/methods.md, Facts'),
    metrics: output('metrics', 'How many fills, wallets, markets and tokens there are'),
  },
  isolation: 'process',
  runs: 'wallets-facts',
  resources: () => ({ threads: 2, memoryMb: 2048, gpus: 0 }),
});
