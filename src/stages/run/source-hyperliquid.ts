import type { StageContext } from '../../contract/stage.ts';
import { perpetualTables } from '../../markets/hyperliquid/canonical.ts';
import { type HyperliquidPaths, importHyperliquid } from '../../markets/hyperliquid/import.ts';
import type { Params } from '../source-hyperliquid.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const duck = await openTaskDuck(context);
  try {
    const outputs = Object.fromEntries(perpetualTables.map((table) => [table, context.outputPath(table)]));
    const { metrics, figures } = await importHyperliquid(
      duck,
      context.params,
      { ...outputs, scratch: await context.scratch() } as HyperliquidPaths,
      (done, total) => {
        context.throwIfCancelled();
        context.progress(done, total, 'files');
      },
    );
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
}
