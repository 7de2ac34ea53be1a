/** `fathom report`: makes the page of a run again, from what lies on disk. */
import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, FathomError, fromSystemError } from '../errors.ts';
import { compiledRoot, packageRoot } from '../paths.ts';
import { readRun } from '../run/run-file.ts';
import { reopenSession, type Session } from '../run/session.ts';
import { readMarker, readStates } from '../run/states.ts';
import { writeAtomically } from '../store/files.ts';
import type { CliEffects } from './effects.ts';
import { commandOf, type ExperimentArgs, openRunOrExperiment } from './open.ts';

export async function report(args: ExperimentArgs, effects: CliEffects): Promise<number> {
  const session = await withRun(await openRunOrExperiment(args, effects), effects);
  const run = await readRun(session.paths);
  if (run === undefined)
    throw new FathomError('usage', `${session.experiment.name} has not been run yet`, {
      hint: `\`${commandOf(session.experiment, effects.env)}\` runs it`,
    });
  const file = await writeReport(session, run.command, true);
  const relative = path.relative(effects.cwd, file);
  effects.out(`report: ${relative.startsWith('..') ? file : relative}`);
  return EXIT.ok;
}

/** The session itself if it has been run; else that of the last run, if the experiment or the code has changed since. */
async function withRun(session: Session, effects: CliEffects): Promise<Session> {
  if ((await readRun(session.paths)) !== undefined) return session;
  const last = await readlink(path.join(path.dirname(session.run), 'latest')).catch(() => undefined);
  if (last === undefined) return session;
  effects.err(`the experiment, its data or the code has changed since run ${last}; this is the page of that run`);
  return reopenSession(path.join(path.dirname(session.run), last), session.definitions);
}

/** Writes the page unless it is newer than everything it shows; returns its path. */
export async function writeReport(session: Session, command: string, always = false): Promise<string> {
  const [{ collectReport, endText }, { sha256 }] = await Promise.all([
    import('../report/collect.ts'),
    import('../experiment/canonical.ts'),
  ]);
  const plan = await session.plan({ write: false });
  const states = new Map<string, { state: string; error?: string }>();
  for (const [round, tasks] of plan.rounds.entries()) {
    const markers = await readStates(session.paths, round);
    for (const task of tasks) {
      const state = markers.get(task.index);
      if (state === 'done') states.set(task.id, { state });
      else if (state !== undefined)
        states.set(task.id, endText((await readMarker(session.paths, task, state)) ?? { state }));
    }
  }
  const run = await readRun(session.paths);
  if (run === undefined) throw new FathomError('internal', `${session.paths.run} is missing`);
  const key = sha256(
    JSON.stringify([[...states], run, command, await readFile(path.join(compiledRoot, 'numerics.json'), 'utf8')]),
  );
  const stamp = `${session.paths.report}.key`;
  if (!always && (await readFile(stamp, 'utf8').catch(() => '')) === key && (await exists(session.paths.report)))
    return session.paths.report;
  const model = await collectReport({
    experiment: session.experiment,
    plan,
    run: { ...run, command },
    states,
    artifact: session.store.paths.artifact,
  });
  const [{ renderReport }, { readAssets }] = await Promise.all([
    import('../report/render.ts'),
    import('../report/assets.ts'),
  ]);
  try {
    await writeAtomically(
      session.paths.report,
      renderReport(
        model,
        await readAssets(path.join(compiledRoot, 'report'), { methods: path.join(packageRoot, 'docs', 'methods.md') }),
      ),
    );
    await writeAtomically(stamp, key);
  } catch (error) {
    throw fromSystemError(error, 'writing the report');
  }
  return session.paths.report;
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}
