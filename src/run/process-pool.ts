/**
 * Child processes for stages on native libraries. A crash inside a library takes its process with it, and thread
 * settings of libraries are per process; so each such task runs in a process of its own kind, kept for the next one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { compiledRoot } from '../paths.ts';
import type { JobMessage, JobResult } from './job.ts';
import type { Pool } from './thread-pool.ts';
import type { FromChild, ToChild } from './worker-process.ts';

/** Last lines of a dead process's output that its error quotes. */
const TAIL_LINES = 5;

interface Host {
  readonly child: ChildProcess;
  readonly threads: number;
  readonly ready: Promise<void>;
  tail: string[];
  /** Set while a task runs. */
  finish: ((result: JobResult) => void) | undefined;
  onMessage: ((message: JobMessage) => void) | undefined;
  startedAt: number;
}

/** @param hosts most processes kept for reuse */
export function makeProcessPool(
  hosts: number,
  env: Readonly<Record<string, string | undefined>>,
  onOutput: (line: string) => void,
): Pool {
  const idle: Host[] = [];
  const busy = new Set<Host>();
  let killed = false;

  const start = (threads: number): Host => {
    const child = fork(path.join(compiledRoot, 'run', 'worker-process.js'), [], {
      serialization: 'advanced',
      execArgv: [],
      env: { ...env, ...threadLimits(threads) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let settleReady: () => void = () => undefined;
    const host: Host = {
      child,
      threads,
      ready: new Promise((resolve) => {
        settleReady = resolve;
      }),
      tail: [],
      finish: undefined,
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
      else if (message.type === 'result') host.finish?.(message.result);
      else host.onMessage?.(message);
    });
    const gone = (how: string): void => {
      settleReady();
      const at = idle.indexOf(host);
      if (at >= 0) idle.splice(at, 1);
      const seconds = (performance.now() - host.startedAt) / 1000;
      host.finish?.(
        killed
          ? { state: 'interrupted', seconds, error: { code: 'interrupted', message: 'stopped on request' } }
          : {
              state: 'failed',
              seconds,
              error: { code: 'task', message: [`the process ${how}`, ...host.tail].join('\n  ') },
            },
      );
    };
    child.on('exit', (code, signal) => gone(signal === null ? `ended with code ${code}` : `died of ${signal}`));
    child.on('error', (error) => gone(`could not run: ${error.message}`));
    return host;
  };

  const take = (threads: number): Host => {
    const at = idle.findIndex((host) => host.threads === threads);
    if (at >= 0) return idle.splice(at, 1)[0] as Host;
    return start(threads);
  };

  const give = (host: Host): void => {
    if (host.child.exitCode !== null || host.child.signalCode !== null || !host.child.connected) return;
    idle.push(host);
    while (idle.length > hosts) end(idle.shift() as Host);
  };

  const end = (host: Host): void => {
    if (host.child.connected) host.child.send({ type: 'end' } satisfies ToChild, () => undefined);
  };

  return {
    run: async (job, onMessage) => {
      const host = take(job.resources.threads);
      busy.add(host);
      host.tail = [];
      host.startedAt = performance.now();
      const result = await new Promise<JobResult>((resolve) => {
        host.finish = resolve;
        host.onMessage = onMessage;
        const { stop: _stop, shared: _shared, ...plain } = job;
        void host.ready.then(() => {
          if (host.child.connected) host.child.send({ type: 'job', job: plain } satisfies ToChild, () => undefined);
        });
      });
      host.finish = undefined;
      host.onMessage = undefined;
      busy.delete(host);
      give(host);
      return result;
    },
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
