/** The map of a projection: a canvas, because ten thousand points are too many for SVG. */
import type { MapFigure } from '../../stages/figure.ts';
import { CATEGORY_COLOURS, categoryColour, rampColour } from '../draw/colour.ts';
import { count, known, plain, withUnit } from '../draw/format.ts';
import { markup, type Piece } from '../draw/markup.ts';
import { buildGrid, fitView, type Grid, insidePolygon, nearest, type View, zoomView } from '../draw/plane.ts';
import { extent } from '../draw/scale.ts';
import { copyText, dataOf, fill, find, findAll, hideTip, isDark, oncePerFrame, showTip } from './dom.ts';
import type { FigureData } from './plots.ts';
import { virtualTable } from './tables.ts';

type Column = MapFigure['columns'][number];
type Point = readonly [number, number];
type Mode = 'move' | 'lasso' | 'box';

const REACH = 14;

/** Colour of each point as an index into a short list, so that points of one colour are painted together. */
interface Paint {
  readonly bins: Uint8Array;
  readonly colours: (dark: boolean) => string[];
}

const maps: { paint(): void }[] = [];

export function startMaps(): void {
  for (const element of findAll('.figure[data-kind="map"]')) {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        open(element);
      },
      { rootMargin: '600px' },
    );
    near.observe(element);
    waiting.add(() => {
      near.disconnect();
      open(element);
    });
  }
}
const waiting = new Set<() => void>();
const opened = new WeakSet<HTMLElement>();

/** Paints all maps anew: after a change of theme, and before printing. */
export function paintMaps(everything = false): void {
  if (everything) for (const start of waiting) start();
  for (const map of maps) map.paint();
}

function open(element: HTMLElement): void {
  if (opened.has(element)) return;
  opened.add(element);
  const figure = dataOf<FigureData>(element.id)?.parts[0]?.figure;
  if (figure?.kind === 'map') maps.push(new MapView(element, figure));
}

class MapView {
  readonly #element: HTMLElement;
  readonly #figure: MapFigure;
  readonly #canvas: HTMLCanvasElement;
  readonly #grid: Grid;
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

