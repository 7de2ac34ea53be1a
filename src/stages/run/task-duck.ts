/** The database of a task, within the resources that the task was granted. */
import type { StageContext } from '../../contract/stage.ts';
import { type Duck, openDuck } from '../../tables/duck.ts';

/** DuckDB takes up to half a gigabyte beyond its limit, and the rest of the process needs some too. */
const RESERVE_MB = 768;
const LEAST_MB = 256;

export async function openTaskDuck(context: Pick<StageContext, 'resources' | 'scratch'>): Promise<Duck> {
  return openDuck({
    threads: context.resources.threads,
    memoryMb: databaseMb(context),
    scratch: await context.scratch(),
  });
}

/** What the databases of a task may take together. */
export function databaseMb({ resources }: Pick<StageContext, 'resources'>): number {
  return Math.max(LEAST_MB, resources.memoryMb - RESERVE_MB);
}
