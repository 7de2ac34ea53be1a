/** Why a task would run: what differs from the task that stood in its place in the last run. */
import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { canonicalJson } from '../experiment/canonical.ts';
import type { Task } from '../plan/types.ts';
import { runPaths } from '../store/layout.ts';
import type { Session } from './session.ts';

/** Tasks of the run before, by place: stage and coordinates. */
export type Previous = ReadonlyMap<string, Task>;

function placeOf(task: Pick<Task, 'stage' | 'coordinates'>): string {
  return canonicalJson([task.stage, task.coordinates]);
}

export async function previousManifests(session: Session): Promise<Previous> {
  const folder = path.dirname(session.run);
  const last = await readlink(path.join(folder, 'latest')).catch(() => undefined);
  const found = new Map<string, Task>();
  if (last === undefined) return found;
  for (let round = 0; ; round++) {
    const text = await readFile(runPaths(path.join(folder, last)).round(round), 'utf8').catch(() => undefined);
    if (text === undefined) return found;
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const task = JSON.parse(line) as Task;
      found.set(placeOf(task), task);
    }
  }
}

export function whyItRuns(task: Task, previous: Previous, isDone: (id: string) => boolean): string {
  const before = previous.get(placeOf(task));
  if (before === undefined) return 'to run: new';
  if (before.id === task.id) return 'to run: not done yet';
  if (before.use !== task.use) return `to run: now ${task.use}, was ${before.use}`;
  const changed = changedParams(before.params, task.params);
  if (changed.length > 0)
    return `to run: changed ${changed.slice(0, 3).join(', ')}${changed.length > 3 ? ', ...' : ''}`;
  if (before.seed !== task.seed) return 'to run: changed seed';
  if (before.engine !== task.engine) return `to run: engine ${task.engine}, was ${before.engine}`;
  if (before.engineVersion !== task.engineVersion)
    return `to run: ${task.engine ?? task.use} ${task.engineVersion}, was ${before.engineVersion}`;
  if (canonicalJson(before.files.map((file) => file.sha256)) !== canonicalJson(task.files.map((file) => file.sha256)))
    return 'to run: changed data file';
  if (before.version !== task.version) return `to run: version ${task.version} of ${task.use}`;
  if (before.numerics !== task.numerics) return `to run: changed code of ${task.use}`;
  const upstream = Object.values(task.inputs)
    .flat()
    .filter((input) => !isDone(input.task))
    .map((input) => input.stage);
  const named = [...new Set(upstream)];
  return named.length > 0 ? `to run: changed input ${named.join(', ')}` : 'to run: changed input';
}

function changedParams(before: unknown, now: unknown): string[] {
  const a = (before ?? {}) as Record<string, unknown>;
  const b = (now ?? {}) as Record<string, unknown>;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => canonicalJson(a[key] ?? null) !== canonicalJson(b[key] ?? null))
    .sort((first, second) => (first < second ? -1 : 1));
}
