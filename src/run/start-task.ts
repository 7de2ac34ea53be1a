/** One task from its claim to its end. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Resources } from '../contract/stage.ts';
import { describeTask, type Task } from '../plan/types.ts';
import type { Claim, Claimant } from '../store/claims.ts';
import type { JobResult } from './job.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';
import type { SharedFiles } from './shared-files.ts';
import type { Pool } from './thread-pool.ts';

const CLAIM_POLL_MS = 200;

/** What starting a task needs of the run. */
export interface Hands {
  readonly claimant: Claimant;
  readonly threads: Pool;
  readonly processes: Pool;
  readonly stopFlag: SharedArrayBuffer;
  readonly shared: SharedFiles;
  readonly progress: Progress | undefined;
  /** A line for the log file of the run. */
  log(line: string): void;
  /** Tasks of which something half made lay about when the run began. */
  readonly halfMade: ReadonlySet<string>;
  stopping(): boolean;
}

/** Claims a task and runs it in its pool; if another run has it, its artifact is awaited. */
export async function startTask(session: Session, task: Task, granted: Resources, hands: Hands): Promise<JobResult> {
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
        else hands.log(`${describeTask(task)}: ${message.line}`);
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

/** Folders that no rename has completed, with the task they belong to. */
export async function halfMadeIn({ store }: Session): Promise<{ task: string; folder: string }[]> {
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
