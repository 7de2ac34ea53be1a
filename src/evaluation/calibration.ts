/** Probabilities made honest: fitted on rows that neither trained nor test, and measured. */
import { FathomError } from '../errors.ts';
import { logit, sigmoid } from '../numeric/elementary.ts';
import { fitLogistic } from './logistic.ts';

/** From a predicted probability to a calibrated one; never falling. */
export type Calibrator = (probability: number) => number;

export type CalibrationMethod = 'isotonic' | 'platt';

/** Probabilities are kept this far from 0 and 1 before their logit is taken. */
const CLIP = 1e-6;

export function fitCalibrator(
  method: CalibrationMethod,
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
): Calibrator {
  let positives = 0;
  for (let i = 0; i < actual.length; i++) positives += actual[i] as number;
  if (positives === 0 || positives === actual.length)
    throw new FathomError('data', `all ${actual.length} rows to calibrate on are of one class`, {
      hint: 'raise validationFraction, or use fewer folds',
    });
  return method === 'isotonic' ? isotonic(predicted, actual) : platt(predicted, actual);
}

/**
 * Isotonic regression by pooling adjacent violators: the rising step function nearest to what happened in squares, and
 * straight lines between its steps. Source: Zadrozny and Elkan (2002), KDD; Ayer et al. (1955), Ann. Math. Statistics 26.
 */
function isotonic(predicted: ArrayLike<number>, actual: ArrayLike<number>): Calibrator {
  const order = Array.from(predicted, (_, i) => i).sort((a, b) => (predicted[a] as number) - (predicted[b] as number));
  /** Runs of rows with one value: mean of what happened, rows, first and last prediction. */
  const steps: { mean: number; rows: number; from: number; to: number }[] = [];
  for (const row of order) {
    const at = predicted[row] as number;
    const last = steps.at(-1);
    if (last !== undefined && last.from === at && last.to === at) {
      // Equal predictions are one point.
      last.mean += ((actual[row] as number) - last.mean) / ++last.rows;
    } else steps.push({ mean: actual[row] as number, rows: 1, from: at, to: at });
  }
  const pooled: typeof steps = [];
  for (const step of steps) {
    let next = step;
    for (let last = pooled.at(-1); last !== undefined && last.mean >= next.mean; last = pooled.at(-1)) {
      const rows = last.rows + next.rows;
      const mean = last.mean + ((next.mean - last.mean) * next.rows) / rows;
      next = { mean, rows, from: last.from, to: next.to };
      pooled.pop();
    }
    pooled.push(next);
  }
  const knots = pooled.flatMap(({ mean, from, to }) =>
    from === to ? [{ x: from, y: mean }] : [from, to].map((x) => ({ x, y: mean })),
  );
  return (p) => {
    const after = knots.findIndex(({ x }) => x >= p);
    if (after < 0) return (knots.at(-1) as (typeof knots)[number]).y;
    const high = knots[after] as (typeof knots)[number];
    const low = knots[after - 1];
    return low === undefined || high.x === p ? high.y : low.y + ((high.y - low.y) * (p - low.x)) / (high.x - low.x);
  };
}

/**
 * Platt's scaling of the log odds: sigmoid(a + b logit p), fitted to targets (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2) so
 * that few rows cannot claim certainty. A falling fit (b < 0) says the model ranks backwards; it is kept flat instead.
 * Source: Platt (1999), Advances in Large Margin Classifiers.
 */
function platt(predicted: ArrayLike<number>, actual: ArrayLike<number>): Calibrator {
  const n = predicted.length;
  const oddsOf = (p: number): number => logit(Math.min(1 - CLIP, Math.max(CLIP, p)));
  let positives = 0;
  for (let i = 0; i < n; i++) positives += actual[i] as number;
  const up = (positives + 1) / (positives + 2);
  const down = 1 / (n - positives + 2);
  const happened = Float64Array.from({ length: n }, (_, i) => (actual[i] === 1 ? up : down));
  const weight = new Float64Array(n).fill(1);
  const x = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    x[2 * i] = 1;
    x[2 * i + 1] = oddsOf(predicted[i] as number);
  }
  // A pull by a thousandth of a row, towards leaving probabilities as they are, for predictions that are all one.
  const [a = 0, b = 1] = fitLogistic({ x, width: 2, weight, happened }, { mean: [0, 1], strength: 1e-3 });
  if (b > 0) return (p) => sigmoid(a + b * oddsOf(p));
  const flat = happened.reduce((sum, value) => sum + value, 0) / n;
  return () => flat;
}

/** The Brier score in parts: brier = reliability − resolution + uncertainty + within. */
export interface BrierParts {
  readonly brier: number;
  /** Mean squared distance of the groups from the diagonal: 0 is honest. */
  readonly reliability: number;
  /** Variance of what happened between groups: how much is told. */
  readonly resolution: number;
  /** Variance of what happened: what nobody can help. */
  readonly uncertainty: number;
  /** What the groups are too coarse to see. */
  readonly within: number;
  /** Expected calibration error: mean distance of the groups from the diagonal. */
  readonly expectedError: number;
}

/**
 * Murphy's decomposition over groups of about equally many rows by prediction; equal predictions stay together.
 * Sources: Murphy (1973), J. Applied Meteorology 12; Naeini, Cooper and Hauskrecht (2015), AAAI, on the expected error.
 */
export function brierParts(actual: ArrayLike<number>, predicted: ArrayLike<number>, bins: number): BrierParts {
  const n = actual.length;
  let brier = 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    brier += ((actual[i] as number) - (predicted[i] as number)) ** 2 / n;
    total += actual[i] as number;
  }
  const rate = total / n;
  let [reliability, resolution, expectedError] = [0, 0, 0];
  for (const group of groupsByPrediction(predicted, bins)) {
    let p = 0;
    let y = 0;
    for (const row of group) {
      p += (predicted[row] as number) / group.length;
      y += (actual[row] as number) / group.length;
    }
    const share = group.length / n;
    reliability += share * (p - y) ** 2;
    resolution += share * (y - rate) ** 2;
    expectedError += share * Math.abs(p - y);
  }
  const uncertainty = rate * (1 - rate);
  const within = brier - (reliability - resolution + uncertainty);
  return { brier, reliability, resolution, uncertainty, within, expectedError };
}

/** Rows in up to `bins` groups of about equally many by prediction, ascending; equal predictions stay in one group. */
export function groupsByPrediction(predicted: ArrayLike<number>, bins: number): number[][] {
  const order = Array.from(predicted, (_, row) => row).sort(
    (a, b) => (predicted[a] as number) - (predicted[b] as number),
  );
  const groups: number[][] = [];
  let last = -1;
  let lastValue = NaN;
  order.forEach((row, k) => {
    const value = predicted[row] as number;
    const bin = value === lastValue ? last : Math.floor((k * bins) / order.length);
    if (bin !== last) groups.push([]);
    groups.at(-1)?.push(row);
    last = bin;
    lastValue = value;
  });
  return groups;
}
