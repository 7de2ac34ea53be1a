import type { Figure } from '../../contract/figure.ts';
import { barsHeight, drawBars, MOST_BARS } from './bars.ts';
import { roleClasses } from './colour.ts';
import { drawForest, forestHeight } from './forest.ts';
import { drawHeatmap, heatmapHeight } from './heatmap.ts';
import { drawHistogram, HISTOGRAM_HEIGHT } from './histogram.ts';
import { drawLine, LINE_HEIGHT, needsLegend } from './line.ts';
import { niceDomain } from './scale.ts';
import type { Drawing } from './svg.ts';

/** Figures that are drawn as SVG; a map is a canvas and a table is HTML. */
export type DrawnFigure = Exclude<Figure, { kind: 'map' | 'table' }>;

export function isDrawn(figure: Figure): figure is DrawnFigure {
  return figure.kind !== 'map' && figure.kind !== 'table';
}

/** Height in pixels, known before anything is drawn, so that nothing shifts. */
export function figureHeight(figure: DrawnFigure, small = false): number {
  switch (figure.kind) {
    case 'forest':
      return forestHeight(figure);
    case 'line':
      return small ? SMALL_HEIGHT : LINE_HEIGHT;
    case 'bars':
      return barsHeight(figure, small ? SMALL_BARS : MOST_BARS);
    case 'histogram':
      return HISTOGRAM_HEIGHT;
    case 'heatmap':
      return heatmapHeight(figure);
  }
}

const SMALL_HEIGHT = 190;
const SMALL_BARS = 12;

export function drawFigure(figure: DrawnFigure, width: number, small = false): Drawing {
  switch (figure.kind) {
    case 'forest':
      return drawForest(figure, width);
    case 'line':
      return small ? drawLine(figure, width, SMALL_HEIGHT, false) : drawLine(figure, width);
    case 'bars':
      return drawBars(figure, width, small ? SMALL_BARS : MOST_BARS);
    case 'histogram':
      return drawHistogram(figure, width);
    case 'heatmap':
      return drawHeatmap(figure, width);
  }
}

/** What the legend above a figure shows; empty where the labels on the marks do. */
export function legendOf(
  figure: Figure,
  small = false,
): readonly { readonly label: string; readonly kind: string; readonly shape: 'line' | 'dot' | 'box' }[] {
  if (figure.kind === 'line' && (small ? figure.series.length > 1 : needsLegend(figure))) {
    const kinds = roleClasses(figure.series.map((series) => series.role));
    return figure.series.map((series, i) => ({
      label: series.label,
      kind: kinds[i] ?? '',
      shape: series.dots === true ? 'dot' : 'line',
    }));
  }
  if (figure.kind === 'histogram' && figure.groups.length > 1) {
    const kinds = roleClasses(figure.groups.map((group) => group.role));
    return figure.groups.map((group, i) => ({ label: group.label, kind: kinds[i] ?? '', shape: 'box' }));
  }
  return [];
}

/** The figure with axes wide enough for all its parts, so that panels compare. */
export function sameAxes<F extends Figure>(figure: F, all: readonly Figure[]): F {
  if (figure.kind !== 'line') return figure;
  const lines = all.filter((other) => other.kind === 'line');
  const range = (values: readonly (number | null)[], nice: boolean): object => {
    let [min, max] = [Infinity, -Infinity];
    for (const value of values) {
      if (value === null || !Number.isFinite(value)) continue;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (!(min < max)) return {};
    const [low, high] = nice ? niceDomain(min, max) : [min, max];
    return { min: low, max: high };
  };
  const xs = lines.flatMap((other) => other.series.flatMap((series) => series.x));
  const ys = lines.flatMap((other) =>
    other.series.flatMap((series) => [...series.y, ...(series.low ?? []), ...(series.high ?? [])]),
  );
  return {
    ...figure,
    x: { ...range(xs, false), ...figure.x },
    y: { ...range(ys, figure.y.scale === 'linear'), ...figure.y },
  };
}
