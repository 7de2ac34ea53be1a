import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { describeWorld } from '../../markets/simulated/describe.ts';
import { simulate } from '../../markets/simulated/simulate.ts';
import { loadWorld, writeWorld } from '../../markets/simulated/tables.ts';
import { openDuck } from '../../tables/duck.ts';
import type { params } from '../source-simulated.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const { threads, memoryMb } = context.resources;
  const key = context.rng('world');
  const seed = Array.from({ length: 4 }, () => key.uint32());
  const world = await simulate(context.params, seed, threads);
  context.log(`simulated ${world.addresses.length} wallets in ${world.shards.length} shards`);
  const duck = await openDuck({ threads, memoryMb: Math.floor(memoryMb / 2), scratch: await context.scratch() });
  try {
    await loadWorld(duck, world);
    await writeWorld(duck, world, context.outputPath);
    const { metrics, figures } = await describeWorld(duck, world, context.outputPath('trades'));
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
