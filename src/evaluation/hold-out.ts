/** What a held-out set takes from the rows that train, in schemes in time. */
import { FathomError } from '../errors.ts';
import { hull, isPurged, type Span } from './spans.ts';
import type { Fold, SplitOptions, SplitRows } from './split.ts';

/** What a row is in a fold; the codes index this list. */
export const setNames = ['none', 'train', 'validation', 'test', 'purged'] as const;
export const SET = { none: 0, train: 1, validation: 2, test: 3, purged: 4 } as const;

/**
 * Takes from the training rows (and, for the test set, the validation rows) all that knows something of a held-out set.
 * @param blockOf block of a held-out row, where they lie in several with training rows between them
 */
export function holdOut(
  rows: SplitRows,
  fold: Fold,
  set: number,
  options: SplitOptions,
  blockOf: (row: number) => number = () => 0,
): void {
  const held = new Map<number, Span[]>();
  const groups = new Set<string>();
  for (let row = 0; row < rows.count; row++) {
    if (fold[row] !== set) continue;
    const { from, to } = spanOf(rows, row);
    const span = { from, to: Number.isNaN(to) ? from : to };
    const block = held.get(blockOf(row));
    if (block === undefined) held.set(blockOf(row), [span]);
    else block.push(span);
    if (options.disjointGroups) groups.add(groupOf(rows, row));
  }
  const blocks = [...held.values()].map((spans) => hull(spans) as Span);
  if (blocks.length === 0) return;
  for (let row = 0; row < rows.count; row++) {
    if (fold[row] !== SET.train) continue;
    const span = spanOf(rows, row);
    const unknown = Number.isNaN(span.to);
    if (options.purge && (unknown || isPurged(span, blocks, options.embargo))) fold[row] = SET.purged;
    else if (options.disjointGroups && groups.has(groupOf(rows, row))) fold[row] = SET.purged;
  }
}

/** Makes the last dates of the training rows the validation set, and purges training against it. */
export function validateLastDates(rows: SplitRows, fold: Fold, options: SplitOptions): void {
  if (options.validationFraction <= 0) return;
  const time = rows.time ?? [];
  const dates = [...new Set(Array.from(time).filter((_, row) => fold[row] === SET.train))].sort((a, b) => a - b);
  const count = Math.max(1, Math.round(options.validationFraction * dates.length));
  const from = dates[dates.length - count];
  if (from === undefined) return;
  for (let row = 0; row < rows.count; row++)
    if (fold[row] === SET.train && (time[row] as number) >= from) fold[row] = SET.validation;
  holdOut(rows, fold, SET.validation, options);
}

export function spanOf(rows: SplitRows, row: number): Span {
  const from = rows.time?.[row] as number;
  return { from, to: rows.labelEnd === undefined ? from : (rows.labelEnd[row] as number) };
}

export function groupOf(rows: SplitRows, row: number): string {
  const group = rows.group?.[row];
  if (group === undefined || group === '')
    throw new FathomError('data', group === undefined ? 'the rows carry no group' : `row ${row} has no group`, {
      hint: 'name a column in `group`, or give one the role "group"',
    });
  return group;
}
