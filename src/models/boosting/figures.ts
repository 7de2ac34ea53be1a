/** Pictures of one training: how the loss fell. */
import type { Figure } from '../../contract/figure.ts';

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
  /** True where more is better. */
  readonly maximize?: boolean;
}

/** Loss by round on the training and validation rows. */
export function learningCurves(curves: Curves): Figure {
  const { target, fold, loss, bestRounds, trainingLoss, validationLoss, stopsEarly, maximize } = curves;
  const [what, best] = maximize === true ? ['score', 'highest'] : ['loss', 'lowest'];
  const rounds = trainingLoss.map((_, i) => i + 1);
  const title = stopsEarly
    ? `The validation ${what} of ${target} is ${best} after ${bestRounds} of ${rounds.length} rounds`
    : `${what === 'loss' ? 'Loss' : 'Score'} of ${target} over ${rounds.length} rounds`;
  return {
    kind: 'line',
    id: 'learning-curves',
    section: 'models',
    title,
    subtitle: `Mean ${loss} by boosting round, fold ${fold}`,
    caption: stopsEarly
      ? `Boosted trees; training stopped once the validation ${what} had not ${maximize === true ? 'risen' : 'fallen'} for a while, and predictions use the first ${bestRounds} rounds.`
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
