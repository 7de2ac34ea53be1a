/** What models and sources measure of themselves; the report and the sweep read nothing else. */

/** An estimate with its interval. `null` is unknown, never 0; `why` then says why. */
export interface Estimate {
  readonly value: number | null;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly why?: string;
}

export type DataSet = 'train' | 'validation' | 'test';

/** One number of one model on one set, beside what a baseline reaches there. */
export interface Metric extends Estimate {
  /** Standard name: `auc`, `brier`, `logLoss`, `rmse`, `r2`, `spearman`, `gini`, `accuracy`. */
  readonly name: string;
  /** As shown: "Area under the ROC curve". */
  readonly label: string;
  readonly goal: 'maximize' | 'minimize';
  readonly set: DataSet;
  /** Name of the model, where one stage measures several; the stage itself otherwise. */
  readonly model?: string;
  /** Target column, where a model has several. */
  readonly target?: string;
  readonly unit?: string;
  /** Rows, and the clusters that the interval resamples (wallets, events). */
  readonly n: number;
  readonly clusters?: number;
  /** Stretches of time that the rows lie in, where they carry time: rows of one share its luck. */
  readonly blocks?: number;
  readonly baseline?: Estimate & { readonly label: string };
}

/** An answer in words with the numbers that carry it. */
export interface Finding {
  readonly verdict: 'yes' | 'probably' | 'undecided' | 'no';
  /** Two or three words: "Probably.", "Not shown." */
  readonly headline: string;
  /** One or two sentences, numbers included. */
  readonly sentence: string;
  readonly metric: string;
  readonly estimate: Estimate;
  readonly unit?: string;
  readonly n: number;
  readonly baseline?: Estimate & { readonly label: string };
  /** What would decide it. */
  readonly decides?: string;
}

/** What became of the rows of a source. */
export interface Quality {
  readonly source: string;
  readonly rowsRead: number;
  readonly rowsKept: number;
  readonly rejected: readonly { readonly reason: string; readonly count: number; readonly first: string }[];
  readonly duplicates: { readonly count: number; readonly policy: string };
  /** Totals that the choice of policy changes, side by side. */
  readonly totals?: readonly {
    readonly label: string;
    readonly keep: number;
    readonly dropExact: number;
    readonly unit: string;
  }[];
  /** First and last time, ISO 8601 UTC. */
  readonly from?: string;
  readonly to?: string;
  readonly facts?: readonly {
    readonly label: string;
    readonly value: number | string | null;
    readonly unit?: string;
    readonly why?: string;
  }[];
}

/** A check with its evidence, for the verdict strip: time order, label overlap, group overlap. */
export interface Check {
  readonly name: string;
  readonly verdict: 'pass' | 'undecided' | 'fail';
  readonly detail: string;
}

/** Content of every output of kind `metrics`. All parts but `scalars` may be left out. */
export interface MetricsFile {
  /** Flat numbers by name, e.g. `validation.score`; a sweep optimises one of them. */
  readonly scalars: Readonly<Record<string, number | null>>;
  readonly metrics?: readonly Metric[];
  readonly findings?: readonly Finding[];
  readonly quality?: readonly Quality[];
  readonly checks?: readonly Check[];
  /** Remarks for the reader, one sentence each. */
  readonly notes?: readonly string[];
}
