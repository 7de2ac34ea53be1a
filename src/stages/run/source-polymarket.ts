import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importPolymarket } from '../../markets/polymarket/import.ts';
import { openDuck } from '../../tables/duck.ts';
import type { params } from '../source-polymarket.ts';

/** Beyond its limit a database takes some memory for each thread; the rest of the process needs some too. */
const RESERVE_MB = 600;

const run: StageRun<z.output<typeof params>> = async (context) => {
  const { threads, memoryMb } = context.resources;
  const scratch = await context.scratch();
  // While the threads read the trades, the database of this one has nothing to do; so each may have nearly all.
  const limit = Math.max(300, memoryMb - RESERVE_MB * threads);
  const duck = await openDuck({ threads, memoryMb: limit, scratch });
  try {
    const { metrics, figures } = await importPolymarket(
      duck,
      context.params,
      {
        trades: context.outputPath('trades'),
        markets: context.outputPath('markets'),
        resolutions: context.outputPath('resolutions'),
        scratch,
      },
      {
        threads,
        memoryMb: limit,
        progress: () => context.throwIfCancelled(),
      },
    );
    context.log(`read ${metrics.quality?.[0]?.rowsRead} rows of ${context.params.trades}`);
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
