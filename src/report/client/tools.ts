/** The tools below a figure: its table, its numbers, its picture, its address. */
import { type Table, tabulate, toCsv } from '../draw/tabulate.ts';
import { copyText, dataOf, find, findAll, toast } from './dom.ts';
import type { FigureData } from './plots.ts';
import { virtualTable } from './tables.ts';
import { openZoom } from './zoom.ts';

/** All parts of a figure as one table; a first column names the part where there are several. */
export function tableOf(data: FigureData): Table {
  const tables = data.parts.map(({ part, figure }) => ({ part, table: tabulate(figure) }));
  const first = tables[0]?.table ?? { head: [], rows: [] };
  if (tables.length < 2) return first;
  return {
    head: [{ name: 'part', align: 'left' }, ...first.head],
    rows: tables.flatMap(({ part, table }) => table.rows.map((row) => [part, ...row])),
  };
}

/** The drawing with its colours written into it, so that it looks the same in a paper. */
export function standaloneSvg(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = [svg, ...findAll<SVGElement>('*', svg)];
  const to = [copy, ...findAll<SVGElement>('*', copy)];
  const properties = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'paint-order'];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    const target = to[i];
    if (target === undefined || element.tagName === 'title') return;
    for (const property of properties) target.setAttribute(property, style.getPropertyValue(property));
    if (element.tagName === 'text') {
      target.setAttribute('font-family', 'sans-serif');
      target.setAttribute('font-size', style.fontSize);
      target.setAttribute('font-weight', style.fontWeight);
    }
    target.removeAttribute('class');
    target.removeAttribute('style');
  });
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return copy.outerHTML;
}

function toggleTable(figure: HTMLElement, button: HTMLElement): void {
  const place = find('.figure-table', figure);
  if (place === null) return;
  const open = place.hidden;
  button.setAttribute('aria-expanded', String(open));
  place.hidden = !open;
  if (!open || place.childElementCount > 0) return;
  const data = dataOf<FigureData>(figure.id);
  if (data === null) return;
  const table = tableOf(data);
  const box = document.createElement('div');
  box.style.height = `${Math.min(table.rows.length + 1, 9) * 29 + 2}px`;
  place.append(box);
  virtualTable(box, table, { name: `${find('h3', figure)?.textContent ?? ''}, as a table` });
}

/** One listener serves the tools of all figures. */
export function startTools(): void {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('.tools [data-do]') : null;
    const figure = button?.closest<HTMLElement>('.figure') ?? null;
    if (button === null || figure === null) return;
    const data = dataOf<FigureData>(figure.id);
    switch (button.dataset['do']) {
      case 'table':
        toggleTable(figure, button);
        break;
      case 'csv':
        if (data !== null) void copyText(toCsv(tableOf(data)), 'CSV');
        break;
      case 'svg': {
        const svg = find<SVGSVGElement>('.plot svg', figure);
        if (svg !== null) void copyText(standaloneSvg(svg), 'SVG');
        break;
      }
      case 'link':
        void copyText(`${location.href.split('#')[0]}#${figure.id}`, 'Link');
        break;
      case 'zoom': {
        const lines = (data?.parts ?? []).flatMap(({ part, figure: shown }) =>
          shown.kind === 'line' ? [{ part, figure: shown }] : [],
        );
        openZoom(lines).catch(() => toast('The interactive view did not open'));
        break;
      }
    }
  });
}

/** Tables of figures of kind `table`: all their rows, sortable. */
export function startDataTables(): void {
  for (const box of findAll('.data-table')) {
    const figure = box.closest<HTMLElement>('.figure');
    const data = figure === null ? null : dataOf<FigureData>(figure.id);
    const name = box.getAttribute('aria-label') ?? '';
    if (data === null) continue;
    const table = tableOf(data);
    // Rows are 29 px high; a shorter box would scroll by a hair.
    box.style.height = `${Math.min(table.rows.length + 1, 15) * 29 + 2}px`;
    unrolled.push(virtualTable(box, table, { name }));
  }
}

/** Tables that print in full, up to a limit. */
export const unrolled: { unroll(limit: number | undefined): void }[] = [];
