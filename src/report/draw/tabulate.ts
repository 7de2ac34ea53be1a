import type { Figure } from '../../contract/figure.ts';
import { sortedBars } from './bars.ts';
import { estimate, instant, known, plain, UNKNOWN } from './format.ts';

export type Cell = string | number | null;

/** A figure's numbers as a table: what "Table" shows and "Copy CSV" copies. */
export interface Table {
  readonly head: readonly { readonly name: string; readonly align: 'left' | 'right'; readonly time?: boolean }[];
  readonly rows: readonly (readonly Cell[])[];
}

const label = (name: string): Table['head'][number] => ({ name, align: 'left' });
const value = (name: string, unit?: string): Table['head'][number] => ({
  name: unit === undefined || unit === '' ? name : `${name}, ${unit}`,
  align: 'right',
});

export function tabulate(figure: Figure): Table {
  switch (figure.kind) {
    case 'forest':
      return {
        head: [label('row'), value('estimate', figure.unit), value('low'), value('high'), value('n'), label('remark')],
        rows: figure.rows.map((row) => [row.label, row.value, row.low, row.high, row.n, row.why ?? '']),
      };
    case 'line': {
      const bands = figure.series.some((series) => series.low !== undefined);
      const x = { ...value(figure.x.label, figure.x.unit), time: figure.x.scale === 'time' };
      const y = { ...value(figure.y.label, figure.y.unit), time: figure.y.scale === 'time' };
      return {
        head: [label('series'), x, y, ...(bands ? [value('low'), value('high')] : [])],
        rows: figure.series.flatMap((series) =>
          series.x.map((at, i) => [
            series.label,
            at,
            series.y[i] ?? null,
            ...(bands ? [series.low?.[i] ?? null, series.high?.[i] ?? null] : []),
          ]),
        ),
      };
    }
    case 'bars':
      return {
        head: [label('bar'), value('value', figure.unit), value('low'), value('high'), label('note')],
        rows: sortedBars(figure).map((bar) => [
          bar.label,
          bar.value,
          bar.low ?? null,
          bar.high ?? null,
          bar.note ?? '',
        ]),
      };
    case 'histogram': {
      const time = figure.x.scale === 'time';
      return {
        head: [
          { ...value('from', figure.x.unit), time },
          { ...value('to', figure.x.unit), time },
          ...figure.groups.map((group) => value(group.label)),
        ],
        rows: figure.edges
          .slice(0, -1)
          .map((edge, i) => [
            edge,
            figure.edges[i + 1] ?? null,
            ...figure.groups.map((group) => group.counts[i] ?? null),
          ]),
      };
    }
    case 'heatmap':
      return {
        head: [label(`${figure.rowTitle} \\ ${figure.columnTitle}`), ...figure.columns.map((name) => value(name))],
        rows: figure.rows.map((row, r) => [row, ...figure.columns.map((_, c) => figure.values[r]?.[c] ?? null)]),
      };
    case 'map':
      return {
        head: [
          label('id'),
          value('x'),
          value('y'),
          ...figure.columns.map((column) =>
            column.type === 'value' ? value(column.name, column.unit) : label(column.name),
          ),
        ],
        rows: figure.ids.map((id, i) => [
          id,
          figure.x[i] ?? null,
          figure.y[i] ?? null,
          ...figure.columns.map((column) =>
            column.type === 'value' ? (column.values[i] ?? null) : (column.categories[column.codes[i] ?? -1] ?? null),
          ),
        ]),
      };
    case 'table':
      return {
        head: figure.columns.map((column) => ({
          name: column.unit === undefined || column.unit === '' ? column.name : `${column.name}, ${column.unit}`,
          align: column.align,
        })),
        rows: figure.rows,
      };
  }
}

/** A cell as the page shows it. */
export function cellText(cell: Cell | undefined, time = false): string {
  if (cell === null || cell === undefined) return UNKNOWN;
  if (typeof cell === 'string') return cell;
  return time ? instant(cell) : plain(cell);
}

/** How the numbers of each column are written: whole ones in full, others with three significant digits throughout. */
export function columnTexts(table: Table): ((cell: Cell | undefined) => string)[] {
  return table.head.map((column, c) => {
    const numbers = table.rows.map((row) => row[c]).filter((cell): cell is number => typeof cell === 'number');
    const whole = numbers.every((value) => !known(value) || Number.isInteger(value));
    return (cell) => {
      if (typeof cell !== 'number' || column.time === true) return cellText(cell, column.time);
      return whole || Math.abs(cell) >= 1000 ? plain(cell) : estimate(cell);
    };
  });
}

/** RFC 4180 text; numbers keep every digit, unknown is empty, times are ISO 8601 UTC. */
export function toCsv(table: Table): string {
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  // A leading = + - @ would be run as a formula by a spreadsheet.
  const inert = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  const cell = (content: Cell, time: boolean): string => {
    if (content === null) return '';
    if (typeof content === 'string') return quote(inert(content));
    return time ? new Date(content).toISOString() : String(content);
  };
  const lines = [
    table.head.map((column) => quote(inert(column.name))).join(','),
    ...table.rows.map((row) => row.map((content, i) => cell(content, table.head[i]?.time === true)).join(',')),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Order of two cells: numbers by size, texts as people sort them, unknown always last. */
export function compareCells(a: Cell | undefined, b: Cell | undefined, descending: boolean): number {
  const missing = (cell: Cell | undefined): boolean =>
    cell === null || cell === undefined || cell === '' || (typeof cell === 'number' && !Number.isFinite(cell));
  if (missing(a) || missing(b)) return Number(missing(a)) - Number(missing(b));
  const sign = descending ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  if (typeof a === 'number') return -sign;
  if (typeof b === 'number') return sign;
  const left = String(a);
  const right = String(b);
  return sign * left.localeCompare(right, 'en', { numeric: true });
}
