/** What a worker is sent, and what it sends back. Plain data: it crosses threads and processes. */

import type { Resources } from '../contract/stage.ts';
import type { ErrorData } from '../errors.ts';
import type { Task } from '../plan/types.ts';

export interface Job {
  readonly task: Task;
  /** The results folder. */
  readonly results: string;
  /** Working folder against which outside files are resolved. */
  readonly cwd: string;
  /** Resources granted; threads may be fewer than asked for. */
  readonly resources: Resources;
  /** Set to 1 when the run stops. */
  readonly stop: SharedArrayBuffer | null;
  /** Input files already in memory, by absolute path. */
  readonly shared: Readonly<Record<string, SharedArrayBuffer>>;
}

/** How a task ended. A worker never throws: custom errors would not survive the way back. */
export type JobResult =
  | { readonly state: 'done'; readonly seconds: number; readonly peakMemoryMb: number; readonly cached: boolean }
  | {
      readonly state: 'failed' | 'interrupted';
      readonly seconds: number;
      readonly error: ErrorData;
      readonly stack?: string;
    };

/** Sent while a task runs. */
export type JobMessage =
  | {
      readonly type: 'progress';
      readonly task: string;
      readonly done: number;
      readonly total: number;
      readonly unit: string;
    }
  | { readonly type: 'log'; readonly task: string; readonly line: string };
