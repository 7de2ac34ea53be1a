/** What clustering and anomaly stages do around their method: take rows, scale them, write a row each. */
import type { StageContext } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { type Clusters, clustersOf } from '../../evaluation/bootstrap.ts';
import { type FeatureSpace, fitSpace, type Points, toSpace } from '../../models/feature-space.ts';
import { formatMoment, type Selection, select } from '../../projections/selection.ts';
import {
  columnNamed,
  columnsOf,
  type Frame,
  type FrameColumn,
  numbersOf,
  readFrame,
  textOf,
} from '../../tables/frame.ts';
import { type ParquetColumn, writeParquet } from '../../tables/parquet.ts';
import type { GroupingParams } from '../grouping-fields.ts';

/** The rows of a stage. Arrays by row are aligned with `selection.rows`. */
export interface Taken {
  readonly frame: Frame;
  readonly selection: Selection;
  readonly space: FeatureSpace;
  /** In the scale of the space. */
  readonly points: Points;
  /** Columns of the space. */
  readonly columns: readonly FrameColumn[];
  /** What is independent of what: the group, else the id, else each row. */
  readonly subjects: Clusters;
  /** "wallets" where the id says so. */
  readonly noun: string;
  readonly notes: readonly string[];
}

export async function takeRows(context: StageContext<GroupingParams>, standardize: boolean): Promise<Taken> {
  const { asOf, maxRows, features } = context.params;
  const { path, shared } = context.input('features');
  const frame = await readFrame(path, shared);
  const selection = select(frame, { asOf, maxRows, features, standardize: false }, context.rng('sample'));
  const columns = selection.features.map((name) => columnNamed(frame, name));
  const space = fitSpace(columns, selection.matrix, standardize);
  const constant = space.features.filter((_, c) => space.deviations[c] === 0);
  const id = columnsOf(frame, 'id')[0];
  const group = columnsOf(frame, 'group')[0] ?? id;
  return {
    frame,
    selection,
    space,
    points: toSpace(space, selection.matrix),
    columns,
    subjects: clustersOf(Array.from(selection.rows, (row) => (group === undefined ? String(row) : textOf(group, row)))),
    noun: id === undefined || id.name === 'id' ? 'rows' : `${id.name}s`,
    notes: [
      ...selection.notes.map((note) => note.replace('is shown (', 'is taken (')),
      ...(constant.length > 0 ? [`Without any variation, so without weight: ${constant.join(', ')}.`] : []),
    ],
  };
}

/** What rows are known to be; -1 where it is not known. */
export interface Truth {
  readonly name: string;
  readonly labels: readonly string[];
  readonly codes: Int32Array;
}

export function truthOf({ frame, selection }: Taken, name: string | undefined): Truth | undefined {
  if (name === undefined) return undefined;
  if (selection.features.includes(name))
    throw new FathomError('data', `truth "${name}" is among the features: it would be compared with itself`, {
      hint: 'name the features to use in `features`',
    });
  const column = columnNamed(frame, name);
  const texts = Array.from(selection.rows, (row) =>
    column.type === 'number' && Number.isNaN(column.values[row]) ? '' : textOf(column, row),
  );
  const labels = [...new Set(texts)].filter((text) => text !== '').sort((a, b) => (a < b ? -1 : 1));
  const numberOf = new Map(labels.map((label, i) => [label, i]));
  return { name, labels, codes: Int32Array.from(texts, (text) => numberOf.get(text) ?? -1) };
}

/** "1,500 wallets as of 2025-06-01; 12 features". */
export function subtitleOf({ selection, noun }: Taken): string {
  const when = selection.moment === undefined ? '' : ` as of ${formatMoment(selection.moment)}`;
  return `${selection.rows.length.toLocaleString('en-US')} ${noun}${when}; ${selection.features.length} features`;
}

/** Name of a row: its id, with its time where ids repeat. */
export function rowName({ frame, selection }: Taken, i: number): string {
  const row = selection.rows[i] as number;
  const id = columnsOf(frame, 'id')[0];
  const time = columnsOf(frame, 'time')[0];
  const name = id === undefined ? String(row) : textOf(id, row);
  return selection.moment !== undefined || time === undefined
    ? name
    : `${name} at ${formatMoment(numbersOf(time)[row] as number)}`;
}

/** Writes id, time and the given columns, rows by (id, time). The values are aligned with the rows taken. */
export async function writeRows(
  path: string,
  { frame, selection }: { readonly frame: Frame; readonly selection: Pick<Selection, 'rows'> },
  more: readonly { name: string; type: 'INT32' | 'DOUBLE'; values: ArrayLike<number>; description: string }[],
): Promise<void> {
  const id = columnsOf(frame, 'id')[0];
  const time = columnsOf(frame, 'time')[0];
  const ids = Array.from(selection.rows, (row) => (id === undefined ? String(row) : textOf(id, row)));
  const times = Array.from(selection.rows, (row) => (time === undefined ? NaN : (numbersOf(time)[row] as number)));
  const order = ids
    .map((_, i) => i)
    .sort((a, b) => {
      const [x, y] = [ids[a] as string, ids[b] as string];
      return x < y ? -1 : x > y ? 1 : (times[a] as number) - (times[b] as number) || a - b;
    });
  const stamp = (t: number): Date | null => (Number.isNaN(t) ? null : new Date(t));
  await writeParquet(path, [
    { name: 'id', role: 'id', type: 'STRING', values: order.map((i) => ids[i] as string) },
    { name: 'time', role: 'time', type: 'TIMESTAMP', values: order.map((i) => stamp(times[i] as number)) },
    ...more.map(
      ({ name, type, values, description }): ParquetColumn => ({
        name,
        role: 'info',
        description,
        type,
        values: order.map((i) => values[i] as number),
      }),
    ),
  ]);
}

/** Writes numbers with seven digits, which is what a page can show; null for unknown. */
export function shown(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(7));
}
