import type { ReportSweep, ReportTrial } from '../model.ts';
import { known } from './format.ts';
import { paramText } from './history.ts';
import { extent, linearScale, logScale, niceDomain } from './scale.ts';

/** One axis of the parallel coordinates. Places run from 0 (bottom) to 1 (top). */
export interface ParallelAxis {
  readonly name: string;
  readonly ticks: readonly { readonly place: number; readonly label: string }[];
  /** Number of categories; undefined on number axes. */
  readonly categories?: number;
  /** Place of each trial; null where it has no value here. */
  readonly places: readonly (number | null)[];
  /** A place in words. */
  textAt(place: number): string;
}

/** What a pair of handles lets through, as places. */
export interface Brush {
  readonly low: number;
  readonly high: number;
}

export const OPEN: Brush = { low: 0, high: 1 };

export function isOpen(brush: Brush): boolean {
  return brush.low <= 0 && brush.high >= 1;
}

/** The swept parameters in their order, then the score. */
export function parallelAxes(sweep: ReportSweep): ParallelAxis[] {
  const axes = sweep.axes.map((axis) =>
    axis.scale === 'category'
      ? categoryAxis(axis.name, axis.values ?? [], sweep.trials)
      : numberAxis(
          axis.name,
          axis.scale,
          sweep.trials.map((trial) => {
            const value = trial.params[axis.name];
            return typeof value === 'number' ? value : null;
          }),
        ),
  );
  return [
    ...axes,
    numberAxis(
      sweep.metric,
      'linear',
      sweep.trials.map((trial) => trial.score),
    ),
  ];
}

function categoryAxis(name: string, declared: readonly string[], trials: readonly ReportTrial[]): ParallelAxis {
  const keys = [...declared];
  const keyOf = (trial: ReportTrial): string | null => {
    const value = trial.params[name];
    if (value === undefined || value === null) return null;
    const candidates = [typeof value === 'string' ? value : JSON.stringify(value), String(value), paramText(value)];
    return candidates.find((text) => keys.includes(text)) ?? candidates[0] ?? null;
  };
  for (const trial of trials) {
    const key = keyOf(trial);
    if (key !== null && !keys.includes(key)) keys.push(key);
  }
  const n = Math.max(1, keys.length);
  const placeOf = (index: number): number => (index + 0.5) / n;
  return {
    name,
    categories: n,
    ticks: keys.map((label, i) => ({ place: placeOf(i), label })),
    places: trials.map((trial) => {
      const key = keyOf(trial);
      return key === null ? null : placeOf(keys.indexOf(key));
    }),
    textAt: (place) => keys[Math.max(0, Math.min(n - 1, Math.floor(place * n)))] ?? '',
  };
}

function numberAxis(name: string, scale: 'linear' | 'log', values: readonly (number | null)[]): ParallelAxis {
  const usable = values.filter((value): value is number => known(value) && (scale === 'linear' || value > 0));
  const [low, high] = extent(usable) ?? [0, 1];
  const map =
    scale === 'log'
      ? logScale(high > low ? [low, high] : [low / 2, low * 2], [0, 1], 4)
      : linearScale(high > low ? [low, high] : niceDomain(low, high), [0, 1], 4);
  return {
    name: scale === 'log' ? `${name} (log)` : name,
    ticks: map.ticks.map((tick) => ({ place: map.at(tick.value), label: tick.label })),
    places: values.map((value) => {
      if (!known(value) || (scale === 'log' && value <= 0)) return null;
      return Math.max(0, Math.min(1, map.at(value)));
    }),
    textAt: (place) => paramText(Number(map.invert(place).toPrecision(4))),
  };
}

/** Which trials pass all brushes. A trial without a value passes only where the handles are wide open. */
export function passing(axes: readonly ParallelAxis[], brushes: readonly Brush[], n: number): boolean[] {
  return Array.from({ length: n }, (_, trial) =>
    axes.every((axis, i) => {
      const brush = brushes[i] ?? OPEN;
      if (isOpen(brush)) return true;
      const place = axis.places[trial];
      return known(place) && place >= brush.low - 1e-9 && place <= brush.high + 1e-9;
    }),
  );
}

/** One handle moved to a place: it never passes its partner, and category handles stop between categories. */
export function moved(axis: ParallelAxis, brush: Brush, handle: 'low' | 'high', place: number): Brush {
  const n = axis.categories;
  const grid = n === undefined ? place : Math.round(place * n) / n;
  const bounded = Math.max(0, Math.min(1, grid));
  // At least one category stays between the handles.
  const gap = n === undefined ? 0 : 1 / n;
  return handle === 'low'
    ? { low: Math.min(bounded, brush.high - gap), high: brush.high }
    : { low: brush.low, high: Math.max(bounded, brush.low + gap) };
}

/** Where a key sends a handle; undefined for keys that are not its own. */
export function keyed(axis: ParallelAxis, place: number, key: string): number | undefined {
  const step = axis.categories === undefined ? 0.02 : 1 / axis.categories;
  switch (key) {
    case 'ArrowUp':
    case 'ArrowRight':
      return place + step;
    case 'ArrowDown':
    case 'ArrowLeft':
      return place - step;
    case 'PageUp':
      return place + step * 5;
    case 'PageDown':
      return place - step * 5;
    case 'Home':
      return 0;
    case 'End':
      return 1;
    default:
      return undefined;
  }
}
