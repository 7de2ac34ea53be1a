import type { ForestFigure } from '../../contract/figure.ts';
import { commonDecimals, count, fixed, interval, known, UNKNOWN, withUnit } from './format.ts';
import { markup, type Piece } from './markup.ts';
import { axisScale } from './scale.ts';
import { circle, type Drawing, line, type Mark, text, textWidth } from './svg.ts';

const ROW = 47;
const AXIS = 30;
const NARROW = 460;

export function forestHeight(figure: ForestFigure): number {
  return Math.max(1, figure.rows.length) * ROW + AXIS;
}

/** Dots with whiskers, a row each, around the value that means nothing. */
export function drawForest(figure: ForestFigure, width: number): Drawing {
  const height = forestHeight(figure);
  const narrow = width < NARROW;
  const left = narrow ? 8 : Math.min(200, width * 0.37);
  const right = width - (narrow ? 8 : 122);
  const values = figure.rows.flatMap((row) => [row.value, row.low, row.high]);
  const x = axisScale({ scale: 'linear' }, values, [left + 6, right - 6], {
    n: Math.max(3, Math.min(6, Math.round((right - left) / 45))),
    include: [figure.zero],
  });
  // Gains over zero carry their sign; a level such as an AUC does not.
  const plus = figure.zero === 0;
  const decimals = commonDecimals(figure.rows.map((row) => row.value));
  const bottom = height - AXIS + 4;
  const pieces: Piece[] = [];
  const marks: Mark[] = [];

  const rows = figure.rows.map((_, index) => index * ROW + ROW / 2 + (narrow ? 9 : 0));
  const rules = [...x.ticks.map((tick) => tick.value).filter((value) => value !== figure.zero), figure.zero];
  for (const value of rules) {
    const kind = value === figure.zero ? 'zero' : 'gridline';
    if (narrow) for (const y of rows) pieces.push(line(x.at(value), y - 8, x.at(value), y + 8, kind));
    else pieces.push(line(x.at(value), 2, x.at(value), bottom, kind));
  }
  const widest = Math.max(0, ...x.ticks.map((tick) => textWidth(tick.label))) + 8;
  let free = Number.NEGATIVE_INFINITY;
  for (const tick of x.ticks) {
    const sign = plus && tick.value > 0 ? '+' : '';
    if (x.at(tick.value) < free) continue;
    free = x.at(tick.value) + widest;
    pieces.push(text(x.at(tick.value), bottom + 16, sign + tick.label, { anchor: 'middle' }));
  }

  figure.rows.forEach((row, index) => {
    const y = rows[index] ?? 0;
    const decided = known(row.low) && known(row.high) && (row.low > figure.zero || row.high < figure.zero);
    const role = row.role === 'other' ? 'role-other-0' : `role-${row.role}`;
    const strong = row.role === 'this' && index === 0;
    if (known(row.low) && known(row.high)) {
      pieces.push(line(x.at(row.low), y, x.at(row.high), y, `${role} whisker${strong ? ' strong' : ''}`));
    }
    if (known(row.value)) {
      pieces.push(circle(x.at(row.value), y, strong ? 6 : 4.5, `${role} ${decided ? 'dot' : 'dot-open'}`));
    }
    const number = fixed(row.value, decimals, plus);
    const range = interval(row.value, row.low, row.high, decimals);
    const n = `n = ${count(row.n)}`;
    const ink = strong ? 'ink strong-text' : 'ink';
    if (narrow) {
      pieces.push(text(0, y - 14, row.label, { kind: `${ink} halo`, room: width - 150 }));
      pieces.push(text(width, y - 14, `${number} ${range}`.trim(), { kind: 'halo', anchor: 'end' }));
    } else {
      pieces.push(text(0, y - 2, row.label, { kind: ink, room: left - 8 }));
      pieces.push(text(0, y + 13, n, { kind: 'hint small' }));
      pieces.push(text(width, y - 2, number, { kind: ink, anchor: 'end' }));
      pieces.push(text(width, y + 13, range, { kind: 'small', anchor: 'end' }));
    }
    if (!known(row.value)) {
      const why = row.why ?? 'unknown';
      pieces.push(text(x.at(figure.zero) + 8, y + 4, why, { kind: 'hint halo', room: right - x.at(figure.zero) - 12 }));
    }
    marks.push({
      x: known(row.value) ? x.at(row.value) : x.at(figure.zero),
      y,
      title: row.label,
      lines: [
        ['estimate', known(row.value) ? withUnit(number, figure.unit) : (row.why ?? UNKNOWN)],
        ...(range === '' ? [] : ([['95 % interval', range]] as const)),
        ['n', count(row.n)],
      ],
    });
  });
  return { width, height, body: markup`${pieces}`, marks };
}

/** An estimate on a hair of a line, its interval, and a tick where the baseline stands: 44 px high. */
export function drawStrip(
  metric: {
    readonly value: number | null;
    readonly low?: number | null;
    readonly high?: number | null;
    readonly baseline?: { readonly value: number | null };
  },
  zero: number | undefined,
  width: number,
): Drawing {
  const height = 42;
  const y = 16;
  const values = [metric.value, metric.low, metric.high, metric.baseline?.value];
  const x = axisScale({ scale: 'linear' }, values, [8, width - 8], {
    nice: false,
    include: zero === undefined ? [] : [zero],
  });
  const pieces: Piece[] = [line(2, y, width - 2, y, 'gridline')];
  if (zero !== undefined) {
    pieces.push(line(x.at(zero), 3, x.at(zero), 29, 'zero'));
    pieces.push(text(x.at(zero), 41, String(zero), { kind: 'hint small', anchor: 'middle' }));
  }
  const base = metric.baseline?.value;
  if (known(base)) pieces.push(line(x.at(base), 6, x.at(base), 26, 'role-baseline base-tick'));
  if (known(metric.low) && known(metric.high)) {
    pieces.push(line(x.at(metric.low), y, x.at(metric.high), y, 'role-this whisker strong'));
  }
  if (known(metric.value)) pieces.push(circle(x.at(metric.value), y, 5, 'role-this dot'));
  return { width, height, body: markup`${pieces}`, marks: [] };
}
