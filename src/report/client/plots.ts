/** Draws the figures at the width they have: those of the first screen at once, others when they come near. */
import type { Figure } from '../../contract/figure.ts';
import { drawFigure, isDrawn, sameAxes } from '../draw/figure.ts';
import { drawStrip } from '../draw/forest.ts';
import type { Drawing } from '../draw/svg.ts';
import { svgElement } from '../draw/svg.ts';
import { dataOf, fill, find, findAll } from './dom.ts';
import { setMarks } from './hover.ts';

export interface FigureData {
  readonly parts: readonly { readonly part: string; readonly figure: Figure }[];
}

interface Plot {
  readonly draw: (width: number) => Drawing | null;
  /** Width it was last drawn for; 0 before that. */
  width: number;
}

const plots = new Map<HTMLElement, Plot>();
let near: IntersectionObserver | null = null;
let sizes: ResizeObserver | null = null;

/** Registers something that can be drawn for a width. */
export function addPlot(element: HTMLElement, draw: Plot['draw'], atOnce: boolean): void {
  plots.set(element, { draw, width: 0 });
  if (atOnce) redraw(element);
  near ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries)
        if (entry.isIntersecting && entry.target instanceof HTMLElement) redraw(entry.target);
    },
    { rootMargin: '600px' },
  );
  sizes ??= new ResizeObserver((entries) => {
    for (const entry of entries) {
      const plot = entry.target instanceof HTMLElement ? plots.get(entry.target) : undefined;
      if (plot !== undefined && plot.width > 0) redraw(entry.target as HTMLElement);
    }
  });
  near.observe(element);
  sizes.observe(element);
}

/** Draws if the width has changed since the last time. */
function redraw(element: HTMLElement): void {
  const plot = plots.get(element);
  const width = Math.floor(element.clientWidth);
  if (plot === undefined || width === 0 || width === plot.width) return;
  plot.width = width;
  const drawing = plot.draw(width);
  if (drawing === null) return;
  const name = find('svg', element)?.getAttribute('aria-label') ?? element.dataset['name'] ?? '';
  fill(element, svgElement(drawing, name));
  setMarks(element, drawing.marks);
}

/** Draws everything at its present width: before printing. */
export function drawAll(): void {
  for (const element of plots.keys()) redraw(element);
}

/** Finds the figures of the page. */
export function startPlots(): void {
  for (const element of findAll('.plot[data-plot]')) {
    const figure = element.closest<HTMLElement>('.figure');
    if (figure === null) continue;
    const index = Number(element.dataset['plot']);
    addPlot(
      element,
      (width) => {
        const parts = dataOf<FigureData>(figure.id)?.parts ?? [];
        const shown = parts[index]?.figure;
        if (shown === undefined || !isDrawn(shown)) return null;
        const several = parts.length > 1;
        const all = parts.map((part) => part.figure);
        return drawFigure(several ? sameAxes(shown, all) : shown, width, several);
      },
      element.closest('.first') !== null,
    );
  }
  for (const element of findAll('[data-strip]')) {
    const { zero, base, ...metric } = JSON.parse(element.dataset['strip'] ?? '{}') as {
      value: number | null;
      low?: number | null;
      high?: number | null;
      base?: number | null;
      zero?: number;
    };
    const whole = base === undefined ? metric : { ...metric, baseline: { value: base } };
    addPlot(element, (width) => drawStrip(whole, zero, width), true);
  }
}
