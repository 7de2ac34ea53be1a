/** A run on disk: its folder, its plan as far as it is known, and what the store already has of it. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { MetricsFile } from '../contract/metrics.ts';
import type { StageDefinition } from '../contract/stage.ts';
import { FathomError, fromSystemError } from '../errors.ts';
import { canonicalJson } from '../experiment/canonical.ts';
import { sampleTrials } from '../experiment/samplers.ts';
import type { Experiment, Origin } from '../experiment/types.ts';
import { probeStages } from '../plan/availability.ts';
import { buildPlan, type Plan, type PlanSources, trialParams } from '../plan/build.ts';
import { makeFileHasher } from '../plan/files.ts';
import { type Availability, type Node, placeStages } from '../plan/nodes.ts';
import { loadNumerics } from '../plan/numerics.ts';
import type { Task, TaskFile } from '../plan/types.ts';
import { writeAtomically } from '../store/files.ts';
import { type RunPaths, runPaths } from '../store/layout.ts';
import { openStore, type Store } from '../store/store.ts';
import { outputFile } from './context.ts';
import { readStates } from './states.ts';

type Definitions = ReadonlyMap<string, StageDefinition>;

/** What the machine that planned found; kept beside the plan, so that any node builds the same later rounds. */
interface Facts {
  readonly availability: Readonly<Record<string, Availability>>;
  /** Hash of the code of each stage, as it enters identities. */
  readonly numerics: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, number>>;
  /** Stages whose code has another hash by now and was accepted all the same, with that hash. */
  readonly accepted: Readonly<Record<string, string>>;
  readonly files: readonly TaskFile[];
}

export interface Session {
  readonly experiment: Experiment;
  readonly definitions: Definitions;
  readonly nodes: readonly Node[];
  /** The results folder and the run's own folder below it. */
  readonly results: string;
  readonly run: string;
  readonly id: string;
  readonly paths: RunPaths;
  readonly store: Store;
  readonly cwd: string;
  /** True if a task would run by the code that its plan was made for, or by code accepted in its stead. */
  hasCodeOf(task: Pick<Task, 'use' | 'numerics'>): boolean;
  /** The plan with all rounds that are known now; new rounds are written down. */
  plan(options?: { write: boolean }): Promise<Plan>;
}

export interface OpenOptions {
  readonly experiment: Experiment;
  readonly definitions: Definitions;
  readonly results: string;
  readonly cwd: string;
  /** Keep results of stages whose code has changed but whose version has not. */
  readonly acceptCode?: boolean;
}

/** Plans an experiment on this machine. Nothing is written but remembered file hashes. */
export async function openSession({
  experiment,
  definitions,
  results,
  cwd,
  acceptCode,
}: OpenOptions): Promise<Session> {
  const availability = await probeStages(experiment, definitions);
  const { nodes } = placeStages(experiment, definitions, (stage) => availability.get(stage.name) as Availability);
  const numerics = loadNumerics(definitions);
  const hasher = await makeFileHasher(cwd, path.join(results, 'store', 'file-hashes.json'));
  const files: TaskFile[] = [];
  for (const node of nodes)
    for (const params of [node.stage.params, ...(node.swept ? sweptParams(experiment, node) : [])])
      for (const file of node.definition.files?.(params) ?? [])
        if (!files.some((known) => known.path === file))
          files.push(await hasher.hash(file, { experiment, stage: node.stage.name }));
  if (files.length > 0) await hasher.save().catch(() => undefined);
  const facts: Facts = {
    availability: Object.fromEntries(availability),
    ...(await codeOf(nodes, numerics, acceptCode === true ? path.join(results, experiment.name, 'latest') : undefined)),
    files,
  };
  const id = runId(experiment, nodes, facts);
  return makeSession({
    experiment,
    definitions,
    results,
    cwd,
    facts,
    id,
    run: path.join(results, experiment.name, id),
  });
}

/**
 * Hashes and versions of the code behind the stages. With the folder of an earlier run, stages of the same version keep
 * the hash that they had there, and so their results.
 */
async function codeOf(
  nodes: readonly Node[],
  numerics: (use: string) => string,
  earlier: string | undefined,
): Promise<Pick<Facts, 'numerics' | 'versions' | 'accepted'>> {
  const before =
    earlier === undefined
      ? undefined
      : await readFile(runPaths(earlier).experiment, 'utf8').then(
          (text) => (JSON.parse(text) as SavedRun).facts,
          () => undefined,
        );
  const code = {
    numerics: {} as Record<string, string>,
    versions: {} as Record<string, number>,
    accepted: {} as Record<string, string>,
  };
  for (const { stage, definition } of nodes) {
    const now = numerics(stage.use);
    const kept = before?.versions[stage.use] === definition.version ? before.numerics[stage.use] : undefined;
    code.numerics[stage.use] = kept ?? now;
    code.versions[stage.use] = definition.version;
    if (kept !== undefined && kept !== now) code.accepted[stage.use] = now;
  }
  return code;
}

/** Opens a run by its folder, from what it wrote down: the experiment file may have changed or be gone. */
export async function reopenSession(run: string, definitions: Definitions): Promise<Session> {
  const paths = runPaths(path.resolve(run));
  let saved: SavedRun;
  try {
    saved = JSON.parse(await readFile(paths.experiment, 'utf8')) as SavedRun;
  } catch (error) {
    throw new FathomError('usage', `${run} is not the folder of a run`, {
      hint: `it has no readable ${path.basename(paths.experiment)}; run folders are results/<experiment>/<id>`,
      cause: error,
    });
  }
  const { origins, ...rest } = saved.experiment;
  const experiment = { ...rest, origins: new Map(origins) } as Experiment;
  return makeSession({
    experiment,
    definitions,
    results: path.resolve(paths.root, '..', '..'),
    cwd: saved.cwd,
    facts: saved.facts,
    id: path.basename(paths.root),
    run: paths.root,
  });
}

