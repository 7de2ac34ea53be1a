/** All that the page is made from. `collect.ts` reads it off a run; `render.ts` turns it into one HTML file. */
import type { Figure } from '../contract/figure.ts';
import type { Check, Finding, Metric, Quality } from '../contract/metrics.ts';

/** A value with the unit's own short text, as key figures show it. */
export interface ReportFigure {
  /** Instance name of the stage. */
  readonly stage: string;
  /** "fold 2", "trial 17": empty where the stage is one task. */
  readonly part: string;
  readonly figure: Figure;
}

export interface ReportTrial {
  readonly trial: number;
  /** Values of the swept parameters, by their path below the stage. */
  readonly params: Readonly<Record<string, unknown>>;
  /** One value of the metric a replicate (mean over folds); null where it failed or is missing. */
  readonly values: readonly (number | null)[];
  /** Mean over replicates; null if any is missing. */
  readonly score: number | null;
  readonly seconds: number | null;
}

export interface ReportSweep {
  readonly stage: string;
  readonly metric: string;
  readonly goal: 'maximize' | 'minimize';
  readonly sampler: string;
  /** Swept parameters in the order of the space, with how they were drawn. */
  readonly axes: readonly {
    readonly name: string;
    readonly scale: 'linear' | 'log' | 'category';
    readonly values?: readonly string[];
  }[];
  readonly folds: number;
  readonly replicates: number;
  readonly trials: readonly ReportTrial[];
  /** Index into `trials` of the best mean over all folds, null while unknown. */
  readonly winner: number | null;
  /** Number of the trial that each fold chose by its own validation rows and trained again; empty while unknown. */
  readonly foldWinners: readonly number[];
}

export interface ReportModel {
  readonly experiment: {
    readonly name: string;
    readonly file: string;
    readonly title?: string;
    /** What the experiment asks; the h1 of the page. */
    readonly question: string;
    /** Data and period in one line. */
    readonly about?: string;
  };
  readonly run: {
    readonly id: string;
    readonly startedAt: string;
    readonly finishedAt: string | null;
    readonly complete: boolean;
  };
  /** The answers, first one first. Empty if nothing could be answered; `absent` and `failed` then say why. */
  readonly findings: readonly (Finding & { readonly stage: string })[];
  readonly checks: readonly (Check & { readonly stage: string })[];
  readonly quality: readonly (Quality & { readonly stage: string })[];
  /** Metrics of each model on each set, pooled over folds where `part` is empty. */
  readonly metrics: readonly (Metric & { readonly stage: string; readonly part: string })[];
  readonly figures: readonly ReportFigure[];
  readonly sweeps: readonly ReportSweep[];
  readonly notes: readonly { readonly stage: string; readonly text: string }[];
  /** Stages that did not run, with the reason (a library that is not there). */
  readonly absent: readonly {
    readonly stage: string;
    readonly use: string;
    readonly reason: string;
    readonly fix: string;
  }[];
  readonly failed: readonly { readonly stage: string; readonly part: string; readonly error: string }[];
  readonly stages: readonly {
    readonly stage: string;
    readonly use: string;
    readonly engine: string | null;
    readonly tasks: number;
    readonly done: number;
    readonly seconds: number;
    readonly peakMemoryMb: number | null;
  }[];
  readonly provenance: {
    /** The one command that makes the page again. */
    readonly command: string;
    readonly settings: readonly { readonly key: string; readonly value: string; readonly origin: string }[];
    readonly versions: readonly { readonly name: string; readonly version: string }[];
    readonly hardware: readonly { readonly name: string; readonly value: string }[];
    readonly hashes: readonly { readonly name: string; readonly hash: string }[];
    readonly git: { readonly commit: string | null; readonly dirty: boolean };
    readonly slurm: readonly { readonly name: string; readonly value: string }[];
  };
}
