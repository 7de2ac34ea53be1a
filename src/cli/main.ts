#!/usr/bin/env node
/** The program. Each command is loaded only when it runs, so that help is quick. */
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { EXIT, FathomError, formatError, fromSystemError } from '../errors.ts';
import type { CliEffects } from './effects.ts';

const effects: CliEffects = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  cwd: process.cwd(),
  env: process.env,
};

let exitCode: number = EXIT.ok;
const done = async (code: Promise<number>): Promise<void> => {
  exitCode = await code;
};

/** `<experiment> [overrides..]`, as most commands take. */
function withExperiment(y: Argv): Argv<{ experiment: string; overrides: string[]; results: string | undefined }> {
  return y
    .positional('experiment', {
      type: 'string',
      demandOption: true,
      describe: 'experiment file, or the folder of a run',
    })
    .positional('overrides', {
      type: 'string',
      array: true,
      default: [],
      describe: 'changes: mtl.epochs=5 +key=value ~key',
    })
    .option('results', { type: 'string', describe: 'folder of results [FATHOM_RESULTS, results]' })
    .option('accept-code', {
      type: 'boolean',
      default: false,
      describe: 'keep results of stages whose code has changed but whose version has not',
    }) as never;
}

const cli = yargs(hideBin(process.argv))
  .scriptName('fathom')
  .usage('$0 <command>\n\nFrom one experiment file to one report. Guide: docs/.')
  .command(
    'run <experiment> [overrides..]',
    'run an experiment here and write its report',
    (y) =>
      withExperiment(y)
        .option('workers', { alias: 'w', type: 'number', describe: 'threads for the whole run [the allocation]' })
        .option('memory-mb', { type: 'number', describe: 'memory for the whole run, MB [the allocation]' })
        .option('on-error', {
          choices: ['continue', 'abort'] as const,
          describe: 'what a failed task means for the rest',
        })
        .option('report', { type: 'boolean', default: true, describe: 'write the page at the end' })
        .option('json', { type: 'boolean', default: false, describe: 'print a summary as JSON' }),
    (args) => done(import('./run.ts').then(({ run }) => run(args, effects))),
  )
  .command(
    'plan <experiment> [overrides..]',
    'say what would run, and why',
    (y) =>
      withExperiment(y)
        .option('tasks', { type: 'boolean', default: false, describe: 'each task, not only stages' })
        .option('json', { type: 'boolean', default: false }),
    (args) => done(import('./plan.ts').then(({ plan }) => plan(args, effects))),
  )
  .command(
    'status <experiment> [overrides..]',
    'say how far a run is',
    (y) => withExperiment(y).option('json', { type: 'boolean', default: false }),
    (args) => done(import('./status.ts').then(({ status }) => status(args, effects))),
  )
  .command('report <experiment> [overrides..]', 'write the page of a run again', withExperiment, (args) =>
    done(import('./report.ts').then(({ report }) => report(args, effects))),
  )
  .command(
    'render <experiment> [overrides..]',
    'print an experiment with everything resolved',
    (y) =>
      withExperiment(y).option('origins', {
        type: 'boolean',
        default: false,
        describe: 'say where each value comes from',
      }),
    (args) => done(import('./render.ts').then(async ({ render }) => render(args, effects, await registry()))),
  )
  .command(
    'explain <experiment> <key> [overrides..]',
    'say what a value is, means and comes from',
    (y) => withExperiment(y).positional('key', { type: 'string', demandOption: true, describe: 'mtl.learningRate' }),
    (args) => done(import('./explain.ts').then(async ({ explain }) => explain(args, effects, await registry()))),
  )
  .command(
    'schema',
    'print the JSON schema of experiment files, for editors',
    (y) => y,
    () => done(import('./schema.ts').then(async ({ schema }) => schema({}, effects, await registry()))),
  )
  .command(
    'list [stage]',
    'list stages, or all of one',
    (y) =>
      y
        .positional('stage', { type: 'string' })
        .option('markdown', { type: 'boolean', default: false })
        .option('json', { type: 'boolean', default: false }),
    (args) => done(import('./list.ts').then(async ({ list }) => list(args, effects, await registry()))),
  )
  .command(
    'doctor',
    'say what this node has and lacks, and test its engines',
    (y) =>
      y
        .option('json', { type: 'boolean', default: false })
        .option('quick', { type: 'boolean', default: false, describe: 'only look, test nothing' }),
    (args) => done(import('./doctor.ts').then(({ doctor }) => doctor(args, effects))),
  )
  .command(
    'bench [names..]',
    'compare with peers, in turns on this machine',
    (y) => y.positional('names', { type: 'string', array: true, default: [] as string[] }),
    (args) => done(import('./bench.ts').then(({ bench }) => bench(args.names))),
  )
  .command(
    'clean',
    'say what may be removed from the results; --yes removes it',
    (y) =>
      y
        .option('results', { type: 'string' })
        .option('yes', { type: 'boolean', default: false, describe: 'remove' })
        .option('keep', { type: 'number', default: 1, describe: 'runs kept of each experiment' })
        .option('json', { type: 'boolean', default: false }),
    (args) => done(import('./clean.ts').then(({ clean }) => clean(args, effects))),
  )
  .command(
    'hash <artifact..>',
    'print content hashes of artifacts or files',
    (y) =>
      y
        .positional('artifact', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'task id, artifact folder, or table',
        })
        .option('results', { type: 'string' }),
    (args) => done(import('./hash.ts').then(({ hash }) => hash(args, effects))),
  )
  .command(
    'task <run>',
    'run one line of a plan (an index of an array)',
    (y) =>
      y
        .positional('run', { type: 'string', demandOption: true })
        .option('round', { type: 'number', demandOption: true })
        .option('index', { type: 'number', demandOption: true }),
    (args) => done(import('./task.ts').then(({ task }) => task(args, effects))),
  )
  .command(
    'slurm',
    'render, submit and follow SLURM arrays',
    (y) => y.help(false).strict(false),
    () => done(import('./slurm.ts').then(({ slurm }) => slurm(hideBin(process.argv).slice(1), effects))),
  )
  .option('debug', { type: 'boolean', default: false, describe: 'print stacks of errors' })
  .strict()
  .demandCommand(1, 'say which command; --help lists them')
  .recommendCommands()
  .version(false)
  .help()
  .wrap(110)
  .exitProcess(false)
  .fail((message, error) => {
    throw error ?? new FathomError('usage', message);
  });

async function registry(): Promise<ReadonlyMap<string, import('../contract/stage.ts').StageDefinition>> {
  const { loadRegistry } = await import('../stages/registry.ts');
  return loadRegistry(effects.env);
}

try {
  await cli.parseAsync();
} catch (thrown) {
  const error = fromSystemError(thrown, 'fathom');
  if (error instanceof FathomError) {
    effects.err(formatError(error));
    if (process.argv.includes('--debug')) effects.err(error.stack ?? '');
    exitCode = error.exitCode;
  } else {
    const text = error instanceof Error ? error.message : String(error);
    effects.err(`internal error: ${text}\n  this is a bug in Fathom; --debug shows where`);
    if (process.argv.includes('--debug') && error instanceof Error) effects.err(error.stack ?? '');
    exitCode = EXIT.internal;
  }
}
process.exitCode = exitCode;
