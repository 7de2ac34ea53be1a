/**
 * The stage contract: what a stage says of itself, and what it is given when it runs.
 *
 * Describing a stage costs nothing: this module and the files that use `defineStage` load no native library and no
 * kernel. Only `run()` does, in a worker thread or a child process.
 */
import type { z } from 'zod';
import type { Rng } from '../random/rng.ts';
import type { Figure } from './figure.ts';
import type { MetricsFile } from './metrics.ts';

/** What an output is, and so how it is stored, hashed and read. */
export type OutputKind =
  /**
   * Parquet, rows in the declared order. A table too big for one file is a folder of that name with files
   * `part-000.parquet`, ...; `parquetFiles` (tables/parquet-files.ts) names what to read either way.
   */
  | 'table'
  /** Arrow IPC file written by `tables/frame.ts`: typed columns with roles, mapped without copying by workers. */
  | 'frame'
  /** One file in the engine's own format. */
  | 'model'
  /** `MetricsFile` as JSON. */
  | 'metrics'
  /** `Figure[]` as JSON. */
  | 'figures'
  /** Any other JSON. */
  | 'json'
  /** A folder of several files that only make sense together; the stage that makes it says what is in it. */
  | 'folder';

export interface OutputPort {
  readonly kind: OutputKind;
  readonly description: string;
  /** True if the stage may leave it out. */
  readonly optional: boolean;
  /** For tables: the columns that order its rows. */
  readonly orderBy?: readonly string[];
}

export interface InputPort {
  readonly kind: OutputKind;
  readonly description: string;
  readonly optional: boolean;
  /**
   * How much of a fanned-out producer is taken: `one` aligns with the consumer's own coordinates (its `each`),
   * `all` takes every task as a list.
   */
  readonly take: 'one' | 'all';
  /** True if several producers may be named (`from: { predictions: [mtl, boost] }`). Implies a list. */
  readonly many: boolean;
}

type PortOptions = { optional?: boolean };
type InputOptions = PortOptions & { take?: 'one' | 'all'; many?: boolean };

/** Declares an input. */
export function input(kind: OutputKind, description: string, options: InputOptions = {}): InputPort {
  return {
    kind,
    description,
    optional: options.optional ?? false,
    take: options.take ?? 'one',
    many: options.many ?? false,
  };
}

/** Declares an output. */
export function output(
  kind: OutputKind,
  description: string,
  options: PortOptions & { orderBy?: readonly string[] } = {},
): OutputPort {
  return {
    kind,
    description,
    optional: options.optional ?? false,
    ...(options.orderBy === undefined ? {} : { orderBy: options.orderBy }),
  };
}

/** The axes along which one stage of an experiment becomes many tasks. */
export type Axis = 'fold' | 'trial' | 'replicate' | 'shard';

/** Which element of each axis a task is; `refit` marks the winner of a sweep, trained again. */
export interface Coordinates {
  readonly fold?: number;
  readonly trial?: number;
  readonly replicate?: number;
  readonly shard?: number;
  readonly refit?: true;
}

export interface Resources {
  readonly threads: number;
  readonly memoryMb: number;
  readonly gpus: number;
}

/** Where a task runs: in a worker thread of the executor, or in a process of its own. */
export type Isolation = 'thread' | 'process';

/** What a stage needs that npm does not bring. `probe` runs in the process that plans; it must be cheap. */
export interface Requirement {
  readonly name: string;
  /** Empty if it is there, else why not and how to get it. */
  readonly probe: () => Promise<
    { found: true; version: string; path?: string } | { found: false; reason: string; fix: string }
  >;
}

