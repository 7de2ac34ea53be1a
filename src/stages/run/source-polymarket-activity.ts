import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importActivity } from '../../markets/activity/import.ts';
import { openDuck } from '../../tables/duck.ts';
import type { params } from '../source-polymarket-activity.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const { threads, memoryMb } = context.resources;
  const scratch = await context.scratch();
  // DuckDB goes beyond its limit by some hundred megabytes, and the rows lie in memory beside it.
  const duck = await openDuck({ threads, memoryMb: Math.max(300, memoryMb - 1200), scratch });
  try {
    const { metrics, figures } = await importActivity(duck, context.params, {
      trades: context.outputPath('trades'),
      flows: context.outputPath('flows'),
      markets: context.outputPath('markets'),
      scratch,
    });
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
