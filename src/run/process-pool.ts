/**
 * Child processes for stages on native libraries. A crash inside a library takes its process with it, and thread
 * settings of libraries are per process; so each such task runs in a process of its own kind, kept for the next one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Resources } from '../contract/stage.ts';
import { compiledRoot } from '../paths.ts';
import type { Job, JobMessage, JobResult } from './job.ts';
import type { Pool } from './thread-pool.ts';
import type { FromChild, ToChild } from './worker-process.ts';

/** Last lines of a dead process's output that its error quotes. */
const TAIL_LINES = 5;

interface Host {
  readonly child: ChildProcess;
  readonly threads: number;
  /** GPUs that it sees, as in CUDA_VISIBLE_DEVICES; undefined: those that this process sees. */
  readonly devices: string | undefined;
  readonly ready: Promise<void>;
  tail: string[];
  /** Set while tasks run. */
  finish: ((results: readonly JobResult[]) => void) | undefined;
  /** How many they are. */
  tasks: number;
  onMessage: ((message: JobMessage) => void) | undefined;
  startedAt: number;
}

export interface ProcessPool extends Pool {
  /** Runs the tasks of a stack side by side in one process; results in their order. */
  runStack(jobs: readonly Job[], onMessage: (message: JobMessage) => void): Promise<JobResult[]>;
}

/** @param hosts most processes kept for reuse */
export function makeProcessPool(
  hosts: number,
  env: Readonly<Record<string, string | undefined>>,
  onOutput: (line: string) => void,
): ProcessPool {
  const idle: Host[] = [];
  const busy = new Set<Host>();
  let killed = false;

  const devices = visibleDevices(env);

  const start = (threads: number, devices: string | undefined): Host => {
    const child = fork(path.join(compiledRoot, 'run', 'worker-process.js'), [], {
      serialization: 'advanced',
      execArgv: [],
      env: { ...env, ...threadLimits(threads), ...(devices === undefined ? {} : { CUDA_VISIBLE_DEVICES: devices }) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let settleReady: () => void = () => undefined;
    const host: Host = {
      child,
      threads,
      devices,
      ready: new Promise((resolve) => {
        settleReady = resolve;
      }),
      tail: [],
      finish: undefined,
      tasks: 0,
      onMessage: undefined,
      startedAt: 0,
    };
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const lines = text.split('\n').filter((line) => line.trim() !== '');
        host.tail = [...host.tail, ...lines].slice(-TAIL_LINES);
        for (const line of lines) onOutput(line);
      });
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') settleReady();
      else if (message.type === 'results') host.finish?.(message.results);
      else host.onMessage?.(message);
    });
    const gone = (how: string): void => {
      settleReady();
      const at = idle.indexOf(host);
      if (at >= 0) idle.splice(at, 1);
      const seconds = (performance.now() - host.startedAt) / 1000;
      const result: JobResult = killed
        ? { state: 'interrupted', seconds, error: { code: 'interrupted', message: 'stopped on request' } }
        : {
            state: 'failed',
            seconds,
            error: { code: 'task', message: [`the process ${how}`, ...host.tail].join('\n  ') },
          };
      host.finish?.(new Array<JobResult>(host.tasks).fill(result));
    };
    child.on('exit', (code, signal) => gone(signal === null ? `ended with code ${code}` : `died of ${signal}`));
    child.on('error', (error) => gone(`could not run: ${error.message}`));
    return host;
  };

  /** A process that sees GPUs of its own where the task asks for some, and there are as many left. */
  const take = ({ threads, gpus }: Resources): Host => {
    const own = gpus > 0 && devices.length >= gpus ? devices.splice(0, gpus).join(',') : undefined;
    const at = idle.findIndex((host) => host.threads === threads && host.devices === own);
    if (at >= 0) return idle.splice(at, 1)[0] as Host;
    return start(threads, own);
  };

  const give = (host: Host): void => {
    if (host.devices !== undefined) devices.push(...host.devices.split(','));
    if (host.child.exitCode !== null || host.child.signalCode !== null || !host.child.connected) return;
    idle.push(host);
    while (idle.length > hosts) end(idle.shift() as Host);
  };

  const end = (host: Host): void => {
    if (host.child.connected) host.child.send({ type: 'end' } satisfies ToChild, () => undefined);
  };

  const runStack = async (jobs: readonly Job[], onMessage: (message: JobMessage) => void): Promise<JobResult[]> => {
    const host = take((jobs[0] as Job).resources);
    busy.add(host);
    host.tail = [];
    host.tasks = jobs.length;
    host.startedAt = performance.now();
    const results = await new Promise<readonly JobResult[]>((resolve) => {
      host.finish = resolve;
      host.onMessage = onMessage;
      const plain = jobs.map(({ stop: _stop, shared: _shared, ...rest }) => rest);
      void host.ready.then(() => {
        if (host.child.connected) host.child.send({ type: 'jobs', jobs: plain } satisfies ToChild, () => undefined);
      });
    });
    host.finish = undefined;
    host.onMessage = undefined;
    busy.delete(host);
    give(host);
    return [...results];
  };

  return {
    run: async (job, onMessage) => (await runStack([job], onMessage))[0] as JobResult,
    runStack,
    stop: () => {
      for (const host of busy)
        if (host.child.connected) host.child.send({ type: 'stop' } satisfies ToChild, () => undefined);
    },
    kill: async () => {
      killed = true;
      for (const host of [...busy, ...idle]) host.child.kill('SIGKILL');
    },
    close: async () => {
      const open = [...idle];
      idle.length = 0;
      await Promise.all(
        open.map((host) => {
          const exited = new Promise<void>((resolve) => host.child.once('exit', () => resolve()));
          end(host);
          return exited;
        }),
      );
    },
  };
}

/** Native libraries count the cores of the node, not of the allocation; busy waiting ruins shared nodes. */
function threadLimits(threads: number): Record<string, string> {
  const count = String(threads);
  return {
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    POLARS_MAX_THREADS: count,
    OMP_WAIT_POLICY: 'passive',
  };
}

function visibleDevices(env: Readonly<Record<string, string | undefined>>): string[] {
  return (env['CUDA_VISIBLE_DEVICES'] ?? '').split(',').filter((id) => id.trim() !== '' && id.trim() !== '-1');
}
