import { UNKNOWN } from '../draw/format.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import { type Cell, columnTexts, type Table } from '../draw/tabulate.ts';

/** Rows of a table that stand in the file; the page's script shows all. */
const STATIC_ROWS = 60;

/** An en dash that tells its reason on hover, focus and to screen readers. */
export function unknown(why: string | undefined): Markup {
  if (why === undefined || why === '') return markup`<span class="unknown">${UNKNOWN}</span>`;
  return markup`<span class="unknown" tabindex="0" role="note" aria-label="unknown: ${why}" data-tip="${why}">${UNKNOWN}</span>`;
}

export interface Column {
  readonly name: string;
  readonly align: 'left' | 'right';
  /** False where the order of the column means nothing. */
  readonly sortable?: boolean;
}

/** A cell with its content and the value that it sorts by. */
export interface RichCell {
  readonly content: Piece;
  readonly sort?: Cell;
  readonly kind?: string;
}

/** A table written out in full; its header sorts once the script runs. */
export function richTable(
  name: string,
  columns: readonly Column[],
  rows: readonly (readonly RichCell[])[],
  kind = '',
): Markup {
  const head = columns.map(
    (column) =>
      markup`<th scope="col" class="${column.align}"${column.sortable !== false && markup` aria-sort="none"`}>${column.name}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => {
      const sort = cell.sort;
      const data: Piece = sort !== undefined && markup` data-sort="${sort === null ? '' : sort}"`;
      const classes = [columns[i]?.align ?? 'left', cell.kind].filter((text) => text !== undefined).join(' ');
      return i === 0
        ? markup`<th scope="row" class="${classes}"${data}>${cell.content}</th>`
        : markup`<td class="${classes}"${data}>${cell.content}</td>`;
    });
    return markup`<tr>${cells}</tr>`;
  });
  return markup`<div class="table-wrap ${kind}${rows.length <= 12 && ' short'}" tabindex="0" role="region" aria-label="${name}"><table class="sortable"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** A figure of kind `table`: its first rows here, all of them from the embedded data when the script runs. */
export function dataTable(table: Table, name: string): Markup {
  const texts = columnTexts(table);
  const head = table.head.map((column) => markup`<th scope="col" class="${column.align}">${column.name}</th>`);
  const body = table.rows.slice(0, STATIC_ROWS).map((row) => {
    const cells = row.map((cell, i) => markup`<td class="${table.head[i]?.align ?? 'left'}">${texts[i]?.(cell)}</td>`);
    return markup`<tr>${cells}</tr>`;
  });
  // 29 px a row, head included: the script's table takes the same place.
  const height = Math.min(table.rows.length + 1, 15) * 29 + 2;
  return markup`<div class="table-wrap data-table" style="height:${height}px" tabindex="0" role="region" aria-label="${name}"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** A list of names with values. */
export function facts(rows: readonly (readonly [name: string, value: Piece])[], kind = ''): Markup {
  return markup`<dl class="facts ${kind}">${rows.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
