/** From a frame to the rows and numbers that a projection lays out. */
import { FathomError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import { columnNamed, columnsOf, type Frame, type FrameColumn, numbersOf, textOf } from '../tables/frame.ts';
import { type Matrix, requireFinite, standardized } from './matrix.ts';

export interface SelectionOptions {
  /** `last`, `all` or an ISO 8601 date or time in UTC: the newest rows known then. */
  readonly asOf: string;
  readonly maxRows: number;
  /** Columns to lay out by; undefined: all of role feature. */
  readonly features: readonly string[] | undefined;
  /** Scale every column to mean 0 and standard deviation 1. */
  readonly standardize: boolean;
}

export interface Selection {
  /** Rows of the frame, ascending. */
  readonly rows: Int32Array;
  /** Columns that are in the matrix. */
  readonly features: readonly string[];
  readonly matrix: Matrix;
  /** The one time of the rows, UTC milliseconds; undefined if there are several or none. */
  readonly moment: number | undefined;
  /** Values that were missing. */
  readonly imputed: number;
  /** What the reader must know, one sentence each. */
  readonly notes: readonly string[];
}

/** Chooses rows by time, draws a sample if there are too many, and fills missing values with column means. */
export function select(frame: Frame, options: SelectionOptions, rng: Rng): Selection {
  const notes: string[] = [];
  const chosen = rowsAsOf(frame, options.asOf, notes);
  const rows = sampled(chosen, options.maxRows, rng, notes);
  const columns = featureColumns(frame, options.features);
  const kept: FrameColumn[] = [];
  const empty: string[] = [];
  for (const column of columns) {
    const values = numbersOf(column);
    const known = rows.some((row) => !Number.isNaN(values[row]));
    if (known) kept.push(column);
    else empty.push(column.name);
  }
  if (kept.length === 0)
    throw new FathomError('data', `no feature has a value in the ${rows.length} rows chosen: ${empty.join(', ')}`);
  if (empty.length > 0) notes.push(`Left out, as no row has a value: ${empty.join(', ')}.`);
  const { matrix, gaps } = filled(rows, kept);
  let imputed = 0;
  for (const count of gaps.values()) imputed += count;
  if (imputed > 0) {
    const list = [...gaps].map(([name, count]) => `${name} ${count}`).join(', ');
    notes.push(
      `${imputed} missing values (of ${matrix.values.length}) stand at the mean of their column over these rows: ${list}.`,
    );
  }
  requireFinite(
    matrix,
    (column) => (kept[column] as FrameColumn).name,
    (row) => nameOfRow(frame, rows[row] as number),
  );
  return {
    rows,
    features: kept.map((column) => column.name),
    matrix: options.standardize ? standardized(matrix) : matrix,
    moment: oneMoment(frame, rows),
    imputed,
    notes,
  };
}

/** ISO 8601 in UTC, without the milliseconds, and without the time at midnight. */
export function formatMoment(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 19)}Z`;
}

/** `id "x" at 2025-01-01`, or the row's number where the frame has no id. */
function nameOfRow(frame: Frame, row: number): string {
  const id = columnsOf(frame, 'id')[0];
  const time = columnsOf(frame, 'time')[0];
  const name = id === undefined ? `row ${row}` : `the row of ${id.name} "${textOf(id, row)}"`;
  return time === undefined ? name : `${name} at ${formatMoment(numbersOf(time)[row] as number)}`;
}

/** Rows of the frame by its time column: see `SelectionOptions.asOf`. */
export function rowsAsOf(frame: Frame, asOf: string, notes: string[]): Int32Array {
  if (frame.rows === 0) throw new FathomError('data', 'the frame has no rows, so there is nothing to lay out');
  const everything = Int32Array.from({ length: frame.rows }, (_, i) => i);
  const time = columnsOf(frame, 'time')[0];
  if (asOf === 'all' || (asOf === 'last' && time === undefined)) return everything;
  if (time === undefined)
    throw new FathomError('data', `asOf ${asOf}: the frame has no column of role time`, { hint: 'use asOf: all' });
  const times = numbersOf(time);
  const limit = asOf === 'last' ? Infinity : Date.parse(asOf);
  let first = Infinity;
  let moment = -Infinity;
  for (const t of times) {
    if (t < first) first = t;
    if (t <= limit && t > moment) moment = t;
  }
  if (moment === -Infinity)
    throw new FathomError('data', `asOf ${asOf}: no row was known by then`, {
      hint: Number.isFinite(first) ? `the first rows are of ${formatMoment(first)}` : `column "${time.name}" is empty`,
    });
  if (asOf !== 'last' && moment !== limit)
    notes.push(`The newest rows known at ${asOf} are those of ${formatMoment(moment)}.`);
  const rows = everything.filter((i) => times[i] === moment);
  if (rows.length <= 3 && frame.rows > rows.length)
    notes.push(
      `Only ${rows.length} of ${frame.rows} rows are of ${formatMoment(moment)}; \`asOf: all\` takes every row.`,
    );
  return rows;
}

function sampled(rows: Int32Array, maxRows: number, rng: Rng, notes: string[]): Int32Array {
  if (rows.length <= maxRows) return rows;
  notes.push(`A random sample of ${maxRows} of ${rows.length} rows is shown (\`maxRows\`).`);
  return rng.shuffle(Int32Array.from(rows)).slice(0, maxRows).sort();
}

function featureColumns(frame: Frame, names: readonly string[] | undefined): readonly FrameColumn[] {
  const columns =
    names === undefined ? columnsOf(frame, 'feature') : [...new Set(names)].map((n) => columnNamed(frame, n));
  if (columns.length === 0)
    throw new FathomError('data', 'the frame has no column of role feature', { hint: 'name columns in `features`' });
  const category = columns.find((column) => column.type === 'category');
  if (category !== undefined)
    throw new FathomError('data', `feature "${category.name}" holds categories: distances need numbers`, {
      hint: 'name the numeric columns in `features`',
    });
  return columns;
}

/** The columns side by side, NaN replaced by the mean of the column's finite values; `gaps` counts them. */
function filled(rows: Int32Array, columns: readonly FrameColumn[]): { matrix: Matrix; gaps: Map<string, number> } {
  const values = new Float64Array(rows.length * columns.length);
  const gaps = new Map<string, number>();
  for (const [c, column] of columns.entries()) {
    const source = numbersOf(column);
    let sum = 0;
    let known = 0;
    for (const row of rows) {
      const value = source[row] as number;
      if (!Number.isFinite(value)) continue;
      sum += value;
      known++;
    }
    for (const [i, row] of rows.entries()) {
      const value = source[row] as number;
      const missing = Number.isNaN(value);
      if (missing) gaps.set(column.name, (gaps.get(column.name) ?? 0) + 1);
      values[i * columns.length + c] = missing ? sum / known : value;
    }
  }
  return { matrix: { rows: rows.length, columns: columns.length, values }, gaps };
}

function oneMoment(frame: Frame, rows: Int32Array): number | undefined {
  const time = columnsOf(frame, 'time')[0];
  if (time === undefined || rows.length === 0) return undefined;
  const times = numbersOf(time);
  const first = times[rows[0] as number] as number;
  return rows.every((row) => times[row] === first) ? first : undefined;
}
