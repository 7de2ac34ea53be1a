/** The table of predictions that every model leaves: one row a target and predicted row of the frame. */
import { columnsOf, type Frame, type FrameColumn, numbersOf, textOf } from '../tables/frame.ts';
import type { ParquetColumn } from '../tables/parquet.ts';

/** Predictions of one target on some rows of a frame. */
export interface TargetPredictions {
  /** Label column, or `label=class`. */
  readonly target: string;
  /** Row numbers in the frame, ascending. */
  readonly rows: Uint32Array;
  readonly sets: readonly string[];
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly baseline: Float64Array;
  readonly baselineLabel: string;
}

/** Who a row is about and which rows belong together. */
export interface RowNames {
  id(row: number): string;
  group(row: number): string;
  time(row: number): Date | null;
  /** When the last of its labels was known. */
  labelEnd(row: number): Date | null;
}

/** Names by the roles of a frame: rows without an id are numbered, rows without a group stand for themselves. */
export function namesOf(frame: Frame): RowNames {
  const one = (role: FrameColumn['role']): FrameColumn | undefined => columnsOf(frame, role)[0];
  const [id, group, time] = [one('id'), one('group'), one('time')];
  const times = time === undefined ? undefined : numbersOf(time);
  const ends = columnsOf(frame, 'labelEnd').map(numbersOf);
  const idOf = (row: number): string => (id === undefined ? String(row) : textOf(id, row));
  return {
    id: idOf,
    group: (row) => (group === undefined ? idOf(row) : textOf(group, row)),
    time: (row) => dateOf(times?.[row] ?? NaN),
    labelEnd: (row) => dateOf(ends.length === 0 ? NaN : Math.max(...ends.map((values) => values[row] as number))),
  };
}

function dateOf(milliseconds: number): Date | null {
  return Number.isNaN(milliseconds) ? null : new Date(milliseconds);
}

/** Columns of the table, ordered by (target, row). */
export function predictionColumns(
  names: RowNames,
  fold: number,
  predictions: readonly TargetPredictions[],
): ParquetColumn[] {
  const sorted = [...predictions].sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
  const rows = sorted.flatMap((part) => [...part.rows]);
  const numbers = (pick: (part: TargetPredictions) => Float64Array): number[] => sorted.flatMap((p) => [...pick(p)]);
  const repeated = (pick: (part: TargetPredictions) => string): string[] =>
    sorted.flatMap((part) => Array.from(part.rows, () => pick(part)));
  const info = 'info' as const;
  return [
    { name: 'row', role: info, type: 'INT32', values: Int32Array.from(rows), description: 'Row in the frame, from 0' },
    { name: 'id', role: 'id', type: 'STRING', values: rows.map(names.id) },
    { name: 'time', role: 'time', type: 'TIMESTAMP', values: rows.map(names.time) },
    { name: 'labelEnd', role: 'labelEnd', type: 'TIMESTAMP', values: rows.map(names.labelEnd) },
    { name: 'group', role: 'group', type: 'STRING', values: rows.map(names.group) },
    { name: 'fold', role: info, type: 'INT32', values: new Int32Array(rows.length).fill(fold) },
    { name: 'set', role: info, type: 'STRING', values: sorted.flatMap((part) => part.sets) },
    { name: 'target', role: info, type: 'STRING', values: repeated((part) => part.target) },
    { name: 'actual', role: info, type: 'DOUBLE', values: numbers((part) => part.actual) },
    { name: 'predicted', role: info, type: 'DOUBLE', values: numbers((part) => part.predicted) },
    { name: 'baseline', role: info, type: 'DOUBLE', values: numbers((part) => part.baseline) },
    { name: 'baselineLabel', role: info, type: 'STRING', values: repeated((part) => part.baselineLabel) },
  ];
}
