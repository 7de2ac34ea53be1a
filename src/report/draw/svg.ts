import { Markup, markup, type Piece } from './markup.ts';
import type { Scale } from './scale.ts';

/** A place in a drawing that answers to the pointer and the arrow keys. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  /** Top and bottom, where the whole column answers and not a point. */
  readonly span?: readonly [number, number];
  readonly title: string;
  readonly lines: readonly (readonly [label: string, value: string])[];
}

/** A figure as SVG content for a stated width; the height never depends on the width. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: Markup;
  readonly marks: readonly Mark[];
  /** True where parts of it take the focus: then it is a group to screen readers and not one picture. */
  readonly operable?: boolean;
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): Markup {
  return markup`<line x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}" class="${kind}"/>`;
}

export function circle(x: number, y: number, radius: number, kind: string): Markup {
  return markup`<circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}" class="${kind}"/>`;
}

export function rectangle(x: number, y: number, width: number, height: number, kind: string, style = ''): Markup {
  const size = markup`width="${short(Math.max(0, width))}" height="${short(Math.max(0, height))}"`;
  return markup`<rect x="${short(x)}" y="${short(y)}" ${size} class="${kind}"${style !== '' && markup` style="${style}"`}/>`;
}

/** Text; `room` in pixels cuts it with an ellipsis and keeps the whole in a title. */
export function text(
  x: number,
  y: number,
  content: string,
  options: { readonly kind?: string; readonly anchor?: 'start' | 'middle' | 'end'; readonly room?: number } = {},
): Markup {
  const shown = options.room === undefined ? content : clip(content, options.room);
  const full: Piece = shown !== content && markup`<title>${content}</title>`;
  const anchor = options.anchor ?? 'start';
  const attributes: Piece = [
    anchor !== 'start' && markup` text-anchor="${anchor}"`,
    options.kind !== undefined && markup` class="${options.kind}"`,
  ];
  return markup`<text x="${short(x)}" y="${short(y)}"${attributes}>${shown}${full}</text>`;
}

/** Width of a text at 12 px, near enough to lay out with. */
export function textWidth(content: string): number {
  return [...content].length * 6.5;
}

/** Cuts a text to a width in pixels. */
export function clip(content: string, room: number): string {
  const letters = [...content];
  const fits = Math.max(1, Math.floor(room / 6.5));
  return letters.length <= fits ? content : `${letters.slice(0, Math.max(1, fits - 1)).join('')}…`;
}

/** A joined line with gaps where a point is not finite. */
export function pathThrough(points: readonly (readonly [number, number])[]): string {
  let path = '';
  let pen = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = false;
      continue;
    }
    path += `${pen ? 'L' : 'M'}${short(x)} ${short(y)}`;
    pen = true;
  }
  return path;
}

export function path(d: string, kind: string): Markup {
  return d === '' ? new Markup('') : markup`<path d="${d}" class="${kind}"/>`;
}

/** The tinted area between two lines, in pieces where either is unknown. */
export function band(x: readonly number[], low: readonly number[], high: readonly number[], kind: string): Markup {
  const pieces: Markup[] = [];
  let run: number[] = [];
  const close = (): void => {
    if (run.length > 1) {
      const upper = run.map((i): [number, number] => [x[i] ?? 0, high[i] ?? 0]);
      const lower = run.toReversed().map((i): [number, number] => [x[i] ?? 0, low[i] ?? 0]);
      pieces.push(path(`${pathThrough([...upper, ...lower])}Z`, kind));
    }
    run = [];
  };
  x.forEach((value, i) => {
    if (Number.isFinite(value) && Number.isFinite(low[i]) && Number.isFinite(high[i])) run.push(i);
    else close();
  });
  close();
  return markup`${pieces}`;
}

/** Horizontal grid lines with their labels left of the plot. */
export function yAxis(scale: Scale, left: number, right: number): Markup {
  const ticks = scale.ticks.map((tick) => [
    line(left, scale.at(tick.value), right, scale.at(tick.value), 'gridline'),
    text(left - 8, scale.at(tick.value) + 4, tick.label, { anchor: 'end' }),
  ]);
  return markup`${ticks}`;
}

/** Ticks below the plot; labels that would touch are left out. */
export function xAxis(scale: Scale, bottom: number, right: number): Markup {
  let free = Number.NEGATIVE_INFINITY;
  const pieces: Piece[] = [];
  for (const tick of scale.ticks) {
    const x = scale.at(tick.value);
    const half = textWidth(tick.label) / 2;
    pieces.push(line(x, bottom, x, bottom + 4, 'axis'));
    if (x - half < free) continue;
    // The last label leans inwards, so that nothing leaves the figure.
    const over = x + half - right;
    pieces.push(text(over > 12 ? right + 12 : x, bottom + 18, tick.label, { anchor: over > 12 ? 'end' : 'middle' }));
    free = x + half + 10;
  }
  return markup`${pieces}`;
}

/** A drawing as one element with its name for screen readers. */
export function svgElement(drawing: Drawing, name: string): Markup {
  const { width, height, body } = drawing;
  const role = drawing.operable === true ? 'group' : 'img';
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="${role}" aria-label="${name}">${body}</svg>`;
}
