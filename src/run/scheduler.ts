/** Decides which task runs next: inputs first, then plan order, as far as threads, memory and GPUs allow. */

import type { Resources } from '../contract/stage.ts';
import type { Task } from '../plan/types.ts';
import type { JobResult } from './job.ts';
import type { Slots } from './machine.ts';

export type EndState = JobResult['state'] | 'blocked';

export interface Dispatch {
  /** Runs a task, or those of a stack together, to their ends. Must not throw. */
  start(tasks: readonly Task[], granted: Resources): Promise<readonly JobResult[]>;
  /** Tasks of equal keys are started together with the resources of one; undefined: the task is started alone. */
  stackOf(task: Task): string | undefined;
  /**
   * Told of every end; `blocked` is a task whose inputs failed. What it does before it first waits happens before any
   * other task starts; the rest goes on beside them. Must not throw.
   */
  ended(task: Task, state: EndState, result: JobResult | undefined): Promise<void>;
  /** True once nothing new may start. */
  stopping(): boolean;
}

/** What a task gets of what it asks for: never more than there is, so that a large task still runs, alone. */
export function grant(wanted: Resources, slots: Slots): Resources {
  return {
    threads: Math.max(1, Math.min(wanted.threads, slots.threads)),
    memoryMb: Math.min(wanted.memoryMb, slots.memoryMb),
    gpus: wanted.gpus,
  };
}

/**
 * Runs tasks in order of their dependencies and returns how each ended. `done` and `lost` are tasks that ended before,
 * well or not. Tasks not started because the run stops are absent from the result.
 */
export async function schedule(
  tasks: readonly Task[],
  { done, lost }: { readonly done: ReadonlySet<string>; readonly lost: ReadonlySet<string> },
  slots: Slots,
  dispatch: Dispatch,
): Promise<Map<string, EndState>> {
  const states = new Map<string, EndState>();
  // Two stages of an experiment may be the same task: it runs once.
  const waiting = new Map<string, Task>();
  for (const task of tasks) if (!done.has(task.id)) waiting.set(task.id, task);
  const free = { threads: slots.threads, memoryMb: slots.memoryMb, gpus: slots.gpus };
  const running = new Set<Promise<void>>();
  const told: Promise<void>[] = [];

  const isDone = (id: string): boolean => done.has(id) || states.get(id) === 'done';
  const isLost = (id: string): boolean => {
    const state = states.get(id);
    return lost.has(id) || (state !== undefined && state !== 'done');
  };
  // A task without GPU runs beside one that was let in though it asks for more GPUs than there are.
  const fits = (wanted: Resources): boolean =>
    running.size === 0 ||
    (wanted.threads <= free.threads &&
      wanted.memoryMb <= free.memoryMb &&
      (wanted.gpus === 0 || wanted.gpus <= free.gpus));

  const isReady = (task: Task): boolean =>
    Object.values(task.inputs)
      .flat()
      .every((input) => isDone(input.task));
  const stackWith = (task: Task): Task[] => {
    const key = dispatch.stackOf(task);
    if (key === undefined) return [task];
    const all = [...waiting.values()].filter((other) => dispatch.stackOf(other) === key && isReady(other));
    // Several GPUs share the tasks: one process each.
    const devices = task.resources.gpus > 0 ? Math.max(1, Math.floor(free.gpus / task.resources.gpus)) : 1;
    return all.slice(0, Math.ceil(all.length / devices));
  };

  const launch = (task: Task): void => {
    const granted = grant(task.resources, slots);
    const stack = stackWith(task);
    free.threads -= granted.threads;
    free.memoryMb -= granted.memoryMb;
    free.gpus -= granted.gpus;
    for (const { id } of stack) waiting.delete(id);
    const work = dispatch.start(stack, granted).then((results) => {
      for (const [i, one] of stack.entries()) {
        const result = results[i] as JobResult;
        states.set(one.id, result.state);
        told.push(dispatch.ended(one, result.state, result));
      }
      free.threads += granted.threads;
      free.memoryMb += granted.memoryMb;
      free.gpus += granted.gpus;
      running.delete(work);
    });
    running.add(work);
  };

  for (;;) {
    let blocked = false;
    for (const task of waiting.values()) {
      const inputs = Object.values(task.inputs).flat();
      if (inputs.some((input) => isLost(input.task))) {
        blocked = true;
        waiting.delete(task.id);
        states.set(task.id, 'blocked');
        told.push(dispatch.ended(task, 'blocked', undefined));
      } else if (!dispatch.stopping() && isReady(task) && fits(grant(task.resources, slots))) {
        launch(task);
      }
      if (free.threads <= 0) break;
    }
    if (running.size > 0) await Promise.race(running);
    // What is blocked may block a task that was looked at before it.
    else if (!blocked) break;
  }
  await Promise.all(told);
  return states;
}
