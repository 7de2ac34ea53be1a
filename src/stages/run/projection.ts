/** What all projections do around their method: choose rows, measure the map, write it. */

import type { Figure } from '../../contract/figure.ts';
import type { StageContext } from '../../contract/stage.ts';
import type { Products } from '../../kernels/kernels.ts';
import type { Matrix, Plane } from '../../projections/matrix.ts';
import { nearestNeighbours } from '../../projections/neighbours.ts';
import { pca2 } from '../../projections/pca.ts';
import { type Agreement, type MapQuality, mapQuality, neighbourAgreement } from '../../projections/quality.ts';
import { type Selection, select } from '../../projections/selection.ts';
import type { Rng } from '../../random/rng.ts';
import { columnsOf, type Frame, numbersOf, readFrame, textOf } from '../../tables/frame.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { ProjectionParams } from '../projection-fields.ts';
import { carriedColumns, mapFigure } from './projection-figure.ts';
import { searchProducts } from './search-products.ts';

/** What a method returns. */
export interface Layout {
  readonly points: Plane;
  readonly notes: readonly string[];
  /** NaN is unknown. */
  readonly scalars: Readonly<Record<string, number>>;
  readonly caption: string;
  /** Shown after the map. */
  readonly figures?: readonly Figure[];
}

export type LayoutMethod = (
  matrix: Matrix,
  rng: Rng,
  onProgress: (done: number, total: number) => void,
  taken: { readonly frame: Frame; readonly selection: Selection; readonly products: Products | undefined },
) => Promise<Layout>;

/** @param unit what the method's progress counts */
export async function runProjection(
  context: StageContext<ProjectionParams>,
  unit: string,
  method: LayoutMethod,
): Promise<void> {
  const { params } = context;
  const { path, shared } = context.input('features');
  const frame = await readFrame(path, shared);
  const selection = select(
    frame,
    { asOf: params.asOf, maxRows: params.maxRows, features: params.features, standardize: params.standardize },
    context.rng('sample'),
  );
  const carried = carriedColumns(frame, params, selection.rows);
  const { matrix } = selection;
  const onProgress = (done: number, total: number): void => {
    context.progress(done, total, unit);
    context.throwIfCancelled();
  };
  const products = await searchProducts(context.engine);
  const layout = await method(matrix, context.rng('layout'), onProgress, { frame, selection, products });
  const stopIfAsked = (): void => context.throwIfCancelled();
  const components = pca2(matrix);
  const measure = (points: Plane): MapQuality | undefined =>
    mapQuality(matrix, points, params.qualityNeighbours, context.rng('quality'), stopIfAsked);
  const distinct = matrix.values.some((value, i) => value !== matrix.values[i % matrix.columns]);
  const quality = distinct ? measure(layout.points) : undefined;
  const baseline = distinct ? measure(components.points) : undefined;
  const agreement = distinct
    ? agreementOf(frame, selection, carried.colour, params.qualityNeighbours, products)
    : undefined;
  const constant = selection.features.filter((_, c) => isConstant(matrix, c));
  const notes = [
    ...selection.notes,
    ...(constant.length > 0 && distinct ? [`Without any variation, so without weight: ${constant.join(', ')}.`] : []),
    ...layout.notes,
  ];
  if (quality === undefined)
    notes.push(
      distinct
        ? `The quality of the map is not known: ${params.qualityNeighbours} neighbours need more than ${2 * params.qualityNeighbours} rows.`
        : 'The quality of the map is not known: all rows are equal.',
    );
  else if (quality.measured < matrix.rows)
    notes.push(`The quality of the map is measured on a random ${quality.measured} of its ${matrix.rows} rows.`);

  await writeEmbedding(context.outputPath('embedding'), frame, selection.rows, layout.points);
  const scalars = {
    trustworthiness: quality?.trustworthiness,
    neighbourPreservation: quality?.neighbourPreservation,
    'pca.trustworthiness': baseline?.trustworthiness,
    'pca.neighbourPreservation': baseline?.neighbourPreservation,
    'pca.explained': distinct ? components.explained[0] + components.explained[1] : undefined,
    'colour.agreement': agreement?.share,
    'colour.chance': agreement?.chance,
    ...layout.scalars,
    rows: matrix.rows,
    features: matrix.columns,
    imputed: selection.imputed,
  };
  await context.writeMetrics('metrics', {
    scalars: Object.fromEntries(
      Object.entries(scalars).map(([name, value]) => [name, value === undefined || Number.isNaN(value) ? null : value]),
    ),
    notes,
  });
  await context.writeFigures('figures', [
    mapFigure({ frame, selection, layout, carried, params, quality, baseline, agreement }),
    ...(layout.figures ?? []),
  ]);
}

function isConstant({ rows, columns, values }: Matrix, column: number): boolean {
  for (let i = 1; i < rows; i++) if (values[i * columns + column] !== values[column]) return false;
  return true;
}

/** Agreement of a category among nearest rows of the input. Undefined where subjects repeat: they agree with themselves. */
function agreementOf(
  frame: Frame,
  { rows, matrix }: Selection,
  colour: string | undefined,
  k: number,
  products: Products | undefined,
): Agreement | undefined {
  const column = frame.columns.find(({ name }) => name === colour);
  const id = columnsOf(frame, 'id')[0];
  if (column?.type !== 'category' || matrix.rows <= k) return undefined;
  if (id !== undefined && new Set(Array.from(rows, (row) => textOf(id, row))).size < rows.length) return undefined;
  const nearest = nearestNeighbours(matrix, k, undefined, products);
  return neighbourAgreement(
    nearest.indices,
    k,
    rows.map((row) => column.codes[row] as number),
  );
}

/** Rows by (id, time); the row's number where the frame has no id, null where it has no time. */
export async function writeEmbedding(path: string, frame: Frame, rows: Int32Array, points: Plane): Promise<void> {
  const id = columnsOf(frame, 'id')[0];
  const time = columnsOf(frame, 'time')[0];
  const table = Array.from(rows, (row, i) => ({
    id: id === undefined ? String(row) : textOf(id, row),
    time: time === undefined ? null : (numbersOf(time)[row] as number),
    x: points[2 * i] as number,
    y: points[2 * i + 1] as number,
  })).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : (a.time ?? 0) - (b.time ?? 0)));
  await writeParquet(path, [
    { name: 'id', role: 'id', type: 'STRING', values: table.map((row) => row.id) },
    {
      name: 'time',
      role: 'time',
      type: 'TIMESTAMP',
      values: table.map((row) => (row.time === null ? null : new Date(row.time))),
    },
    { name: 'x', role: 'info', type: 'DOUBLE', values: table.map((row) => row.x) },
    { name: 'y', role: 'info', type: 'DOUBLE', values: table.map((row) => row.y) },
  ]);
}
