/** One map: a canvas, because ten thousand points are too many for SVG. Pointer and keyboard do the same things. */
import type { MapFigure } from '../../contract/figure.ts';
import { count } from '../draw/format.ts';
import { markup } from '../draw/markup.ts';
import { buildGrid, fitView, type Grid, insidePolygon, nearest, type View, zoomView } from '../draw/plane.ts';
import { copyText, find, findAll, hideTip, isDark, oncePerFrame, showTip } from './dom.ts';
import { showLegend, showSelection } from './map-aside.ts';
import {
  binOf,
  boxOf,
  type Column,
  type Paint,
  type Point,
  paintBy,
  paintPoints,
  strokePolygon,
  valueText,
} from './map-paint.ts';

type Mode = 'move' | 'lasso' | 'box';

/** What the look of the points depends on. */
type Painted = readonly [View, Paint, ReadonlySet<number>, boolean, number, number];

const REACH = 14;

export class MapView {
  readonly #element: HTMLElement;
  readonly #figure: MapFigure;
  readonly #canvas: HTMLCanvasElement;
  readonly #grid: Grid;
  /** The points alone: a hover or a lasso under way paints over a copy, not fifty thousand points anew. */
  readonly #layer = document.createElement('canvas');
  #painted: Painted | undefined;
  #paint: Paint;
  #view: View = { scale: 1, offsetX: 0, offsetY: 0 };
  #fitted = false;
  #mode: Mode = 'move';
  #selected: Set<number> = new Set();
  #category: number | null = null;
  #hover = -1;
  #cursor: Point | null = null;
  #corner: Point | null = null;
  #trail: Point[] = [];

