/** A sweep: its history, the parallel coordinates with their handles, and the table, all about the same trials. */
import { rampBoth } from '../draw/colour.ts';
import { count, decimalsOf, estimate, fixed, known } from '../draw/format.ts';
import { drawHistory } from '../draw/history.ts';
import { markup, type Piece } from '../draw/markup.ts';
import { type Brush, isOpen, keyed, moved, OPEN, type ParallelAxis, parallelAxes, passing } from '../draw/parallel.ts';
import { clip, type Drawing, line, text } from '../draw/svg.ts';
import { type Cell, type Table, toCsv } from '../draw/tabulate.ts';
import type { ReportSweep } from '../model.ts';
import { copyText, dataOf, find, findAll, oncePerFrame } from './dom.ts';
import { addPlot } from './plots.ts';
import { virtualTable } from './tables.ts';
import { unrolled } from './tools.ts';

const HEIGHT = 360;
const TOP = 44;
const BOTTOM = HEIGHT - 22;

export function startSweeps(): void {
  for (const block of findAll('[data-sweep]')) {
    const sweep = dataOf<{ sweep: ReportSweep }>(block.dataset['sweep'] ?? '')?.sweep;
    if (sweep !== undefined) startSweep(block, sweep);
  }
}

function startSweep(block: HTMLElement, sweep: ReportSweep): void {
  const history = find('[data-history]', block);
  const plot = find('[data-parallel]', block);
  const box = find('[data-trials]', block);
  if (history !== null) addPlot(history, (width) => drawHistory(sweep, width), false);
  if (plot === null || box === null) return;
  const axes = parallelAxes(sweep);
  const table = trialTable(sweep);
  const brushes: Brush[] = axes.map(() => OPEN);
  const trials = virtualTable(box, table, {
    name: 'Trials, best first',
    sort: { column: 1, descending: sweep.goal === 'maximize' },
    extra: (row, column) => column === 0 && row === sweep.winner && markup`<span class="pill pass">winner</span> `,
    onHover: (row) => {
      for (const hot of findAll('path.hot', plot)) hot.classList.remove('hot');
      if (row !== null) find(`path[data-trial="${row}"]`, plot)?.classList.add('hot');
    },
  });
  unrolled.push({ unroll: (limit) => trials.unroll(limit === undefined ? undefined : Math.min(limit, 20)) });

  plot.dataset['name'] = `Parallel coordinates of ${sweep.trials.length} trials over ${axes.length} axes`;
  addPlot(plot, (width) => drawParallel(sweep, axes, brushes, width), false);
  const apply = (): void => {
    const kept = passing(axes, brushes, sweep.trials.length);
    for (const element of findAll('path[data-trial]', plot)) {
      element.classList.toggle('out', kept[Number(element.dataset['trial'])] === false);
    }
    const all = brushes.every(isOpen);
    const rows = kept.flatMap((passes, i) => (passes ? [i] : []));
    trials.keep(all ? undefined : rows);
    const note = find('.brushed-text', block);
    if (note !== null) note.textContent = brushedText(sweep, rows, all);
    const reset = find<HTMLButtonElement>('[data-do="open-brushes"]', block);
    if (reset !== null) reset.disabled = all;
  };
  wireHandles(plot, axes, brushes, apply);
  find('[data-do="open-brushes"]', block)?.addEventListener('click', () => {
    axes.forEach((_, i) => {
      brushes[i] = OPEN;
      place(plot, axes, brushes, i);
    });
    apply();
  });
  find('[data-do="trials-csv"]', block)?.addEventListener('click', (event) => {
    event.stopPropagation();
    void copyText(toCsv(table), 'CSV');
  });
}

function trialTable(sweep: ReportSweep): Table {
  const cell = (value: unknown): Cell =>
    value === undefined || value === null
      ? null
      : typeof value === 'number' || typeof value === 'string'
        ? value
        : JSON.stringify(value);
  const replicates = sweep.replicates > 1 ? Array.from({ length: sweep.replicates }, (_, i) => i) : [];
  return {
    head: [
      { name: 'Trial', align: 'right' },
      { name: sweep.metric, align: 'right' },
      ...sweep.axes.map((axis) => ({ name: axis.name, align: 'right' as const })),
      ...replicates.map((i) => ({ name: `replicate ${i + 1}`, align: 'right' as const })),
      { name: 'seconds', align: 'right' },
    ],
    rows: sweep.trials.map((trial) => [
      trial.trial,
      trial.score,
      ...sweep.axes.map((axis) => cell(trial.params[axis.name])),
      ...replicates.map((i) => trial.values[i] ?? null),
      trial.seconds,
    ]),
  };
}

