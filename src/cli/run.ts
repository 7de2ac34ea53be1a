/** `fathom run`: runs an experiment on this machine and writes its report. */
import { appendFileSync } from 'node:fs';
import { mkdir, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, formatError } from '../errors.ts';
import { describeTask } from '../plan/types.ts';
import { describeChanges } from '../run/changes.ts';
import { slotsOf } from '../run/machine.ts';
import { type RunOutcome, runPlan } from '../run/run.ts';
import { finishRun, startRun } from '../run/run-file.ts';
import type { Session } from '../run/session.ts';
import { temporaryName } from '../store/files.ts';
import type { CliEffects } from './effects.ts';
import { commandOf, type ExperimentArgs, openPlanned } from './open.ts';
import { writeReport } from './report.ts';

export interface RunArgs extends ExperimentArgs {
  readonly workers?: number | undefined;
  readonly memoryMb?: number | undefined;
  readonly onError?: 'continue' | 'abort' | undefined;
  readonly json: boolean;
  readonly report: boolean;
}

export async function run(args: RunArgs, effects: CliEffects): Promise<number> {
  const session = await openPlanned(args, effects);
  const { experiment } = session;
  const slots = slotsOf(effects.env, {
    threads: args.workers ?? experiment.resources.threads,
    memoryMb: args.memoryMb ?? experiment.resources.memoryMb,
  });
  const command = commandOf(experiment, effects.env);
  const changes = await describeChanges(session);
  for (const line of changes) effects.err(line);
  const plan = await session.plan();
  for (const absence of plan.shape.absent)
    effects.err(`${absence.stage} (${absence.use}) will not run: ${absence.reason}. ${absence.fix}`);
  await startRun(session, command, effects.env, new Date().toISOString());
  await pointToLatest(session);
  const stop = new AbortController();
  const kill = new AbortController();
  const forget = onSignals(stop, kill, effects);
  let outcome: RunOutcome;
  try {
    outcome = await runPlan(
      session,
      {
        slots,
        onError: args.onError ?? experiment.onError,
        stop: stop.signal,
        kill: kill.signal,
      },
      {
        env: effects.env,
        output: {
          write: (text) => process.stderr.write(text),
          isTerminal: process.stderr.isTTY === true,
          columns: process.stderr.columns ?? 80,
        },
        log: logTo(session.paths.log),
      },
    );
  } finally {
    forget();
  }
  if (!outcome.interrupted) await finishRun(session, new Date().toISOString());
  const report = args.report && !outcome.interrupted ? await writeReport(session, command) : undefined;
  if (outcome.cached === outcome.tasks) effects.err(`nothing to do: all ${outcome.tasks} tasks are in the store`);
  if (args.json) effects.out(JSON.stringify(summaryOf(session, outcome, report)));
  if (outcome.interrupted) {
    effects.err(`interrupted with ${outcome.done} of ${outcome.tasks} tasks done; the same command continues`);
    return EXIT.interrupted;
  }
  if (outcome.failed.length > 0)
    effects.err(
      `${outcome.failed.length} of ${outcome.tasks} tasks failed${outcome.blocked > 0 ? `, ${outcome.blocked} could not run for want of them` : ''}; log: ${relative(session.paths.log, effects)}`,
    );
  if (outcome.problem !== undefined) effects.err(formatError(outcome.problem));
  if (report !== undefined && !args.json) effects.out(`report: ${relative(report, effects)}`);
  if (outcome.failed.length > 0) return EXIT.taskFailed;
  return outcome.problem?.exitCode ?? EXIT.ok;
}

function relative(file: string, effects: CliEffects): string {
  const path_ = path.relative(effects.cwd, file);
  return path_.startsWith('..') ? file : path_;
}

function summaryOf(session: Session, outcome: RunOutcome, report: string | undefined): unknown {
  return {
    experiment: session.experiment.name,
    run: session.run,
    tasks: outcome.tasks,
    done: outcome.done,
    cached: outcome.cached,
    failed: outcome.failed.map(({ task, message }) => ({ task: task.id, stage: describeTask(task), message })),
    blocked: outcome.blocked,
    interrupted: outcome.interrupted,
    problem: outcome.problem?.message ?? null,
    seconds: outcome.seconds,
    report: report ?? null,
  };
}

/** First signal: save and stop. Second: end now. */
function onSignals(stop: AbortController, kill: AbortController, effects: CliEffects): () => void {
  const listen = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) kill.abort();
    else {
      effects.err(`${signal}: saving and stopping; once more to stop at once`);
      stop.abort();
    }
  };
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, listen);
  return () => {
    for (const signal of signals) process.off(signal, listen);
  };
}

function logTo(file: string): (line: string) => void {
  return (line) => {
    try {
      appendFileSync(file, `${new Date().toISOString()} ${line}\n`);
    } catch {
      // A log that cannot be written must not stop a run.
    }
  };
}

/** `results/<experiment>/latest` points to the run last started. */
async function pointToLatest(session: Session): Promise<void> {
  const link = path.join(path.dirname(session.run), 'latest');
  const temporary = temporaryName(link);
  await mkdir(path.dirname(link), { recursive: true });
  await symlink(session.id, temporary);
  await rename(temporary, link);
}
