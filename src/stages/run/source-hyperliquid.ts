import type { StageContext } from '../../contract/stage.ts';
import { perpetualTables } from '../../markets/hyperliquid/canonical.ts';
import { type HyperliquidPaths, importHyperliquid } from '../../markets/hyperliquid/import.ts';
import type { Params } from '../source-hyperliquid.ts';
import { runImport } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const outputs = Object.fromEntries(perpetualTables.map((table) => [table, context.outputPath(table)]));
  await runImport(context, (duck, scratch) =>
    importHyperliquid(duck, context.params, { ...outputs, scratch } as HyperliquidPaths, (done, total) => {
      context.throwIfCancelled();
      context.progress(done, total, 'files');
    }),
  );
}
