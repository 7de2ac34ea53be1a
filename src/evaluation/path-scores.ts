/** Where every row is tested by several folds (combinatorial cross-validation), the score of each path through all rows. */
import type { TableFigure } from '../contract/figure.ts';
import { clustersOf, quantile, wholeSample } from './bootstrap.ts';
import type { TargetComparison } from './compare.ts';
import { prepareScores, rowsOf } from './measure.ts';
import type { ModelRows } from './predictions.ts';
import { scoreInfo } from './score-info.ts';
import { counted, written } from './words.ts';

const ROWS = 2 ** 32;

/**
 * Path of each prediction: the p-th fold that predicts a row belongs to path p (see combinatorial.ts). Undefined unless
 * every row is predicted by the same number of folds, two or more.
 */
export function pathOfRows({ key, fold }: Pick<ModelRows, 'key' | 'fold'>): Int32Array | undefined {
  const seen = new Map<number, number>();
  const path = new Int32Array(key.length);
  const order = Array.from(key, (_, i) => i).sort((a, b) => (fold[a] as number) - (fold[b] as number));
  for (const i of order) {
    const row = (key[i] as number) % ROWS;
    const before = seen.get(row) ?? 0;
    path[i] = before;
    seen.set(row, before + 1);
  }
  const counts = new Set(seen.values());
  const [times = 0] = counts;
  return counts.size === 1 && times > 1 ? path : undefined;
}

/** The deciding score of every model on every path; undefined where there are no paths. */
export function pathsFigure({ target, kind, metric, models }: TargetComparison, id: string): TableFigure | undefined {
  if (kind === 'multiclass') return undefined;
  const scores = models.map(({ model, source }) => {
    const rows = (source.classes[0] as (typeof source.classes)[number]).rows;
    const path = pathOfRows(rows);
    return path === undefined ? undefined : { model, values: scoresByPath(rows, path, kind, metric) };
  });
  const [first] = scores;
  if (first === undefined || scores.some((one) => one?.values.length !== first.values.length)) return undefined;
  const known = scores.flatMap((one) => (one === undefined ? [] : [one]));
  const sorted = first.values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const { label } = scoreInfo[metric];
  return {
    kind: 'table',
    id,
    section: 'models',
    title: `On ${counted(sorted.length, 'paths')} the score of ${first.model} goes from ${written(sorted[0])} to ${written(sorted.at(-1))}`,
    subtitle: `${label} of ${target} on each path through all test rows; median ${written(quantile(sorted, 0.5))}`,
    caption:
      'Every row is tested once on each path, by a model that did not see its time. Paths share training rows: how far they differ is no standard error. Counts of test rows elsewhere on this page count a row once for every path.',
    method: 'Splits',
    columns: [
      { name: 'path', align: 'right' },
      ...known.map(({ model }) => ({ name: model, align: 'right' as const })),
    ],
    rows: first.values.map((_, p) => [p, ...known.map(({ values }) => finiteOrNull(values[p]))]),
  };
}

function scoresByPath(rows: ModelRows, path: Int32Array, kind: 'binary' | 'regression', metric: string): number[] {
  const paths = path.reduce((most, p) => Math.max(most, p + 1), 0);
  return Array.from({ length: paths }, (_, p) => {
    const mine = (_value: unknown, i: number): boolean => path[i] === p;
    const fold = rows.fold.filter(mine);
    const one = new Int32Array(fold.length);
    const scored = (column: 'predicted' | 'baseline') =>
      rowsOf(kind, rows.target, rows.actual.filter(mine), rows[column].filter(mine), one);
    const scores = prepareScores(kind, scored('predicted'), scored('baseline'), 1, clustersOf(fold));
    return scores.find(({ name }) => name === metric)?.model.score(wholeSample(1)) ?? NaN;
  });
}

function finiteOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
