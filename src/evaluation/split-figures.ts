/** The folds of a split as figures: when each set is, and how many rows it has. */
import type { Figure, LineFigure, TableFigure } from '../contract/figure.ts';
import type { Check } from '../contract/metrics.ts';
import { pathsOf } from './combinatorial.ts';
import { SET, setNames, spanOf } from './hold-out.ts';
import { type Fold, isInTime, type SplitOptions, type SplitRows, sizesOf } from './split.ts';

/** One set of one fold in numbers. Times in UTC milliseconds; null where there is no time or no row. */
export interface FoldPart {
  readonly fold: number;
  readonly set: (typeof setNames)[number];
  readonly rows: number;
  readonly groups: number | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly labelsTo: number | null;
}

/** What the figures and the scalars say of the folds, computed once. */
export function describeFolds(rows: SplitRows, folds: readonly Fold[]): FoldPart[] {
  return folds.flatMap((fold, i) => {
    const sizes = sizesOf(fold);
    return [SET.train, SET.validation, SET.test, SET.purged].map((set): FoldPart => {
      let from = Infinity;
      let to = -Infinity;
      let labelsTo = -Infinity;
      const groups = new Set<string>();
      fold.forEach((code, row) => {
        if (code !== set) return;
        if (rows.group !== undefined) groups.add(rows.group[row] as string);
        if (rows.time === undefined) return;
        const span = spanOf(rows, row);
        from = Math.min(from, span.from);
        to = Math.max(to, span.from);
        if (!Number.isNaN(span.to)) labelsTo = Math.max(labelsTo, span.to);
      });
      return {
        fold: i,
        set: setNames[set],
        rows: sizes[set] as number,
        groups: rows.group === undefined ? null : groups.size,
        from: finiteOrNull(from),
        to: finiteOrNull(to),
        labelsTo: rows.labelEnd === undefined ? null : finiteOrNull(labelsTo),
      };
    });
  });
}

export function splitFigures(
  parts: readonly FoldPart[],
  checks: readonly Check[],
  { scheme, embargo, purge }: Pick<SplitOptions, 'scheme' | 'embargo' | 'purge'>,
): Figure[] {
  const total = (set: string): number => parts.filter((p) => p.set === set).reduce((sum, p) => sum + p.rows, 0);
  const folds = new Set(parts.map((part) => part.fold)).size;
  const timed = parts.some((part) => part.from !== null);
  const inTime = isInTime(scheme);
  const failed = checks.filter((check) => check.verdict === 'fail').map((check) => check.name.toLowerCase());
  const title =
    failed.length > 0
      ? `The split leaks: ${failed.join(', ')}`
      : inTime
        ? `${number(total('test'))} rows are tested, each by models that trained outside its period`
        : `${number(total('test'))} rows are tested, each by a model that has not seen it`;
  const how = `${scheme}, ${folds} ${folds === 1 ? 'fold' : 'folds'}${inTime ? (purge ? `, purged by label span, embargo ${formatSpan(embargo)}` : ', not purged') : ''}`;
  const table: Figure = {
    kind: 'table',
    id: 'folds-table',
    section: 'data',
    title: timed && inTime ? 'When each set begins and ends, and how many rows it has' : title,
    subtitle: `Rows of each set and fold; ${number(total('purged'))} rows purged over all folds`,
    caption: `${how}. Times in UTC; "labels to" is the latest moment a label of the set depends on.`,
    method: 'Splits',
    columns: [
      { name: 'fold', align: 'right' },
      { name: 'set', align: 'left' },
      { name: 'rows', align: 'right' },
      { name: 'groups', align: 'right' },
      { name: 'from', unit: 'UTC', align: 'left' },
      { name: 'to', unit: 'UTC', align: 'left' },
      { name: 'labels to', unit: 'UTC', align: 'left' },
    ],
    rows: parts.map((p) => [p.fold, p.set, p.rows, p.groups, moment(p.from), moment(p.to), moment(p.labelsTo)]),
  };
  return timed && inTime ? [timeline(parts, title, how), table] : [table];
}

/** A bar a set and fold, as segments of a line chart over time. */
function timeline(parts: readonly FoldPart[], title: string, how: string): LineFigure {
  const series = (set: string, role: 'this' | 'baseline' | 'other'): LineFigure['series'][number] => {
    const x: number[] = [];
    const y: (number | null)[] = [];
    for (const { fold, from, to, labelsTo } of parts.filter((part) => part.set === set)) {
      if (from === null || to === null) continue;
      const end = labelsTo ?? to;
      x.push(from, end, end);
      y.push(fold, fold, null);
    }
    return { label: set, role, x, y };
  };
  return {
    kind: 'line',
    id: 'folds-timeline',
    section: 'data',
    title,
    subtitle: 'From the first row of each set to the end of its last label, by fold',
    caption: `${how}. Purged rows are not drawn; a gap before the test is what they left.`,
    method: 'Splits',
    x: { label: 'Time', unit: 'UTC', scale: 'time' },
    y: { label: 'Fold', scale: 'linear' },
    series: [series('train', 'other'), series('validation', 'baseline'), series('test', 'this')],
  };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function moment(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}

function formatSpan(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  return hours >= 24 ? `${hours / 24} d` : `${hours} h`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** Which fold tests each block of dates on each path through all of them. */
export function pathsFigure(blocks: number, testBlocks: number): TableFigure {
  const paths = pathsOf(blocks, testBlocks);
  return {
    kind: 'table',
    id: 'paths-table',
    section: 'data',
    title: `The tests make ${paths.length} whole paths through time`,
    subtitle: `Fold that tests each of ${blocks} blocks of dates, by path; every fold tests ${testBlocks}`,
    caption:
      'A path is a whole out-of-sample history. Paths share training rows, so they are no independent repetitions.',
    method: 'Splits',
    columns: [
      { name: 'path', align: 'right' },
      ...Array.from({ length: blocks }, (_, b) => ({ name: `block ${b}`, align: 'right' as const })),
    ],
    rows: paths.map((path, p) => [p, ...path]),
  };
}
