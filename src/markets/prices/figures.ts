/** Figures of the data section: how much there is, where the volume lies, and whether prices were right. */
import type { BarsFigure, Figure, ForestFigure, LineFigure, TableFigure } from '../../contract/figure.ts';
import type { Curve } from '../../evaluation/curves.ts';
import { counted, interval, written } from '../../evaluation/words.ts';
import { herfindahl } from '../../numeric/market-models.ts';
import type { DayOfTrades } from './observe.ts';
import type { Reliability } from './reliability.ts';

const METHOD = 'Reliability of prices';
const DAY_MS = 86_400_000;
const dayOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Observations of one horizon and, within it, of one group of markets. */
export interface ReliabilityRow extends Reliability {
  readonly label: string;
  /** Hours before the close. */
  readonly hours: number;
  /** All markets of the horizon. */
  readonly whole: boolean;
}

/** The days from the first fill to the last without one, as stretches. */
export function gapsOf(days: readonly DayOfTrades[]): readonly { readonly from: number; readonly length: number }[] {
  return days.flatMap(({ day }, i) => {
    const next = days[i + 1]?.day ?? day + 1;
    return next > day + 1 ? [{ from: day + 1, length: next - day - 1 }] : [];
  });
}

export function coverageFigure(days: readonly DayOfTrades[]): LineFigure | undefined {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const size = last.day - first.day + 1;
  const usd = new Array<number>(size).fill(0);
  for (const one of days) usd[one.day - first.day] = one.usd;
  const gaps = gapsOf(days);
  const longest = gaps.reduce((a, b) => (b.length > a.length ? b : a), { from: 0, length: 0 });
  const named = gaps
    .slice(0, 3)
    .map(({ from, length }) => (length === 1 ? dayOf(from) : `${dayOf(from)} to ${dayOf(from + length - 1)}`));
  const total = usd.reduce((a, b) => a + b, 0);
  return {
    kind: 'line',
    id: 'coverage-by-day',
    section: 'data',
    title:
      gaps.length === 0
        ? `Fills on every one of ${counted(size, 'days')}`
        : `Fills on ${days.length.toLocaleString('en-US')} of ${counted(size, 'days')}; the longest gap is ${counted(longest.length, 'days')}`,
    subtitle: `USD a day, every match counted once: ${written(total)} USD in all, ${dayOf(first.day)} to ${dayOf(last.day)}`,
    caption: `Rows of makers are left out, so that a match of which both sides are recorded counts once.${gaps.length === 0 ? '' : ` Without a fill: ${named.join('; ')}${gaps.length > 3 ? `; and ${counted(gaps.length - 3, 'more stretches')}` : ''}.`}`,
    method: METHOD,
    x: { label: 'Day (UTC)', scale: 'time' },
    y: { label: 'Volume a day', unit: 'USD', scale: 'linear', min: 0 },
    series: [{ label: 'Volume', role: 'this', x: usd.map((_, i) => (first.day + i) * DAY_MS), y: usd }],
  };
}

export function volumeByMarket(
  volumes: readonly { readonly name: string; readonly usd: number }[],
): BarsFigure | undefined {
  const total = volumes.reduce((sum, { usd }) => sum + usd, 0);
  if (!(total > 0)) return undefined;
  const index = herfindahl(volumes.map(({ usd }) => usd));
  const shown = volumes.slice(0, 12);
  return {
    kind: 'bars',
    id: 'volume-by-market',
    section: 'data',
    title: `The volume lies in ${counted(volumes.length, 'markets')} as unevenly as if ${written(10_000 / index)} shared it alike`,
    subtitle: `USD, every match counted once, of the ${counted(shown.length, 'largest markets')}; concentration index ${written(index)} of 10,000`,
    caption:
      'The index is the sum of squared percentages of the volume; 10,000 by it is the number of equal markets that would have the same.',
    method: METHOD,
    unit: 'USD',
    bars: shown.map(({ name, usd }) => ({ label: shortened(name), role: 'this' as const, value: usd })),
  };
}

function shortened(name: string): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}

