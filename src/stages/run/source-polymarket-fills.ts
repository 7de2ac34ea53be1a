import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importFills } from '../../markets/polymarket/import-fills.ts';
import type { params } from '../source-polymarket-fills.ts';
import { runImport } from './task-duck.ts';

const run: StageRun<z.output<typeof params>> = (context) =>
  runImport(context, (duck, scratch) =>
    importFills(duck, context.params, {
      knownMarkets: context.optionalInput('markets')?.path ?? null,
      trades: context.outputPath('trades'),
      markets: context.outputPath('markets'),
      scratch,
    }),
  );

export default run;
