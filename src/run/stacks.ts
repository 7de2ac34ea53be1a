/** Which tasks are worth running together. Grouping enters no identity: each task leaves its own artifact. */
import type { StageDefinition } from '../contract/stage.ts';
import { canonicalJson } from '../experiment/canonical.ts';
import type { Task } from '../plan/types.ts';

/**
 * Tasks of equal keys do the same with the same inputs, but for parameters that a stack may differ in; undefined where
 * the stage, or its engine, gains nothing from company.
 */
export function stackKey(
  task: Pick<Task, 'use' | 'engine' | 'params' | 'inputs' | 'coordinates'>,
  definition: Pick<StageDefinition, 'stacks' | 'stackable'> | undefined,
): string | undefined {
  if (definition?.stacks?.(task.engine) !== true) return undefined;
  const free = new Set(definition.stackable ?? []);
  const fixed = Object.entries(task.params as Record<string, unknown>).filter(([name]) => !free.has(name));
  const { use, engine, inputs, coordinates } = task;
  return canonicalJson({ use, engine, params: Object.fromEntries(fixed), inputs, fold: coordinates.fold ?? null });
}
