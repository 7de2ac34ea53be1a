import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importFills } from '../../markets/polymarket/import-fills.ts';
import type { params } from '../source-polymarket-fills.ts';
import { openTaskDuck } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const duck = await openTaskDuck(context);
  try {
    const { metrics, figures } = await importFills(duck, context.params, {
      knownMarkets: context.optionalInput('markets')?.path ?? null,
      trades: context.outputPath('trades'),
      markets: context.outputPath('markets'),
      scratch: await context.scratch(),
    });
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
