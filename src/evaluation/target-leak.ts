/** Whether a feature is the target under another name: no honest feature orders the rows just as what will happen does. */
import type { Check } from '../contract/metrics.ts';
import { wholeSample } from './bootstrap.ts';
import { rankCorrelation } from './rank-scores.ts';

/** A column of numbers; codes of classes count as numbers. NaN is missing. */
export interface NamedValues {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/** Rows looked at, evenly spaced: a copy shows in any of them. */
const ROWS = 4000;
/** Fewer rows that have both may agree by chance. */
const FEWEST = 20;
/** Rank correlation from which on a feature is no longer a prediction; copies in single precision reach it too. */
const SAME_ORDER = 0.9999;

/**
 * Fails if a feature orders the rows exactly as a target does or exactly against it, or if a 0/1 target (or one of two
 * values) is told without error by one cut through a feature.
 */
export function checkTargets(features: readonly NamedValues[], targets: readonly NamedValues[]): Check {
  const name = 'Target in features';
  if (features.length === 0 || targets.length === 0)
    return { name, verdict: 'pass', detail: 'The rows carry no features beside a target to compare.' };
  const found: string[] = [];
  for (const target of targets)
    for (const feature of features)
      if (isCopy(feature.values, target.values)) found.push(`${feature.name} tells ${target.name}`);
  if (found.length === 0)
    return {
      name,
      verdict: 'pass',
      detail: `None of ${features.length} features orders the rows as one of ${targets.length} targets does.`,
    };
  const [first = '', ...others] = found;
  return {
    name,
    verdict: 'fail',
    detail: `${first} without error${others.length === 0 ? '' : `, and ${others.length} more pairs do`}: a copy of what is to be predicted.`,
  };
}

function isCopy(feature: ArrayLike<number>, target: ArrayLike<number>): boolean {
  const step = Math.max(1, Math.floor(feature.length / ROWS));
  const x: number[] = [];
  const y: number[] = [];
  for (let row = 0; row < feature.length; row += step) {
    if (Number.isNaN(feature[row]) || Number.isNaN(target[row])) continue;
    x.push(feature[row] as number);
    y.push(target[row] as number);
  }
  if (x.length < FEWEST) return false;
  const classes = [...new Set(y)].sort((a, b) => a - b);
  if (classes.length < 2) return false;
  if (classes.length === 2) return separates(x, y, classes[0] as number);
  const rows = { actual: Float64Array.from(y), predicted: Float64Array.from(x), cluster: new Int32Array(x.length) };
  return Math.abs(rankCorrelation(rows).score(wholeSample(1))) >= SAME_ORDER;
}

/** True if all rows of one class lie above all of the other; both must have more than a handful. */
function separates(x: readonly number[], y: readonly number[], lower: number): boolean {
  const low = { least: Infinity, most: -Infinity, count: 0 };
  const high = { least: Infinity, most: -Infinity, count: 0 };
  y.forEach((value, i) => {
    const side = value === lower ? low : high;
    side.least = Math.min(side.least, x[i] as number);
    side.most = Math.max(side.most, x[i] as number);
    side.count++;
  });
  if (Math.min(low.count, high.count) < FEWEST / 4) return false;
  return low.most < high.least || high.most < low.least;
}
