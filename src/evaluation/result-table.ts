/** The comparison as columns: one row a target, model and score. */
import type { ParquetColumn } from '../tables/parquet.ts';
import type { TargetComparison } from './compare.ts';

export function resultColumns(comparisons: readonly TargetComparison[]): ParquetColumn[] {
  const rows = comparisons
    .flatMap(({ metric: deciding, models, kind }) =>
      models.flatMap((one) =>
        one.metrics.map((metric) => ({
          kind,
          one,
          metric,
          decides: metric.name === deciding && metric.target === one.source.target,
        })),
      ),
    )
    .sort(
      (a, b) =>
        byText(a.metric.target ?? '', b.metric.target ?? '') ||
        byText(a.one.model, b.one.model) ||
        byText(a.metric.name, b.metric.name),
    );
  type Row = (typeof rows)[number];
  const text = (name: string, description: string, of: (row: Row) => string | null): ParquetColumn => ({
    name,
    role: name === 'model' ? 'id' : 'info',
    description,
    type: 'STRING',
    values: rows.map(of),
  });
  const number = (name: string, description: string, of: (row: Row) => number | null | undefined): ParquetColumn => ({
    name,
    role: 'info',
    description,
    type: 'DOUBLE',
    values: rows.map((row) => of(row) ?? null),
  });
  const count = (name: string, description: string, of: (row: Row) => number | undefined): ParquetColumn => ({
    name,
    role: 'info',
    description,
    type: 'INT32',
    values: rows.map((row) => of(row) ?? null),
  });
  /** Only the deciding score was compared. */
  const decided = (of: (one: Row['one']) => number | null | undefined) => (row: Row) =>
    row.decides ? of(row.one) : null;
  return [
    text('target', 'Target; name=class for one class of several', ({ metric }) => metric.target ?? null),
    text('model', 'Stage that predicted', ({ one }) => one.model),
    text('metric', 'Standard name of the score', ({ metric }) => metric.name),
    text('kind', 'binary, multiclass or regression', ({ kind }) => kind),
    text('goal', 'maximize or minimize', ({ metric }) => metric.goal),
    count('rows', 'Test rows', ({ metric }) => metric.n),
    count('clusters', 'Clusters that the intervals resample', ({ metric }) => metric.clusters),
    count('blocks', 'Stretches of time; resampled too from five on', ({ metric }) => metric.blocks),
    number('value', 'Score on the test rows of all folds', ({ metric }) => metric.value),
    number('low', 'Lower end of the 95 % interval', ({ metric }) => metric.low),
    number('high', 'Upper end of the 95 % interval', ({ metric }) => metric.high),
    text('baselineLabel', 'What the baseline is', ({ metric }) => metric.baseline?.label ?? null),
    number('baseline', 'Score of the baseline', ({ metric }) => metric.baseline?.value),
    number('baselineLow', 'Lower end of its 95 % interval', ({ metric }) => metric.baseline?.low),
    number('baselineHigh', 'Upper end of its 95 % interval', ({ metric }) => metric.baseline?.high),
    number(
      'gain',
      'Over the baseline, positive is better',
      decided(({ gain }) => gain.value),
    ),
    number(
      'gainLow',
      'Lower end of its 95 % interval',
      decided(({ gain }) => gain.low),
    ),
    number(
      'gainHigh',
      'Upper end of its 95 % interval',
      decided(({ gain }) => gain.high),
    ),
    number(
      'gainLowHolm',
      "Lower end at Holm's level",
      decided(({ gain }) => gain.correctedLow),
    ),
    number(
      'gainHighHolm',
      "Upper end at Holm's level",
      decided(({ gain }) => gain.correctedHigh),
    ),
    number(
      'p',
      'Two-sided bootstrap p of no gain',
      decided(({ gain }) => gain.p),
    ),
    number(
      'pHolm',
      'Adjusted for all comparisons',
      decided(({ gain }) => gain.adjustedP),
    ),
    text('bestOther', 'Best of the other models', (row) => (row.decides ? (row.one.versus?.model ?? null) : null)),
    number(
      'difference',
      'Over the best other model, positive is better',
      decided(({ versus }) => versus?.value),
    ),
    number(
      'differenceLow',
      'Lower end of its 95 % interval',
      decided(({ versus }) => versus?.low),
    ),
    number(
      'differenceHigh',
      'Upper end of its 95 % interval',
      decided(({ versus }) => versus?.high),
    ),
  ];
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
