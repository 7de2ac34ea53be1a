/** Reads a run off the disk into the model of its page. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Figure } from '../contract/figure.ts';
import type { MetricsFile } from '../contract/metrics.ts';
import { FathomError, formatError, formatPlace } from '../errors.ts';
import type { Experiment, Origin } from '../experiment/types.ts';
import type { Plan } from '../plan/build.ts';
import { describeCoordinates, type Task } from '../plan/types.ts';
import { chooseWinners, type SweepTask, scoreTrials } from '../plan/winner.ts';
import type { ReportModel, ReportSweep } from './model.ts';

/** What the page is made from, as a run offers it. */
export interface Collected {
  readonly experiment: Experiment;
  readonly plan: Plan;
  readonly run: {
    readonly id: string;
    readonly startedAt: string;
    readonly finishedAt: string | null;
    readonly command: string;
    readonly versions: readonly { name: string; version: string }[];
    readonly hardware: readonly { name: string; value: string }[];
    readonly git: { readonly commit: string | null; readonly dirty: boolean };
    readonly lockSha256: string;
    readonly slurm: readonly { name: string; value: string }[];
  };
  /** Ends of tasks by identity. */
  readonly states: ReadonlyMap<string, { readonly state: string; readonly error?: string }>;
  /** Folder of the artifact of a task. */
  readonly artifact: (task: string) => string;
}

interface Ended {
  readonly task: Task;
  readonly metrics: MetricsFile | undefined;
  readonly figures: readonly Figure[];
  readonly seconds: number;
  readonly peakMemoryMb: number | null;
}

export async function collectReport(from: Collected): Promise<ReportModel> {
  const { experiment, plan, run, states } = from;
  const tasks = plan.rounds.flat();
  const ended: Ended[] = [];
  for (const task of tasks)
    if (states.get(task.id)?.state === 'done') ended.push(await readTask(task, from.artifact(task.id)));
  const sweptTrial = ({ task }: Ended): boolean => task.coordinates.trial !== undefined;
  const shown = ended.filter((one) => !sweptTrial(one));
  const answer = experiment.report.answer;
  const findings = shown.flatMap(({ task, metrics }) =>
    (metrics?.findings ?? []).map((finding) => ({ ...finding, stage: task.stage })),
  );
  return {
    experiment: {
      name: experiment.name,
      file: experiment.file,
      ...(experiment.title === undefined ? {} : { title: experiment.title }),
      question: experiment.report.question ?? experiment.question ?? experiment.title ?? experiment.name,
      ...(experiment.about === undefined ? {} : { about: experiment.about }),
    },
    run: {
      id: run.id,
      startedAt: run.startedAt,
      finishedAt: run.finishedAt,
      complete:
        tasks.every((task) => states.get(task.id)?.state === 'done') && plan.rounds.length === plan.shape.rounds.length,
    },
    findings: [...findings.filter((one) => one.stage === answer), ...findings.filter((one) => one.stage !== answer)],
    checks: shown.flatMap(({ task, metrics }) =>
      (metrics?.checks ?? []).map((check) => ({ ...check, stage: task.stage })),
    ),
    quality: shown.flatMap(({ task, metrics }) =>
      (metrics?.quality ?? []).map((quality) => ({ ...quality, stage: task.stage })),
    ),
    metrics: shown.flatMap(({ task, metrics }) =>
      (metrics?.metrics ?? []).map((metric) => ({
        ...metric,
        stage: task.stage,
        part: describeCoordinates(task.coordinates),
      })),
    ),
    figures: shown.flatMap(({ task, figures }) =>
      figures.map((figure) => ({ stage: task.stage, part: describeCoordinates(task.coordinates), figure })),
    ),
    sweeps: sweepOf(from, ended),
    notes: shown.flatMap(({ task, metrics }) => (metrics?.notes ?? []).map((text) => ({ stage: task.stage, text }))),
    absent: [...plan.shape.absent],
    failed: tasks.flatMap((task) => {
      const end = states.get(task.id);
      if (end === undefined || end.state === 'done') return [];
      return [{ stage: task.stage, part: describeCoordinates(task.coordinates), error: end.error ?? end.state }];
    }),
    stages: stagesOf(from, ended),
    provenance: {
      command: run.command,
      settings: settingsOf(experiment),
      versions: run.versions,
      hardware: run.hardware,
      hashes: [
        { name: 'Run', hash: run.id },
        { name: 'Lock file', hash: run.lockSha256 },
        ...uniqueFiles(tasks).map((file) => ({ name: file.path, hash: file.sha256 })),
      ],
      git: { commit: run.git.commit, dirty: run.git.dirty },
      slurm: run.slurm,
    },
  };
}

async function readTask(task: Task, artifact: string): Promise<Ended> {
  const read = async <T>(name: string): Promise<T | undefined> => {
    try {
      return JSON.parse(await readFile(path.join(artifact, name), 'utf8')) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new FathomError('io', `${path.join(artifact, name)}: not readable`, { cause: error });
    }
  };
  const port = (kind: string): string | undefined =>
    Object.entries(task.outputs).find(([, output]) => output.kind === kind)?.[0];
  const [metricsPort, figuresPort] = [port('metrics'), port('figures')];
  const provenance = await read<{ seconds: number; peakMemoryMb: number }>('provenance.json');
  return {
    task,
    metrics: metricsPort === undefined ? undefined : await read<MetricsFile>(`${metricsPort}.json`),
    // Figures of single trials are not shown; the sweep's own figures sum them up.
    figures:
      figuresPort === undefined || task.coordinates.trial !== undefined
        ? []
        : ((await read<Figure[]>(`${figuresPort}.json`)) ?? []),
    seconds: provenance?.seconds ?? 0,
    peakMemoryMb: provenance?.peakMemoryMb ?? null,
  };
}

