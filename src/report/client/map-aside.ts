/** What stands beside and below a map: the list of chosen points, and the legend. */
import type { MapFigure } from '../../contract/figure.ts';
import { CATEGORY_COLOURS, categoryColour, rampColour } from '../draw/colour.ts';
import { count, known, plain, withUnit } from '../draw/format.ts';
import { markup, type Piece } from '../draw/markup.ts';
import { extent } from '../draw/scale.ts';
import { fill, find, findAll, isDark } from './dom.ts';
import { binOf, type Column } from './map-paint.ts';
import { virtualTable } from './tables.ts';

/** Lists the chosen points with their value in the column that colours the map. */
export function showSelection(
  element: HTMLElement,
  figure: MapFigure,
  column: Column | undefined,
  chosen: readonly number[],
  onHover: (index: number) => void,
): void {
  const place = find('.selection-list', element);
  if (place === null) return;
  for (const what of ['copy', 'clear']) {
    const button = find<HTMLButtonElement>(`[data-map="${what}"]`, element);
    if (button !== null) button.disabled = chosen.length === 0;
  }
  const title = find('.selection h4', element);
  if (title !== null) {
    title.textContent =
      chosen.length === 0 ? 'Selected' : `Selected: ${count(chosen.length)} of ${count(figure.ids.length)}`;
  }
  const note = find('.selection-note', element);
  if (note !== null) note.hidden = chosen.length > 0;
  place.replaceChildren();
  if (chosen.length === 0) return;
  const box = document.createElement('div');
  box.style.height = '100%';
  place.append(box);
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
        figure.ids[i] ?? '',
        ...(column === undefined
          ? []
          : [
              column.type === 'value' ? (column.values[i] ?? null) : (column.categories[column.codes[i] ?? -1] ?? null),
            ]),
      ]),
    },
    {
      name: 'Selected points',
      text: (cell, index) =>
        index === 0 ? shortId(String(cell)) : known(cell as number) ? plain(cell as number) : String(cell ?? '–'),
      onHover: (row) => onHover(row === null ? -1 : (chosen[row] ?? -1)),
    },
  );
}

function shortId(id: string): string {
  return /^0x[0-9a-f]{40}$/i.test(id) ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}

/**
 * Draws the legend of a column: a ramp for values, a button a category.
 * @param toggle presses a category and returns the one that is pressed now
 */
export function showLegend(
  element: HTMLElement,
  column: Column | undefined,
  category: number | null,
  toggle: (bin: number) => number | null,
): void {
  const place = find('.map-legend', element);
  if (place === null) return;
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
    return markup`<button type="button" data-bin="${bin}" aria-pressed="${category === bin ? 'true' : 'false'}"><i style="background:${colour}"></i>${name} (${count(totals.get(bin))})</button>`;
  });
  fill(place, markup`${entries}`);
  for (const button of findAll('button', place)) {
    button.addEventListener('click', () => {
      const pressed = toggle(Number(button.dataset['bin']));
      for (const other of findAll('button', place)) {
        other.setAttribute('aria-pressed', String(Number(other.dataset['bin']) === pressed));
      }
    });
  }
}
