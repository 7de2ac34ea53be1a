/** What a trained ensemble makes of its features, on rows that it has not learned from. */
import { FathomError } from '../../errors.ts';
import type { Rng } from '../../random/rng.ts';
import type { Booster } from './booster.ts';
import { categoricalOf, type Features, takeRows } from './features.ts';
import type { Target } from './fold.ts';
import { makeMatrix } from './matrix.ts';
import { meanOfDefined, ndcgByQuery } from './ndcg.ts';
import type { Queries } from './queries.ts';
import type { Numbers, Xgboost } from './xgboost-c.ts';

/**
 * Breiman (2001), Machine Learning 45: how much worse the loss gets when a feature's values are shuffled among rows,
 * which breaks what it has to do with the target and with the other features.
 */
export interface PermutationImportance {
  /** Loss with all features as they are. */
  readonly loss: number;
  /** Rise of the loss by feature and repeat. */
  readonly rises: ReadonlyMap<string, readonly number[]>;
}

/** @param lossOf loss of predictions made for the given columns; less is better */
export function permutationImportance(
  columns: readonly Numbers[],
  names: readonly string[],
  lossOf: (columns: readonly Numbers[]) => number,
  repeats: number,
  rng: (purpose: string) => Rng,
): PermutationImportance {
  const loss = lossOf(columns);
  const rises = new Map<string, readonly number[]>();
  names.forEach((name, f) => {
    const stream = rng(`permutation ${name}`);
    const risen = Array.from({ length: repeats }, () => {
      const shuffled = stream.shuffle((columns[f] as Numbers).slice()) as Numbers;
      return lossOf(columns.map((column, i) => (i === f ? shuffled : column))) - loss;
    });
    rises.set(name, risen);
  });
  return { loss, rises };
}

/** Name of the loss that permutations raise. */
export const permutationLosses: Readonly<Record<Target['objective'], string>> = {
  binary: 'Brier score',
  multiclass: 'Brier score over classes',
  regression: 'root mean squared error',
  ranking: '1 - NDCG',
};

/** The loss of predictions for some rows of a target: bounded, so that one row cannot decide. */
export function permutationLoss(
  target: Target,
  rows: Uint32Array,
  predicted: Float32Array,
  ranking?: { readonly queries: Queries; readonly top?: number | undefined },
): number {
  const actual = Float64Array.from(rows, (row) => target.values[row] as number);
  if (ranking !== undefined) {
    const queryOf = Array.from(rows, (row) => ranking.queries.of[row] as number);
    return 1 - meanOfDefined(ndcgByQuery(actual, predicted, queryOf, ranking.top));
  }
  const classes = Math.max(1, target.classes.length);
  let sum = 0;
  predicted.forEach((value, i) => {
    const label = actual[Math.floor(i / classes)] as number;
    sum += (value - (target.objective === 'multiclass' ? Number(label === i % classes) : label)) ** 2;
  });
  return target.objective === 'regression' ? Math.sqrt(sum / rows.length) : sum / rows.length;
}

/** Lundberg et al. (2020), Nature Machine Intelligence 2: exact SHAP values of trees, computed by XGBoost. */
export interface ShapImportance {
  /** Mean over rows of |SHAP value| on the scale of the margin, summed over classes. */
  readonly mean: ReadonlyMap<string, number>;
  /** Largest |sum of SHAP values and bias - margin| of a row. */
  readonly error: number;
}

/**
 * Every row's SHAP values and bias must sum to its margin, up to float32 sums over all trees; otherwise they would not
 * be a decomposition of what the model says, and this is an error.
 */
export function shapImportance(
  xgboost: Xgboost,
  booster: Booster,
  features: Features,
  rows: Uint32Array,
  rounds: number,
  threads: number,
): ShapImportance {
  const { columns } = takeRows(features, rows);
  const names = features.names;
  const categorical = categoricalOf(features);
  const matrix = makeMatrix(xgboost, { columns, rows: rows.length, featureNames: names, categorical }, threads);
  try {
    return summarise(
      names,
      booster.predict(matrix, rounds, 'contributions'),
      booster.predict(matrix, rounds, 'margins'),
      rows.length,
    );
  } finally {
    matrix.free();
  }
}

/** @param values rows x outputs x (features + 1), the bias last; @param margins rows x outputs */
export function summarise(
  names: readonly string[],
  values: Float32Array,
  margins: Float32Array,
  rows: number,
): ShapImportance {
  const width = names.length + 1;
  const sums = new Float64Array(names.length);
  let error = 0;
  margins.forEach((margin, i) => {
    let total = 0;
    for (let f = 0; f < width; f++) {
      const value = values[i * width + f] as number;
      total += value;
      if (f < names.length) sums[f] = (sums[f] as number) + Math.abs(value);
    }
    const difference = Math.abs(total - margin);
    if (!(difference <= 1e-3 * (1 + Math.abs(margin))))
      throw new FathomError('task', `SHAP values of a row sum to ${total}, its margin is ${margin}`);
    error = Math.max(error, difference);
  });
  return { mean: new Map(names.map((name, f) => [name, (sums[f] as number) / rows])), error };
}

/** Rows for which SHAP values take a few seconds: each costs about splits x depth^2 steps of one to five nanoseconds. */
export function affordableRows(wanted: number, splits: number, depth: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(SHAP_STEPS / (Math.max(1, splits) * depth * depth))));
}

const SHAP_STEPS = 2e9;

/** At most `most` of the rows, drawn by the stream; whole queries where rows are ranked. Ascending, or by query. */
export function drawRows(rows: Uint32Array, most: number, rng: Rng, queries?: Queries): Uint32Array {
  if (rows.length <= most) return rows;
  if (queries === undefined) return rng.shuffle(rows.slice()).subarray(0, most).sort();
  const byQuery = new Map<number, number[]>();
  for (const row of rows) {
    const query = queries.of[row] as number;
    byQuery.set(query, [...(byQuery.get(query) ?? []), row]);
  }
  const drawn: number[] = [];
  for (const query of rng.shuffle([...byQuery.keys()])) {
    const more = byQuery.get(query) as number[];
    if (drawn.length > 0 && drawn.length + more.length > most) break;
    drawn.push(...more);
  }
  const taken = new Set(drawn);
  return rows.filter((row) => taken.has(row));
}