function sweepOf({ experiment, plan, states }: Collected, ended: readonly Ended[]): ReportSweep[] {
  const { sweep } = experiment;
  if (sweep === undefined) return [];
  const tasks = plan.rounds.flat().filter((task) => task.stage === sweep.stage && task.coordinates.trial !== undefined);
  if (tasks.length === 0) return [];
  const byId = new Map(ended.map((one) => [one.task.id, one]));
  const list: SweepTask[] = tasks.map((task) => ({ task, metrics: byId.get(task.id)?.metrics ?? null }));
  const scores = new Map(scoreTrials(list, sweep.metric.name).map((score) => [score.trial, score]));
  const known =
    [...scores.values()].some((score) => score.score !== null) && tasks.every((task) => states.has(task.id));
  const chosen = known ? chooseWinners(list, sweep.metric) : null;
  const winner = chosen === null || chosen instanceof Error ? null : chosen.winner;
  const foldNumbers = [...new Set(tasks.map((task) => task.coordinates.fold ?? 0))].sort((a, b) => a - b);
  const folds = foldNumbers.length;
  return [
    {
      stage: sweep.stage,
      metric: sweep.metric.name,
      goal: sweep.metric.goal,
      sampler: sweep.sampler.use,
      axes: sweep.space.map(({ path: name, distribution }) =>
        distribution.kind === 'choice'
          ? { name, scale: 'category' as const, values: distribution.values.map((value) => JSON.stringify(value)) }
          : { name, scale: distribution.kind.startsWith('log') ? ('log' as const) : ('linear' as const) },
      ),
      folds,
      replicates: sweep.replicates,
      trials: plan.trials.map((trial) => {
        const own = tasks.filter((task) => task.coordinates.trial === trial.index);
        const seconds = own.map((task) => byId.get(task.id)?.seconds);
        return {
          trial: trial.index,
          params: trial.params,
          values: scores.get(trial.index)?.replicates ?? [],
          score: scores.get(trial.index)?.score ?? null,
          seconds: seconds.some((value) => value === undefined)
            ? null
            : seconds.reduce<number>((sum, value) => sum + (value ?? 0), 0),
        };
      }),
      foldWinners: known
        ? foldNumbers.flatMap((fold) => {
            const own = list.filter(({ task }) => (task.coordinates.fold ?? 0) === fold);
            const best = chooseWinners(own, sweep.metric);
            return best instanceof Error ? [] : [best.winner];
          })
        : [],
      winner: winner === null ? null : plan.trials.findIndex((trial) => trial.index === winner),
    },
  ];
}

function stagesOf({ experiment, plan, states }: Collected, ended: readonly Ended[]): ReportModel['stages'] {
  const tasks = plan.rounds.flat();
  return experiment.stages.map((stage) => {
    const own = tasks.filter((task) => task.stage === stage.name);
    const finished = ended.filter(({ task }) => task.stage === stage.name);
    const memory = finished.flatMap(({ peakMemoryMb }) => (peakMemoryMb === null ? [] : [peakMemoryMb]));
    return {
      stage: stage.name,
      use: stage.use,
      engine: own[0]?.engine ?? null,
      tasks: own.length,
      done: own.filter((task) => states.get(task.id)?.state === 'done').length,
      seconds: finished.reduce((sum, { seconds }) => sum + seconds, 0),
      peakMemoryMb: memory.length === 0 ? null : Math.max(...memory),
    };
  });
}

/** Every value of the experiment with the place it came from, secrets never being among them. */
function settingsOf(experiment: Experiment): ReportModel['provenance']['settings'] {
  const settings: { key: string; value: string; origin: string }[] = [];
  const walk = (value: unknown, key: string): void => {
    const isLeaf = value === null || typeof value !== 'object' || Object.keys(value).length === 0;
    if (isLeaf)
      settings.push({
        key,
        value: typeof value === 'string' ? value : JSON.stringify(value),
        origin: originText(experiment.origins.get(key)),
      });
    else for (const [name, item] of Object.entries(value)) walk(item, `${key}.${name}`);
  };
  walk(experiment.seed, 'seed');
  for (const stage of experiment.stages) {
    walk(stage.use, `stages.${stage.name}.use`);
    if (stage.each !== undefined) walk(stage.each, `stages.${stage.name}.each`);
    if (stage.engine !== undefined) walk(stage.engine, `stages.${stage.name}.engine`);
    for (const [name, value] of Object.entries(stage.params)) walk(value, `stages.${stage.name}.${name}`);
  }
  return settings;
}

export function originText(origin: Origin | undefined): string {
  if (origin === undefined || origin.kind === 'default') return 'default';
  if (origin.kind === 'file') return formatPlace(origin);
  if (origin.kind === 'override') return `command line: ${origin.text}`;
  if (origin.kind === 'env') return `environment: ${origin.name}${origin.fellBack ? ' (not set)' : ''}`;
  return `${originText(origin.at)} -> ${origin.to}`;
}

function uniqueFiles(tasks: readonly Task[]): { path: string; sha256: string }[] {
  const files = new Map(tasks.flatMap((task) => task.files.map((file) => [file.path, file] as const)));
  return [...files.values()];
}

/** One line for an end that is not "done". */
export function endText(marker: { state: string; error?: Parameters<typeof FathomError.fromData>[0] }): {
  state: string;
  error?: string;
} {
  return marker.error === undefined
    ? { state: marker.state }
    : { state: marker.state, error: formatError(FathomError.fromData(marker.error)) };
}
