import type { Axis, LineFigure } from '../../contract/figure.ts';
import { roleClasses } from './colour.ts';
import { instant, known, plain, withUnit } from './format.ts';
import { markup, type Piece } from './markup.ts';
import { axisScale, type Scale } from './scale.ts';
import {
  band,
  circle,
  type Drawing,
  line,
  type Mark,
  path,
  pathThrough,
  text,
  textWidth,
  xAxis,
  yAxis,
} from './svg.ts';

export const LINE_HEIGHT = 286;
const TOP = 22;
const FOOT = 40;
/** More series than this are told apart by a legend above the plot. */
const END_LABELS = 5;

export function axisTitle(axis: Axis): string {
  const unit = axis.unit === undefined || axis.unit === '' ? '' : `, ${axis.unit}`;
  return `${axis.label}${unit}${axis.scale === 'log' ? ' (log scale)' : ''}${axis.scale === 'time' && !/\bUTC\b/.test(axis.label + unit) ? ' (UTC)' : ''}`;
}

export function axisValue(axis: Axis, value: number): string {
  return axis.scale === 'time' ? instant(value) : withUnit(plain(value), axis.unit);
}

function yValues(figure: LineFigure): (number | null)[] {
  return figure.series.flatMap((series) => [...series.y, ...(series.low ?? []), ...(series.high ?? [])]);
}

/** Last known point of each series, as a share of the y range: do labels fit at the ends of the lines? */
export function labelsAtEnds(figure: LineFigure): boolean {
  const n = figure.series.length;
  if (n < 2 || n > END_LABELS || figure.series.some((series) => series.dots === true)) return false;
  const scale = axisScale(figure.y, yValues(figure), [0, 1]);
  const ends = figure.series
    .map((series) => scale.at(series.y.findLast((value) => known(value)) ?? Number.NaN))
    .sort((a, b) => a - b);
  return ends.every((end, i) => Number.isFinite(end) && (i === 0 || end - (ends[i - 1] ?? 0) > 0.07));
}

/** True where the figure needs a legend above it. */
export function needsLegend(figure: LineFigure): boolean {
  return figure.series.length > 1 && !labelsAtEnds(figure);
}

/** Curves with tinted intervals; labels stand at their ends where these are apart. */
export function drawLine(
  figure: LineFigure,
  width: number,
  height: number = LINE_HEIGHT,
  ends: boolean = labelsAtEnds(figure),
): Drawing {
  const longest = Math.max(0, ...figure.series.map((series) => textWidth(series.label)));
  const right = width - (ends ? Math.min(longest + 10, width * 0.3) : 10);
  const bottom = height - FOOT;
  const xs = figure.series.flatMap((series) => series.x);
  const reference = figure.reference === 'zero' ? [0] : [];
  const y = axisScale(figure.y, yValues(figure), [bottom, TOP + 6], { include: reference, n: height < 200 ? 3 : 5 });
  const widest = Math.max(...y.ticks.map((tick) => textWidth(tick.label)), 12);
  const left = widest + 12;
  const x = axisScale(figure.x, xs, [left, right], { n: Math.max(2, Math.round((right - left) / 85)), nice: false });

  const pieces: Piece[] = [yAxis(y, left, right), xAxis(x, bottom, right), line(left, bottom, right, bottom, 'axis')];
  pieces.push(text(0, 10, axisTitle(figure.y), { kind: 'hint', room: width }));
  pieces.push(text(right, height - 4, axisTitle(figure.x), { kind: 'hint', anchor: 'end', room: right }));
  pieces.push(referenceLine(figure, x, y, left, right));

  const classes = roleClasses(figure.series.map((series) => series.role));
  // Drawn last, this run lies on top.
  const order = figure.series.map((_, i) => i).sort((a, b) => Number(isThis(figure, a)) - Number(isThis(figure, b)));
  const marks: Mark[] = [];
  for (const i of order) {
    const series = figure.series[i];
    const kind = classes[i] ?? '';
    if (series === undefined) continue;
    const px = series.x.map((value) => x.at(value));
    const py = series.y.map((value) => (known(value) ? y.at(value) : Number.NaN));
    const edge = (values: readonly (number | null)[] | undefined): number[] =>
      px.map((_, k) => {
        const value = values?.[k];
        return known(value) ? y.at(value) : Number.NaN;
      });
    const low = edge(series.low);
    const high = edge(series.high);
    if (series.dots === true) {
      px.forEach((at, k) => {
        if (Number.isFinite(low[k]) && Number.isFinite(high[k])) {
          pieces.push(line(at, low[k] ?? 0, at, high[k] ?? 0, `${kind} whisker`));
        }
        if (Number.isFinite(at) && Number.isFinite(py[k])) pieces.push(circle(at, py[k] ?? 0, 3.5, `${kind} dot`));
      });
    } else {
      if (series.low !== undefined) pieces.push(band(px, low, high, `${kind} band`));
      pieces.push(path(pathThrough(px.map((at, k): [number, number] => [at, py[k] ?? Number.NaN])), `${kind} curve`));
      // A lone point has no line to be seen by.
      if (py.filter((value) => Number.isFinite(value)).length === 1) {
        const k = py.findIndex((value) => Number.isFinite(value));
        pieces.push(circle(px[k] ?? 0, py[k] ?? 0, 3.5, `${kind} dot`));
      }
    }
    series.x.forEach((value, k) => {
      const at = py[k];
      if (at === undefined || !Number.isFinite(at) || !Number.isFinite(px[k])) return;
      marks.push({ x: px[k] ?? 0, y: at, title: series.label, lines: pointLines(figure, i, k, value) });
    });
  }
  if (ends) pieces.push(endLabels(figure, classes, y, right));
  marks.sort((a, b) => a.x - b.x || a.y - b.y);
  return { width, height, body: markup`${pieces}`, marks };
}

function isThis(figure: LineFigure, index: number): boolean {
  return figure.series[index]?.role === 'this';
}

function pointLines(figure: LineFigure, index: number, k: number, value: number): [string, string][] {
  const series = figure.series[index];
  const at = series?.y[k];
  const low = series?.low?.[k];
  const high = series?.high?.[k];
  const lines: [string, string][] = [
    [figure.x.label, axisValue(figure.x, value)],
    [figure.y.label, known(at) ? axisValue(figure.y, at) : ''],
  ];
  if (known(low) && known(high)) lines.push(['interval', `[${plain(low)}, ${plain(high)}]`]);
  return lines;
}

function referenceLine(figure: LineFigure, x: Scale, y: Scale, left: number, right: number): Piece {
  if (figure.reference === 'zero') return line(left, y.at(0), right, y.at(0), 'zero');
  if (figure.reference !== 'diagonal') return null;
  const from = Math.max(x.domain[0], y.domain[0]);
  const to = Math.min(x.domain[1], y.domain[1]);
  return to > from ? line(x.at(from), y.at(from), x.at(to), y.at(to), 'diagonal') : null;
}

function endLabels(figure: LineFigure, classes: readonly string[], y: Scale, right: number): Piece {
  return figure.series.map((series, i) => {
    const last = series.y.findLast((value) => known(value));
    return (
      known(last) && text(right + 6, y.at(last) + 4, series.label, { kind: `${classes[i] ?? ''} label`, room: 220 })
    );
  });
}
