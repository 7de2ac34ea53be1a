/** The shape of an experiment file, apart from what belongs to stages, samplers and search spaces. */
import { z } from 'zod';
import { durationForm, durationSeconds } from './duration.ts';

const words = z.string().min(1);

const duration = z
  .string()
  .refine((text) => durationSeconds(text) !== undefined, { error: `expected a length of time: ${durationForm}` });

const memory = z
  .string()
  .regex(/^[1-9][0-9]*[KMGT]$/, { error: 'expected an amount of memory with its unit: 500M, 16G' });

const oneLine = z
  .string()
  .min(1)
  .regex(/^[^\r\n]*$/, { error: 'expected one line' });

/** Stages, axes and samplers are checked one by one, each by its own schema. */
const checkedLater = z.record(z.string(), z.unknown());

export const slurmSchema = z.strictObject({
  partition: words.optional().describe('Partition, or several with commas.'),
  account: words.optional().describe('Account that is charged.'),
  qos: words.optional().describe('Quality of service.'),
  constraint: words.optional().describe('Features a node must have.'),
  gres: words.optional().describe('Generic resources of a job, e.g. gpu:1.'),
  time: duration.optional().describe('Wall-clock limit of a job; default: resources.time.'),
  cpusPerTask: z.int().min(1).optional().describe('Cores of a job; default: what the stages ask for.'),
  mem: memory.optional().describe('Memory of a job.'),
  memPerCpu: memory.optional().describe('Memory of a job for each core.'),
  memPerGpu: memory.optional().describe('Memory of a job for each GPU.'),
  throttle: z.int().min(1).optional().describe('Array indices that may run at once.'),
  array: z
    .strictObject({ throttle: z.int().min(1).optional().describe('As throttle.') })
    .optional()
    .describe('Options of job arrays.'),
  setup: z.array(z.string()).optional().describe('Shell lines before the work: modules, conda.'),
  teardown: z.array(z.string()).optional().describe('Shell lines after the work.'),
  extra: z.array(oneLine).optional().describe('Options of sbatch as they are, without #SBATCH.'),
  mailUser: words.optional().describe('Address for mail about the last job only.'),
  mailType: words.optional().describe('Events that send mail, e.g. END,FAIL.'),
  requeue: z.boolean().optional().describe('Whether a job near its limit is requeued; default true.'),
  maxRestarts: z.int().min(0).optional().describe('How often one index may be requeued.'),
  signalSeconds: z.int().min(1).optional().describe('Seconds before the limit at which a job saves and stops.'),
  container: words.optional().describe('Image for --container-image.'),
  tasksPerJob: z.int().min(1).optional().describe('Tasks that one array index runs, one after another.'),
});

const resourcesSchema = z.strictObject({
  device: z.enum(['auto', 'cpu', 'gpu']).default('auto').describe('Which engines auto may take.'),
  threads: z.int().min(1).optional().describe('Threads of the whole run; default: what the allocation has.'),
  memoryMb: z.int().min(64).optional().describe('Memory of the whole run in MiB; default: what the allocation has.'),
  time: duration.optional().describe(`Time limit of the run: ${durationForm}.`),
  slurm: slurmSchema.optional().describe('For fathom submit.'),
});

const sweepSchema = z.strictObject({
  stage: words.describe('The stage that is tuned.'),
  metric: z
    .strictObject({
      name: words.describe('A scalar in the metrics of the stage, e.g. validation.score.'),
      goal: z.enum(['maximize', 'minimize']).describe('Which way is better.'),
    })
    .describe('What decides between trials.'),
  space: checkedLater.describe('Distributions by parameter of the stage.'),
  sampler: checkedLater.describe('How trials are chosen.'),
  replicates: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('How often each trial is trained, each time with another seed.'),
});

const reportSchema = z.strictObject({
  question: words.optional().describe('The headline of the report; default: question.'),
  answer: words.optional().describe('The stage whose findings are the answer.'),
});

export const rootSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, { error: 'expected lower-case words joined by hyphens, e.g. whale-detection' })
    .max(80)
    .describe('Names the folders of runs: lower-case words joined by hyphens.'),
  title: oneLine.optional().describe('Title of the report.'),
  question: oneLine.optional().describe('What the experiment asks.'),
  about: oneLine.optional().describe('Data and period in one line.'),
  seed: z.int().min(0).default(42).describe('All random numbers follow from it.'),
  stages: checkedLater.describe('The steps, by a name of your choice.'),
  sweep: sweepSchema.optional().describe('Which parameters of one stage to search.'),
  resources: resourcesSchema.prefault({}).describe('What a run may use.'),
  report: reportSchema.prefault({}).describe('What the page says first.'),
  onError: z
    .enum(['continue', 'abort'])
    .default('continue')
    .describe('What a failed task does to the rest of the run.'),
});

const reference = z.string().min(1).describe('A stage, or stage.output.');

/** The keys that every stage has besides its own parameters. */
export const stageSchema = z.strictObject({
  use: words.describe('Which method; see fathom list.'),
  from: z
    .record(z.string(), z.union([reference, z.array(reference)]))
    .default({})
    .describe('What each input reads: a stage, stage.output, or a list of them.'),
  each: z.enum(['fold', 'shard']).optional().describe('One task for each of these.'),
  whenMissing: z
    .enum(['stop', 'skip'])
    .default('stop')
    .describe('What to do where a library the stage needs is absent.'),
  engine: words.optional().describe('Who does the arithmetic: auto, or one of the engines of the stage.'),
  description: z.string().optional().describe('For readers of the file and the report.'),
});

const trials = z.int().min(1).max(1_000_000).describe('Number of points.');

/** Samplers by `use`. */
export const samplerSchemas = {
  grid: z.strictObject({ use: z.literal('grid') }).describe('Every combination.'),
  random: z.strictObject({ use: z.literal('random'), trials }).describe('Independent draws.'),
  sobol: z
    .strictObject({ use: z.literal('sobol'), trials })
    .describe('A scrambled Sobol sequence: covers the space more evenly than independent draws.'),
};
