/** Search spaces: how a number in [0, 1) becomes the value of a parameter, and which points a grid takes. */
import { exp, log } from '../numeric/elementary.ts';
import type { Distribution } from './types.ts';

type Range = Exclude<Distribution, { kind: 'choice' }>;
export type RangeKind = Range['kind'];

export const distributionKinds: readonly RangeKind[] = ['uniform', 'loguniform', 'int', 'logint'];

/**
 * The value at quantile u of a distribution.
 *
 * choice: each value equally likely. uniform and loguniform: on [low, high], linear or in the logarithm. int: each
 * whole number from low to high equally likely. logint: round(x), x log-uniform on [low - 1/2, high + 1/2], so that the
 * ends get their share. With `step`, the values are low + k step, equally likely for uniform and int; logarithmic ones
 * are drawn first and rounded to the nearest of them.
 *
 * @param u in [0, 1)
 */
export function valueAt(distribution: Distribution, u: number): unknown {
  if (distribution.kind === 'choice') return distribution.values[Math.floor(u * distribution.values.length)];
  const { kind, low, high } = distribution;
  const step = distribution.step ?? (kind === 'int' ? 1 : undefined);
  switch (kind) {
    case 'uniform':
    case 'int':
      return step === undefined
        ? low + u * (high - low)
        : onStep(low, step, Math.floor(u * stepCount(low, high, step)));
    case 'loguniform':
      return nearestStep(distribution, between(logBetween(low, high, u), low, high));
    case 'logint':
      return nearestStep(distribution, between(Math.round(logBetween(low - 0.5, high + 0.5, u)), low, high));
  }
}

function logBetween(low: number, high: number, u: number): number {
  return exp(log(low) + u * (log(high) - log(low)));
}

function between(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** Number of values low + k step up to high. The allowance keeps 0.1 + 2 x 0.1 within 0.3. */
function stepCount(low: number, high: number, step: number): number {
  return Math.floor((high - low) / step + 1e-9) + 1;
}

/** low + k step as a person would write it: 0.3, not 0.30000000000000004. */
function onStep(low: number, step: number, k: number): number {
  return Number((low + k * step).toPrecision(15));
}

function nearestStep({ low, high, step }: Range, x: number): number {
  if (step === undefined) return x;
  return onStep(low, step, between(Math.round((x - low) / step), 0, stepCount(low, high, step) - 1));
}

/** The points a grid takes of a distribution, or undefined for a range that says neither `steps` nor `step`. */
export function gridValues(distribution: Distribution): readonly unknown[] | undefined {
  if (distribution.kind === 'choice') return distribution.values;
  const { kind, low, high, steps } = distribution;
  if (steps === undefined) {
    const step = distribution.step ?? (kind === 'int' ? 1 : undefined);
    if (step === undefined) return undefined;
    return Array.from({ length: stepCount(low, high, step) }, (_, k) => onStep(low, step, k));
  }
  const points = Array.from({ length: steps }, (_, i) => {
    // The ends are exact: a logarithm and back would lose their last digit.
    if (i === 0) return low;
    if (i === steps - 1) return high;
    const u = i / (steps - 1);
    const isLog = kind === 'loguniform' || kind === 'logint';
    const x = isLog ? logBetween(low, high, u) : low + u * (high - low);
    // Twelve digits: 0.001, not the 0.000999999999999999 of a logarithm and back.
    return Number(nearestStep(distribution, kind === 'int' || kind === 'logint' ? Math.round(x) : x).toPrecision(12));
  });
  return [...new Set(points)];
}

/** Number of grid points, without making them where the count is plain; undefined as for `gridValues`. */
export function gridSize(distribution: Distribution): number | undefined {
  if (distribution.kind === 'choice') return distribution.values.length;
  const { kind, low, high, steps } = distribution;
  const step = distribution.step ?? (kind === 'int' ? 1 : undefined);
  if (steps !== undefined) return gridValues(distribution)?.length;
  return step === undefined ? undefined : stepCount(low, high, step);
}

/** Values that stand for all in checks: every choice, or both ends of a range. */
export function extremes(distribution: Distribution): readonly unknown[] {
  return distribution.kind === 'choice' ? distribution.values : [distribution.low, distribution.high];
}
