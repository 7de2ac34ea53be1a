/**
 * Checks an assignment of rows to sets for leaks, from the assignment alone: nothing here knows how it was made, so a
 * splitter that errs is caught.
 */
import type { Check } from '../contract/metrics.ts';
import { SET, setNames, spanOf } from './hold-out.ts';
import { meetsAny, mergeSpans, type Span } from './spans.ts';
import { type Fold, isInTime, type SplitOptions, type SplitRows, sizesOf } from './split.ts';
import { checkTargets, type NamedValues } from './target-leak.ts';

/** What the splitter promised; a promise that is broken fails, what was not promised is only said. */
export type Promises = Pick<SplitOptions, 'scheme' | 'disjointGroups' | 'validationFraction' | 'purge'>;

export interface LeakRows extends SplitRows {
  /** Equal numbers for rows whose features are all equal. */
  readonly twin?: ArrayLike<number>;
  readonly features?: readonly NamedValues[];
  readonly targets?: readonly NamedValues[];
}

/** The checks of a split, in the order of the verdict strip. */
export function checkSplits(rows: LeakRows, folds: readonly Fold[], promises: Promises): Check[] {
  return [
    checkTimeOrder(rows, folds, promises),
    checkLabelOverlap(rows, folds, promises),
    checkGroupOverlap(rows, folds, promises),
    checkDuplicates(rows, folds),
    checkEmptySets(folds, promises),
    ...(rows.features === undefined ? [] : [checkTargets(rows.features, rows.targets ?? [])]),
  ];
}

/** Pairs of sets of which the first must know nothing of the second. */
const pairs = [
  [SET.train, SET.test],
  [SET.validation, SET.test],
  [SET.train, SET.validation],
] as const;

function checkTimeOrder(rows: SplitRows, folds: readonly Fold[], { scheme }: Promises): Check {
  const name = 'Time order';
  const { time } = rows;
  if (time === undefined)
    return { name, verdict: 'pass', detail: 'The rows carry no time, so there is no order to keep.' };
  let later = 0;
  let example = '';
  folds.forEach((fold, i) => {
    const found = new Set<number>();
    for (const [first, second] of pairs) {
      let start = Infinity;
      fold.forEach((set, row) => {
        if (set === second) start = Math.min(start, time[row] as number);
      });
      fold.forEach((set, row) => {
        if (set !== first || (time[row] as number) < start) return;
        found.add(row);
        example ||= `, first in fold ${i}: ${setNames[first]} row ${row} is not before the ${setNames[second]} set`;
      });
    }
    later += found.size;
  });
  if (later === 0)
    return {
      name,
      verdict: 'pass',
      detail: `In all ${plural(folds.length, 'fold')}, training ends before validation and validation before the test.`,
    };
  if (scheme === 'walk-forward')
    return { name, verdict: 'fail', detail: `${plural(later, 'row')} out of order${example}.` };
  return {
    name,
    verdict: 'undecided',
    detail: `${scheme} also trains on rows as late as the test or later (${plural(later, 'row')} over all folds): its scores say how well rows are told apart, not how well the future is foretold.`,
  };
}

function checkLabelOverlap(rows: SplitRows, folds: readonly Fold[], { scheme, purge }: Promises): Check {
  const name = 'Label overlap';
  if (rows.time === undefined)
    return { name, verdict: 'pass', detail: 'The rows carry no time, so no label spans a period.' };
  let count = 0;
  let unknown = 0;
  let example = '';
  folds.forEach((fold, i) => {
    const found = new Set<number>();
    for (const [first, second] of pairs) {
      const spans: Span[] = [];
      fold.forEach((set, row) => {
        if (set !== second) return;
        const span = spanOf(rows, row);
        spans.push({ from: span.from, to: Number.isNaN(span.to) ? span.from : span.to });
      });
      const held = mergeSpans(spans);
      fold.forEach((set, row) => {
        if (set !== first) return;
        const span = spanOf(rows, row);
        const endless = Number.isNaN(span.to);
        if (!endless && !meetsAny(span, held)) return;
        if (endless && !found.has(row)) unknown++;
        found.add(row);
        example ||= `, first in fold ${i}: ${setNames[first]} row ${row} and the ${setNames[second]} set`;
      });
    }
    count += found.size;
  });
  const promised = purge && isInTime(scheme);
  if (count > 0) {
    const detail = `The label spans of ${plural(count, 'row')} meet the period of a held-out set${unknown > 0 ? ` (${unknown} have no known end)` : ''}${example}.`;
    if (promised) return { name, verdict: 'fail', detail };
    return {
      name,
      verdict: 'undecided',
      detail: `${detail} ${scheme}${purge ? '' : ' without purge'} does not keep periods apart.`,
    };
  }
  if (rows.labelEnd === undefined)
    return {
      name,
      verdict: 'undecided',
      detail: 'No column says when labels end, so only the moments themselves were compared.',
    };
  return {
    name,
    verdict: 'pass',
    detail: `No label span of a training row meets a held-out period in any of ${plural(folds.length, 'fold')}.`,
  };
}

