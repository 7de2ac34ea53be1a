/** `run.json`: when a run began and ended, by which command, on what. */
import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../store/files.ts';
import type { RunPaths } from '../store/layout.ts';
import { describeRun, type RunProvenance } from './provenance.ts';
import type { Session } from './session.ts';

export async function readRun(paths: RunPaths): Promise<RunProvenance | undefined> {
  try {
    return JSON.parse(await readFile(paths.run, 'utf8')) as RunProvenance;
  } catch {
    return undefined;
  }
}

/** Notes the start; a run that is continued keeps the time at which it first began. */
export async function startRun(
  session: Session,
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  now: string,
): Promise<void> {
  const before = await readRun(session.paths);
  if (before?.finishedAt != null) return;
  const described = await describeRun(
    { id: session.id, experiment: session.experiment.name, command },
    env,
    before?.startedAt ?? now,
  );
  await writeAtomically(session.paths.run, `${JSON.stringify(described, null, 1)}\n`);
}

/** Notes the end, once. */
export async function finishRun(session: Session, now: string): Promise<void> {
  const before = await readRun(session.paths);
  if (before === undefined || before.finishedAt !== null) return;
  await writeAtomically(session.paths.run, `${JSON.stringify({ ...before, finishedAt: now }, null, 1)}\n`);
}
