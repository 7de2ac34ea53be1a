/** The markers of a run while it goes on: what they say now, and changing them as tasks end. */
import type { Task } from '../plan/types.ts';
import type { JobResult } from './job.ts';
import type { Session } from './session.ts';
import { readStates, type TaskState, writeMarker } from './states.ts';

/** States of all tasks of the first rounds, by `keyOf`. */
export async function markersOf(session: Session, rounds: number): Promise<Map<string, TaskState>> {
  const states = new Map<string, TaskState>();
  for (let round = 0; round < rounds; round++)
    for (const [index, state] of await readStates(session.paths, round)) states.set(keyOf({ round, index }), state);
  return states;
}

/** The place of a task in the plan, which no other has. */
export function keyOf(task: Pick<Task, 'round' | 'index'>): string {
  return `${task.round}/${task.index}`;
}

/** Writes how a task ended, unless the marker says so already. */
export async function mark(
  session: Session,
  task: Task,
  result: { state: 'done' } | JobResult,
  states: Map<string, TaskState>,
): Promise<void> {
  const key = keyOf(task);
  const before = states.get(key) ?? 'pending';
  if (before === 'done' && result.state === 'done') return;
  states.set(key, result.state);
  await writeMarker(
    session.paths,
    task,
    {
      state: result.state,
      task: task.id,
      ...('seconds' in result ? { seconds: result.seconds } : {}),
      ...('error' in result ? { error: result.error } : {}),
    },
    before,
  );
}
