import type { BarsFigure } from '../../contract/figure.ts';
import { roleClasses } from './colour.ts';
import { commonDecimals, fixed, interval, known, plain, UNKNOWN, withUnit } from './format.ts';
import { markup, type Piece } from './markup.ts';
import { axisScale } from './scale.ts';
import { type Drawing, line, type Mark, rectangle, text, textWidth } from './svg.ts';

const ROW = 26;
const AXIS = 26;
/** Bars that are drawn; the table shows all. */
export const MOST_BARS = 30;

/** Largest first, unknown last; ties keep their order. */
export function sortedBars(figure: BarsFigure): BarsFigure['bars'] {
  return figure.bars.toSorted((a, b) => {
    if (!known(a.value) || !known(b.value)) return Number(known(b.value)) - Number(known(a.value));
    return b.value - a.value;
  });
}

export function barsHeight(figure: BarsFigure, most: number = MOST_BARS): number {
  const shown = Math.min(most, figure.bars.length);
  return Math.max(1, shown) * ROW + AXIS + (figure.bars.length > most ? 18 : 0);
}

/** Sorted bars from zero, with whiskers where an interval is known. */
export function drawBars(figure: BarsFigure, width: number, most: number = MOST_BARS): Drawing {
  const height = barsHeight(figure, most);
  const bars = sortedBars(figure).slice(0, most);
  const longest = Math.max(40, ...bars.map((bar) => textWidth(bar.label)));
  const left = Math.min(longest + 10, width * 0.42);
  const right = width - 74;
  const values = bars.flatMap((bar) => [bar.value, bar.low, bar.high]);
  const x = axisScale({ scale: 'linear' }, values, [left, right], {
    n: Math.max(2, Math.round((right - left) / 80)),
    include: [0],
  });
  const bottom = bars.length * ROW + 4;
  const pieces: Piece[] = [];
  for (const tick of x.ticks) {
    if (tick.value !== 0) pieces.push(line(x.at(tick.value), 0, x.at(tick.value), bottom, 'gridline'));
    pieces.push(text(x.at(tick.value), bottom + 16, tick.label, { anchor: 'middle' }));
  }
  const whole = bars.every((bar) => !known(bar.value) || Number.isInteger(bar.value));
  const decimals = whole ? 0 : commonDecimals(bars.map((bar) => bar.value));
  const marks: Mark[] = [];
  const classes = roleClasses(bars.map((bar) => bar.role)).map((kind) => kind.replace(/ dash-\d/, ''));
  bars.forEach((bar, i) => {
    const y = i * ROW;
    const mid = y + ROW / 2;
    pieces.push(text(left - 8, mid + 4, bar.label, { kind: 'ink', anchor: 'end', room: left - 10 }));
    const range = interval(bar.value, bar.low, bar.high, decimals);
    if (known(bar.value)) {
      const from = Math.min(x.at(0), x.at(bar.value));
      pieces.push(rectangle(from, y + 5, Math.abs(x.at(bar.value) - x.at(0)), ROW - 10, `${classes[i] ?? ''} bar`));
      if (known(bar.low) && known(bar.high)) pieces.push(line(x.at(bar.low), mid, x.at(bar.high), mid, 'whisker-ink'));
      pieces.push(text(width, mid + 4, fixed(bar.value, decimals), { kind: 'ink', anchor: 'end' }));
    } else {
      pieces.push(text(x.at(0) + 6, mid + 4, bar.note ?? 'unknown', { kind: 'hint', room: right - x.at(0) }));
      pieces.push(text(width, mid + 4, UNKNOWN, { anchor: 'end' }));
    }
    marks.push({
      x: known(bar.value) ? x.at(bar.value) : x.at(0),
      y: mid,
      title: bar.label,
      lines: [
        ['value', withUnit(plain(bar.value), figure.unit)],
        ...(range === '' ? [] : ([['interval', range]] as const)),
        ...(bar.note === undefined ? [] : ([['note', bar.note]] as const)),
      ],
    });
  });
  pieces.push(line(x.at(0), 0, x.at(0), bottom, 'zero'));
  if (figure.bars.length > most) {
    const more = `and ${figure.bars.length - most} smaller; all are in the table`;
    pieces.push(text(0, height - 4, more, { kind: 'hint', room: width }));
  }
  return { width, height, body: markup`${pieces}`, marks };
}
