/** What the report shows of the targets. */
import type { TableFigure } from '../../contract/figure.ts';
import type { KnownWhen } from './columns.ts';
import type { TargetSummary } from './finish.ts';

const knownWords: Readonly<Record<KnownWhen, string>> = {
  window: 'end of the window',
  settlement: 'settlement of its positions',
  date: 'settlement of all rows of the date',
};

/** Definition, unit, coverage and baseline of each target, a row each. */
export function targetsFigure(summaries: readonly TargetSummary[], rows: number, horizon: string): TableFigure {
  return {
    kind: 'table',
    id: 'targets',
    section: 'data',
    title: 'What is to be predicted of each wallet, and how far its past tells it',
    subtitle: `Targets of the ${horizon} after each date: share of ${rows} rows with a value; Spearman correlation with the same quantity before the date`,
    caption:
      'The correlation is the mean over dates, by their rows, without an interval: a description of the data, not a score of a model.',
    method: 'Targets',
    columns: [
      { name: 'Target', align: 'left' },
      { name: 'Family', align: 'left' },
      { name: 'What it is', align: 'left' },
      { name: 'Unit', align: 'left' },
      { name: 'Known at', align: 'left' },
      { name: 'Coverage', unit: '%', align: 'right' },
      { name: 'Past predicts it', unit: 'Spearman', align: 'right' },
    ],
    rows: summaries.map(({ target, known, baselineSpearman }) => [
      target.name,
      target.family,
      target.description,
      target.unit,
      knownWords[target.known],
      rows === 0 ? null : (100 * known) / rows,
      Number.isNaN(baselineSpearman) ? null : baselineSpearman,
    ]),
  };
}
