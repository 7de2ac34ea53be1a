import type { HistogramFigure } from '../../contract/figure.ts';
import { roleClasses } from './colour.ts';
import { count, percent, plain } from './format.ts';
import { axisTitle } from './line.ts';
import { markup, type Piece } from './markup.ts';
import { axisScale } from './scale.ts';
import { type Drawing, line, type Mark, path, rectangle, text, textWidth, xAxis, yAxis } from './svg.ts';

export const HISTOGRAM_HEIGHT = 250;
const TOP = 22;
const FOOT = 40;

/** Counts between edges: filled for one group, outlines over each other for several. */
export function drawHistogram(figure: HistogramFigure, width: number): Drawing {
  const height = HISTOGRAM_HEIGHT;
  const bottom = height - FOOT;
  const counts = figure.groups.flatMap((group) => group.counts);
  const y = axisScale({ scale: 'linear', min: 0 }, counts, [bottom, TOP + 6], { n: 4 });
  const left = Math.max(...y.ticks.map((tick) => textWidth(tick.label)), 12) + 12;
  const right = width - 10;
  const x = axisScale(figure.x, figure.edges, [left, right], {
    n: Math.max(2, Math.round((right - left) / 80)),
    nice: false,
  });
  // On a log axis an edge at 0 stands at the left end.
  const at = (value: number | undefined): number => {
    const pixel = x.at(value ?? Number.NaN);
    return Number.isFinite(pixel) ? Math.max(left, Math.min(right, pixel)) : left;
  };
  const pieces: Piece[] = [yAxis(y, left, right), xAxis(x, bottom, right)];
  pieces.push(text(0, 10, 'count', { kind: 'hint' }));
  pieces.push(text(right, height - 4, axisTitle(figure.x), { kind: 'hint', anchor: 'end', room: right }));
  const classes = roleClasses(figure.groups.map((group) => group.role));
  const single = figure.groups.length === 1;
  figure.groups.forEach((group, g) => {
    const kind = classes[g] ?? '';
    if (single) {
      group.counts.forEach((value, i) => {
        const from = at(figure.edges[i]);
        const to = at(figure.edges[i + 1]);
        const gap = to - from > 4 ? 1 : 0;
        pieces.push(rectangle(from, y.at(value), to - from - gap, bottom - y.at(value), `${kind} bar`));
      });
      return;
    }
    let outline = `M${at(figure.edges[0])} ${bottom}`;
    group.counts.forEach((value, i) => {
      const top = y.at(value).toFixed(1);
      outline += `V${top}H${at(figure.edges[i + 1]).toFixed(1)}`;
    });
    outline += `V${bottom}`;
    pieces.push(path(`${outline}Z`, `${kind} band`), path(outline, `${kind} curve`));
  });
  pieces.push(line(left, bottom, right, bottom, 'zero'));

  const totals = figure.groups.map((group) => group.counts.reduce((sum, value) => sum + value, 0));
  const marks: Mark[] = figure.edges.slice(0, -1).map((edge, i) => {
    const next = figure.edges[i + 1] ?? edge;
    return {
      x: (at(edge) + at(next)) / 2,
      y: Math.min(...figure.groups.map((group) => y.at(group.counts[i] ?? 0)), bottom),
      span: [TOP, bottom],
      title: `${plain(edge)} to ${plain(next)}`,
      lines: figure.groups.map((group, g): [string, string] => {
        const value = group.counts[i] ?? 0;
        const total = totals[g] ?? 0;
        return [group.label, `${count(value)}${total > 0 ? ` (${percent(value / total)})` : ''}`];
      }),
    };
  });
  return { width, height, body: markup`${pieces}`, marks };
}
