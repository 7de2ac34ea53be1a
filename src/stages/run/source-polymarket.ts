import type { z } from 'zod';
import type { StageRun } from '../../contract/stage.ts';
import { importPolymarket } from '../../markets/polymarket/import.ts';
import { openDuck } from '../../tables/duck.ts';
import type { params } from '../source-polymarket.ts';

const run: StageRun<z.output<typeof params>> = async (context) => {
  const { threads, memoryMb } = context.resources;
  const scratch = await context.scratch();
  // DuckDB goes beyond its limit by some hundred megabytes.
  const duck = await openDuck({ threads, memoryMb: Math.max(300, memoryMb - 1000), scratch });
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
      (line) => context.log(line),
    );
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
};

export default run;
