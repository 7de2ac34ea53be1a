import { clock, day, fixed, known, MINUS, monthOf } from './format.ts';

/** A mapping from values to pixels with the ticks that explain it. */
export interface Scale {
  readonly kind: 'linear' | 'log' | 'time';
  readonly domain: readonly [number, number];
  /** Pixel of a value; NaN where the scale cannot show it (0 on a log scale). */
  at(value: number): number;
  /** Value at a pixel. */
  invert(pixel: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Smallest and largest known value; `undefined` if there is none. */
export function extent(values: Iterable<number | null | undefined>): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!known(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : undefined;
}

/** Step of 1, 2 or 5 times a power of ten that divides a span into about `n` parts. */
export function stepOf(span: number, n: number): number {
  if (!(span > 0)) return 1;
  const raw = span / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(raw));
  const ratio = raw / power;
  return power * (ratio > 7.07 ? 10 : ratio > 3.16 ? 5 : ratio > 1.41 ? 2 : 1);
}

/** Round values from `low` to `high`, both included where they are round. */
export function linearTicks(low: number, high: number, n: number): number[] {
  const step = stepOf(high - low, n);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks: number[] = [];
  // Multiplying whole numbers avoids the drift of repeated addition.
  for (let k = first; k <= last && ticks.length < 100; k++) ticks.push(Number((k * step).toPrecision(15)));
  return ticks;
}

/** Label of a tick; large steps are shortened to k, M and bn. */
export function tickLabel(value: number, step: number): string {
  for (const [size, letter] of [
    [1e9, 'bn'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    // Only where every tick of this step stays exact.
    if (value !== 0 && Math.abs(value) >= size && (size > 1e3 || Math.abs(value) >= 1e4)) {
      return `${fixed(value / size, decimalsOfStep(step / size))}${letter}`;
    }
  }
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(0).replaceAll('-', MINUS);
  return fixed(value, decimalsOfStep(step));
}

function decimalsOfStep(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

/** Widens a domain to round ends. */
export function niceDomain(low: number, high: number, n = 5): [number, number] {
  if (low === high) {
    const margin = low === 0 ? 1 : Math.abs(low) * 0.1;
    return [low - margin, high + margin];
  }
  const step = stepOf(high - low, n);
  return [
    Number((Math.floor(low / step + 1e-9) * step).toPrecision(12)),
    Number((Math.ceil(high / step - 1e-9) * step).toPrecision(12)),
  ];
}

export function linearScale(domain: readonly [number, number], range: readonly [number, number], n = 5): Scale {
  const [low, high] = domain;
  const [start, end] = range;
  const slope = (end - start) / (high - low || 1);
  const step = stepOf(high - low, n);
  return {
    kind: 'linear',
    domain,
    at: (value) => start + (value - low) * slope,
    invert: (pixel) => low + (pixel - start) / (slope || 1),
    ticks: linearTicks(low, high, n).map((value) => ({ value, label: tickLabel(value, step) })),
  };
}

/** Ticks at powers of ten; at 1, 2 and 5 times these where there are fewer than three. */
export function logTicks(low: number, high: number, n: number): number[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const stride = Math.max(1, Math.ceil((last - first) / Math.max(1, n)));
  const between = last - first <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = first; power <= last; power += stride) {
    for (const factor of between) {
      const value = Number(`${factor}e${power}`);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push(value);
    }
  }
  return ticks;
}

export function logScale(domain: readonly [number, number], range: readonly [number, number], n = 5): Scale {
  const [low, high] = domain;
  const [start, end] = range;
  const slope = (end - start) / (Math.log(high / low) || 1);
  return {
    kind: 'log',
    domain,
    at: (value) => (value > 0 ? start + Math.log(value / low) * slope : Number.NaN),
    invert: (pixel) => low * Math.exp((pixel - start) / (slope || 1)),
    ticks: logTicks(low, high, n).map((value) => ({ value, label: tickLabel(value, value) })),
  };
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const fixedSteps = [1, 5, 15, 30]
  .map((k) => k * MINUTE)
  .concat(
    [1, 3, 6, 12].map((k) => k * HOUR),
    [1, 2, 5, 10].map((k) => k * DAY),
  );
const monthSteps = [1, 2, 3, 6, 12, 24, 60, 120, 240];

/** Calendar ticks in UTC: minutes to days, then whole months and years. */
export function timeTicks(low: number, high: number, n: number): { value: number; label: string }[] {
  const target = (high - low) / Math.max(1, n);
  const step = fixedSteps.find((candidate) => candidate >= target);
  const ticks: { value: number; label: string }[] = [];
  if (step !== undefined) {
    for (let k = Math.ceil(low / step); k * step <= high && ticks.length < 100; k++) {
      const value = k * step;
      const midnight = value % DAY === 0;
      ticks.push({ value, label: midnight ? day(value).slice(0, -5) : clock(value) });
    }
    return ticks;
  }
  const stride = monthSteps.find((candidate) => candidate * 30.4 * DAY >= target * 0.95) ?? 600;
  const start = new Date(low);
  const firstMonth = start.getUTCFullYear() * 12 + start.getUTCMonth();
  for (let month = Math.ceil(firstMonth / stride) * stride; ticks.length < 100; month += stride) {
    const value = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (value > high) break;
    if (value >= low) ticks.push({ value, label: monthOf(value, true) });
  }
  // Without a year among them, months do not say when they were.
  if (ticks.every((tick) => !/\d/.test(tick.label))) {
    return ticks.map((tick, index) => (index === 0 ? { ...tick, label: monthOf(tick.value, false) } : tick));
  }
  return ticks;
}

export function timeScale(domain: readonly [number, number], range: readonly [number, number], n = 5): Scale {
  return { ...linearScale(domain, range, n), kind: 'time', ticks: timeTicks(domain[0], domain[1], n) };
}

/** Scale of an axis over known values; an empty or unusable set of values gives a plain 0 to 1. */
export function axisScale(
  axis: { readonly scale: 'linear' | 'log' | 'time'; readonly min?: number; readonly max?: number },
  values: Iterable<number | null | undefined>,
  range: readonly [number, number],
  options: { readonly n?: number; readonly nice?: boolean; readonly include?: readonly number[] } = {},
): Scale {
  const n = options.n ?? 5;
  const usable: number[] = [];
  for (const value of values) if (known(value) && (axis.scale !== 'log' || value > 0)) usable.push(value);
  for (const value of options.include ?? []) if (axis.scale !== 'log' || value > 0) usable.push(value);
  let [low, high] = extent(usable) ?? (axis.scale === 'log' ? [1, 10] : [0, 1]);
  if (axis.min !== undefined && (axis.scale !== 'log' || axis.min > 0)) low = axis.min;
  if (axis.max !== undefined && (axis.scale !== 'log' || axis.max > 0)) high = axis.max;
  if (axis.scale === 'log') {
    if (!(high > low)) [low, high] = [low / 2, low * 2];
    return logScale([low, high], range, n);
  }
  if (axis.scale === 'time') {
    if (!(high > low)) [low, high] = [low - DAY / 2, low + DAY / 2];
    return timeScale([low, high], range, n);
  }
  const [niceLow, niceHigh] = niceDomain(low, high, n);
  const keepLow = axis.min !== undefined || (options.nice === false && high > low);
  const keepHigh = axis.max !== undefined || (options.nice === false && high > low);
  const domain: [number, number] = [keepLow ? low : niceLow, keepHigh ? high : niceHigh];
  if (!(domain[1] > domain[0])) domain[1] = domain[0] + 1;
  return linearScale(domain, range, n);
}
