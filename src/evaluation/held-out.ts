/** Held-out predictions row by row, for what works on them after training: calibration, ensembles, intervals. */
import { FathomError } from '../errors.ts';
import type { ParquetColumn } from '../tables/parquet.ts';
import type { PredictionTable } from './predictions.ts';
import { type Sampling, samplingOf, timeBlocks } from './sampling.ts';

export interface HeldOutRow {
  readonly model: string;
  readonly row: number;
  readonly fold: number;
  readonly set: 'validation' | 'test';
  readonly id: string;
  readonly group: string;
  /** UTC milliseconds; null where the rows carry none. */
  readonly time: number | null;
  readonly labelEnd: number | null;
  readonly target: string;
  /** Null: not known yet. */
  readonly actual: number | null;
  readonly predicted: number;
  readonly baseline: number;
  readonly baselineLabel: string;
  /** Standard deviation among the members of an ensemble; null for a single model. */
  readonly spread: number | null;
}

/** All held-out rows of prediction tables, in the order given. A prediction that is not a finite number is refused. */
export function heldOutRows(tables: readonly PredictionTable[]): HeldOutRow[] {
  return tables.flatMap(({ model, file, rows }) =>
    rows.flatMap((row, at): HeldOutRow[] => {
      const { set } = row;
      if (set !== 'validation' && set !== 'test') return [];
      const number = (name: string): number => {
        const value = row[name];
        if (typeof value === 'number' && Number.isFinite(value)) return value;
        throw new FathomError('data', `${file}: row ${at} has ${name} ${String(value)}`, {
          hint: 'predictions need finite numbers in row, fold, predicted and baseline',
        });
      };
      const known = (name: string): number | null =>
        row[name] === null || row[name] === undefined ? null : number(name);
      const moment = (value: unknown): number | null => (value instanceof Date ? value.getTime() : null);
      return [
        {
          model,
          row: number('row'),
          fold: number('fold'),
          set,
          id: String(row['id'] ?? number('row')),
          group: String(row['group'] || row['id'] || number('row')),
          time: moment(row['time']),
          labelEnd: moment(row['labelEnd']),
          target: String(row['target']),
          actual: known('actual'),
          predicted: number('predicted'),
          baseline: number('baseline'),
          baselineLabel: String(row['baselineLabel'] ?? 'baseline'),
          spread: known('spread'),
        },
      ];
    }),
  );
}

/** The table that stages after this one read, as models write it, ordered by (target, fold, row). */
export function heldOutColumns(rows: readonly HeldOutRow[]): ParquetColumn[] {
  const sorted = rows.toSorted(
    (a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0) || a.fold - b.fold || a.row - b.row,
  );
  const role = 'info' as const;
  const date = (value: number | null): Date | null => (value === null ? null : new Date(value));
  return [
    { name: 'row', role, type: 'INT32', values: sorted.map((r) => r.row), description: 'Row in the frame, from 0' },
    { name: 'id', role: 'id', type: 'STRING', values: sorted.map((r) => r.id) },
    { name: 'time', role: 'time', type: 'TIMESTAMP', values: sorted.map((r) => date(r.time)) },
    { name: 'labelEnd', role: 'labelEnd', type: 'TIMESTAMP', values: sorted.map((r) => date(r.labelEnd)) },
    { name: 'group', role: 'group', type: 'STRING', values: sorted.map((r) => r.group) },
    { name: 'fold', role, type: 'INT32', values: sorted.map((r) => r.fold) },
    { name: 'set', role, type: 'STRING', values: sorted.map((r) => r.set) },
    { name: 'target', role, type: 'STRING', values: sorted.map((r) => r.target) },
    { name: 'actual', role, type: 'DOUBLE', values: sorted.map((r) => r.actual) },
    { name: 'predicted', role, type: 'DOUBLE', values: sorted.map((r) => r.predicted) },
    { name: 'baseline', role, type: 'DOUBLE', values: sorted.map((r) => r.baseline) },
    { name: 'baselineLabel', role, type: 'STRING', values: sorted.map((r) => r.baselineLabel) },
    {
      name: 'spread',
      role,
      type: 'DOUBLE',
      values: sorted.map((r) => r.spread),
      description: 'Standard deviation among the members of an ensemble',
    },
  ];
}

/** A row whose outcome is known. */
export type JudgedRow = HeldOutRow & { readonly actual: number };

export function isJudged(row: HeldOutRow): row is JudgedRow {
  return row.actual !== null;
}

/** What resamples of these rows draw: their groups and stretches of time. */
export function samplingOfRows(rows: readonly HeldOutRow[]): Sampling {
  const blocks = timeBlocks(
    rows.map((r) => r.time ?? NaN),
    rows.map((r) => r.labelEnd ?? NaN),
  );
  return samplingOf(
    rows.map((r) => r.group),
    blocks,
  );
}

/** Rows by fold, folds ascending. */
export function byFold<Row extends HeldOutRow>(rows: readonly Row[]): [number, Row[]][] {
  const folds = new Map<number, Row[]>();
  for (const row of rows) {
    const list = folds.get(row.fold);
    if (list === undefined) folds.set(row.fold, [row]);
    else list.push(row);
  }
  return [...folds].sort(([a], [b]) => a - b);
}

/**
 * Validation and test rows of each fold with known outcomes; an error names a fold without validation rows, on which
 * what comes after training must be fitted.
 */
export function foldsWithValidation(
  rows: readonly HeldOutRow[],
  target: string,
): { fold: number; validation: JudgedRow[]; test: JudgedRow[] }[] {
  const mine = rows.filter((row) => row.target === target).filter(isJudged);
  if (mine.length === 0)
    throw new FathomError('data', `the predictions hold no row of "${target}" whose outcome is known`, {
      hint: `the targets are ${[...new Set(rows.map((row) => row.target))].join(', ') || 'none'}`,
    });
  return byFold(mine).map(([fold, list]) => {
    const validation = list.filter(({ set }) => set === 'validation');
    if (validation.length === 0)
      throw new FathomError('data', `fold ${fold} has no validation rows of "${target}" to fit on`, {
        hint: 'split with validationFraction above 0; the winner of a sweep trains on its validation rows too, so connect a stage that is not swept',
      });
    return { fold, validation, test: list.filter(({ set }) => set === 'test') };
  });
}
