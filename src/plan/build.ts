/** From an experiment to rounds of tasks. Pure: metrics of earlier rounds are passed in. */

import type { MetricsFile } from '../contract/metrics.ts';
import type { Coordinates, Resources, StageDefinition } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { sampleTrials } from '../experiment/samplers.ts';
import type { Experiment, Trial } from '../experiment/types.ts';
import { keyOf } from '../random/rng.ts';
import { identityOf } from './identity.ts';
import { type Node, readyLevel } from './nodes.ts';
import {
  type Absence,
  describeCoordinates,
  type PlanShape,
  type Task,
  type TaskFile,
  type TaskInput,
} from './types.ts';
import { chooseWinners, type SweepTask } from './winner.ts';

export interface PlanSources {
  readonly experiment: Experiment;
  readonly nodes: readonly Node[];
  readonly absent: readonly Absence[];
  /** Hash of the compiled code of a stage. */
  readonly numerics: (use: string) => string;
  /** Outside files of a stage, hashed already, in the order the stage names them. */
  readonly files: (stage: string, params: unknown) => readonly TaskFile[];
  /** Metrics of a task: `undefined` if it has not ended, `null` if it failed. */
  readonly metrics: (task: Task) => MetricsFile | null | undefined;
}

export interface Plan {
  readonly shape: PlanShape;
  /** As many rounds as are known; fewer than the shape has while a sweep has no winner yet. */
  readonly rounds: readonly (readonly Task[])[];
  readonly trials: readonly Trial[];
  /** Why no later round will ever be known as things stand: the sweep has ended without a winner. */
  readonly problem?: FathomError;
}

/** Seed of a replicate; the first is the experiment's own. */
export function replicateSeed(seed: number, replicate: number): number {
  return replicate === 0 ? seed : keyOf(seed, 'replicate', replicate)[0];
}

/** Sets a value by dotted path in a copy. */
export function withValue(params: unknown, path: string, value: unknown): unknown {
  const [head, ...rest] = path.split('.');
  const key = head as string;
  if (Array.isArray(params)) {
    const copy = [...(params as unknown[])];
    const at = Number(key);
    copy[at] = rest.length === 0 ? value : withValue(copy[at], rest.join('.'), value);
    return copy;
  }
  const record = (params ?? {}) as Record<string, unknown>;
  return { ...record, [key]: rest.length === 0 ? value : withValue(record[key], rest.join('.'), value) };
}

/** Parameters of a trial: the stage's own with the trial's in their places, through the stage's schema. */
export function trialParams(node: Node, trial: Trial): unknown {
  let params: unknown = node.stage.params;
  for (const [path, value] of Object.entries(trial.params)) params = withValue(params, path, value);
  return node.definition.params.parse(params);
}

export function buildPlan(sources: PlanSources): Plan {
  const { experiment, nodes } = sources;
  const { sweep } = experiment;
  const trials = sweep === undefined ? [] : sampleTrials(sweep.space, sweep.sampler, experiment.seed);
  const replicates = sweep?.replicates ?? 1;
  const shape = shapeOf(sources, trials.length * replicates);
  const made = new Map<string, Task[]>();
  const rounds: Task[][] = [];
  for (let round = 0; round < shape.rounds.length; round++) {
    const tasks: Task[] = [];
    const add = (node: Node, coordinates: Coordinates, params: unknown, seed: number): Task => {
      const task = makeTask(sources, node, made, { round, index: tasks.length, coordinates, params, seed });
      tasks.push(task);
      return task;
    };
    for (const node of nodes) {
      if (node.level === round && node.swept) {
        const list: Task[] = [];
        for (const trial of trials) {
          const params = trialParams(node, trial);
          for (let replicate = 0; replicate < replicates; replicate++)
            for (const element of elementsOf(node))
              list.push(
                add(
                  node,
                  { ...element, trial: trial.index, replicate },
                  params,
                  replicateSeed(experiment.seed, replicate),
                ),
              );
        }
        made.set(`${node.stage.name}/trials`, list);
      } else if (node.level === round) {
        made.set(
          node.stage.name,
          elementsOf(node).map((element) => add(node, element, node.stage.params, experiment.seed)),
        );
      } else if (node.swept && readyLevel(node) === round) {
        const refits = refitParams(sources, node, made.get(`${node.stage.name}/trials`) ?? []);
        if (refits === undefined) return { shape, rounds, trials };
        if (refits instanceof FathomError) return { shape, rounds, trials, problem: refits };
        made.set(
          node.stage.name,
          refits.map(({ element, params }) => add(node, { ...element, refit: true }, params, experiment.seed)),
        );
      }
    }
    rounds.push(tasks);
  }
  return { shape, rounds, trials };
}

