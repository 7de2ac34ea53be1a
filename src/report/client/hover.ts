/** Reading single values off a drawing: pointer and arrow keys alike. */
import { markup } from '../draw/markup.ts';
import type { Mark } from '../draw/svg.ts';
import { find, hideTip, showTip } from './dom.ts';

const REACH = 40;
const state = new WeakMap<HTMLElement, { marks: readonly Mark[]; at: number }>();

/** Gives a plot its marks; listeners are attached once and read the latest marks. */
export function setMarks(plot: HTMLElement, marks: readonly Mark[]): void {
  const known = state.get(plot);
  if (known !== undefined) {
    known.marks = marks;
    known.at = -1;
    return;
  }
  state.set(plot, { marks, at: -1 });
  if (marks.length === 0) return;
  plot.tabIndex = 0;
  plot.setAttribute('role', 'group');
  plot.setAttribute('aria-label', 'Plot; arrow keys read its values');
  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    const index = nearestMark(plot, event.clientX - box.left, event.clientY - box.top);
    if (index < 0) clear(plot);
    else show(plot, index);
  });
  plot.addEventListener('pointerleave', () => clear(plot));
  plot.addEventListener('blur', () => clear(plot));
  plot.addEventListener('keydown', (event) => {
    const now = state.get(plot);
    if (now === undefined) return;
    const last = now.marks.length - 1;
    const target =
      event.key === 'ArrowRight' || event.key === 'ArrowDown'
        ? Math.min(last, now.at + 1)
        : event.key === 'ArrowLeft' || event.key === 'ArrowUp'
          ? Math.max(0, now.at - 1)
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? last
              : undefined;
    if (event.key === 'Escape') clear(plot);
    if (target === undefined) return;
    event.preventDefault();
    show(plot, target);
  });
}

function nearestMark(plot: HTMLElement, x: number, y: number): number {
  let best = -1;
  let least = REACH;
  state.get(plot)?.marks.forEach((mark, index) => {
    const inSpan = mark.span !== undefined && y >= mark.span[0] - 8 && y <= mark.span[1] + 8;
    const distance =
      mark.span === undefined ? Math.hypot(mark.x - x, mark.y - y) : inSpan ? Math.abs(mark.x - x) : REACH;
    if (distance < least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

function show(plot: HTMLElement, index: number): void {
  const now = state.get(plot);
  const mark = now?.marks[index];
  if (now === undefined || mark === undefined) return;
  now.at = index;
  ring(plot, mark);
  const box = plot.getBoundingClientRect();
  const lines = mark.lines.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`);
  showTip(markup`<b>${mark.title}</b><dl>${lines}</dl>`, box.left + mark.x, box.top + mark.y);
}

function ring(plot: HTMLElement, mark: Mark): void {
  const svg = find<SVGSVGElement>('svg', plot);
  if (svg === null) return;
  find('.hover', svg)?.remove();
  const circle = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
  circle.setAttribute('class', 'hover');
  circle.setAttribute('cx', String(mark.x));
  circle.setAttribute('cy', String(mark.y));
  circle.setAttribute('r', '7');
  svg.append(circle);
}

function clear(plot: HTMLElement): void {
  find('.hover', plot)?.remove();
  const now = state.get(plot);
  if (now !== undefined) now.at = -1;
  hideTip();
}

/** Reasons behind en dashes: on hover, and on focus for the keyboard. */
export function explainUnknowns(): void {
  const tell = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-tip]') : null;
    if (target === null) return;
    const box = target.getBoundingClientRect();
    showTip(markup`${target.dataset['tip']}`, box.left, box.top);
  };
  const stop = (event: Event): void => {
    if (event.target instanceof Element && event.target.closest('[data-tip]') !== null) hideTip();
  };
  document.addEventListener('pointerover', tell);
  document.addEventListener('focusin', tell);
  document.addEventListener('pointerout', stop);
  document.addEventListener('focusout', stop);
}
