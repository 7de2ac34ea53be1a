/** A worker thread that does jobs: of one work, and then perhaps of another. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FathomError } from '../errors.ts';
import { compiledRoot, packageRoot } from '../paths.ts';
import type { FromJobWorker, ToJobWorker } from './job-worker.ts';

/** What a database of a thread may use. */
export interface DatabaseLimits {
  readonly memoryMb: number;
  /** Where it may spill. */
  readonly scratch: string;
}

/** Work for a thread: its compiled module, and the database that it needs, if any. */
export interface ThreadWork {
  readonly url: URL;
  readonly database: DatabaseLimits | undefined;
}

export class JobThread {
  private readonly worker = new Worker(path.join(compiledRoot, 'tables', 'job-worker.js'));
  private opened: Promise<void> = Promise.resolve();
  /** By number of the job. */
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  private broken: unknown;

  constructor() {
    const fail = (error: unknown): void => {
      this.broken ??= error;
      for (const { reject } of this.waiting.values()) reject(this.broken);
      this.waiting.clear();
    };
    this.worker.on('message', (message: FromJobWorker) => {
      const { index } = message;
      const job = index === undefined ? undefined : this.waiting.get(index);
      if (index !== undefined) this.waiting.delete(index);
      if (message.type === 'result') return job?.resolve(message.result);
      const error = message.fathom === undefined ? message.error : FathomError.fromData(message.fathom);
      if (index === undefined) fail(error);
      else job?.reject(error);
    });
    this.worker.on('error', fail);
    this.worker.on('exit', (code) => fail(new FathomError('task', `a worker thread ended with code ${code}`)));
  }

  /** Loads a work in place of that of before, and opens it once what is shared is known. */
  begin({ url, database }: ThreadWork, shared: unknown): void {
    this.send({ type: 'start', start: { module: compiledModule(url), database } });
    this.opened = Promise.resolve(shared).then((known) => this.send({ type: 'open', shared: known }));
    // Whoever runs a job is told.
    this.opened.catch(() => undefined);
  }

  /** Runs a job of the work; jobs begin in the order of these calls. A thread of which a job failed is of no more use. */
  async run(job: unknown, index: number): Promise<unknown> {
    await this.opened;
    return new Promise((resolve, reject) => {
      if (this.broken !== undefined) return reject(this.broken);
      this.waiting.set(index, { resolve, reject });
      this.send({ type: 'job', job, index });
    });
  }

  /** Lets go of the work, and of what it holds. */
  forget(): void {
    this.send({ type: 'forget' });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private send(message: ToJobWorker): void {
    this.worker.postMessage(message);
  }
}

/** Threads run compiled code, also where the caller runs from its sources under the test runner. */
function compiledModule(url: URL): string {
  const file = fileURLToPath(url);
  const fromSources = path.relative(path.join(packageRoot, 'src'), file);
  return fromSources.startsWith('..') ? file : path.join(compiledRoot, fromSources);
}
