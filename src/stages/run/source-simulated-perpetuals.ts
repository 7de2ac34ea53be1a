import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { describePerpetuals } from '../../markets/simulated/perpetuals/describe.ts';
import { loadPerpetuals, writePerpetuals } from '../../markets/simulated/perpetuals/tables.ts';
import { openDuck } from '../../tables/duck.ts';
import type { params } from '../source-simulated-perpetuals.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const { threads, memoryMb } = context.resources;
  const duck = await openDuck({ threads, memoryMb: Math.floor(memoryMb / 2), scratch: await context.scratch() });
  try {
    const { fills, unfilled } = await loadPerpetuals(duck, context.params, (purpose) => context.rng(purpose));
    context.log(`simulated ${fills} fills of ${context.params.wallets} accounts`);
    await writePerpetuals(duck, context.params, (table) => context.outputPath(table));
    const { metrics, figures } = await describePerpetuals(duck, context.outputPath('fills'), unfilled);
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
