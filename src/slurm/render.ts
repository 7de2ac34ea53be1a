/** Renders a run as plain SLURM scripts. Pure: the same run gives the same text. */
import Handlebars from 'handlebars';
import { z } from 'zod';
import { FathomError } from '../errors.ts';
import type { SlurmResources } from '../experiment/types.ts';
import type { PlanShape } from '../plan/types.ts';
import { shellQuote } from './quote.ts';

export interface RenderInput {
  readonly experiment: string;
  readonly runId: string;
  /** Absolute path of the run's folder. */
  readonly run: string;
  readonly shape: PlanShape;
  readonly resources: SlurmResources;
  /** Wall-clock limit of the experiment, used where `resources.time` is not set. */
  readonly time: string | undefined;
  /** Absolute paths of node and of the program, frozen at submission. */
  readonly node: string;
  readonly program: string;
  readonly templates: { readonly array: string; readonly collect: string };
}

export interface RenderedRound {
  readonly round: number;
  readonly file: string;
  readonly text: string;
  /** Array slots: tasks, divided by tasks per job. */
  readonly slots: number;
}

export interface Rendered {
  readonly rounds: readonly RenderedRound[];
  readonly collect: { readonly file: string; readonly text: string };
}

const arrayContext = z.strictObject({
  experiment: z.string(),
  runId: z.string(),
  run: z.string(),
  round: z.number(),
  rounds: z.number(),
  roundName: z.string(),
  stages: z.string(),
  tasks: z.number(),
  tasksPerJob: z.number(),
  one: z.boolean(),
  more: z.number(),
  lastIndex: z.number(),
  script: z.string(),
  maxRestarts: z.number(),
  directives: z.array(z.string()),
  setup: z.array(z.string()),
  teardown: z.array(z.string()),
  command: z.string(),
});

const collectContext = z.strictObject({
  experiment: z.string(),
  runId: z.string(),
  run: z.string(),
  directives: z.array(z.string()),
  setup: z.array(z.string()),
  command: z.string(),
});

/** Sites check limits about every half minute and may warn a minute early: less than this helps nobody. */
const SIGNAL_SECONDS = 120;
const MAX_RESTARTS = 20;

export function roundName(round: number): string {
  return String(round).padStart(3, '0');
}

/** Name of the job of a round: unique to the run, so that it can be found again. */
export function jobName(input: Pick<RenderInput, 'experiment' | 'runId'>, part: string): string {
  return `${input.experiment}-${input.runId}-${part}`;
}

export function renderRun(input: RenderInput): Rendered {
  const { shape, resources, run } = input;
  const tasksPerJob = resources.tasksPerJob ?? 1;
  const command = commandOf(input);
  const setup = [...(resources.setup ?? [])];
  const rounds = shape.rounds.map(({ stages, tasks }, round): RenderedRound => {
    const name = roundName(round);
    const file = `round-${name}.sbatch`;
    const slots = Math.ceil(tasks / tasksPerJob);
    const text = fill(input.templates.array, arrayContext, {
      experiment: input.experiment,
      runId: input.runId,
      run,
      round,
      rounds: shape.rounds.length,
      roundName: name,
      stages: stages.map((stage) => `${stage.tasks} ${stage.stage}`).join(', '),
      tasks,
      tasksPerJob,
      one: tasksPerJob === 1,
      more: tasksPerJob - 1,
      lastIndex: Math.max(0, slots - 1),
      script: file,
      maxRestarts: resources.maxRestarts ?? MAX_RESTARTS,
      directives: [
        ...common(input, `r${round}`, `${run}/slurm/logs/%x-%A_%a.log`),
        option('requeue', resources.requeue === false ? undefined : true),
        option('signal', `B:USR2@${resources.signalSeconds ?? SIGNAL_SECONDS}`),
        option('cpus-per-task', resources.cpusPerTask),
        option('gres', resources.gres),
        ...memory(resources),
        ...(resources.extra ?? []).map((line) => extraLine(line)),
      ].filter((line) => line !== undefined),
      setup,
      teardown: [...(resources.teardown ?? [])],
      command,
    });
    return { round, file, text, slots };
  });
  const collect = fill(input.templates.collect, collectContext, {
    experiment: input.experiment,
    runId: input.runId,
    run,
    directives: [
      ...common(input, 'collect', `${run}/slurm/logs/%x-%j.log`),
      option('cpus-per-task', 1),
      // One mail a run, not one a task.
      option('mail-user', resources.mailUser),
      option('mail-type', resources.mailUser === undefined ? undefined : (resources.mailType ?? 'END,FAIL')),
    ].filter((line) => line !== undefined),
    setup,
    command,
  });
  return { rounds, collect: { file: 'collect.sbatch', text: collect } };
}

