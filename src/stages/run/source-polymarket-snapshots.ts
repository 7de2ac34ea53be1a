import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importSnapshots } from '../../markets/snapshots/import.ts';
import type { params } from '../source-polymarket-snapshots.ts';
import { openTaskDuck } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const duck = await openTaskDuck(context);
  try {
    const { metrics, figures } = await importSnapshots(duck, context.params, {
      positions: context.outputPath('positions'),
      leaderboard: context.outputPath('leaderboard'),
      scratch: await context.scratch(),
    });
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
