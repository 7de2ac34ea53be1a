/** The rows of one date together: what is masked, ranks among the wallets, baselines, and how well those predict. */
import { scoreOf } from '../../evaluation/measure.ts';
import { type KnownWhen, type Target, targets } from './columns.ts';

/** Rows of one date, in order of the wallets' numbers. Times in microseconds. */
export interface DateRows {
  readonly wallets: readonly number[];
  readonly windowEnd: number;
  /** By row: when its settlement was known, not before the window's end. */
  readonly settledAt: readonly number[];
  /** By target (in the order of `targets`), then by row: what came after the date. NaN is unknown. */
  readonly next: readonly Float64Array[];
  /** The same on the look-back; empty where baselines are not wanted. */
  readonly past: readonly Float64Array[];
}

export interface FinishedDate {
  /** As `DateRows.next`, with ranks and without what the data cannot tell yet. */
  readonly next: readonly Float64Array[];
  /** As `DateRows.past`, with ranks, and the mean of the date where it is undefined. */
  readonly past: readonly Float64Array[];
  /** By row: when the latest of the labels it has was known, of those that wait for the given events. */
  labelEnd(row: number, waits: ReadonlySet<KnownWhen>): number;
}

/** (rank - 1/2) / n among the known values, ties sharing the middle: in (0, 1). NaN stays NaN. */
export function quantileRanks(values: Float64Array): Float64Array {
  const known = Array.from(values.keys()).filter((i) => !Number.isNaN(values[i] as number));
  known.sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length).fill(Number.NaN);
  for (let first = 0; first < known.length; ) {
    let next = first;
    while (next < known.length && values[known[next] as number] === values[known[first] as number]) next++;
    for (let k = first; k < next; k++) ranks[known[k] as number] = (first + next) / 2 / known.length;
    first = next;
  }
  return ranks;
}

const indexOf = (name: string): number => targets.findIndex((target) => target.name === name);
const parts = ['nextClosingLineValue', 'nextMakerShare', 'nextBreadth'].map(indexOf);
const composite = indexOf('nextSophistication');

/**
 * @param lastTrade end of the data, microseconds: windows that reach past it have no labels
 * @param settlementKnown the same for settlements; Infinity masks none of them
 * @param scale horizon over look-back, for the baselines of what grows with the window
 */
export function finishDate(rows: DateRows, lastTrade: number, settlementKnown: number, scale: number): FinishedDate {
  const dateEnd = rows.settledAt.reduce((latest, at) => Math.max(latest, at), rows.windowEnd);
  const covered = rows.windowEnd <= lastTrade;
  const isKnown = (known: KnownWhen, row: number): boolean =>
    covered &&
    (known === 'window' || (known === 'settlement' ? (rows.settledAt[row] as number) : dateEnd) <= settlementKnown);
  const next = withRanks(rows.next).map((values, t) =>
    values.map((value, row) => (isKnown((targets[t] as Target).known, row) ? value : Number.NaN)),
  );
  const past = withRanks(rows.past).map((values, t) => {
    const factor = targets[t]?.extensive === true ? scale : 1;
    return withMean(values.map((value) => value * factor));
  });
  const labelEnd = (row: number, waits: ReadonlySet<KnownWhen>): number => {
    const has = (known: KnownWhen): boolean => waits.has(known) && isKnown(known, row);
    return has('date') ? dateEnd : has('settlement') ? (rows.settledAt[row] as number) : rows.windowEnd;
  };
  return { next, past, labelEnd };
}

function withRanks(columns: readonly Float64Array[]): readonly Float64Array[] {
  if (columns.length === 0) return columns;
  const ranked = columns.map((values, t) => (targets[t]?.rank === true ? quantileRanks(values) : values));
  ranked[composite] = meanOfKnown(parts.map((t) => quantileRanks(columns[t] as Float64Array)));
  return ranked;
}

/** Mean by row of the columns that know it; NaN with fewer than two. */
function meanOfKnown(columns: readonly Float64Array[]): Float64Array {
  return Float64Array.from(columns[0] as Float64Array, (_, row) => {
    const known = columns.map((values) => values[row] as number).filter((value) => !Number.isNaN(value));
    return known.length < 2 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

function withMean(values: Float64Array): Float64Array {
  let [sum, count] = [0, 0];
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += value;
      count++;
    }
  return values.map((value) => (Number.isNaN(value) && count > 0 ? sum / count : value));
}

/** What is told of one target over all dates. */
export interface TargetSummary {
  readonly target: Target;
  /** Rows with a value. */
  readonly known: number;
  /** Mean over dates, by their rows, of Spearman's correlation of baseline and value; NaN without baselines. */
  readonly baselineSpearman: number;
}

/** Collects coverage and the baselines' rank correlations date by date. */
export class TargetSummaries {
  readonly #known = new Float64Array(targets.length);
  readonly #weight = new Float64Array(targets.length);
  readonly #sum = new Float64Array(targets.length);

  add({ next, past }: FinishedDate): void {
    for (let t = 0; t < targets.length; t++) {
      const values = next[t] as Float64Array;
      const known = Array.from(values.keys()).filter((row) => !Number.isNaN(values[row] as number));
      this.#known[t] = (this.#known[t] as number) + known.length;
      const baseline = past[t];
      if (baseline === undefined) continue;
      const both = known.filter((row) => !Number.isNaN(baseline[row] as number));
      if (both.length < FEWEST_ROWS) continue;
      const pick = (from: Float64Array): Float64Array => Float64Array.from(both, (row) => from[row] as number);
      const correlation = scoreOf('regression', pick(values), pick(baseline));
      if (Number.isNaN(correlation)) continue;
      this.#sum[t] = (this.#sum[t] as number) + both.length * correlation;
      this.#weight[t] = (this.#weight[t] as number) + both.length;
    }
  }

  all(): readonly TargetSummary[] {
    return targets.map((target, t) => ({
      target,
      known: this.#known[t] as number,
      baselineSpearman: (this.#weight[t] as number) > 0 ? (this.#sum[t] as number) / (this.#weight[t] as number) : NaN,
    }));
  }
}

/** Fewest rows of a date whose ranks are correlated. */
const FEWEST_ROWS = 10;
