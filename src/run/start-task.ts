/** Tasks from their claim to their end: one, or those of a stack together. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Resources } from '../contract/stage.ts';
import { describeTask, type Task } from '../plan/types.ts';
import type { Claim, Claimant } from '../store/claims.ts';
import type { JobMessage, JobResult } from './job.ts';
import type { ProcessPool } from './process-pool.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';
import type { SharedFiles } from './shared-files.ts';
import type { Pool } from './thread-pool.ts';

const CLAIM_POLL_MS = 200;

/** What starting a task needs of the run. */
export interface Hands {
  readonly claimant: Claimant;
  readonly threads: Pool;
  readonly processes: ProcessPool;
  readonly stopFlag: SharedArrayBuffer;
  readonly shared: SharedFiles;
  readonly progress: Progress | undefined;
  /** A line for the log file of the run. */
  log(line: string): void;
  /** Tasks of which something half made lay about when the run began. */
  readonly halfMade: ReadonlySet<string>;
  stopping(): boolean;
}

/**
 * Claims a task, or the tasks of a stack, and runs them in their pool; what another run is at is awaited. Results stand
 * in the order of the tasks.
 */
export async function startTasks(
  session: Session,
  tasks: readonly Task[],
  granted: Resources,
  hands: Hands,
): Promise<JobResult[]> {
  const results = new Map<Task, JobResult>();
  const claims = new Map<Task, Claim>();
  // Those of a stack that another run is at are awaited after the others have been claimed, or two runs could wait for
  // each other.
  const busy: Task[] = [];
  for (const task of tasks) {
    const claim = await tryClaim(session, task, hands);
    if (claim === 'done') results.set(task, cachedResult);
    else if (claim === undefined) busy.push(task);
    else claims.set(task, claim);
  }
  try {
    const mine = [...claims.keys()];
    if (mine.length > 0)
      for (const [i, result] of (await runClaimed(session, mine, claims, granted, hands)).entries())
        results.set(mine[i] as Task, result);
  } finally {
    for (const claim of claims.values()) await claim.release();
  }
  for (const task of busy) results.set(task, await awaitOther(session, task, granted, hands));
  return tasks.map((task) => results.get(task) as JobResult);
}

const cachedResult: JobResult = { state: 'done', seconds: 0, peakMemoryMb: 0, cached: true };

async function runClaimed(
  session: Session,
  tasks: readonly Task[],
  claims: ReadonlyMap<Task, Claim>,
  granted: Resources,
  hands: Hands,
): Promise<JobResult[]> {
  for (const task of tasks)
    if (claims.get(task)?.takenOver === true || hands.halfMade.has(task.id)) await removeHalfMade(session, task);
  const [first] = tasks as [Task];
  const jobs = await Promise.all(
    tasks.map(async (task) => ({
      task,
      results: session.results,
      cwd: session.cwd,
      resources: granted,
      stop: hands.stopFlag,
      shared: task.isolation === 'thread' ? await hands.shared.of(session, task) : {},
    })),
  );
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const onMessage = (message: JobMessage): void => {
    const task = byId.get(message.task) ?? first;
    if (message.type === 'progress') hands.progress?.moved(task, message.done, message.total, message.unit);
    else hands.log(`${describeTask(task)}: ${message.line}`);
  };
  const results =
    first.isolation === 'thread'
      ? await Promise.all(jobs.map((job) => hands.threads.run(job, onMessage)))
      : await hands.processes.runStack(jobs, onMessage);
  for (const [i, result] of results.entries())
    if (result.state === 'failed') await removeHalfMade(session, tasks[i] as Task);
  return results;
}

/** Another run is at this task: its artifact is awaited, or, should that run die, made here. */
async function awaitOther(session: Session, task: Task, granted: Resources, hands: Hands): Promise<JobResult> {
  for (;;) {
    if (hands.stopping())
      return { state: 'interrupted', seconds: 0, error: { code: 'interrupted', message: 'stopped on request' } };
    await new Promise((resolve) => setTimeout(resolve, CLAIM_POLL_MS));
    const claim = await tryClaim(session, task, hands);
    if (claim === 'done') return cachedResult;
    if (claim === undefined) continue;
    try {
      return (await runClaimed(session, [task], new Map([[task, claim]]), granted, hands))[0] as JobResult;
    } finally {
      await claim.release();
    }
  }
}

/** What a process that was killed left of this task. The claim is ours, so nobody is making it now. */
async function removeHalfMade(session: Session, task: Task): Promise<void> {
  for (const { task: id, folder } of await halfMadeIn(session))
    if (id === task.id) await rm(folder, { recursive: true, force: true });
}

/** Folders that no rename has completed, with the task they belong to. */
export async function halfMadeIn({ store }: Session): Promise<{ task: string; folder: string }[]> {
  const found: { task: string; folder: string }[] = [];
  for (const folder of [store.paths.staging, store.paths.scratch])
    for (const name of await readdir(folder).catch(() => []))
      found.push({ task: name.split('.')[0] as string, folder: path.join(folder, name) });
  return found;
}

/** A claim; `done` if the artifact is there; undefined if another run is at it. */
async function tryClaim(
  { store }: Session,
  task: Task,
  { claimant }: Pick<Hands, 'claimant'>,
): Promise<Claim | 'done' | undefined> {
  const claim = await claimant.tryClaim(task.id);
  if (!(await store.has(task.id))) return claim;
  await claim?.release();
  return 'done';
}
