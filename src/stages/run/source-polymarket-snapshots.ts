import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importSnapshots } from '../../markets/snapshots/import.ts';
import type { params } from '../source-polymarket-snapshots.ts';
import { runImport } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = (context) =>
  runImport(context, (duck, scratch) =>
    importSnapshots(duck, context.params, {
      positions: context.outputPath('positions'),
      leaderboard: context.outputPath('leaderboard'),
      scratch,
    }),
  );

export default run;