  paint(): void {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    const ratio = Math.min(3, devicePixelRatio || 1);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      this.#fitted = false;
    }
    if (!this.#fitted) {
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

  #points(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { x, y } = this.#figure;
    const { scale, offsetX, offsetY } = this.#view;
    const n = x.length;
    const chosen = this.#selected.size > 0 || this.#category !== null;
    const base = n > 20_000 ? 1.6 : n > 3000 ? 2.2 : 3.2;
    const radius = Math.min(6, base * Math.max(1, Math.sqrt(scale / this.#fittedScale())));
    const colours = this.#paint.colours(isDark());
    // Faint ones first, so that the chosen lie on top.
    for (const strong of chosen ? [false, true] : [true]) {
      context.globalAlpha = strong ? 0.82 : 0.13;
      colours.forEach((colour, bin) => {
        context.fillStyle = colour;
        context.beginPath();
        for (let i = 0; i < n; i++) {
          if (this.#paint.bins[i] !== bin || (chosen && this.#isChosen(i) !== strong)) continue;
          const px = offsetX + (x[i] ?? 0) * scale;
          const py = offsetY - (y[i] ?? 0) * scale;
          if (px < -8 || py < -8 || px > width + 8 || py > height + 8) continue;
          context.moveTo(px + radius, py);
          context.arc(px, py, radius, 0, 6.2832);
        }
        context.fill();
      });
    }
    context.globalAlpha = 1;
  }

  #fittedScale(): number {
    return fitView(this.#figure.x, this.#figure.y, this.#canvas.clientWidth, this.#canvas.clientHeight).scale;
  }

  #isChosen(index: number): boolean {
    if (this.#selected.size > 0) return this.#selected.has(index);
    const column = this.#column();
    return column?.type === 'category' && binOf(column.codes[index] ?? -1, column) === this.#category;
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
    const place = find('.selection-list', this.#element);
    if (place === null) return;
    const chosen = [...this.#selected];
    for (const what of ['copy', 'clear']) {
      const button = find<HTMLButtonElement>(`[data-map="${what}"]`, this.#element);
      if (button !== null) button.disabled = chosen.length === 0;
    }
    const title = find('.selection h4', this.#element);
    if (title !== null) {
      title.textContent =
        chosen.length === 0 ? 'Selected' : `Selected: ${count(chosen.length)} of ${count(this.#figure.ids.length)}`;
    }
    const note = find('.selection-note', this.#element);
    if (note !== null) note.hidden = chosen.length > 0;
    place.replaceChildren();
    if (chosen.length === 0) return;
    const box = document.createElement('div');
    box.style.height = '100%';
    place.append(box);
    const column = this.#column();
    virtualTable(
      box,
      {
        head: [
          { name: 'id', align: 'left' },
          ...(column === undefined
            ? []
            : [{ name: column.name, align: column.type === 'value' ? ('right' as const) : ('left' as const) }]),
        ],
        rows: chosen.map((i) => [
          this.#figure.ids[i] ?? '',
          ...(column === undefined
            ? []
            : [
                column.type === 'value'
                  ? (column.values[i] ?? null)
                  : (column.categories[column.codes[i] ?? -1] ?? null),
              ]),
        ]),
      },
      {
        name: 'Selected points',
        text: (cell, index) =>
          index === 0 ? shortId(String(cell)) : known(cell as number) ? plain(cell as number) : String(cell ?? '–'),
        onHover: (row) => {
          this.#hover = row === null ? -1 : (chosen[row] ?? -1);
          this.#soon();
        },
      },
    );
  }

  #legend(): void {
    const place = find('.map-legend', this.#element);
    if (place === null) return;
    const column = this.#column();
    if (column === undefined) {
      place.replaceChildren();
      return;
    }
    if (column.type === 'value') {
      const [low, high] = extent(column.values) ?? [0, 1];
      const unknownOnes = column.values.filter((value) => !known(value)).length;
      fill(
        place,
        markup`<span>${withUnit(plain(low), column.unit)} <canvas width="220" height="10" aria-hidden="true"></canvas> ${withUnit(plain(high), column.unit)}</span>${unknownOnes > 0 && markup`<span><i style="background:var(--rule-strong)"></i>unknown (${count(unknownOnes)})</span>`}`,
      );
      const context = find<HTMLCanvasElement>('canvas', place)?.getContext('2d') ?? null;
      if (context === null) return;
      for (let i = 0; i < 220; i++) {
        context.fillStyle = rampColour(i / 219, isDark());
        context.fillRect(i, 0, 1, 10);
      }
      return;
    }
    const totals = new Map<number, number>();
    for (const code of column.codes) totals.set(binOf(code, column), (totals.get(binOf(code, column)) ?? 0) + 1);
    const bins = [...totals.keys()].sort((a, b) => a - b);
    const entries = bins.map((bin): Piece => {
      const shared = column.categories.length > CATEGORY_COLOURS && bin === CATEGORY_COLOURS;
      const name = bin === 255 ? 'unknown' : shared ? 'all others' : (column.categories[bin] ?? '');
      const colour =
        bin === 255 ? 'var(--rule-strong)' : `light-dark(${categoryColour(bin, false)},${categoryColour(bin, true)})`;
      return markup`<button type="button" data-bin="${bin}" aria-pressed="${this.#category === bin ? 'true' : 'false'}"><i style="background:${colour}"></i>${name} (${count(totals.get(bin))})</button>`;
    });
    fill(place, markup`${entries}`);
    for (const button of findAll('button', place)) {
      button.addEventListener('click', () => {
        const bin = Number(button.dataset['bin']);
        this.#category = this.#category === bin ? null : bin;
        const members = column.codes.flatMap((code, i) => (binOf(code, column) === bin ? [i] : []));
        this.#select(this.#category === null ? [] : members);
        for (const other of findAll('button', place)) {
          other.setAttribute('aria-pressed', String(Number(other.dataset['bin']) === this.#category));
        }
      });
    }
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

function strokePolygon(context: CanvasRenderingContext2D, polygon: readonly Point[]): void {
  context.beginPath();
  for (const [x, y] of polygon) context.lineTo(x, y);
  context.closePath();
  context.stroke();
}

function boxOf([ax, ay]: Point, [bx, by]: Point): Point[] {
  return [
    [ax, ay],
    [bx, ay],
    [bx, by],
    [ax, by],
  ];
}

function shortId(id: string): string {
  return /^0x[0-9a-f]{40}$/i.test(id) ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}

function valueText(column: Column, index: number): string {
  if (column.type === 'value') return withUnit(plain(column.values[index]), column.unit);
  return column.categories[column.codes[index] ?? -1] ?? 'unknown';
}

/** Colour of a category: the first ones have their own, later ones share one, 255 is unknown. */
function binOf(code: number, column: { readonly categories: readonly string[] }): number {
  if (code < 0 || code >= column.categories.length) return 255;
  return Math.min(code, CATEGORY_COLOURS);
}

const LEVELS = 64;

function paintBy(column: Column | undefined, n: number): Paint {
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
