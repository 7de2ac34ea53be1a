import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importPolymarket } from '../../markets/polymarket/import.ts';
import type { params } from '../source-polymarket.ts';
import { runImport } from './task-duck.ts';

/** Beyond its limit a database takes some memory for each thread; the rest of the process needs some too. */
const RESERVE_MB = 600;

/** What a thread that reads trades takes beside its database. */
const THREAD_MB = 300;

const run: StageRun<z.output<typeof params>> = async (context) => {
  const { resources } = context;
  const threads = Math.max(1, Math.min(resources.threads, Math.floor(resources.memoryMb / THREAD_MB)));
  // While the threads read the trades, the database of this one has nothing to do; so each may have nearly all.
  const memoryMb = Math.max(300, resources.memoryMb - RESERVE_MB * threads);
  await runImport(
    context,
    async (duck, scratch) => {
      const outputs = {
        trades: context.outputPath('trades'),
        markets: context.outputPath('markets'),
        resolutions: context.outputPath('resolutions'),
        scratch,
      };
      const progress = (): void => context.throwIfCancelled();
      const found = await importPolymarket(duck, context.params, outputs, { threads, memoryMb, progress });
      context.log(`read ${found.metrics.quality?.[0]?.rowsRead} rows of ${context.params.trades}`);
      return found;
    },
    memoryMb,
  );
};

export default run;
