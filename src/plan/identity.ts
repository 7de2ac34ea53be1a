/** The identity of a task: what decides its result, and nothing else. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../experiment/canonical.ts';
import type { Task } from './types.ts';

/** Everything that enters an identity. Names, coordinates of trials, resources and places of files do not. */
export type Identified = Pick<
  Task,
  'use' | 'version' | 'numerics' | 'params' | 'engine' | 'engineVersion' | 'seed' | 'inputs' | 'files' | 'coordinates'
>;

/** 32 hexadecimal digits of SHA-256 over canonical JSON. */
export function identityOf(task: Identified): string {
  const { fold, shard } = task.coordinates;
  const inputs = Object.fromEntries(
    Object.entries(task.inputs).map(([port, list]) => [
      port,
      list.map((from) => ({ task: from.task, output: from.output, stage: from.stage })),
    ]),
  );
  const content = canonicalJson({
    use: task.use,
    version: task.version,
    numerics: task.numerics,
    params: task.params,
    engine: task.engine,
    engineVersion: task.engineVersion,
    seed: task.seed,
    ...(fold === undefined ? {} : { fold }),
    ...(shard === undefined ? {} : { shard }),
    inputs,
    files: task.files.map((file) => file.sha256),
  });
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