interface SavedRun {
  readonly experiment: Omit<Experiment, 'origins'> & { origins: [string, Origin][] };
  readonly facts: Facts;
  readonly cwd: string;
}

interface SessionParts extends OpenOptions {
  readonly facts: Facts;
  readonly id: string;
  readonly run: string;
}

function makeSession(parts: SessionParts): Session {
  const { experiment, definitions, results, cwd, facts, id, run } = parts;
  const { nodes, absent } = placeStages(
    experiment,
    definitions,
    (stage) => facts.availability[stage.name] as Availability,
  );
  const paths = runPaths(run);
  const store = openStore(results);
  const byPath = new Map(facts.files.map((file) => [file.path, file]));
  const metrics = new Map<string, MetricsFile | null>();
  const sources: PlanSources = {
    experiment,
    nodes,
    absent,
    numerics: (use) => facts.numerics[use] ?? '',
    files: (stage, params) =>
      (nodes.find((node) => node.stage.name === stage)?.definition.files?.(params) ?? []).map(
        (file) => byPath.get(file) as TaskFile,
      ),
    metrics: (task) => metrics.get(task.id),
  };
  return {
    experiment,
    definitions,
    nodes,
    results,
    run,
    id,
    paths,
    store,
    cwd,
    hasCodeOf: ({ use, numerics }) => {
      const now = loadNumerics(definitions)(use);
      return now === numerics || now === facts.accepted[use];
    },
    plan: async (options = { write: true }) => {
      // A failure may have been tried again since.
      for (const [id, found] of metrics) if (found === null) metrics.delete(id);
      let plan = buildPlan(sources);
      // The rounds after a sweep need the metrics of its trials, as far as they have ended.
      if (plan.rounds.length < plan.shape.rounds.length) {
        await readSweepMetrics(plan, { experiment, paths, store, metrics });
        plan = buildPlan(sources);
      }
      if (options.write) await writePlan(plan, parts, paths);
      return plan;
    },
  };
}

async function readSweepMetrics(
  plan: Plan,
  at: { experiment: Experiment; paths: RunPaths; store: Store; metrics: Map<string, MetricsFile | null> },
): Promise<void> {
  const trials = plan.rounds.flat().filter((task) => task.stage === at.experiment.sweep?.stage);
  const states = new Map<number, Map<number, string>>();
  for (const task of trials) {
    const found = await taskMetrics(at.store, task);
    if (found !== undefined) {
      at.metrics.set(task.id, found);
      continue;
    }
    const round = states.get(task.round) ?? (await readStates(at.paths, task.round));
    states.set(task.round, round);
    if (round.get(task.index) === 'failed') at.metrics.set(task.id, null);
    else at.metrics.delete(task.id);
  }
}

/** The metrics that a finished task wrote; undefined if it is not finished or has none. */
export async function taskMetrics(store: Store, task: Pick<Task, 'id' | 'outputs'>): Promise<MetricsFile | undefined> {
  const port = Object.entries(task.outputs).find(([, output]) => output.kind === 'metrics')?.[0];
  if (port === undefined) return undefined;
  try {
    return JSON.parse(
      await readFile(path.join(store.paths.artifact(task.id), outputFile(port, 'metrics')), 'utf8'),
    ) as MetricsFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function sweptParams(experiment: Experiment, node: Node): unknown[] {
  const { sweep } = experiment;
  return sweep === undefined
    ? []
    : sampleTrials(sweep.space, sweep.sampler, experiment.seed).map((trial) => trialParams(node, trial));
}

/** Names the run: any change of stages, parameters, data, code or engines gives another. */
function runId(experiment: Experiment, nodes: readonly Node[], facts: Facts): string {
  const content = canonicalJson({
    stages: nodes.map(({ stage, engine, engineVersion }) => ({
      name: stage.name,
      use: stage.use,
      params: stage.params,
      from: stage.from,
      each: stage.each ?? null,
      engine,
      engineVersion,
    })),
    sweep: experiment.sweep ?? null,
    seed: experiment.seed,
    numerics: facts.numerics,
    files: facts.files.map((file) => file.sha256),
  });
  return createHash('sha256').update(content).digest('hex').slice(0, 10);
}

async function writePlan(plan: Plan, parts: SessionParts, paths: RunPaths): Promise<void> {
  try {
    await mkdir(path.dirname(paths.shape), { recursive: true });
    const { origins, ...rest } = parts.experiment;
    const saved: SavedRun = { experiment: { ...rest, origins: [...origins] }, facts: parts.facts, cwd: parts.cwd };
    await writeIfChanged(paths.experiment, `${JSON.stringify(saved)}\n`);
    await writeIfChanged(paths.shape, `${JSON.stringify(plan.shape, null, 1)}\n`);
    for (const [round, tasks] of plan.rounds.entries())
      await writeIfChanged(paths.round(round), tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
  } catch (error) {
    throw fromSystemError(error, 'writing the plan');
  }
}

async function writeIfChanged(file: string, content: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before !== content) await writeAtomically(file, content);
}
