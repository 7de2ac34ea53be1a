/** How the points of a map are coloured and painted. */
import type { MapFigure } from '../../contract/figure.ts';
import { CATEGORY_COLOURS, categoryColour, rampColour } from '../draw/colour.ts';
import { known, plain, withUnit } from '../draw/format.ts';
import type { View } from '../draw/plane.ts';
import { extent } from '../draw/scale.ts';

export type Column = MapFigure['columns'][number];
export type Point = readonly [number, number];

/** Colour of each point as an index into a short list, so that points of one colour are painted together. */
export interface Paint {
  readonly bins: Uint8Array;
  readonly colours: (dark: boolean) => string[];
}

/** Colour of a category: the first ones have their own, later ones share one, 255 is unknown. */
export function binOf(code: number, column: { readonly categories: readonly string[] }): number {
  if (code < 0 || code >= column.categories.length) return 255;
  return Math.min(code, CATEGORY_COLOURS);
}

const LEVELS = 64;

export function paintBy(column: Column | undefined, n: number): Paint {
  const bins = new Uint8Array(n);
  if (column === undefined) return { bins, colours: (dark) => [categoryColour(0, dark)] };
  if (column.type === 'category') {
    column.codes.forEach((code, i) => {
      const bin = binOf(code, column);
      bins[i] = bin === 255 ? CATEGORY_COLOURS + 1 : bin;
    });
    return {
      bins,
      colours: (dark) => Array.from({ length: CATEGORY_COLOURS + 2 }, (_, i) => categoryColour(i, dark)),
    };
  }
  const [low, high] = extent(column.values) ?? [0, 1];
  column.values.forEach((value, i) => {
    bins[i] = known(value) ? 1 + Math.round(((value - low) / (high - low || 1)) * (LEVELS - 1)) : 0;
  });
  return {
    bins,
    colours: (dark) => [
      dark ? '#565d65' : '#a9aeb5',
      ...Array.from({ length: LEVELS }, (_, i) => rampColour(i / (LEVELS - 1), dark)),
    ],
  };
}

/** A point's value in one column, as text. */
export function valueText(column: Column, index: number): string {
  if (column.type === 'value') return withUnit(plain(column.values[index]), column.unit);
  return column.categories[column.codes[index] ?? -1] ?? 'unknown';
}

export function strokePolygon(context: CanvasRenderingContext2D, polygon: readonly Point[]): void {
  context.beginPath();
  for (const [x, y] of polygon) context.lineTo(x, y);
  context.closePath();
  context.stroke();
}

/** The rectangle between two corners. */
export function boxOf([ax, ay]: Point, [bx, by]: Point): Point[] {
  return [
    [ax, ay],
    [bx, ay],
    [bx, by],
    [ax, by],
  ];
}

/** Paints all points, a colour at a time; where some are chosen the others fade and lie below them. */
export function paintPoints(
  context: CanvasRenderingContext2D,
  x: readonly number[],
  y: readonly number[],
  view: View,
  paint: Paint,
  options: {
    readonly dark: boolean;
    /** Magnification against the view of all points. */
    readonly zoom: number;
    readonly chosen: ((index: number) => boolean) | undefined;
  },
): void {
  const n = x.length;
  const { width, height } = context.canvas;
  const base = n > 20_000 ? 1.6 : n > 3000 ? 2.2 : 3.2;
  const radius = Math.min(6, base * Math.max(1, Math.sqrt(options.zoom)));
  // Of a dot of three pixels nobody sees the corners, and rectangles are painted several times as fast.
  const square = radius < 2;
  const colours = paint.colours(options.dark);
  for (const strong of options.chosen === undefined ? [true] : [false, true]) {
    context.globalAlpha = strong ? 0.82 : 0.13;
    colours.forEach((colour, bin) => {
      context.fillStyle = colour;
      context.beginPath();
      for (let i = 0; i < n; i++) {
        if (paint.bins[i] !== bin || (options.chosen !== undefined && options.chosen(i) !== strong)) continue;
        const px = view.offsetX + (x[i] ?? 0) * view.scale;
        const py = view.offsetY - (y[i] ?? 0) * view.scale;
        if (px < -8 || py < -8 || px > width + 8 || py > height + 8) continue;
        if (square) context.rect(px - radius, py - radius, 2 * radius, 2 * radius);
        else {
          context.moveTo(px + radius, py);
          context.arc(px, py, radius, 0, 6.2832);
        }
      }
      context.fill();
    });
  }
  context.globalAlpha = 1;
}
