/** Splits rows into training, validation and test sets, fold by fold, without letting the test leak into training. */
import { FathomError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import { blocksOfTime, combinations } from './combinatorial.ts';
import { groupOf, holdOut, SET, setNames, spanOf, validateLastDates } from './hold-out.ts';

type SplitScheme = 'walk-forward' | 'purged-k-fold' | 'combinatorial-purged' | 'group-k-fold' | 'k-fold';

/** Whether test sets are periods, from which training rows can be purged. */
export function isInTime(scheme: SplitScheme): boolean {
  return scheme === 'walk-forward' || scheme === 'purged-k-fold' || scheme === 'combinatorial-purged';
}

/** The rows as a splitter sees them. Times are numbers of any one unit. */
export interface SplitRows {
  readonly count: number;
  /** Names of the rows: with the time they fix an order that does not depend on where a row stands. */
  readonly id?: readonly string[];
  readonly time?: ArrayLike<number>;
  /** When the labels are known; the time itself if left out. NaN: not known yet, so such a row never trains. */
  readonly labelEnd?: ArrayLike<number>;
  readonly group?: readonly string[];
  /** Class of each row, for stratified folds. */
  readonly stratum?: readonly string[];
}

export interface SplitOptions {
  readonly scheme: SplitScheme;
  /** Number of folds; `combinatorial-purged`: of blocks, and the folds are the ways to choose `testBlocks` of them. */
  readonly folds: number;
  /** `combinatorial-purged`: blocks that one fold tests. */
  readonly testBlocks?: number;
  /** Part of the training rows that validates: the last dates, or whole groups. 0 for none. */
  readonly validationFraction: number;
  readonly purge: boolean;
  /** In the unit of the times. */
  readonly embargo: number;
  /** In time schemes: no group of the test set trains or validates, none of the validation set trains. */
  readonly disjointGroups: boolean;
  readonly minTrainRows: number;
  readonly minTestRows: number;
  /** Walk-forward: `folds + 1` boundaries of the test blocks instead of equally many dates a block. */
  readonly boundaries?: readonly number[];
  /** Walk-forward: first moment of the training window of a test block that begins at `testFrom`; default: the beginning. */
  readonly trainFrom?: (testFrom: number) => number;
}

/** One code of `SET` a row. */
export type Fold = Int32Array;

export function splitRows(rows: SplitRows, options: SplitOptions, rng: Rng): Fold[] {
  checkRows(rows);
  const folds = foldsOf(rows, options, rng);
  for (const [i, fold] of folds.entries()) checkSizes(fold, i, options);
  return folds;
}

function foldsOf(rows: SplitRows, options: SplitOptions, rng: Rng): Fold[] {
  switch (options.scheme) {
    case 'walk-forward':
      return walkForward(rows, options);
    case 'purged-k-fold':
      return purgedKFold(rows, options);
    case 'combinatorial-purged':
      return combinatorial(rows, options);
    case 'group-k-fold':
      return groupKFold(rows, options, rng);
    case 'k-fold':
      return kFold(rows, options, rng);
  }
}

/** Distinct times, ascending. */
function datesOf(rows: SplitRows): number[] {
  if (rows.time === undefined)
    throw new FathomError('data', 'the rows carry no time, so they cannot be split in time', {
      hint: 'give a column the role "time", or use scheme: group-k-fold or k-fold',
    });
  return [...new Set(Array.from(rows.time))].sort((a, b) => a - b);
}

/**
 * Boundaries of `blocks` runs of equally many dates; the last one is infinite.
 * Block b holds the dates from `boundaries[b]` up to but not including `boundaries[b + 1]`.
 */
export function equalBlocks(dates: readonly number[], blocks: number): number[] {
  if (dates.length < blocks)
    throw new FathomError('data', `${dates.length} distinct dates do not make ${blocks} blocks in time`, {
      hint: 'lower `folds`, or take profiles at more dates',
    });
  const cuts = Array.from({ length: blocks }, (_, b) => dates[Math.floor((b * dates.length) / blocks)] as number);
  return [...cuts, Infinity];
}

/** Expanding (or rolling) window: each block of dates is tested once by what was known before it. */
function walkForward(rows: SplitRows, options: SplitOptions): Fold[] {
  const { folds } = options;
  const boundaries = options.boundaries ?? equalBlocks(datesOf(rows), folds + 1).slice(1);
  if (boundaries.length !== folds + 1)
    throw new FathomError('data', `${folds} folds need ${folds + 1} boundaries, not ${boundaries.length}`, {
      hint: 'a boundary before each test block and one after the last; set `folds` to match `boundaries`',
    });
  if (boundaries.some((boundary, i) => i > 0 && !(boundary > (boundaries[i - 1] as number))))
    throw new FathomError('data', 'the boundaries of the test blocks must ascend');
  const time = rows.time ?? [];
  return Array.from({ length: folds }, (_, i) => {
    const from = boundaries[i] as number;
    const to = boundaries[i + 1] as number;
    const first = options.trainFrom?.(from) ?? -Infinity;
    const fold = new Int32Array(rows.count);
    for (let row = 0; row < rows.count; row++) {
      const t = time[row] as number;
      if (t >= from && t < to) fold[row] = SET.test;
      else if (t >= first && t < from) fold[row] = SET.train;
    }
    holdOut(rows, fold, SET.test, options);
    validateLastDates(rows, fold, options);
    return fold;
  });
}

/** Contiguous blocks of dates; the rows before and after a block train, less the purged and embargoed ones. */
function purgedKFold(rows: SplitRows, options: SplitOptions): Fold[] {
  const boundaries = equalBlocks(datesOf(rows), options.folds);
  const time = rows.time ?? [];
  return Array.from({ length: options.folds }, (_, i) => {
    const fold = new Int32Array(rows.count).fill(SET.train);
    for (let row = 0; row < rows.count; row++) {
      const t = time[row] as number;
      if (t >= (boundaries[i] as number) && t < (boundaries[i + 1] as number)) fold[row] = SET.test;
    }
    holdOut(rows, fold, SET.test, options);
    validateLastDates(rows, fold, options);
    return fold;
  });
}

/** Every choice of `testBlocks` blocks of dates is tested once by a model of the others, purged around each block. */
function combinatorial(rows: SplitRows, options: SplitOptions): Fold[] {
  const { folds: blocks, testBlocks = 2 } = options;
  const block = blocksOfTime(rows.time ?? [], equalBlocks(datesOf(rows), blocks));
  return combinations(blocks, testBlocks).map((tested) => {
    const fold = Int32Array.from(block, (b) => (tested.includes(b) ? SET.test : SET.train));
    holdOut(rows, fold, SET.test, options, (row) => block[row] as number);
    validateLastDates(rows, fold, options);
    return fold;
  });
}

/** Whole groups a fold, each fold about equally many rows: the largest groups first, always to the smallest fold. */
function groupKFold(rows: SplitRows, { folds, validationFraction }: SplitOptions, rng: Rng): Fold[] {
  const sizes = new Map<string, number>();
  for (let row = 0; row < rows.count; row++) {
    const group = groupOf(rows, row);
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  if (sizes.size < folds)
    throw new FathomError('data', `${sizes.size} groups do not make ${folds} folds`, { hint: 'lower `folds`' });
  const names = rng.shuffle([...sizes.keys()].sort(byText));
  const foldOf = new Map<string, number>();
  const filled = new Array<number>(folds).fill(0);
  for (const name of names.toSorted((a, b) => (sizes.get(b) as number) - (sizes.get(a) as number))) {
    const smallest = filled.indexOf(Math.min(...filled));
    foldOf.set(name, smallest);
    filled[smallest] = (filled[smallest] as number) + (sizes.get(name) as number);
  }
  return filled.map((testRows, i) => {
    const wanted = validationFraction * (rows.count - testRows);
    const validation = new Set<string>();
    let taken = 0;
    for (const name of rng.shuffle(names.filter((group) => foldOf.get(group) !== i))) {
      const size = sizes.get(name) as number;
      // Half a group more than wanted is nearer than half a group less.
      if (taken + size / 2 > wanted && (validation.size > 0 || wanted === 0)) continue;
      validation.add(name);
      taken += size;
    }
    return Int32Array.from({ length: rows.count }, (_, row) => {
      const group = groupOf(rows, row);
      if (foldOf.get(group) === i) return SET.test;
      return validation.has(group) ? SET.validation : SET.train;
    });
  });
}

/** Shuffled rows dealt to the folds class by class, so that every fold has its share of each class. */
function kFold(rows: SplitRows, { folds, validationFraction }: SplitOptions, rng: Rng): Fold[] {
  if (rows.count < folds)
    throw new FathomError('data', `${rows.count} rows do not make ${folds} folds`, { hint: 'lower `folds`' });
  const members = new Map<string, number[]>();
  for (const row of canonicalOrder(rows)) {
    const stratum = rows.stratum?.[row] ?? '';
    const list = members.get(stratum);
    if (list === undefined) members.set(stratum, [row]);
    else list.push(row);
  }
  const shuffled = [...members.keys()].sort(byText).map((stratum) => rng.shuffle(members.get(stratum) as number[]));
  const foldOf = new Int32Array(rows.count);
  let dealt = 0;
  for (const row of shuffled.flat()) foldOf[row] = dealt++ % folds;
  return Array.from({ length: folds }, (_, i) => {
    const fold = Int32Array.from(foldOf, (f) => (f === i ? SET.test : SET.train));
    for (const list of shuffled) {
      const training = list.filter((row) => foldOf[row] !== i);
      const count = Math.round(validationFraction * training.length);
      // The deal goes round the folds; a stretch of it is an even draw from each.
      for (const row of training.slice(0, count)) fold[row] = SET.validation;
    }
    return fold;
  });
}

/** Rows by time, then name: the same whatever order they came in. */
function canonicalOrder(rows: SplitRows): number[] {
  const time = rows.time;
  const id = rows.id;
  return Array.from({ length: rows.count }, (_, row) => row).sort((a, b) => {
    const byTime = time === undefined ? 0 : (time[a] as number) - (time[b] as number);
    if (byTime !== 0) return byTime;
    return byText(id?.[a] ?? '', id?.[b] ?? '') || a - b;
  });
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkRows(rows: SplitRows): void {
  if (rows.count === 0) throw new FathomError('data', 'there are no rows to split');
  for (let row = 0; row < rows.count && rows.time !== undefined; row++) {
    const { from, to } = spanOf(rows, row);
    if (!Number.isFinite(from)) throw new FathomError('data', `row ${row} has no time`);
    if (to < from) throw new FathomError('data', `row ${row}: its label ends before it begins`);
  }
}

/** Rows of each set, in the order of `setNames`. */
export function sizesOf(fold: Fold): number[] {
  const sizes = setNames.map(() => 0);
  for (const set of fold) sizes[set] = (sizes[set] as number) + 1;
  return sizes;
}

function checkSizes(fold: Fold, index: number, options: SplitOptions): void {
  const [, train = 0, validation = 0, test = 0, purged = 0] = sizesOf(fold);
  const few = (set: string, count: number, parameter: string, least: number, hint: string): FathomError =>
    new FathomError(
      'data',
      `fold ${index} has ${count === 0 ? 'no' : `only ${count}`} ${set} rows${count === 0 ? '' : ` (${parameter}: ${least})`}`,
      { hint },
    );
  if (test < Math.max(1, options.minTestRows))
    throw few('test', test, 'minTestRows', options.minTestRows, 'lower `folds`, so that each test block is longer');
  if (train < Math.max(1, options.minTrainRows))
    throw few(
      'training',
      train,
      'minTrainRows',
      options.minTrainRows,
      purged > 0
        ? `${purged} rows were purged because their labels reach into the held-out period (or share a group with it): shorten the label's horizon, take more dates, or lower \`folds\``
        : 'lower `folds` or `validationFraction`',
    );
  if (options.validationFraction > 0 && validation === 0)
    throw few('validation', 0, '', 0, 'raise `validationFraction`, or set it to 0 and do without a validation set');
}