  constructor(element: HTMLElement, figure: MapFigure) {
    this.#element = element;
    this.#figure = figure;
    const canvas = find<HTMLCanvasElement>('.canvas canvas', element);
    if (canvas === null) throw new Error('the map has no canvas');
    this.#canvas = canvas;
    this.#grid = buildGrid(figure.x, figure.y);
    this.#paint = paintBy(this.#column(), figure.ids.length);
    this.#legend();
    this.#wireControls();
    this.#wirePointer();
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => hideTip());
    new ResizeObserver(() => this.paint()).observe(canvas);
    this.paint();
  }

  #column(): Column | undefined {
    const name = find<HTMLSelectElement>('[data-map="colour"]', this.#element)?.value;
    return this.#figure.columns.find((column) => column.name === name);
  }

  /** Asks for one painting in the next frame. */
  readonly #soon = oncePerFrame(() => this.paint());

  /** Paints everything in the colours of the present theme. */
  repaint(): void {
    this.#legend();
    this.paint();
  }

  paint(): void {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    const ratio = Math.min(3, devicePixelRatio || 1);
    const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    const resized = canvas.width !== pixelWidth || canvas.height !== pixelHeight;
    if (resized) {
      canvas.width = pixelWidth;
      canvas.height = pixelHeight;
    }
    if (resized || !this.#fitted) {
      this.#view = fitView(this.#figure.x, this.#figure.y, width, height);
      this.#fitted = true;
    }
    const context = canvas.getContext('2d');
    if (context === null) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#points(context, width, height);
    this.#marks(context);
  }

  /** The points, from the layer where they were painted last if nothing about them has changed since. */
  #points(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { width: pixels, height: lines } = this.#canvas;
    const wanted: Painted = [this.#view, this.#paint, this.#selected, isDark(), pixels, lines];
    if (wanted.some((part, i) => part !== this.#painted?.[i])) {
      this.#painted = wanted;
      const layer = this.#layer.getContext('2d');
      if (layer === null) return;
      this.#layer.width = pixels;
      this.#layer.height = lines;
      layer.setTransform(context.getTransform());
      const { x, y } = this.#figure;
      const whole = fitView(x, y, width, height).scale;
      paintPoints(layer, x, y, this.#view, this.#paint, {
        dark: isDark(),
        zoom: this.#view.scale / whole,
        chosen: this.#selected.size > 0 ? (index) => this.#selected.has(index) : undefined,
      });
    }
    context.drawImage(this.#layer, 0, 0, width, height);
  }

  #marks(context: CanvasRenderingContext2D): void {
    const ink = getComputedStyle(this.#canvas).color;
    context.strokeStyle = ink;
    context.lineWidth = 1.5;
    if (this.#hover >= 0) {
      const [x, y] = this.#screen(this.#hover);
      context.beginPath();
      context.arc(x, y, 7, 0, 6.2832);
      context.stroke();
    }
    context.setLineDash([4, 3]);
    if (this.#cursor !== null) {
      const [x, y] = this.#cursor;
      context.beginPath();
      context.moveTo(x - 10, y);
      context.lineTo(x + 10, y);
      context.moveTo(x, y - 10);
      context.lineTo(x, y + 10);
      context.stroke();
      if (this.#corner !== null) strokePolygon(context, boxOf(this.#corner, this.#cursor));
    }
    if (this.#trail.length > 1) strokePolygon(context, this.#outlineOfTrail());
    context.setLineDash([]);
  }

  #outlineOfTrail(): readonly Point[] {
    const [first, last] = [this.#trail[0], this.#trail.at(-1)];
    return this.#mode === 'box' && first !== undefined && last !== undefined ? boxOf(first, last) : this.#trail;
  }

  #screen(index: number): Point {
    const { scale, offsetX, offsetY } = this.#view;
    return [offsetX + (this.#figure.x[index] ?? 0) * scale, offsetY - (this.#figure.y[index] ?? 0) * scale];
  }

  #nearest([x, y]: Point, reach = REACH): number {
    const { scale, offsetX, offsetY } = this.#view;
    const at: Point = [(x - offsetX) / scale, (offsetY - y) / scale];
    return nearest(this.#grid, this.#figure.x, this.#figure.y, at[0], at[1], reach / scale);
  }

  /** Says what is known of a point: in the tip, and in the line that screen readers hear. */
  #read(index: number, spoken: boolean): void {
    this.#hover = index;
    this.#soon();
    if (index < 0) {
      hideTip();
      return;
    }
    const lines = this.#figure.columns.map((column): [string, string] => [column.name, valueText(column, index)]);
    const id = this.#figure.ids[index] ?? '';
    const [x, y] = this.#screen(index);
    const box = this.#canvas.getBoundingClientRect();
    showTip(
      markup`<b class="code">${id}</b><dl>${lines.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`,
      box.left + x,
      box.top + y,
    );
    const reading = find('.reading', this.#element);
    if (spoken && reading !== null) {
      reading.textContent = [id, ...lines.map(([name, value]) => `${name} ${value}`)].join(', ');
    }
  }

  #select(indices: Iterable<number>): void {
    this.#selected = new Set(indices);
    this.#soon();
    this.#list();
  }

  #within(polygon: readonly Point[]): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.#figure.x.length; i++) {
      const [x, y] = this.#screen(i);
      if (insidePolygon(polygon, x, y)) found.push(i);
    }
    return found;
  }

  #list(): void {
    showSelection(this.#element, this.#figure, this.#column(), [...this.#selected], (index) => {
      this.#hover = index;
      this.#soon();
    });
  }

  #legend(): void {
    const column = this.#column();
    showLegend(this.#element, column, this.#category, (bin) => {
      this.#category = this.#category === bin ? null : bin;
      const codes = column?.type === 'category' && this.#category !== null ? column.codes : [];
      this.#select(codes.flatMap((code, i) => (column?.type === 'category' && binOf(code, column) === bin ? [i] : [])));
      return this.#category;
    });
  }

  #wireControls(): void {
    const element = this.#element;
    find('[data-map="colour"]', element)?.addEventListener('change', () => {
      this.#paint = paintBy(this.#column(), this.#figure.ids.length);
      this.#category = null;
      this.#legend();
      this.#list();
      this.#soon();
    });
    for (const button of findAll('[data-mode]', element)) {
      button.addEventListener('click', () => {
        this.#mode = button.dataset['mode'] as Mode;
        for (const other of findAll('[data-mode]', element))
          other.setAttribute('aria-pressed', String(other === button));
      });
    }
    for (const button of findAll('[data-zoom]', element)) {
      button.addEventListener('click', () => this.#zoom(button.dataset['zoom'] ?? 'all'));
    }
    find<HTMLInputElement>('[data-map="find"]', element)?.addEventListener('input', (event) => {
      const wanted = (event.target as HTMLInputElement).value.trim().toLowerCase();
      const hits =
        wanted === '' ? [] : this.#figure.ids.flatMap((id, i) => (id.toLowerCase().includes(wanted) ? [i] : []));
      this.#category = null;
      this.#select(hits);
      this.#hover = hits.length === 1 ? (hits[0] ?? -1) : -1;
    });
    find('[data-map="copy"]', element)?.addEventListener('click', () => {
      void copyText(
        [...this.#selected].map((i) => this.#figure.ids[i] ?? '').join('\n'),
        `${count(this.#selected.size)} ids`,
      );
    });
    find('[data-map="clear"]', element)?.addEventListener('click', () => this.#clear());
  }

  #clear(): void {
    this.#category = null;
    this.#corner = null;
    this.#select([]);
    this.#legend();
  }

  #zoom(how: string): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const [x, y] = this.#cursor ?? [width / 2, height / 2];
    if (how === 'all') this.#fitted = false;
    else this.#view = zoomView(this.#view, how === 'in' ? 1.5 : 1 / 1.5, x, y);
    this.#soon();
  }

  #wirePointer(): void {
    const canvas = this.#canvas;
    let last: Point | null = null;
    const at = (event: MouseEvent): Point => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener('pointerdown', (event) => {
      last = at(event);
      if (this.#mode !== 'move') this.#trail = [last];
      canvas.setPointerCapture(event.pointerId);
      this.#cursor = null;
      hideTip();
    });
    canvas.addEventListener('pointermove', (event) => {
      const now = at(event);
      if (last === null) {
        this.#read(this.#nearest(now), false);
        return;
      }
      if (this.#mode === 'move') {
        const { scale, offsetX, offsetY } = this.#view;
        this.#view = { scale, offsetX: offsetX + now[0] - last[0], offsetY: offsetY + now[1] - last[1] };
        last = now;
      } else {
        this.#trail.push(now);
      }
      this.#soon();
    });
    const stop = (): void => {
      if (last !== null && this.#trail.length > 2) {
        this.#category = null;
        this.#select(this.#within(this.#outlineOfTrail()));
      }
      this.#trail = [];
      last = null;
      this.#soon();
    };
    canvas.addEventListener('pointerup', stop);
    canvas.addEventListener('pointercancel', stop);
    canvas.addEventListener('pointerleave', () => {
      if (last === null) this.#read(-1, false);
    });
    // The wheel scrolls the page; with Control (or a pinch) it zooms the map.
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        const [x, y] = at(event);
        this.#view = zoomView(this.#view, Math.exp(-event.deltaY * 0.004), x, y);
        this.#soon();
      },
      { passive: false },
    );
  }

  #key(event: KeyboardEvent): void {
    const steps: Record<string, Point> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (step !== undefined) {
      const [x, y] = this.#cursor ?? [width / 2, height / 2];
      const size = event.shiftKey ? 60 : 12;
      this.#cursor = [
        Math.max(0, Math.min(width, x + step[0] * size)),
        Math.max(0, Math.min(height, y + step[1] * size)),
      ];
      this.#read(this.#nearest(this.#cursor, 40), true);
    } else if (event.key === ' ' && this.#cursor !== null) {
      if (this.#corner === null) this.#corner = this.#cursor;
      else {
        this.#category = null;
        this.#select(this.#within(boxOf(this.#corner, this.#cursor)));
        this.#corner = null;
      }
    } else if (event.key === '+' || event.key === '=') this.#zoom('in');
    else if (event.key === '-') this.#zoom('out');
    else if (event.key === '0') this.#zoom('all');
    else if (event.key === 'Escape') {
      this.#cursor = null;
      this.#clear();
      this.#read(-1, false);
    } else return;
    event.preventDefault();
    this.#soon();
  }
}
