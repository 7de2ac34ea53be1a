/**
 * An experiment as the rest of the program sees it: resolved, checked, filled with defaults, frozen. Nothing here
 * remembers YAML except `origins`, which says of every value where it came from.
 */
import type { Axis } from '../contract/stage.ts';

/** Where a value came from. Lines and columns count from 1. */
export type Origin =
  /** Nobody set it. `stage` is the `use:` of the stage whose parameter it is; absent for the experiment's own keys. */
  | { readonly kind: 'default'; readonly stage?: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  /** The argument on the command line, counted from 1. */
  | { readonly kind: 'override'; readonly index: number; readonly text: string }
  /** `${env:NAME}`; `fellBack` if the variable was not set and the default after the comma was taken. */
  | { readonly kind: 'env'; readonly name: string; readonly fellBack: boolean; readonly at: Origin }
  /** `${path.to.key}`; `at` is where the reference stands, `to` what it names. */
  | { readonly kind: 'reference'; readonly to: string; readonly at: Origin };

/** One output of one stage. */
export interface Source {
  /** Instance name in the experiment. */
  readonly stage: string;
  /** Output port of that stage. */
  readonly output: string;
}

/** One stage of an experiment. */
export interface ExperimentStage {
  /** Instance name: the key under `stages:`. */
  readonly name: string;
  /** Name of the definition in the registry, e.g. `train.mtl`. */
  readonly use: string;
  readonly description?: string;
  /** As the stage's own schema returns them, defaults filled in. */
  readonly params: Readonly<Record<string, unknown>>;
  /** By input port, in the order of the definition; ports that are not connected are absent. */
  readonly from: Readonly<Record<string, readonly Source[]>>;
  /** The axis along which it becomes many tasks; absent: one task (times trials and replicates of a sweep). */
  readonly each?: Axis;
  /** What to do when a library it needs is not there. */
  readonly whenMissing: 'stop' | 'skip';
  /** `auto` or a name from the definition's `engines`; absent for stages that have one way only. */
  readonly engine?: string;
}

/**
 * How one swept parameter is drawn. `step` rounds a drawn number to low + k step; `steps` is the number of points a
 * grid takes of a range.
 */
export type Distribution =
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }
  | {
      readonly kind: 'uniform' | 'loguniform' | 'int' | 'logint';
      readonly low: number;
      readonly high: number;
      readonly step?: number;
      readonly steps?: number;
    };

/** One dimension of a search space: `path` is the parameter below the swept stage, e.g. `lossWeights.risk`. */
export interface SpaceAxis {
  readonly path: string;
  readonly distribution: Distribution;
}

export type Sampler =
  /** Every combination; the number of trials follows from the space. */
  { readonly use: 'grid' } | { readonly use: 'random' | 'sobol'; readonly trials: number };

/** One point of a search space. */
export interface Trial {
  readonly index: number;
  /** By path, in the order of the space. */
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Sweep {
  /** Instance name of the swept stage. */
  readonly stage: string;
  /** A scalar in the stage's metrics. */
  readonly metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' };
  /** In file order, which is the order of dimensions for samplers. */
  readonly space: readonly SpaceAxis[];
  readonly sampler: Sampler;
  /** How often each trial is repeated with another seed; 1 is once. */
  readonly replicates: number;
}

/** What goes into the `#SBATCH` lines; nothing is defaulted that a site decides. */
export interface SlurmResources {
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly constraint?: string;
  readonly gres?: string;
  /** Wall-clock limit as written, `2h` or `1-12:00:00`; see `durationSeconds`. */
  readonly time?: string;
  readonly cpusPerTask?: number;
  /** Memory with SLURM's suffix, `16G`. */
  readonly mem?: string;
  readonly memPerCpu?: string;
  readonly memPerGpu?: string;
  /** Array indices that may run at once, `%k` of `--array`. */
  readonly throttle?: number;
  /** Shell lines before and after the work. */
  readonly setup?: readonly string[];
  readonly teardown?: readonly string[];
  /** Options of sbatch as written, without `#SBATCH`. */
  readonly extra?: readonly string[];
  readonly mailUser?: string;
  readonly mailType?: string;
  /** True (the default) lets a job that nears its limit be requeued. */
  readonly requeue?: boolean;
  /** How often one index may be requeued before it counts as failed. */
  readonly maxRestarts?: number;
  /** Seconds before the limit at which the job is told to save and stop. */
  readonly signalSeconds?: number;
  /** Image path for `--container-image`. */
  readonly container?: string;
  /** Tasks that one array index runs, one after another. */
  readonly tasksPerJob?: number;
}

interface ExperimentResources {
  readonly device: 'auto' | 'cpu' | 'gpu';
  /** Threads for the whole run on this machine; absent: what the allocation has. */
  readonly threads?: number;
  readonly memoryMb?: number;
  /** As written; see `durationSeconds`. */
  readonly time?: string;
  readonly slurm?: SlurmResources;
}

/** A resolved experiment: plain data, deeply frozen. */
export interface Experiment {
  readonly name: string;
  /** The file as it was named on the command line. */
  readonly file: string;
  /** Every file read: the bases in the order they were merged, the experiment last. */
  readonly files: readonly string[];
  /** Overrides as given, for the command that makes the run again. */
  readonly overrides: readonly string[];
  readonly title?: string;
  /** What the report asks. */
  readonly question?: string;
  /** Data and period in one line. */
  readonly about?: string;
  readonly seed: number;
  /** Producers before consumers; otherwise in file order. */
  readonly stages: readonly ExperimentStage[];
  readonly sweep?: Sweep;
  readonly resources: ExperimentResources;
  readonly report: {
    readonly question?: string;
    /** Instance name of the stage whose findings are the answer. */
    readonly answer?: string;
  };
  readonly onError: 'continue' | 'abort';
  /** By path from the root: `stages.mtl.epochs`, `stages.mtl.hidden.0`, `sweep.sampler.trials`. */
  readonly origins: ReadonlyMap<string, Origin>;
}
