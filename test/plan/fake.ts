/** Experiments and stages made of nothing, for tests of plans: no file is read and nothing runs. */
import { z } from 'zod';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { input, output, type StageDefinition } from '../../src/contract/stage.ts';
import type { Experiment, ExperimentStage, Source, Sweep } from '../../src/experiment/types.ts';
import { buildPlan, type Plan, type PlanSources } from '../../src/plan/build.ts';
import { type Availability, placeStages } from '../../src/plan/nodes.ts';
import type { Task } from '../../src/plan/types.ts';

function fake(definition: Partial<StageDefinition<never>> & { name: string }): [string, StageDefinition] {
  return [
    definition.name,
    {
      version: 1,
      summary: 'a fake',
      params: z.looseObject({}),
      inputs: {},
      outputs: { metrics: output('metrics', 'scores') },
      isolation: 'thread',
      runs: 'fake',
      resources: () => ({ threads: 1, memoryMb: 10, gpus: 0 }),
      ...definition,
    } as unknown as StageDefinition,
  ];
}

/** A source, a splitter, a model that can be tuned, a comparison of any number of models, and a consumer of one. */
export const definitions: ReadonlyMap<string, StageDefinition> = new Map([
  fake({ name: 'source', files: ({ file }: { file?: string }) => (file === undefined ? [] : [file]) } as never),
  fake({
    name: 'folds',
    outputs: { splits: output('json', 'folds') },
    elements: ({ folds }: { folds: number }) => ({ fold: folds }),
  } as never),
  fake({
    name: 'shards',
    outputs: { splits: output('json', 'shards') },
    elements: ({ shards }: { shards: number }) => ({ shard: shards }),
  } as never),
  fake({
    name: 'fit',
    params: z.strictObject({
      x: z.number().default(0),
      nested: z.strictObject({ rate: z.number().default(1) }).default({ rate: 1 }),
      hidden: z.array(z.number()).default([8, 4]),
      epochs: z.number().default(100),
    }),
    inputs: {
      data: input('metrics', 'data', { optional: true }),
      splits: input('json', 'folds', { optional: true }),
    },
    outputs: { metrics: output('metrics', 'scores'), model: output('model', 'weights', { optional: true }) },
    refit: (params: { epochs: number }, metrics: readonly MetricsFile[]) => ({
      ...params,
      epochs: Math.round(metrics.reduce((sum, { scalars }) => sum + (scalars['best'] ?? 0), 0) / metrics.length),
    }),
  } as never),
  fake({ name: 'compare', inputs: { parts: input('metrics', 'models', { take: 'all', many: true }) } }),
  fake({
    name: 'use',
    inputs: {
      one: input('metrics', 'aligned'),
      more: input('metrics', 'aligned too', { optional: true }),
      all: input('metrics', 'every one', { take: 'all', optional: true }),
    },
  }),
]);

type StageOptions = Partial<Omit<ExperimentStage, 'name' | 'use' | 'from'>> & {
  from?: Record<string, string | readonly string[]>;
};

/** A stage; `from` names stages, whose output is `metrics`, or `stage.output`. */
export function stage(name: string, use: string, options: StageOptions = {}): ExperimentStage {
  const { from = {}, params = {}, ...rest } = options;
  const sourceOf = (text: string): Source => {
    const [producer = '', port = 'metrics'] = text.split('.');
    return { stage: producer, output: port };
  };
  return {
    name,
    use,
    params: definitions.get(use)?.params.parse(params) as Record<string, unknown>,
    whenMissing: 'stop',
    from: Object.fromEntries(Object.entries(from).map(([port, names]) => [port, [names].flat().map(sourceOf)])),
    ...rest,
  };
}

export function experiment(stages: readonly ExperimentStage[], rest: Partial<Experiment> = {}): Experiment {
  return {
    name: 'fake',
    file: 'fake.yaml',
    files: ['fake.yaml'],
    overrides: [],
    seed: 7,
    stages,
    resources: { device: 'auto' },
    report: {},
    onError: 'continue',
    origins: new Map(),
    ...rest,
  };
}

/** Everything is there: each stage runs in its only way. */
export const allThere = (): Availability => ({ engine: null, version: null });

export function sourcesOf(
  made: Experiment,
  metrics: PlanSources['metrics'] = () => undefined,
  rest: Partial<PlanSources> = {},
): PlanSources {
  const { nodes, absent } = placeStages(made, definitions, allThere);
  return { experiment: made, nodes, absent, numerics: (use) => `code of ${use}`, files: () => [], metrics, ...rest };
}

export function planOf(made: Experiment, metrics?: PlanSources['metrics'], rest?: Partial<PlanSources>): Plan {
  return buildPlan(sourcesOf(made, metrics, rest));
}

/** A sweep of x over the given values, two folds, and one consumer of the refitted winner. */
export function sweptExperiment(
  values: readonly number[],
  options: { goal?: 'maximize' | 'minimize'; replicates?: number; folds?: number; seed?: number } = {},
): Experiment {
  const sweep: Sweep = {
    stage: 'fit',
    metric: { name: 'validation.score', goal: options.goal ?? 'maximize' },
    space: [{ path: 'x', distribution: { kind: 'choice', values } }],
    sampler: { use: 'grid' },
    replicates: options.replicates ?? 1,
  };
  return experiment(
    [
      stage('data', 'source'),
      stage('splits', 'folds', { params: { folds: options.folds ?? 2 } }),
      stage('fit', 'fit', { from: { data: 'data', splits: 'splits.splits' }, each: 'fold' }),
      stage('answer', 'compare', { from: { parts: ['data', 'fit'] } }),
    ],
    { sweep, seed: options.seed ?? 7 },
  );
}

/** Metrics of a trial, as `score` says; tasks of other stages have none. */
export function scored(
  score: (task: Task & { params: { x: number } }) => number | null | undefined,
  best: (task: Task & { params: { x: number } }) => number = () => 10,
): PlanSources['metrics'] {
  return (task) => {
    if (task.use !== 'fit') return { scalars: {} };
    const value = score(task as never);
    if (value === undefined) return undefined;
    return value === null ? null : { scalars: { 'validation.score': value, best: best(task as never) } };
  };
}
