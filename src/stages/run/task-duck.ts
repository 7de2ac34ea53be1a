/** The database of a task, within the resources that the task was granted. */
import type { StageContext } from '../../contract/stage.ts';
import { type Duck, openDuck } from '../../tables/duck.ts';

/** DuckDB takes up to half a gigabyte beyond its limit, and the rest of the process needs some too. */
const RESERVE_MB = 768;
const LEAST_MB = 256;

export async function openTaskDuck(context: Pick<StageContext, 'resources' | 'scratch'>): Promise<Duck> {
  const { threads, memoryMb } = context.resources;
  return openDuck({
    threads,
    memoryMb: Math.max(LEAST_MB, memoryMb - RESERVE_MB),
    scratch: await context.scratch(),
  });
}
