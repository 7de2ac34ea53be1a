/** Sorting of written-out tables, and tables of any length that render only what is in view. */
import { markup, type Piece } from '../draw/markup.ts';
import { type Cell, columnTexts, compareCells, type Table } from '../draw/tabulate.ts';
import { fill, find, findAll } from './dom.ts';

const ROW = 29;
const MARGIN = 12;

/** Head cells get buttons; a second press turns the order around. */
export function makeSortable(table: HTMLTableElement): void {
  const heads = findAll<HTMLTableCellElement>('thead th', table);
  heads.forEach((head, column) => {
    if (!head.hasAttribute('aria-sort')) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const descending = nextDirection(head);
      for (const other of heads) if (other.hasAttribute('aria-sort')) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const body = find('tbody', table);
      const rows = findAll<HTMLTableRowElement>('tbody tr', table);
      rows.sort((a, b) => compareCells(sortValue(a, column), sortValue(b, column), descending));
      body?.append(...rows);
    });
  });
}

/** Numbers start with the largest, texts with the first of the alphabet. */
function nextDirection(head: HTMLElement): boolean {
  const now = head.getAttribute('aria-sort');
  if (now === 'none') return head.classList.contains('right');
  return now === 'ascending';
}

function sortValue(row: HTMLTableRowElement, column: number): Cell {
  const cell = row.cells[column];
  const text = cell?.dataset['sort'] ?? cell?.textContent ?? '';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Hides rows of a written-out table that do not hold the text. */
export function filterRows(table: ParentNode, text: string): void {
  const wanted = text.trim().toLowerCase();
  for (const row of findAll<HTMLTableRowElement>('tbody tr', table)) {
    row.hidden = wanted !== '' && !(row.textContent ?? '').toLowerCase().includes(wanted);
  }
}

export interface VirtualTable {
  /** Shows these rows (indices into the table) in the current order; all rows if `undefined`. */
  keep(rows: readonly number[] | undefined): void;
  /** Renders every row, for paper, up to a limit; `undefined` goes back to the rows in view. */
  unroll(limit: number | undefined): void;
}

export interface VirtualOptions {
  readonly name: string;
  /** Column sorted at first. */
  readonly sort?: { readonly column: number; readonly descending: boolean };
  /** More content before the text of a cell. */
  readonly extra?: (row: number, column: number) => Piece;
  readonly onHover?: (row: number | null) => void;
  /** Text of a cell, where it is not the usual one. */
  readonly text?: (cell: Cell | undefined, column: number) => string | undefined;
}

/** A sortable table in a box that scrolls; only rows in view exist, so its length costs nothing. */
export function virtualTable(box: HTMLElement, table: Table, options: VirtualOptions): VirtualTable {
  box.classList.add('table-wrap', 'virtual');
  box.tabIndex = 0;
  box.setAttribute('role', 'region');
  box.setAttribute('aria-label', options.name);
  let sort = options.sort;
  let kept: readonly number[] = table.rows.map((_, i) => i);
  let order: readonly number[] = [];
  let limit: number | undefined;
  const texts = columnTexts(table);

  const head = table.head.map(
    (column) =>
      markup`<th scope="col" class="${column.align}" aria-sort="none"><button type="button">${column.name}</button></th>`,
  );
  fill(box, markup`<table><thead><tr>${head}</tr></thead><tbody></tbody></table>`);
  const body = find('tbody', box);
  const heads = findAll('thead th', box);

  const reorder = (): void => {
    const by = sort;
    order =
      by === undefined
        ? kept
        : kept.toSorted(
            (a, b) => compareCells(table.rows[a]?.[by.column], table.rows[b]?.[by.column], by.descending) || a - b,
          );
    find('table', box)?.setAttribute('aria-rowcount', String(order.length));
    heads.forEach((cell, column) => {
      const direction = by?.column === column ? (by.descending ? 'descending' : 'ascending') : 'none';
      cell.setAttribute('aria-sort', direction);
    });
    render();
  };
  const render = (): void => {
    if (body === null) return;
    const all = limit !== undefined;
    const first = all ? 0 : Math.max(0, Math.floor(box.scrollTop / ROW) - MARGIN);
    const last = all
      ? Math.min(order.length, limit ?? 0)
      : Math.min(order.length, Math.ceil((box.scrollTop + (box.clientHeight || 600)) / ROW) + MARGIN);
    const rows = order.slice(first, last).map((row) => {
      const cells = table.head.map((column, c) => {
        const cell = table.rows[row]?.[c];
        const text = options.text?.(cell, c) ?? texts[c]?.(cell);
        return markup`<td class="${column.align}">${options.extra?.(row, c)}${text}</td>`;
      });
      return markup`<tr data-row="${row}">${cells}</tr>`;
    });
    const gap = (n: number): Piece =>
      n > 0 &&
      markup`<tr class="gap" aria-hidden="true"><td colspan="${table.head.length}" style="height:${n * ROW}px"></td></tr>`;
    fill(body, markup`${gap(first)}${rows}${all ? null : gap(order.length - last)}`);
  };

  heads.forEach((cell, column) => {
    find('button', cell)?.addEventListener('click', () => {
      sort = { column, descending: nextDirection(cell) };
      box.scrollTop = 0;
      reorder();
    });
  });
  box.addEventListener('scroll', render, { passive: true });
  box.addEventListener('pointerover', (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('tr[data-row]') : null;
    options.onHover?.(row === null ? null : Number(row.dataset['row']));
  });
  box.addEventListener('pointerleave', () => options.onHover?.(null));
  reorder();
  return {
    keep: (rows) => {
      kept = rows ?? table.rows.map((_, i) => i);
      box.scrollTop = 0;
      reorder();
    },
    unroll: (most) => {
      limit = most;
      render();
    },
  };
}
