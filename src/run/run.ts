/** Runs a plan on this machine: cached tasks are skipped, the rest goes to threads and processes, ends are written down. */
import { rm } from 'node:fs/promises';
import os from 'node:os';
import { FathomError, formatError, fromSystemError } from '../errors.ts';
import { describeTask, type Task } from '../plan/types.ts';
import { makeClaimant } from '../store/claims.ts';
import type { JobResult } from './job.ts';
import type { Slots } from './machine.ts';
import { keyOf, mark, markersOf } from './markers.ts';
import { makeProcessPool } from './process-pool.ts';
import { makeProgress, type Progress, type ProgressOutput } from './progress.ts';
import { schedule } from './scheduler.ts';
import type { Session } from './session.ts';
import { SharedFiles } from './shared-files.ts';
import { stackKey } from './stacks.ts';
import { halfMadeIn, startTasks } from './start-task.ts';
import { readStates } from './states.ts';
import { makeThreadPool } from './thread-pool.ts';

export interface RunEffects {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: ProgressOutput;
  /** A line for the log file of the run. */
  log(line: string): void;
}

export interface RunOptions {
  readonly slots: Slots;
  readonly onError: 'continue' | 'abort';
  /** Aborted once: save and stop. */
  readonly stop: AbortSignal;
  /** Aborted: end everything now. */
  readonly kill: AbortSignal;
  /** Only these tasks (and none of the rest), for one index of an array. */
  readonly only?: (task: Task) => boolean;
}

export interface RunOutcome {
  readonly tasks: number;
  readonly done: number;
  /** Done before this run began. */
  readonly cached: number;
  readonly failed: readonly { readonly task: Task; readonly message: string }[];
  /** Not run because an input failed. */
  readonly blocked: number;
  readonly interrupted: boolean;
  /** Why the rest of the plan cannot be known, though all that could run has ended. */
  readonly problem: FathomError | undefined;
  readonly seconds: number;
}

/** How long running tasks get to save and stop before they are ended. */
const GRACE_MS = 10_000;

