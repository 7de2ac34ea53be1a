import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importMarkets } from '../../markets/polymarket/import-markets.ts';
import type { params } from '../source-polymarket-markets.ts';
import { openTaskDuck } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const duck = await openTaskDuck(context);
  try {
    const { metrics, figures } = await importMarkets(duck, context.params, {
      markets: context.outputPath('markets'),
      events: context.outputPath('events'),
      resolutions: context.outputPath('resolutions'),
      feeSchedules: context.outputPath('feeSchedules'),
      scratch: await context.scratch(),
    });
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