/** The fields common to all stages; see `defineStage`. */
export interface StageDefinition<Params = unknown> {
  /** `family.method`, as in `use:`. */
  readonly name: string;
  /** Raised when results change though parameters do not. The hash of the compiled code guards against forgetting. */
  readonly version: number;
  /** One sentence for `fathom list`. */
  readonly summary: string;
  /** Strict object; every field described, with units where it has one, and defaulted where a default is honest. */
  readonly params: z.ZodType<Params>;
  readonly inputs: Readonly<Record<string, InputPort>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
  /** `thread` for JS and wasm; `process` for anything that loads a native library. May depend on the engine taken. */
  readonly isolation: Isolation | ((engine: string | null) => Isolation);
  /** Module beside this file that does the work, `src/stages/run/<runs>.ts`, with a default export of type `StageRun`. */
  readonly runs: string;
  readonly resources: (params: Params) => Resources;
  /** Engines by preference; the plan resolves `engine: auto` to the first that is there. Absent: the stage has one way. */
  readonly engines?: readonly {
    readonly name: string;
    readonly requires?: Requirement;
    /** GPUs that a task takes with this engine; `device: cpu` passes it by. */
    readonly gpus?: number;
  }[];
  /** A library without which the stage cannot run at all. */
  readonly requires?: Requirement;
  /** Outside files that it reads; their SHA-256 enters the identity. Paths are relative to the working folder. */
  readonly files?: (params: Params) => readonly string[];
  /** Axes this stage creates for its consumers, and their lengths: `fold` of a splitter. */
  readonly elements?: (params: Params) => Partial<Record<Axis, number>>;
  /** Parameters that tasks trained together in one stack may differ in. */
  readonly stackable?: readonly string[];
  /** Engines for which tasks are worth running together: they meet in `StageContext.together`. */
  readonly stacks?: (engine: string | null) => boolean;
  /**
   * For stages that a sweep can tune: parameters for training the winner again, from those of the winning trial and
   * the metrics of its tasks (folds x replicates). Pure.
   */
  readonly refit?: (params: Params, metrics: readonly MetricsFile[]) => Params;
}

/** Describes a stage; the registry collects these. */
export function defineStage<Params>(definition: StageDefinition<Params>): StageDefinition<Params> {
  return definition;
}

/** An artifact that a task reads. */
export interface InputArtifact {
  /** Instance name of the stage in the experiment, e.g. `mtl`. */
  readonly stage: string;
  readonly coordinates: Coordinates;
  /** Identity of the producing task. */
  readonly task: string;
  /** Absolute path of the file of the output that the port names. */
  readonly path: string;
  /** Bytes of that file, shared among workers where the executor has loaded it already. */
  readonly shared?: SharedArrayBuffer;
}

/** What a stage is given when it runs. It touches nothing else: no clock, no environment, no network. */
export interface StageContext<Params = unknown> {
  readonly params: Params;
  /** Name of the engine the plan resolved, for stages that have engines. */
  readonly engine: string | undefined;
  readonly coordinates: Coordinates;
  readonly seed: number;
  readonly resources: Resources;
  /** The one artifact of a port; an error if the port is empty or a list. */
  input(port: string): InputArtifact;
  /** As `input`, but undefined where an optional port is not connected. */
  optionalInput(port: string): InputArtifact | undefined;
  /** All artifacts of a port that takes `all` or `many`, in plan order. */
  inputs(port: string): readonly InputArtifact[];
  /** Absolute path at which to write an output of kind table, frame or model. */
  outputPath(port: string): string;
  /** Writes an output of kind metrics, figures or json. */
  writeMetrics(port: string, metrics: MetricsFile): Promise<void>;
  writeFigures(port: string, figures: readonly Figure[]): Promise<void>;
  writeJson(port: string, value: unknown): Promise<void>;
  /** Random numbers keyed by (seed, task, purpose): two purposes never share a stream. */
  rng(purpose: string): Rng;
  /** Called as often as convenient; the executor thins it out. */
  progress(done: number, total: number, unit?: string): void;
  /** Long stages call `save` now and then; a killed task finds its last state in `load`. */
  readonly checkpoint: {
    load(): Promise<Uint8Array | undefined>;
    save(bytes: Uint8Array): Promise<void>;
  };
  /** True once the run is stopping: save a checkpoint and call `throwIfCancelled`. */
  cancelled(): boolean;
  throwIfCancelled(): void;
  /**
   * Where the tasks of a stack meet: once all have come (or ended), `work` is called once with what each brought, and
   * each gets its own part of the result. A task alone meets itself. Whether a task is alone may not change its bytes.
   */
  together<Brought, Result>(
    mine: Brought,
    work: (all: readonly Brought[]) => Promise<readonly Result[]>,
  ): Promise<Result>;
  /** One line for the log of the run. */
  log(line: string): void;
  /** A folder of the task's own for spilling, removed afterwards. */
  scratch(): Promise<string>;
}

/** Default export of `src/stages/run/<runs>.ts`. */
export type StageRun<Params> = (context: StageContext<Params>) => Promise<void>;