export async function runPlan(session: Session, options: RunOptions, effects: RunEffects): Promise<RunOutcome> {
  const started = performance.now();
  const { store } = session;
  const stopFlag = new SharedArrayBuffer(4);
  const threads = makeThreadPool(options.slots.threads);
  const claimant = makeClaimant(
    store.paths.claims,
    { host: os.hostname(), pid: process.pid },
    { now: () => Date.now(), alive },
  );
  const processes = makeProcessPool(options.slots.threads, effects.env, effects.log);
  const failed: RunOutcome['failed'][number][] = [];
  /** Tasks by stage that could not run because an input failed. */
  const blocked = new Map<string, number>();
  const done = new Set<string>();
  const lost = new Set<string>();
  const cached = new Set<string>();
  /** Places in the plan whose task is done: more than `done` has where two places hold the same task. */
  const counted = new Set<string>();
  let stopping = options.stop.aborted;
  let fatal: unknown;

  const halt = (): void => {
    stopping = true;
    Atomics.store(new Int32Array(stopFlag), 0, 1);
    processes.stop();
  };
  let grace: NodeJS.Timeout | undefined;
  const endNow = (): void => {
    void threads.kill();
    void processes.kill();
  };
  const onStop = (): void => {
    halt();
    grace = setTimeout(endNow, GRACE_MS);
  };
  options.stop.addEventListener('abort', onStop);
  options.kill.addEventListener('abort', endNow);

  let progress: Progress | undefined;
  const shared = new SharedFiles();
  if (options.only === undefined) await forgetFailures(session);
  const halfMade = new Set((await halfMadeIn(session)).map(({ task }) => task));
  try {
    for (let planned = -1; ; ) {
      const plan = await session.plan();
      if (plan.rounds.length === planned) break;
      planned = plan.rounds.length;
      const tasks = plan.rounds.flat().filter((task) => !lost.has(task.id) && (options.only?.(task) ?? true));
      const states = await markersOf(session, plan.rounds.length);
      const twins = new Map<string, Task[]>();
      for (const task of tasks) {
        twins.set(task.id, [...(twins.get(task.id) ?? []), task]);
        if (!done.has(task.id) && (await store.has(task.id))) {
          done.add(task.id);
          cached.add(task.id);
        }
        if (!done.has(task.id) || counted.has(keyOf(task))) continue;
        counted.add(keyOf(task));
        await mark(session, task, { state: 'done' }, states);
        progress?.ended(task, 'done', 0);
      }
      const total = plan.shape.rounds.reduce((sum, round) => sum + round.tasks, 0);
      if (tasks.some((task) => !done.has(task.id)))
        progress ??= makeProgress(effects.output, options.only === undefined ? total : tasks.length, counted.size, () =>
          performance.now(),
        );
      const ends = await schedule(withInputsDone(tasks, done, options.only), { done, lost }, options.slots, {
        stopping: () => stopping,
        stackOf: (task) => stackKey(task, session.definitions.get(task.use)),
        start: async (tasks, granted) => {
          for (const task of tasks) progress?.started(task);
          try {
            return await startTasks(session, tasks, granted, {
              claimant,
              threads,
              processes,
              stopFlag,
              shared,
              progress,
              log: effects.log,
              halfMade,
              stopping: () => stopping,
            });
          } catch (error) {
            fatal ??= error;
            halt();
            return tasks.map(() => failure(error));
          }
        },
        ended: async (one, state, result) => {
          try {
            const places = twins.get(one.id) ?? [one];
            for (const task of places) {
              if (state === 'blocked') blocked.set(task.stage, (blocked.get(task.stage) ?? 0) + 1);
              if (result === undefined) continue;
              if (result.state === 'done') counted.add(keyOf(task));
              if (result.state === 'failed') {
                const message = formatError(FathomError.fromData(result.error));
                failed.push({ task, message });
                effects.log(`${describeTask(task)} failed: ${result.stack ?? message}`);
                if (result.error.code === 'io') halt();
                if (options.onError === 'abort') halt();
                progress?.ended(task, 'failed', result.seconds, message);
              } else progress?.ended(task, result.state, result.seconds);
            }
            if (result !== undefined) for (const task of places) await mark(session, task, result, states);
          } catch (error) {
            fatal ??= fromSystemError(error, 'writing the state of a task');
            halt();
          }
        },
      });
      for (const [id, state] of ends) if (state === 'done') done.add(id);
      for (const [id, state] of ends) if (state !== 'done') lost.add(id);
      if (stopping) break;
    }
  } finally {
    clearTimeout(grace);
    options.stop.removeEventListener('abort', onStop);
    options.kill.removeEventListener('abort', endNow);
    await Promise.all([threads.close(), processes.close(), claimant.close()]);
    for (const [stage, count] of blocked)
      progress?.note(`${stage}: ${count} task${count === 1 ? '' : 's'} not run, since an input failed`);
    progress?.finish();
  }
  if (fatal !== undefined) throw fatal;
  const plan = await session.plan({ write: false });
  const planned = plan.rounds.flat();
  return {
    tasks: plan.shape.rounds.reduce((sum, round) => sum + round.tasks, 0),
    done: planned.filter((task) => done.has(task.id)).length,
    cached: planned.filter((task) => cached.has(task.id)).length,
    failed,
    blocked: [...blocked.values()].reduce((sum, count) => sum + count, 0),
    interrupted: options.stop.aborted || options.kill.aborted,
    problem: plan.problem,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Failed tasks are tried again; until they have ended anew, the sweep that they belong to has no winner. */
async function forgetFailures(session: Session): Promise<void> {
  for (const [round, { tasks }] of (await session.plan({ write: false })).shape.rounds.entries())
    if (tasks > 0)
      for (const [index, state] of await readStates(session.paths, round))
        if (state === 'failed') await rm(session.paths.state(round, index, state), { force: true });
}

/** One index of an array has its inputs in the store already, made by other jobs. */
function withInputsDone(tasks: readonly Task[], done: Set<string>, only: RunOptions['only']): readonly Task[] {
  if (only !== undefined)
    for (const task of tasks) for (const input of Object.values(task.inputs).flat()) done.add(input.task);
  return tasks;
}

function failure(error: unknown): JobResult {
  const message = error instanceof Error ? error.message : String(error);
  return {
    state: 'failed',
    seconds: 0,
    error: error instanceof FathomError ? error.toData() : { code: 'internal', message },
  };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
