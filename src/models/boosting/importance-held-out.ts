/** Measures the importance of features on the held-out rows of a fold: the test rows, else the validation rows. */
import type { Rng } from '../../random/rng.ts';
import type { Booster } from './booster.ts';
import { categoricalOf, type Features, takeRows } from './features.ts';
import type { Target } from './fold.ts';
import {
  affordableRows,
  drawRows,
  permutationImportance,
  permutationLoss,
  permutationLosses,
  shapImportance,
} from './importance.ts';
import type { HeldOutImportance } from './importance-figures.ts';
import { makeMatrix } from './matrix.ts';
import type { SetPredictions } from './outcome.ts';
import type { Queries } from './queries.ts';
import type { Xgboost } from './xgboost-c.ts';

export interface HeldOutOptions {
  readonly xgboost: Xgboost;
  readonly booster: Booster;
  readonly features: Features;
  readonly target: Target;
  readonly sets: readonly Pick<SetPredictions, 'set' | 'rows'>[];
  readonly ranking: { readonly queries: Queries; readonly top: number | undefined } | undefined;
  /** Rounds that predictions use. */
  readonly rounds: number;
  /** Most splits from the root to a leaf. */
  readonly depth: number;
  /** Shuffles of each feature. */
  readonly repeats: number;
  readonly mostRows: number;
  readonly threads: number;
  readonly rng: (purpose: string) => Rng;
  /** What the model makes of XGBoost's predictions. */
  readonly finish: (values: Float32Array) => Float32Array;
  readonly marginUnit: string;
}

/** Undefined where no row was held out. */
export function measureImportance(options: HeldOutOptions): HeldOutImportance | undefined {
  const { xgboost, booster, features, target, ranking, rounds, threads, rng } = options;
  const held = options.sets.find(({ set }) => set === 'test') ?? options.sets[0];
  if (held === undefined) return undefined;
  const rows = drawRows(held.rows, options.mostRows, rng('rows for importance'), ranking?.queries);
  const categorical = categoricalOf(features);
  const permutation = permutationImportance(
    takeRows(features, rows).columns,
    features.names,
    (columns) => {
      const matrix = makeMatrix(
        xgboost,
        { columns, rows: rows.length, featureNames: features.names, categorical },
        threads,
      );
      try {
        return permutationLoss(target, rows, options.finish(booster.predict(matrix, rounds)), ranking);
      } finally {
        matrix.free();
      }
    },
    options.repeats,
    rng,
  );
  const splits = [...booster.importance('weight').values()].reduce((sum, count) => sum + count, 0);
  const shapRows = drawRows(rows, affordableRows(rows.length, splits, options.depth), rng('rows for SHAP values'));
  return {
    set: held.set,
    rows: rows.length,
    lossName: permutationLosses[target.objective],
    repeats: options.repeats,
    permutation,
    shapRows: shapRows.length,
    marginUnit: options.marginUnit,
    shap: shapImportance(xgboost, booster, features, shapRows, rounds, threads),
  };
}
