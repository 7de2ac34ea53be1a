import type { StageContext } from '../../contract/stage.ts';
import { factFiles } from '../../facts/layout.ts';
import { factsOf } from '../../facts/make.ts';
import { quote } from '../../tables/duck.ts';
import { formatMoment } from '../../tables/time.ts';
import { openTaskDuck } from './task-duck.ts';

/** Of the memory granted, for the databases of the workers: their arrays need about as much. */
const WORKERS_SHARE = 0.3;

export default async function run(context: StageContext): Promise<void> {
  const duck = await openTaskDuck(context);
  try {
    const folder = context.outputPath('facts');
    const { threads, memoryMb } = context.resources;
    const extent = await factsOf(duck, context.input('trades').path, folder, {
      threads,
      memoryMb: Math.floor(memoryMb * WORKERS_SHARE),
      scratch: await context.scratch(),
    });
    const files = factFiles(folder);
    const [counts] = await duck.rows<Record<'wallets' | 'counterparties' | 'markets' | 'events' | 'tokens', number>>(
      `SELECT count(*) FILTER (fills > 0)::DOUBLE AS wallets, count(*) FILTER (fills = 0)::DOUBLE AS counterparties,
         (SELECT count(*) FROM read_parquet(${quote(files.markets)}))::DOUBLE AS markets,
         (SELECT count(DISTINCT event) FROM read_parquet(${quote(files.markets)}))::DOUBLE AS events,
         (SELECT count(*) FROM read_parquet(${quote(files.tokens)}))::DOUBLE AS tokens
       FROM read_parquet(${quote(files.wallets)})`,
    );
    await context.writeMetrics('metrics', {
      scalars: { fills: extent.rows, ...counts },
      notes: [`The trades run from ${formatMoment(extent.first)} to ${formatMoment(extent.last)}.`],
    });
  } finally {
    duck.close();
  }
}
