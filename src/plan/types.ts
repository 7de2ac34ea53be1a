/** A plan: immutable rounds of tasks. Line i of `plan/<round>.jsonl` is array index i. */
import type { Coordinates, Isolation, OutputKind, Resources } from '../contract/stage.ts';

/** An output of another task that a task reads. */
export interface TaskInput {
  /** Identity of the producing task. */
  readonly task: string;
  /** Instance name of its stage. */
  readonly stage: string;
  readonly coordinates: Coordinates;
  readonly output: string;
  readonly kind: OutputKind;
}

/** An outside file that a task reads. */
export interface TaskFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** One execution of a stage. */
export interface Task {
  readonly round: number;
  readonly index: number;
  /** Identity: 32 hexadecimal digits; see plan/identity.ts. */
  readonly id: string;
  /** Instance name in the experiment. */
  readonly stage: string;
  /** Name of the stage in the registry. */
  readonly use: string;
  readonly version: number;
  /** Hash of the compiled code that the stage imports. */
  readonly numerics: string;
  readonly coordinates: Coordinates;
  readonly params: unknown;
  readonly engine: string | null;
  /** Version of the engine's library: another version may give other results. Null for engines of our own. */
  readonly engineVersion: string | null;
  readonly seed: number;
  readonly inputs: Readonly<Record<string, readonly TaskInput[]>>;
  readonly files: readonly TaskFile[];
  readonly isolation: Isolation;
  /** Module that does the work: a name in `stages/run/`, or a `file:` URL for stages from outside. */
  readonly runs: string;
  readonly outputs: Readonly<Record<string, { readonly kind: OutputKind; readonly optional: boolean }>>;
  readonly resources: Resources;
}

/** A stage that will not run on this machine, and why; consumers of lists go on without it. */
export interface Absence {
  readonly stage: string;
  readonly use: string;
  readonly reason: string;
  readonly fix: string;
}

/** What is known of a plan before anything has run: how many rounds, how many tasks of which stage in each. */
export interface PlanShape {
  readonly rounds: readonly {
    readonly stages: readonly { readonly stage: string; readonly tasks: number }[];
    readonly tasks: number;
  }[];
  readonly absent: readonly Absence[];
}

/** "fold 2, trial 17": empty for a stage that is one task. */
export function describeCoordinates(coordinates: Coordinates): string {
  return [
    coordinates.refit ? 'winner' : undefined,
    coordinates.fold === undefined ? undefined : `fold ${coordinates.fold}`,
    coordinates.trial === undefined ? undefined : `trial ${coordinates.trial}`,
    coordinates.replicate === undefined ? undefined : `replicate ${coordinates.replicate}`,
    coordinates.shard === undefined ? undefined : `shard ${coordinates.shard}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

/** Instance name with coordinates, for progress lines and errors. */
export function describeTask(task: Pick<Task, 'stage' | 'coordinates'>): string {
  const part = describeCoordinates(task.coordinates);
  return part === '' ? task.stage : `${task.stage} (${part})`;
}
