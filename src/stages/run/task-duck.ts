/** The database of a task, within the resources that the task was granted. */
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile } from '../../contract/metrics.ts';
import type { StageContext } from '../../contract/stage.ts';
import { type Duck, openDuck } from '../../tables/duck.ts';

/** DuckDB takes up to half a gigabyte beyond its limit, and the rest of the process needs some too. */
const RESERVE_MB = 768;
const LEAST_MB = 256;

export async function openTaskDuck(
  context: Pick<StageContext, 'resources' | 'scratch'>,
  memoryMb = databaseMb(context),
): Promise<Duck> {
  return openDuck({ threads: context.resources.threads, memoryMb, scratch: await context.scratch() });
}

/** What the databases of a task may take together. */
export function databaseMb({ resources }: Pick<StageContext, 'resources'>): number {
  return Math.max(LEAST_MB, resources.memoryMb - RESERVE_MB);
}

/** Runs the import of a source on a database of its own, of `memoryMb`, and writes what it says of the data. */
export async function runImport(
  context: StageContext,
  read: (duck: Duck, scratch: string) => Promise<{ metrics: MetricsFile; figures: readonly Figure[] }>,
  memoryMb?: number,
): Promise<void> {
  const duck = await openTaskDuck(context, memoryMb);
  try {
    const { metrics, figures } = await read(duck, await context.scratch());
    await context.writeMetrics('metrics', metrics);
    await context.writeFigures('figures', figures);
  } finally {
    duck.close();
  }
}
