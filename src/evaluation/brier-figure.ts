/** How honest probabilities are, in numbers. */
import type { TableFigure } from '../contract/figure.ts';
import { brierParts } from './calibration.ts';
import type { ModelComparison, TargetComparison } from './compare.ts';
import type { ModelRows } from './predictions.ts';
import { counted, percent } from './words.ts';

/** The Brier score in its parts, of every model and the baseline of the best. */
export function brierTable({ target, best, models }: TargetComparison, id: string, bins: number): TableFigure {
  const rowsOf = (one: ModelComparison): ModelRows =>
    (one.source.classes[0] as (typeof one.source.classes)[number]).rows;
  const line = (label: string, { actual }: ModelRows, predicted: Float64Array): (string | number)[] => {
    const parts = brierParts(actual, predicted, bins);
    return [
      label,
      parts.brier,
      parts.reliability,
      parts.resolution,
      parts.uncertainty,
      parts.within,
      parts.expectedError,
    ];
  };
  const rows = [
    ...models.map((one) => line(one.model, rowsOf(one), rowsOf(one).predicted)),
    line(best.baselineLabel, rowsOf(best), rowsOf(best).baseline),
  ];
  const off = rows[0]?.[6] as number;
  return {
    kind: 'table',
    id,
    section: 'models',
    title: `Probabilities of ${best.model} for ${target} are off by ${percent(off)} on average`,
    subtitle: `Brier score = reliability − resolution + uncertainty + within groups, up to ${bins} groups; ${counted(best.n, 'test rows')}`,
    caption:
      'Reliability: distance from honest probabilities, 0 is best. Resolution: how much is told, more is better. Uncertainty: what nobody can help. Calibration error: mean distance of what happens from what is predicted; noise alone keeps it above 0.',
    method: 'Calibration',
    columns: [
      { name: 'model', align: 'left' },
      ...['Brier score', 'reliability', 'resolution', 'uncertainty', 'within groups', 'calibration error'].map(
        (name) => ({ name, align: 'right' as const }),
      ),
    ],
    rows,
  };
}