function brushedText(sweep: ReportSweep, rows: readonly number[], all: boolean): string {
  const n = sweep.trials.length;
  if (all) return `${count(n)} trials.`;
  const scores = rows.map((i) => sweep.trials[i]?.score).filter(known);
  const best = scores.length === 0 ? null : sweep.goal === 'maximize' ? Math.max(...scores) : Math.min(...scores);
  const sorted = scores.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const found = known(best) ? `; best ${estimate(best)}, median ${fixed(middle, decimalsOf(best))}` : '';
  return `${count(rows.length)} of ${count(n)} trials between the handles${found}.`;
}

function axisX(index: number, n: number, width: number): number {
  return n < 2 ? width / 2 : 52 + (index / (n - 1)) * (width - 104);
}

const yOf = (place: number): number => BOTTOM - place * (BOTTOM - TOP);

/** Lines from dark to bright by the rank of their score; the winner last and thick. */
function drawParallel(
  sweep: ReportSweep,
  axes: readonly ParallelAxis[],
  brushes: readonly Brush[],
  width: number,
): Drawing {
  const n = sweep.trials.length;
  const xs = axes.map((_, i) => axisX(i, axes.length, width));
  const kept = passing(axes, brushes, n);
  const scored = sweep.trials.flatMap((trial, i) => (known(trial.score) ? [i] : []));
  const sign = sweep.goal === 'maximize' ? 1 : -1;
  scored.sort((a, b) => sign * ((sweep.trials[a]?.score ?? 0) - (sweep.trials[b]?.score ?? 0)));
  const pieces: Piece[] = [];
  const dense = scored.length > 200;
  const strands = scored.map((trial, rank): Piece => {
    let d = '';
    let pen = false;
    axes.forEach((axis, i) => {
      const at = axis.places[trial];
      // A setting that this trial does not have leaves a gap.
      if (!known(at)) pen = false;
      else {
        d += `${pen ? 'L' : 'M'}${(xs[i] ?? 0).toFixed(1)} ${yOf(at).toFixed(1)}`;
        pen = true;
      }
    });
    const kind = [dense && 'thin', kept[trial] === false && 'out', trial === sweep.winner && 'winner'].filter(
      (name) => name !== false,
    );
    const share = scored.length > 1 ? rank / (scored.length - 1) : 1;
    return markup`<path d="${d}" data-trial="${trial}" class="${kind.join(' ')}" style="stroke:${rampBoth(share)}"/>`;
  });
  pieces.push(strands);
  const room = axes.length > 1 ? (width - 104) / (axes.length - 1) - 8 : width;
  axes.forEach((axis, i) => {
    const x = xs[i] ?? 0;
    pieces.push(line(x, TOP, x, BOTTOM, 'axis'));
    const anchor = i === 0 ? 'start' : i === axes.length - 1 ? 'end' : 'middle';
    const nameX = i === 0 ? 0 : i === axes.length - 1 ? width : x;
    const roomHere = anchor === 'middle' ? room : room / 2 + 48;
    pieces.push(text(nameX, 14, axis.name, { anchor, kind: 'ink strong-text', room: roomHere }));
    for (const tick of axis.ticks) {
      const right = i < axes.length - 1;
      pieces.push(
        text(x + (right ? 11 : -11), yOf(tick.place) + 4, clip(tick.label, room * 0.7), {
          kind: 'small halo',
          anchor: right ? 'start' : 'end',
        }),
      );
    }
    pieces.push(handles(axis, brushes[i] ?? OPEN, i, x));
  });
  return { width, height: HEIGHT, body: markup`${pieces}`, marks: [], operable: true };
}

