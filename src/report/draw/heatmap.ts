import type { HeatmapFigure } from '../../contract/figure.ts';
import { inkOnTint, tintBoth } from './colour.ts';
import { known, plain, UNKNOWN, withUnit } from './format.ts';
import { Markup, markup, type Piece } from './markup.ts';
import { extent } from './scale.ts';
import { type Drawing, type Mark, rectangle, text, textWidth } from './svg.ts';

const HEAD = 44;

function cellHeight(figure: HeatmapFigure): number {
  return figure.rows.length <= 4 ? 52 : figure.rows.length <= 12 ? 34 : 22;
}

export function heatmapHeight(figure: HeatmapFigure): number {
  return HEAD + Math.max(1, figure.rows.length) * cellHeight(figure) + 4;
}

/** Cells tinted from zero (or the least value, if that is negative) to the largest, each with its number. */
export function drawHeatmap(figure: HeatmapFigure, width: number): Drawing {
  const height = heatmapHeight(figure);
  const longest = Math.max(textWidth(figure.rowTitle), ...figure.rows.map(textWidth));
  const left = Math.min(longest + 12, width * 0.34);
  const tall = cellHeight(figure);
  // Wide cells say nothing more than square ones twice as wide as high.
  const wide = Math.min((width - left) / Math.max(1, figure.columns.length), Math.max(110, tall * 2.6));
  const [least, most] = extent(figure.values.flat()) ?? [0, 1];
  const from = Math.min(0, least);
  const share = (value: number): number => (most > from ? (value - from) / (most - from) : 0);
  const pieces: Piece[] = [
    text(left, 12, `${figure.columnTitle} →`, { kind: 'hint', room: width - left }),
    text(0, HEAD - 8, `${figure.rowTitle} ↓`, { kind: 'hint', room: left - 6 }),
  ];
  const marks: Mark[] = [];
  figure.columns.forEach((column, c) => {
    const x = left + c * wide + wide / 2;
    pieces.push(text(x, HEAD - 8, column, { anchor: 'middle', kind: 'ink', room: wide - 4 }));
  });
  figure.rows.forEach((row, r) => {
    const y = HEAD + r * tall;
    pieces.push(text(left - 8, y + tall / 2 + 4, row, { anchor: 'end', kind: 'ink', room: left - 10 }));
    figure.columns.forEach((column, c) => {
      const value = figure.values[r]?.[c];
      const x = left + c * wide;
      if (known(value)) {
        const level = share(value);
        pieces.push(rectangle(x + 1, y + 1, wide - 2, tall - 2, 'cell', `fill:${tintBoth(level)}`));
        if (wide > 34) pieces.push(cellText(x + wide / 2, y + tall / 2 + 4, plain(value), inkOnTint(level)));
      } else {
        pieces.push(rectangle(x + 1, y + 1, wide - 2, tall - 2, 'cell empty'));
        pieces.push(text(x + wide / 2, y + tall / 2 + 4, UNKNOWN, { anchor: 'middle' }));
      }
      marks.push({
        x: x + wide / 2,
        y: y + tall / 2,
        title: known(value) ? withUnit(plain(value), figure.unit) : UNKNOWN,
        lines: [
          [figure.rowTitle, row],
          [figure.columnTitle, column],
        ],
      });
    });
  });
  return { width, height, body: markup`${pieces}`, marks };
}

function cellText(x: number, y: number, content: string, ink: string): Markup {
  const place = new Markup(`x="${Math.round(x)}" y="${Math.round(y)}"`);
  return markup`<text ${place} text-anchor="middle" style="fill:${ink}">${content}</text>`;
}
