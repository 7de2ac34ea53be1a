/** The map as a figure: a question as its title, its reliability in the subtitle. */

import type { MapFigure } from '../../contract/figure.ts';
import type { Agreement, MapQuality } from '../../projections/quality.ts';
import { formatMoment, type Selection } from '../../projections/selection.ts';
import { columnNamed, columnsOf, type Frame, type FrameColumn, numbersOf, textOf } from '../../tables/frame.ts';
import type { ProjectionParams } from '../projection-fields.ts';

const SHOWN_FEATURES = 6;
/** Colours that can still be told apart. */
const COLOURS = 8;

/** Columns that go with the points, and the one that colours them first. */
export interface Carried {
  readonly columns: readonly FrameColumn[];
  readonly colour: string | undefined;
}

/**
 * Columns named in the parameters, or else those of these rows that have a value: at the newest time the labels, which
 * tell the future, are not known yet.
 */
export function carriedColumns(frame: Frame, params: ProjectionParams, rows: Int32Array): Carried {
  const known = (column: FrameColumn): boolean =>
    rows.some((row) =>
      column.type === 'category' ? (column.codes[row] ?? -1) >= 0 : !Number.isNaN(column.values[row]),
    );
  const shown = [...columnsOf(frame, 'label'), ...columnsOf(frame, 'info')].filter(known).map(({ name }) => name);
  const features = params.features ?? columnsOf(frame, 'feature').map(({ name }) => name);
  const names = params.columns ?? [...shown, ...features.slice(0, SHOWN_FEATURES)];
  const all = params.colour === undefined ? names : [params.colour, ...names];
  const columns = [...new Set(all)].map((name) => columnNamed(frame, name));
  const described = columns.filter((column) => (column.role === 'label' || column.role === 'info') && known(column));
  const colour =
    params.colour ??
    described.find((column) => column.type === 'category' && column.labels.length <= COLOURS)?.name ??
    described.find(({ role }) => role === 'label')?.name;
  return { columns, colour };
}

export function mapFigure(parts: {
  readonly frame: Frame;
  readonly selection: Selection;
  readonly layout: { readonly points: Float64Array; readonly caption: string };
  readonly carried: Carried;
  readonly params: ProjectionParams;
  readonly quality: MapQuality | undefined;
  readonly baseline: MapQuality | undefined;
  readonly agreement: Agreement | undefined;
}): MapFigure {
  const { frame, selection, layout, carried, params, quality, baseline, agreement } = parts;
  const { rows, moment } = selection;
  const id = columnsOf(frame, 'id')[0];
  const time = columnsOf(frame, 'time')[0];
  const subjects = id === undefined || id.name === 'id' ? 'rows' : `${id.name}s`;
  const kind = carried.columns.find(({ name }) => name === carried.colour);
  const title =
    kind === undefined
      ? `Which ${subjects} are alike?`
      : kind.type === 'category'
        ? `Do ${subjects} of one ${kind.name} lie together?`
        : `Do ${subjects} of similar ${kind.name} lie together?`;
  const facts = [
    `${rows.length} ${subjects}${moment === undefined ? '' : ` as of ${formatMoment(moment)}`}`,
    `${selection.features.length} ${params.standardize ? 'standardised ' : ''}features`,
    quality === undefined
      ? 'trustworthiness not known'
      : `trustworthiness ${three(quality.trustworthiness)} at ${quality.k} neighbours` +
        (baseline === undefined ? '' : ` (principal components ${three(baseline.trustworthiness)})`),
  ];
  if (agreement !== undefined)
    facts.push(
      `${percent(agreement.share)} of a row's nearest share its ${carried.colour}, ${percent(agreement.chance)} by chance`,
    );
  return {
    kind: 'map',
    id: 'map',
    section: 'map',
    title,
    subtitle: facts.join('; '),
    caption: layout.caption,
    method: 'Projections',
    ids: Array.from(rows, (row) => {
      const name = id === undefined ? String(row) : textOf(id, row);
      const at = moment === undefined && time !== undefined ? numbersOf(time)[row] : undefined;
      return at === undefined || Number.isNaN(at) ? name : `${name} at ${formatMoment(at)}`;
    }),
    x: Array.from(rows, (_, i) => coordinate(layout.points[2 * i] as number)),
    y: Array.from(rows, (_, i) => coordinate(layout.points[2 * i + 1] as number)),
    columns: carried.columns.map((column) =>
      column.type === 'category'
        ? {
            name: column.name,
            type: 'category',
            categories: column.labels,
            codes: Array.from(rows, (row) => column.codes[row] as number),
          }
        : {
            name: column.name,
            ...(column.unit === undefined ? {} : { unit: column.unit }),
            type: 'value',
            values: Array.from(rows, (row) => sixDigits(column.values[row] as number)),
          },
    ),
    ...(carried.colour === undefined ? {} : { colour: carried.colour }),
  };
}

/** Enough digits for a screen; keeps the page small. */
function coordinate(x: number): number {
  return Math.round(x * 1e4) / 1e4;
}

function sixDigits(x: number): number | null {
  return Number.isFinite(x) ? Number(x.toPrecision(6)) : null;
}

function three(x: number): string {
  return String(Number(x.toPrecision(3)));
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
