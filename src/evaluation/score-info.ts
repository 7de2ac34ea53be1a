/** What each score is called, which way is better, and what it can be. */
import type { ScoreName } from './scores.ts';

interface ScoreInfo {
  readonly label: string;
  readonly goal: 'maximize' | 'minimize';
  /** Ranks are comparable only among predictions of one model. */
  readonly ranks: boolean;
  /** What the score can be at most and at least, so that no interval reaches beyond. */
  readonly range: readonly [number, number];
  /** Also reported as a gain over the baseline. */
  readonly gain?: string;
  readonly undefinedBecause: string;
}

const unit = [0, 1] as const;
const oneClass = 'all rows are of one class';

export const scoreInfo: Readonly<Record<ScoreName, ScoreInfo>> = {
  auc: {
    label: 'Area under the ROC curve',
    goal: 'maximize',
    ranks: true,
    gain: 'Gain in area under the ROC curve',
    range: unit,
    undefinedBecause: oneClass,
  },
  averagePrecision: {
    label: 'Average precision',
    goal: 'maximize',
    ranks: true,
    range: unit,
    undefinedBecause: oneClass,
  },
  logLoss: { label: 'Log loss', goal: 'minimize', ranks: false, range: [0, Infinity], undefinedBecause: 'no rows' },
  brier: {
    label: 'Brier score',
    goal: 'minimize',
    ranks: false,
    gain: 'Reduction of the Brier score',
    range: unit,
    undefinedBecause: 'no rows',
  },
  accuracy: { label: 'Accuracy at 0.5', goal: 'maximize', ranks: false, range: unit, undefinedBecause: 'no rows' },
  rmse: {
    label: 'Root mean squared error',
    goal: 'minimize',
    ranks: false,
    gain: 'Reduction of the root mean squared error',
    range: [0, Infinity],
    undefinedBecause: 'no rows',
  },
  mae: {
    label: 'Mean absolute error',
    goal: 'minimize',
    ranks: false,
    range: [0, Infinity],
    undefinedBecause: 'no rows',
  },
  r2: {
    label: 'Explained variance (R²)',
    goal: 'maximize',
    ranks: false,
    range: [-Infinity, 1],
    undefinedBecause: 'the target is constant',
  },
  spearman: {
    label: 'Rank correlation (Spearman)',
    goal: 'maximize',
    ranks: true,
    gain: 'Gain in rank correlation (Spearman)',
    range: [-1, 1],
    undefinedBecause: 'predictions or targets are constant',
  },
  gini: {
    label: 'Correlation with rank (Gini)',
    goal: 'maximize',
    ranks: true,
    range: [-1, 1],
    gain: 'Gain in correlation with rank (Gini)',
    undefinedBecause: 'predictions or targets are constant',
  },
};

/** Scores of each kind, the leading one first. */
export const scoresOf: Readonly<Record<'binary' | 'regression', readonly ScoreName[]>> = {
  binary: ['auc', 'averagePrecision', 'logLoss', 'brier', 'accuracy'],
  regression: ['spearman', 'gini', 'rmse', 'mae', 'r2'],
};
