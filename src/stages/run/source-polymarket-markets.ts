import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importMarkets } from '../../markets/polymarket/import-markets.ts';
import type { params } from '../source-polymarket-markets.ts';
import { runImport } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = (context) =>
  runImport(context, (duck, scratch) =>
    importMarkets(duck, context.params, {
      markets: context.outputPath('markets'),
      events: context.outputPath('events'),
      resolutions: context.outputPath('resolutions'),
      feeSchedules: context.outputPath('feeSchedules'),
      scratch,
    }),
  );

export default run;