/** One element a fold and shard; a single empty one if the stage does not fan out. */
function elementsOf(node: Node): Coordinates[] {
  if (node.folds !== undefined) return Array.from({ length: node.folds }, (_, fold) => ({ fold }));
  if (node.shards !== undefined) return Array.from({ length: node.shards }, (_, shard) => ({ shard }));
  return [{}];
}

function shapeOf({ nodes, absent }: PlanSources, points: number): PlanShape {
  const count = Math.max(0, ...nodes.map((node) => readyLevel(node) + 1));
  const rounds = Array.from({ length: count }, (_, round) => {
    const stages = nodes.flatMap((node) => {
      const elements = elementsOf(node).length;
      if (node.level === round) return [{ stage: node.stage.name, tasks: node.swept ? elements * points : elements }];
      return node.swept && readyLevel(node) === round ? [{ stage: node.stage.name, tasks: elements }] : [];
    });
    return { stages, tasks: stages.reduce((sum, stage) => sum + stage.tasks, 0) };
  });
  return { rounds, absent };
}

/**
 * Parameters for training the winner again, one an element; undefined while trials are still running, an error if they
 * have ended without a winner.
 */
function refitParams(
  { experiment, metrics }: PlanSources,
  node: Node,
  tasks: readonly Task[],
): { element: Coordinates; params: unknown }[] | FathomError | undefined {
  const sweep = experiment.sweep;
  if (sweep === undefined) return undefined;
  const ended: SweepTask[] = [];
  for (const task of tasks) {
    const found = metrics(task);
    if (found === undefined) return undefined;
    ended.push({ task, metrics: found });
  }
  const refits: { element: Coordinates; params: unknown }[] = [];
  for (const element of elementsOf(node)) {
    const own = ended.filter(
      ({ task }) => task.coordinates.fold === element.fold && task.coordinates.shard === element.shard,
    );
    const chosen = chooseWinners(own, sweep.metric, describeCoordinates(element));
    if (chosen instanceof FathomError) return chosen;
    const { winner } = chosen;
    const winning = own.filter(({ task }) => task.coordinates.trial === winner);
    const params = winning[0]?.task.params;
    const measured = winning.flatMap((one) => (one.metrics === null ? [] : [one.metrics]));
    refits.push({ element, params: node.definition.refit?.(params, measured) ?? params });
  }
  return refits;
}

function makeTask(
  sources: PlanSources,
  node: Node,
  made: ReadonlyMap<string, readonly Task[]>,
  at: { round: number; index: number; coordinates: Coordinates; params: unknown; seed: number },
): Task {
  const inputs: Record<string, TaskInput[]> = {};
  for (const [port, list] of Object.entries(node.from)) {
    const kind = node.definition.inputs[port]?.kind;
    const { take, many } = node.definition.inputs[port] as { take: string; many: boolean };
    inputs[port] = list.flatMap(({ source, producer }) =>
      (made.get(producer.stage.name) ?? [])
        .filter((task) => (take === 'all' || many ? true : aligned(task.coordinates, at.coordinates)))
        .map((task) => ({
          task: task.id,
          stage: source.stage,
          coordinates: task.coordinates,
          output: source.output,
          kind: kind as TaskInput['kind'],
        })),
    );
  }
  const { definition, stage } = node;
  const head = {
    use: stage.use,
    version: definition.version,
    numerics: sources.numerics(stage.use),
    coordinates: at.coordinates,
    params: at.params,
    engine: node.engine,
    engineVersion: node.engineVersion,
    seed: at.seed,
    inputs,
    files: sources.files(stage.name, at.params),
  };
  return {
    round: at.round,
    index: at.index,
    id: identityOf(head),
    stage: stage.name,
    ...head,
    isolation: typeof definition.isolation === 'function' ? definition.isolation(node.engine) : definition.isolation,
    runs: definition.runs,
    outputs: Object.fromEntries(
      Object.entries(definition.outputs).map(([port, { kind, optional }]) => [port, { kind, optional }]),
    ),
    resources: withEngine(definition.resources(at.params), gpusOf(definition, node.engine)),
  };
}

/** True if a producer's task is the one that a consumer's task reads: equal on every axis that the producer has. */
function aligned(producer: Coordinates, consumer: Coordinates): boolean {
  return (
    (producer.fold === undefined || producer.fold === consumer.fold) &&
    (producer.shard === undefined || producer.shard === consumer.shard)
  );
}

function gpusOf(definition: StageDefinition, engine: string | null): number {
  return definition.engines?.find((one) => one.name === engine)?.gpus ?? 0;
}

function withEngine(resources: Resources, gpus: number): Resources {
  return { ...resources, gpus: Math.max(resources.gpus, gpus) };
}