function checkGroupOverlap(rows: SplitRows, folds: readonly Fold[], { scheme, disjointGroups }: Promises): Check {
  const name = 'Group overlap';
  const { group } = rows;
  if (group === undefined) return { name, verdict: 'pass', detail: 'The rows carry no group.' };
  const promised = scheme === 'group-k-fold' || disjointGroups;
  let straddling = 0;
  let tested = 0;
  let example = '';
  folds.forEach((fold, i) => {
    const sets = setNames.map(() => new Set<string>());
    fold.forEach((set, row) => {
      sets[set]?.add(group[row] as string);
    });
    tested += sets[SET.test]?.size ?? 0;
    for (const [first, second] of pairs) {
      // Where groups may straddle, only those of the test set say anything about its scores.
      if (!promised && second !== SET.test) continue;
      for (const one of sets[second] ?? []) {
        if (sets[first]?.has(one) !== true) continue;
        if (first === SET.train || promised) straddling++;
        example ||= `, first "${one}" in fold ${i}, in ${setNames[first]} and ${setNames[second]}`;
      }
    }
  });
  if (straddling === 0)
    return {
      name,
      verdict: 'pass',
      detail: `No group stands on both sides in any of ${plural(folds.length, 'fold')}.`,
    };
  if (promised) return { name, verdict: 'fail', detail: `${plural(straddling, 'group')} on both sides${example}.` };
  return {
    name,
    verdict: 'undecided',
    detail: `${straddling} of ${plural(tested, 'test group')} (over all folds) also train: the scores hold for groups with a history, not for new ones.`,
  };
}

function checkDuplicates(rows: LeakRows, folds: readonly Fold[]): Check {
  const name = 'Duplicates';
  const keys = keysOf(rows);
  const same = keys === undefined ? { count: 0, example: '' } : across(folds, keys);
  if (same.count > 0)
    return {
      name,
      verdict: 'fail',
      detail: `${plural(same.count, 'held-out row')} with the id and time of a training row${same.example}.`,
    };
  const twins = rows.twin === undefined ? { count: 0, example: '' } : across(folds, rows.twin);
  if (twins.count > 0)
    return {
      name,
      verdict: 'undecided',
      detail: `${plural(twins.count, 'held-out row')} (over all folds) with exactly the features of a training row${twins.example}.`,
    };
  if (keys === undefined && rows.twin === undefined)
    return { name, verdict: 'undecided', detail: 'The rows carry neither ids nor features to compare.' };
  return { name, verdict: 'pass', detail: 'No held-out row repeats a training row.' };
}

/** Held-out rows whose key is also that of a row that trains (or, for test rows, validates). */
function across(folds: readonly Fold[], keys: ArrayLike<string | number>): { count: number; example: string } {
  let count = 0;
  let example = '';
  folds.forEach((fold, i) => {
    const rowsOf = setNames.map(() => new Map<string | number, number>());
    fold.forEach((set, row) => {
      rowsOf[set]?.set(keys[row] as string | number, row);
    });
    fold.forEach((set, row) => {
      const before = set === SET.test ? [SET.train, SET.validation] : set === SET.validation ? [SET.train] : [];
      for (const other of before) {
        const twin = rowsOf[other]?.get(keys[row] as string | number);
        if (twin === undefined) continue;
        count++;
        example ||= `, first in fold ${i}: rows ${twin} (${setNames[other]}) and ${row} (${setNames[set]})`;
        break;
      }
    });
  });
  return { count, example };
}

function keysOf({ id, time, count }: SplitRows): string[] | undefined {
  if (id === undefined) return undefined;
  return Array.from({ length: count }, (_, row) => `${id[row]}@${time?.[row] ?? ''}`);
}

function checkEmptySets(folds: readonly Fold[], { validationFraction }: Promises): Check {
  const name = 'Empty sets';
  const wanted = [SET.train, SET.test, ...(validationFraction > 0 ? [SET.validation] : [])];
  const empty: string[] = [];
  let least = Infinity;
  folds.forEach((fold, i) => {
    const sizes = sizesOf(fold);
    for (const set of wanted) {
      const size = sizes[set] as number;
      least = Math.min(least, size);
      if (size === 0) empty.push(`fold ${i} has no ${setNames[set]} rows`);
    }
  });
  if (empty.length > 0 || folds.length === 0)
    return { name, verdict: 'fail', detail: `${empty.join('; ') || 'there is no fold'}.` };
  return { name, verdict: 'pass', detail: `Every set of every fold has rows; the smallest has ${least}.` };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