/** Directives of every job. Account, QOS and partition are never defaulted: only the site knows them. */
function common(input: RenderInput, part: string, output: string): string[] {
  const { resources } = input;
  return [
    option('job-name', jobName(input, part)),
    option('chdir', input.run),
    option('output', output),
    option('open-mode', 'append'),
    option('time', slurmTime(resources.time ?? input.time)),
    option('partition', resources.partition),
    option('account', resources.account),
    option('qos', resources.qos),
    option('constraint', resources.constraint),
  ].filter((line) => line !== undefined);
}

function memory({ mem, memPerCpu, memPerGpu }: SlurmResources): (string | undefined)[] {
  const given = Object.entries({ mem, memPerCpu, memPerGpu }).filter(([, value]) => value !== undefined);
  if (given.length > 1)
    throw new FathomError(
      'experiment',
      `resources.slurm: ${given.map(([name]) => name).join(' and ')} exclude each other`,
      { hint: 'keep one of them' },
    );
  return [option('mem', mem), option('mem-per-cpu', memPerCpu), option('mem-per-gpu', memPerGpu)];
}

/** One directive. `#SBATCH` lines know double quotes, but neither backslashes nor variables. */
function option(name: string, value: string | number | true | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value === true) return `--${name}`;
  const text = String(value);
  if (/["\\\n\r`$]/.test(text))
    throw new FathomError('experiment', `resources.slurm: --${name} cannot be ${JSON.stringify(text)}`, {
      hint: '#SBATCH lines take no quotes, backslashes, $ or line breaks in values',
    });
  return /^[\w@%+=:,./\-[\]]*$/.test(text) ? `--${name}=${text}` : `--${name}="${text}"`;
}

function extraLine(line: string): string {
  const text = line.trim().replace(/^#SBATCH\s+/, '');
  if (!text.startsWith('-') || /[\n\r]/.test(text))
    throw new FathomError('experiment', `resources.slurm.extra: ${JSON.stringify(line)} is not an option of sbatch`, {
      hint: 'write it as --option=value',
    });
  return text;
}

/** `2h`, `90m`, `1d` as SLURM writes them; what looks like SLURM's own form passes. */
export function slurmTime(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d)$/.exec(text.trim());
  if (match === null) {
    if (/^\d+$|^(\d+-)?\d+(:\d+){0,2}$/.test(text.trim())) return text.trim();
    throw new FathomError('experiment', `resources.time: ${JSON.stringify(text)} is not a time`, {
      hint: "write 90m, 2h, 1d or SLURM's days-hours:minutes:seconds",
    });
  }
  const minutes = { s: 1 / 60, m: 1, min: 1, h: 60, d: 1440 }[match[2] as 's'];
  return String(Math.max(1, Math.ceil(Number(match[1]) * minutes)));
}

function commandOf({ node, program, resources }: RenderInput): string {
  const plain = `${shellQuote(node)} ${shellQuote(program)}`;
  // The image goes on the line that runs, not into a directive: sites without the plug-in for sbatch have it for srun.
  return resources.container === undefined
    ? plain
    : `srun --container-image=${shellQuote(resources.container)} ${plain}`;
}

function fill<Context>(template: string, schema: z.ZodType<Context>, context: Context): string {
  const engine = Handlebars.create();
  engine.registerHelper('sh', (text: string) => shellQuote(text));
  // noEscape: this is a shell script, not HTML. The schema guards what `strict` does not see: missing block arguments.
  return engine.compile(template, { noEscape: true, strict: true })(schema.parse(context));
}
