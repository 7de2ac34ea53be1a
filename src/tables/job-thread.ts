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
  private waiting: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  private broken: unknown;

  constructor() {
    const fail = (error: unknown): void => {
      this.broken ??= error;
      this.waiting?.reject(error);
    };
    this.worker.on('message', (message: FromJobWorker) => {
      if (message.type === 'result') this.waiting?.resolve(message.result);
      else fail(message.fathom === undefined ? message.error : FathomError.fromData(message.fathom));
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

  /** Runs a job of the work. A thread of which a job failed is of no more use. */
  async run(job: unknown, index: number): Promise<unknown> {
    await this.opened;
    return new Promise((resolve, reject) => {
      if (this.broken !== undefined) reject(this.broken);
      this.waiting = { resolve, reject };
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
