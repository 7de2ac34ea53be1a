/** Pictures of one training: how the loss fell and which features it used. */
import type { Figure } from '../../contract/figure.ts';
import type { Booster } from './booster.ts';

const MOST_BARS = 30;

export interface Curves {
  readonly target: string;
  /** Null if nothing was split into folds. */
  readonly fold: number;
  /** Name of the loss: "log loss". */
  readonly loss: string;
  readonly bestRounds: number;
  readonly trainingLoss: readonly number[];
  readonly validationLoss: readonly number[];
  readonly stopsEarly: boolean;
}

/** Loss by round on the training and validation rows. */
export function learningCurves(curves: Curves): Figure {
  const { target, fold, loss, bestRounds, trainingLoss, validationLoss, stopsEarly } = curves;
  const rounds = trainingLoss.map((_, i) => i + 1);
  const title = stopsEarly
    ? `The validation loss of ${target} is lowest after ${bestRounds} of ${rounds.length} rounds`
    : `Loss of ${target} over ${rounds.length} rounds`;
  return {
    kind: 'line',
    id: 'learning-curves',
    section: 'models',
    title,
    subtitle: `Mean ${loss} by boosting round, fold ${fold}`,
    caption: stopsEarly
      ? `Boosted trees; training stopped once the validation loss had not fallen for a while, and predictions use the first ${bestRounds} rounds.`
      : 'Boosted trees, all rounds used.',
    x: { label: 'Boosting round', scale: 'linear', min: 1 },
    y: { label: loss.charAt(0).toUpperCase() + loss.slice(1), scale: 'linear' },
    series: [
      ...(validationLoss.length === 0
        ? []
        : [{ label: 'Validation', role: 'this' as const, x: rounds, y: validationLoss }]),
      { label: 'Training', role: 'other' as const, x: rounds, y: trainingLoss },
    ],
  };
}

/** Share of the total gain by feature, with the mean gain, cover and number of splits of each. */
export function importanceBars(booster: Booster, target: string, fold: number): Figure {
  const [total, gain, cover, splits] = (['total_gain', 'gain', 'cover', 'weight'] as const).map((kind) =>
    booster.importance(kind),
  ) as [Map<string, number>, Map<string, number>, Map<string, number>, Map<string, number>];
  const sum = [...total.values()].reduce((a, b) => a + b, 0);
  const ranked = [...total].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const [first] = ranked;
  const percent = (value: number): number => (100 * value) / sum;
  return {
    kind: 'bars',
    id: 'importance',
    section: 'models',
    title:
      first === undefined
        ? `No tree for ${target} splits on any feature`
        : `${first[0]} brings ${percent(first[1]).toFixed(0)} % of what the trees for ${target} learn`,
    subtitle: `Share of the total gain in %, fold ${fold}, ${Math.min(MOST_BARS, ranked.length)} of ${ranked.length} features that are used`,
    caption:
      'Gain: reduction of the training loss by the splits on a feature. It says what the trees used, not what causes the target, and correlated features share it by chance.',
    unit: '%',
    bars: ranked.slice(0, MOST_BARS).map(([name, value]) => ({
      label: name,
      role: 'this',
      value: percent(value),
      note: `mean gain ${short(gain.get(name))}, mean cover ${short(cover.get(name))}, ${splits.get(name)} splits`,
    })),
  };
}

function short(value: number | undefined): string {
  return value === undefined ? 'unknown' : String(Number(value.toPrecision(3)));
}
