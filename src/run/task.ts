/** Runs one task, inside a worker thread or a child process, from its line in the plan to its artifact in the store. */
import { existsSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InputArtifact, StageRun } from '../contract/stage.ts';
import { FathomError, fromSystemError } from '../errors.ts';
import { compiledRoot } from '../paths.ts';
import { describeTask, type Task } from '../plan/types.ts';
import { openStore } from '../store/store.ts';
import { type ContextOptions, makeContext, outputFile } from './context.ts';
import type { Job, JobMessage, JobResult } from './job.ts';
import { makeMeeting } from './meeting.ts';

const PROGRESS_EVERY_MS = 100;

export interface TaskHooks {
  send(message: JobMessage): void;
  cancelled(): boolean;
}

/** Runs the tasks of a stack side by side in this process. Never throws. */
export function runStack(jobs: readonly Job[], hooks: TaskHooks): Promise<JobResult[]> {
  const meeting = makeMeeting(jobs.length);
  return Promise.all(
    jobs.map((job, place) => runTask(job, hooks, { meeting, place }).finally(() => meeting.leave(place))),
  );
}

/** Never throws. */
export async function runTask(job: Job, hooks: TaskHooks, stack?: ContextOptions['stack']): Promise<JobResult> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const cached = await make(job, hooks, seconds, stack);
    return { state: 'done', seconds: seconds(), peakMemoryMb: peakMemoryMb(), cached };
  } catch (thrown) {
    const error = fromSystemError(thrown, describeTask(job.task));
    if (error instanceof FathomError)
      return {
        state: error.code === 'interrupted' ? 'interrupted' : 'failed',
        seconds: seconds(),
        error: error.toData(),
      };
    const message = error instanceof Error ? error.message : String(error);
    return {
      state: 'failed',
      seconds: seconds(),
      error: { code: 'task', message },
      ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
    };
  }
}

async function make(
  job: Job,
  hooks: TaskHooks,
  seconds: () => number,
  stack: ContextOptions['stack'],
): Promise<boolean> {
  const { task } = job;
  const store = openStore(job.results);
  if (existsSync(store.paths.manifest(task.id))) return true;
  await checkFiles(task, job.cwd);
  const run = await loadRun(task);
  const folder = await store.stage(task.id);
  const scratchFolder = path.join(store.paths.scratch, path.basename(folder));
  const startedAt = new Date().toISOString();
  let sentAt = 0;
  try {
    const context = makeContext({
      params: task.params,
      engine: task.engine ?? undefined,
      coordinates: {
        ...(task.coordinates.fold === undefined ? {} : { fold: task.coordinates.fold }),
        ...(task.coordinates.shard === undefined ? {} : { shard: task.coordinates.shard }),
      },
      seed: task.seed,
      task: streamOf(task),
      resources: job.resources,
      inputs: inputsOf(job),
      outputs: task.outputs,
      folder,
      checkpointFile: store.paths.checkpoint(task.id),
      scratchFolder,
      cancelled: hooks.cancelled,
      progress: (done, total, unit) => {
        const now = performance.now();
        if (done < total && now - sentAt < PROGRESS_EVERY_MS) return;
        sentAt = now;
        hooks.send({ type: 'progress', task: task.id, done, total, unit });
      },
      log: (line) => hooks.send({ type: 'log', task: task.id, line }),
      ...(stack === undefined ? {} : { stack }),
    });
    await run(context);
    const outputs = outputsOf(task, folder);
    const { id, use, version, numerics, params, engine, engineVersion, seed, inputs, files } = task;
    await store.commit(
      folder,
      { task: id, use, version, numerics, params, engine, engineVersion, seed, inputs, files },
      outputs,
      {
        startedAt,
        finishedAt: new Date().toISOString(),
        seconds: seconds(),
        host: os.hostname(),
        pid: process.pid,
        node: process.version,
        stage: task.stage,
        coordinates: task.coordinates,
        threads: job.resources.threads,
        peakMemoryMb: peakMemoryMb(),
      },
    );
    rmSync(store.paths.checkpoint(task.id), { force: true });
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(scratchFolder, { recursive: true, force: true });
  }
}

/** Random streams are keyed by this and the seed, not by the identity: a refactoring must not change the draws. */
export function streamOf(task: Pick<Task, 'use' | 'coordinates'>): string {
  const { fold, shard } = task.coordinates;
  return [
    task.use,
    ...(fold === undefined ? [] : [`fold ${fold}`]),
    ...(shard === undefined ? [] : [`shard ${shard}`]),
  ].join('/');
}

function inputsOf(job: Job): Record<string, InputArtifact[]> {
  const store = openStore(job.results);
  const inputs: Record<string, InputArtifact[]> = {};
  for (const [port, list] of Object.entries(job.task.inputs))
    inputs[port] = list.map((from) => {
      const file = path.join(store.paths.artifact(from.task), outputFile(from.output, from.kind));
      const shared = job.shared[file];
      return {
        stage: from.stage,
        coordinates: from.coordinates,
        task: from.task,
        path: file,
        ...(shared === undefined ? {} : { shared }),
      };
    });
  return inputs;
}

async function loadRun(task: Task): Promise<StageRun<unknown>> {
  const url = task.runs.startsWith('file:')
    ? task.runs
    : pathToFileURL(path.join(compiledRoot, 'stages', 'run', `${task.runs}.js`)).href;
  const module = (await import(url)) as { default: StageRun<unknown> };
  return module.default;
}

/** Outside files must still be what the plan saw: else the identity would be a lie. Size is checked, not content. */
async function checkFiles(task: Task, cwd: string): Promise<void> {
  for (const file of task.files) {
    const found = await stat(path.resolve(cwd, file.path)).catch((error: unknown) => {
      throw fromSystemError(error, `${task.stage} reads ${file.path}`);
    });
    if (found.size !== file.bytes)
      throw new FathomError('data', `${file.path}: ${found.size} bytes, but ${file.bytes} when the plan was made`, {
        hint: 'the file has changed; run again to make a new plan',
      });
  }
}

function outputsOf(
  task: Task,
  folder: string,
): Record<string, { file: string; kind: Task['outputs'][string]['kind'] }> {
  const outputs: Record<string, { file: string; kind: Task['outputs'][string]['kind'] }> = {};
  for (const [port, { kind, optional }] of Object.entries(task.outputs)) {
    const file = outputFile(port, kind);
    if (existsSync(path.join(folder, file))) outputs[port] = { file, kind };
    else if (!optional) throw new FathomError('internal', `${task.use} ended without writing its output "${port}"`);
  }
  return outputs;
}

function peakMemoryMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
