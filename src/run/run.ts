/** Runs a plan on this machine: cached tasks are skipped, the rest goes to threads and processes, ends are written down. */
import { readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Resources } from '../contract/stage.ts';
import { FathomError, formatError, fromSystemError } from '../errors.ts';
import { describeTask, type Task } from '../plan/types.ts';
import { type Claim, type Claimant, makeClaimant } from '../store/claims.ts';
import { outputFile } from './context.ts';
import type { JobResult } from './job.ts';
import type { Slots } from './machine.ts';
import { makeProcessPool } from './process-pool.ts';
import { makeProgress, type Progress, type ProgressOutput } from './progress.ts';
import { schedule } from './scheduler.ts';
import type { Session } from './session.ts';
import { readStates, type TaskState, writeMarker } from './states.ts';
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
const CLAIM_POLL_MS = 200;
/** Input files up to this size in all are kept in memory for worker threads. */
const SHARED_BYTES = 1 << 30;

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
        start: async (task, granted) => {
          progress?.started(task);
          try {
            return await startTask(session, task, granted, {
              claimant,
              threads,
              processes,
              stopFlag,
              shared,
              progress,
              effects,
              halfMade,
              stopping: () => stopping,
            });
          } catch (error) {
            fatal ??= error;
            halt();
            return failure(error);
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

interface Hands {
  readonly claimant: Claimant;
  readonly threads: ReturnType<typeof makeThreadPool>;
  readonly processes: ReturnType<typeof makeProcessPool>;
  readonly stopFlag: SharedArrayBuffer;
  readonly shared: SharedFiles;
  readonly progress: Progress | undefined;
  readonly effects: RunEffects;
  /** Tasks of which something half made lay about when the run began. */
  readonly halfMade: ReadonlySet<string>;
  stopping(): boolean;
}

async function startTask(session: Session, task: Task, granted: Resources, hands: Hands): Promise<JobResult> {
  const claim = await claimOrWait(session, task, hands);
  if (claim === 'done') return { state: 'done', seconds: 0, peakMemoryMb: 0, cached: true };
  if (claim === 'stopped')
    return { state: 'interrupted', seconds: 0, error: { code: 'interrupted', message: 'stopped on request' } };
  try {
    if (claim.takenOver || hands.halfMade.has(task.id)) await removeHalfMade(session, task);
    const pool = task.isolation === 'thread' ? hands.threads : hands.processes;
    const shared = task.isolation === 'thread' ? await hands.shared.of(session, task) : {};
    const result = await pool.run(
      { task, results: session.results, cwd: session.cwd, resources: granted, stop: hands.stopFlag, shared },
      (message) => {
        if (message.type === 'progress') hands.progress?.moved(task, message.done, message.total, message.unit);
        else hands.effects.log(`${describeTask(task)}: ${message.line}`);
      },
    );
    if (result.state === 'failed') await removeHalfMade(session, task);
    return result;
  } finally {
    await claim.release();
  }
}

/** What a process that was killed left of this task. The claim is ours, so nobody is making it now. */
async function removeHalfMade(session: Session, task: Task): Promise<void> {
  for (const { task: id, folder } of await halfMadeIn(session))
    if (id === task.id) await rm(folder, { recursive: true, force: true });
}

async function halfMadeIn({ store }: Session): Promise<{ task: string; folder: string }[]> {
  const found: { task: string; folder: string }[] = [];
  for (const folder of [store.paths.staging, store.paths.scratch])
    for (const name of await readdir(folder).catch(() => []))
      found.push({ task: name.split('.')[0] as string, folder: path.join(folder, name) });
  return found;
}

/** Another run may be at the same task: then its artifact is awaited. */
async function claimOrWait(
  session: Session,
  task: Task,
  { claimant, stopping }: Hands,
): Promise<Claim | 'done' | 'stopped'> {
  const { store } = session;
  for (;;) {
    const claim = await claimant.tryClaim(task.id);
    if (claim !== undefined) {
      if (!(await store.has(task.id))) return claim;
      await claim.release();
      return 'done';
    }
    if (await store.has(task.id)) return 'done';
    if (stopping()) return 'stopped';
    await new Promise((resolve) => setTimeout(resolve, CLAIM_POLL_MS));
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function markersOf(session: Session, rounds: number): Promise<Map<string, TaskState>> {
  const states = new Map<string, TaskState>();
  for (let round = 0; round < rounds; round++)
    for (const [index, state] of await readStates(session.paths, round)) states.set(keyOf({ round, index }), state);
  return states;
}

/** The place of a task in the plan, which no other has. */
function keyOf(task: Pick<Task, 'round' | 'index'>): string {
  return `${task.round}/${task.index}`;
}

/** Writes how a task ended, unless the marker says so already. */
async function mark(
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

/** Frames that several worker threads read, loaded once. */
class SharedFiles {
  readonly #files = new Map<string, Promise<SharedArrayBuffer>>();
  #bytes = 0;

  async of(session: Session, task: Task): Promise<Record<string, SharedArrayBuffer>> {
    const found: Record<string, SharedArrayBuffer> = {};
    for (const input of Object.values(task.inputs).flat()) {
      if (input.kind !== 'frame') continue;
      const file = path.join(session.store.paths.artifact(input.task), outputFile(input.output, input.kind));
      const loaded = this.#files.get(file) ?? this.#load(file);
      this.#files.set(file, loaded);
      found[file] = await loaded;
    }
    return found;
  }

  async #load(file: string): Promise<SharedArrayBuffer> {
    const bytes = await readFile(file);
    if (this.#bytes + bytes.length > SHARED_BYTES) {
      this.#files.clear();
      this.#bytes = 0;
    }
    this.#bytes += bytes.length;
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }
}