function handles(axis: ParallelAxis, brush: Brush, index: number, x: number): Piece {
  const shade = markup`<rect class="brush" data-axis="${index}" x="${x - 5}" width="10" y="${yOf(brush.high)}" height="${yOf(brush.low) - yOf(brush.high)}"/>`;
  const handle = (end: 'low' | 'high'): Piece => {
    const at = end === 'low' ? brush.low : brush.high;
    const name = `${axis.name}, ${end === 'low' ? 'least' : 'most'}`;
    return markup`<g class="handle" role="slider" tabindex="0" aria-orientation="vertical" aria-label="${name}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${Math.round(at * 100)}" aria-valuetext="${edgeText(axis, at, end)}" data-axis="${index}" data-end="${end}" transform="translate(${x} ${yOf(at)})"><rect x="-10" y="${end === 'low' ? 0 : -10}" width="20" height="10" rx="2"/></g>`;
  };
  return [shade, handle('low'), handle('high')];
}

/** What a handle stands at; between categories it names the outermost one that it lets through. */
function edgeText(axis: ParallelAxis, at: number, end: 'low' | 'high'): string {
  if (axis.categories === undefined) return axis.textAt(at);
  return axis.textAt(end === 'low' ? at + 1e-6 : at - 1e-6);
}

/** Moves the drawn handles of one axis to its brush, without drawing anything anew: focus stays where it is. */
function place(plot: HTMLElement, axes: readonly ParallelAxis[], brushes: readonly Brush[], index: number): void {
  const axis = axes[index];
  const brush = brushes[index] ?? OPEN;
  if (axis === undefined) return;
  const shade = find<SVGRectElement>(`.brush[data-axis="${index}"]`, plot);
  shade?.setAttribute('y', String(yOf(brush.high)));
  shade?.setAttribute('height', String(yOf(brush.low) - yOf(brush.high)));
  for (const end of ['low', 'high'] as const) {
    const handle = find<SVGGElement>(`.handle[data-axis="${index}"][data-end="${end}"]`, plot);
    const x = axisX(index, axes.length, plot.clientWidth);
    const at = end === 'low' ? brush.low : brush.high;
    handle?.setAttribute('transform', `translate(${x} ${yOf(at)})`);
    handle?.setAttribute('aria-valuenow', String(Math.round(at * 100)));
    handle?.setAttribute('aria-valuetext', edgeText(axis, at, end));
  }
}

function wireHandles(plot: HTMLElement, axes: readonly ParallelAxis[], brushes: Brush[], apply: () => void): void {
  let dragged: { axis: number; end: 'low' | 'high' } | null = null;
  const settle = oncePerFrame(apply);
  const move = (index: number, end: 'low' | 'high', to: number): void => {
    const axis = axes[index];
    if (axis === undefined) return;
    brushes[index] = moved(axis, brushes[index] ?? OPEN, end, to);
    place(plot, axes, brushes, index);
    // However fast the pointer, the trials are sorted out once a frame.
    settle();
  };
  const handleOf = (target: EventTarget | null): { axis: number; end: 'low' | 'high' } | null => {
    const element = target instanceof Element ? target.closest<SVGGElement>('.handle') : null;
    if (element === null) return null;
    return { axis: Number(element.dataset['axis']), end: element.dataset['end'] === 'low' ? 'low' : 'high' };
  };
  plot.addEventListener('keydown', (event) => {
    const handle = handleOf(event.target);
    const axis = handle === null ? undefined : axes[handle.axis];
    if (handle === null || axis === undefined) return;
    const brush = brushes[handle.axis] ?? OPEN;
    const to = keyed(axis, handle.end === 'low' ? brush.low : brush.high, event.key);
    if (to === undefined) return;
    event.preventDefault();
    move(handle.axis, handle.end, to);
  });
  plot.addEventListener('pointerdown', (event) => {
    dragged = handleOf(event.target);
    if (dragged === null) return;
    event.preventDefault();
    plot.setPointerCapture(event.pointerId);
    if (event.target instanceof Element) event.target.closest<SVGGElement>('.handle')?.focus();
  });
  plot.addEventListener('pointermove', (event) => {
    if (dragged === null) return;
    const y = event.clientY - plot.getBoundingClientRect().top;
    move(dragged.axis, dragged.end, (BOTTOM - y) / (BOTTOM - TOP));
  });
  const stop = (): void => {
    dragged = null;
  };
  plot.addEventListener('pointerup', stop);
  plot.addEventListener('pointercancel', stop);
}