/** How often outcomes came true at each price. */
export function reliabilityFigure(row: ReliabilityRow, curve: Curve): LineFigure {
  const inside = curve.x.filter((price, i) => {
    const [low, high] = [curve.low?.[i], curve.high?.[i]];
    return typeof low === 'number' && typeof high === 'number' && price >= low && price <= high;
  }).length;
  const judged = curve.x.filter((_, i) => typeof curve.low?.[i] === 'number').length;
  return {
    kind: 'line',
    id: 'reliability-of-prices',
    section: 'data',
    title:
      judged === 0
        ? 'Too few events to say whether prices were right'
        : `Prices agreed with outcomes, within their intervals, in ${inside} of ${counted(judged, 'groups')}`,
    subtitle: `Share of markets in which outcome 0 happened, by its price ${counted(row.hours, 'hours')} before the close; 95 % interval; n = ${counted(row.markets, 'markets')} of ${counted(row.events, 'events')}`,
    caption:
      'Each resolved market counts once. Groups of about equally many markets by price; intervals by drawing events with replacement.',
    method: METHOD,
    x: { label: 'Price', unit: 'USD/share', scale: 'linear', min: 0, max: 1 },
    y: { label: 'Happened', unit: 'share', scale: 'linear', min: 0, max: 1 },
    reference: 'diagonal',
    series: [{ label: 'Markets', role: 'this', dots: true, ...curve }],
  };
}

export function slopeFigure(rows: readonly ReliabilityRow[]): ForestFigure {
  const main = rows.find(({ whole, slope }) => whole && !Number.isNaN(slope));
  const [low, high] = main === undefined ? [NaN, NaN] : [bound(main, -1), bound(main, 1)];
  return {
    kind: 'forest',
    id: 'longshot-slope',
    section: 'data',
    title:
      main === undefined
        ? 'Too few events to say whether longshots were too dear'
        : low > 1
          ? `Longshots were too dear: the slope is ${written(main.slope)} (${interval(low, high)})`
          : high < 1
            ? `Favourites were too dear: the slope is ${written(main.slope)} (${interval(low, high)})`
            : `No bias to longshots or favourites is shown: the slope is ${written(main.slope)} (${interval(low, high)})`,
    subtitle:
      'Slope of the logit of the outcome on the logit of the price, 95 % interval clustered by event; n is markets',
    caption: 'At 1 prices are neither too near to one half nor too far. Not corrected for the number of rows.',
    method: METHOD,
    unit: 'slope',
    zero: 1,
    rows: rows.map((row) => ({
      label: row.label,
      role: row.whole ? ('this' as const) : ('other' as const),
      n: row.markets,
      ...(Number.isNaN(row.slope)
        ? { value: null, low: null, high: null, why: 'fewer than ten events, or one outcome' }
        : { value: row.slope, low: bound(row, -1), high: bound(row, 1) }),
    })),
  };
}

function bound(row: ReliabilityRow, side: number): number {
  return row.slope + side * 1.96 * row.slopeError;
}

export function scoresTable(rows: readonly ReliabilityRow[]): TableFigure {
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const main = rows.find(({ whole, markets }) => whole && markets > 0);
  return {
    kind: 'table',
    id: 'scores-of-prices',
    section: 'data',
    title:
      main === undefined
        ? 'No resolved market to score'
        : `Prices ${counted(main.hours, 'hours')} before the close have a Brier score of ${written(main.brier)}; knowing only the base rate gives ${written(main.uncertainty)}`,
    subtitle: 'Brier score and its parts, by time to the close and by category; one observation a market',
    caption:
      'Brier is reliability (0 is best) less resolution (higher is better) plus uncertainty, but for prices that differ within a tenth.',
    method: METHOD,
    columns: [
      { name: 'Markets', align: 'left' },
      { name: 'n', align: 'right' },
      { name: 'Events', align: 'right' },
      { name: 'Brier', align: 'right' },
      { name: 'Reliability', align: 'right' },
      { name: 'Resolution', align: 'right' },
      { name: 'Uncertainty', align: 'right' },
      { name: 'Slope', align: 'right' },
      { name: 'Standard error', align: 'right' },
    ],
    rows: rows.map((row) => [
      row.label,
      row.markets,
      row.events,
      ...[row.brier, row.reliability, row.resolution, row.uncertainty, row.slope, row.slopeError].map(known),
    ]),
  };
}

/** All figures that there are data for. */
export function present(figures: readonly (Figure | undefined)[]): readonly Figure[] {
  return figures.filter((figure) => figure !== undefined);
}
