/** `fathom slurm render | submit | status | collect`: the same plan as arrays on a cluster. */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import yargs from 'yargs';
import { EXIT, FathomError } from '../errors.ts';
import { packageRoot } from '../paths.ts';
import { finishRun, readRun, startRun } from '../run/run-file.ts';
import type { Session } from '../run/session.ts';
import { readStates } from '../run/states.ts';
import { freezeProgram } from '../slurm/freeze.ts';
import { type Rendered, renderRun } from '../slurm/render.ts';
import { slurmStatus } from '../slurm/status.ts';
import { submitRun } from '../slurm/submit.ts';
import { writeAtomically } from '../store/files.ts';
import type { CliEffects } from './effects.ts';
import { commandOf, type ExperimentArgs, openRunOrExperiment } from './open.ts';
import { realSlurm } from './real-slurm.ts';
import { writeReport } from './report.ts';

/** More job starts than this, each short, and a site's scheduler suffers. */
const MANY_JOBS = 200;

export async function slurm(argv: readonly string[], effects: CliEffects): Promise<number> {
  let code: number = EXIT.ok;
  const command =
    (run: (args: ExperimentArgs & { print?: boolean; json?: boolean }) => Promise<number>) => async (args: unknown) => {
      code = await run(args as ExperimentArgs);
    };
  const described = (y: ReturnType<typeof yargs>): ReturnType<typeof yargs> =>
    y
      .positional('experiment', {
        type: 'string',
        demandOption: true,
        describe: 'experiment file, or the folder of a run',
      })
      .positional('overrides', { type: 'string', array: true, default: [] })
      .option('results', { type: 'string', describe: 'folder of results' }) as never;
  await yargs([...argv])
    .scriptName('fathom slurm')
    .command(
      'render <experiment> [overrides..]',
      'write the scripts; needs no SLURM',
      (y) =>
        described(y as never).option('print', { type: 'boolean', default: false, describe: 'print them too' }) as never,
      command((args) => render(args, effects)),
    )
    .command(
      'submit <experiment> [overrides..]',
      'submit what is neither done nor queued',
      (y) => described(y as never) as never,
      command((args) => submit(args, effects)),
    )
    .command(
      'status <experiment> [overrides..]',
      'markers, then queue, then accounting',
      (y) => described(y as never).option('json', { type: 'boolean', default: false }) as never,
      command((args) => status(args, effects)),
    )
    .command(
      'collect <experiment> [overrides..]',
      'count markers, write the report, fail if anything is missing',
      (y) => described(y as never) as never,
      command((args) => collect(args, effects)),
    )
    .option('debug', { type: 'boolean', default: false })
    .strict()
    .demandCommand(1, 'say what to do: render, submit, status or collect')
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new FathomError('usage', message);
    })
    .parseAsync();
  return code;
}

async function writeScripts(session: Session): Promise<Rendered> {
  const plan = await session.plan();
  const template = (name: string): Promise<string> => readFile(path.join(packageRoot, 'jobs', name), 'utf8');
  const rendered = renderRun({
    experiment: session.experiment.name,
    runId: session.id,
    run: path.resolve(session.run),
    shape: plan.shape,
    resources: session.experiment.resources.slurm ?? {},
    time: session.experiment.resources.time,
    node: process.execPath,
    program: await freezeProgram(session.paths),
    templates: { array: await template('array.sbatch.hbs'), collect: await template('collect.sbatch.hbs') },
  });
  await mkdir(path.join(session.paths.slurm, 'logs'), { recursive: true });
  for (const { file, text } of [...rendered.rounds, rendered.collect])
    await writeAtomically(path.join(session.paths.slurm, file), text);
  return rendered;
}

async function render(args: ExperimentArgs & { print?: boolean }, effects: CliEffects): Promise<number> {
  const session = await openRunOrExperiment(args, effects);
  const rendered = await writeScripts(session);
  for (const { file, text } of [...rendered.rounds, rendered.collect]) {
    if (args.print) effects.out(text);
    else effects.out(path.join(session.paths.slurm, file));
  }
  return EXIT.ok;
}

async function submit(args: ExperimentArgs, effects: CliEffects): Promise<number> {
  const session = await openRunOrExperiment(args, effects);
  const rendered = await writeScripts(session);
  const plan = await session.plan();
  for (const absence of plan.shape.absent)
    effects.err(`${absence.stage} (${absence.use}) will not run: ${absence.reason}`);
  const resources = session.experiment.resources.slurm ?? {};
  const tasks = plan.shape.rounds.map((round) => round.tasks);
  const jobs = rendered.rounds.reduce((sum, round) => sum + round.slots, 0);
  if (jobs > MANY_JOBS && (resources.tasksPerJob ?? 1) === 1)
    effects.err(
      `${jobs} jobs: if each is shorter than some minutes, set resources.slurm.tasksPerJob; centres ask for at most about 10 starts a minute`,
    );
  await startRun(session, commandOf(session.experiment, effects.env), effects.env, new Date().toISOString());
  const submitted = await submitRun(
    { paths: session.paths, rendered, tasks, resources, now: new Date().toISOString() },
    realSlurm(effects),
  );
  for (const { job, round, offset, indices } of submitted.arrays)
    effects.err(`round ${round}: array ${job}, indices ${indices}${offset > 0 ? ` from ${offset}` : ''}`);
  if (submitted.arrays.length === 0)
    effects.err(
      submitted.live > 0
        ? `nothing to submit: ${submitted.live} indices are queued or running`
        : 'nothing to submit: everything is done',
    );
  effects.out(`run: ${session.run}`);
  return EXIT.ok;
}

async function status(args: ExperimentArgs & { json?: boolean }, effects: CliEffects): Promise<number> {
  const session = await openRunOrExperiment(args, effects);
  const { shape } = await session.plan({ write: false });
  const rounds = await slurmStatus(
    session.paths,
    shape.rounds.map((round) => round.tasks),
    realSlurm(effects),
  );
  if (args.json) effects.out(JSON.stringify(rounds.map((counts) => Object.fromEntries(counts))));
  else
    for (const [round, counts] of rounds.entries())
      effects.out(
        `round ${round} (${shape.rounds[round]?.stages.map(({ stage }) => stage).join(', ')}): ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`,
      );
  return EXIT.ok;
}

async function collect(args: ExperimentArgs, effects: CliEffects): Promise<number> {
  const session = await openRunOrExperiment(args, effects);
  const plan = await session.plan();
  const missing: string[] = [];
  for (const [round, { tasks }] of plan.shape.rounds.entries()) {
    const states = await readStates(session.paths, round);
    for (let index = 0; index < tasks; index++)
      if (states.get(index) !== 'done') missing.push(`${round}/${index} ${states.get(index) ?? 'pending'}`);
  }
  const total = plan.shape.rounds.reduce((sum, round) => sum + round.tasks, 0);
  if (missing.length === 0) await finishRun(session, new Date().toISOString());
  const command = (await readRun(session.paths))?.command ?? commandOf(session.experiment, effects.env);
  const file = await writeReport(session, command);
  effects.err(`${total - missing.length} of ${total} tasks done`);
  for (const line of missing.slice(0, 20)) effects.err(`  missing: ${line}`);
  if (missing.length > 20) effects.err(`  and ${missing.length - 20} more`);
  effects.out(`report: ${file}`);
  return missing.length === 0 ? EXIT.ok : EXIT.taskFailed;
}
