import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importActivity } from '../../markets/activity/import.ts';
import type { params } from '../source-polymarket-activity.ts';
import { runImport } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = (context) =>
  runImport(
    context,
    (duck, scratch) =>
      importActivity(duck, context.params, {
        trades: context.outputPath('trades'),
        flows: context.outputPath('flows'),
        markets: context.outputPath('markets'),
        scratch,
      }),
    // DuckDB goes beyond its limit by some hundred megabytes, and the rows lie in memory beside it.
    Math.max(300, context.resources.memoryMb - 1200),
  );

export default run;
