/** Measures a fitted network: metrics beside baselines, one score to tune by, learning curves. */

import type { Figure } from '../../contract/figure.ts';
import type { Metric } from '../../contract/metrics.ts';
import { measureModel, scoreOf, type TargetKind } from '../../evaluation/measure.ts';
import { log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import type { RowNames } from '../predictions.ts';
import type { Fit, HeldOut } from './fit.ts';
import type { HeadKind } from './shape.ts';

/** How a head is judged: classes and events by ranking (AUC), amounts by rank correlation. */
function measuredAs(kind: HeadKind): TargetKind {
  return kind === 'binary' || kind === 'multiclass' ? 'binary' : 'regression';
}

/** @param names what rows of the frame are about, and when */
export function measurePredictions(
  fit: Fit,
  names: RowNames,
  rng: (purpose: string) => Rng,
  resamples: number,
): Metric[] {
  return fit.predictions
    .filter((predictions) => predictions.rows.length > 0)
    .flatMap(({ head, target, set, rows, actual, predicted, baseline }) =>
      measureModel({
        kind: kindOf(fit, head),
        target,
        set,
        actual,
        predicted,
        baseline,
        clusters: Array.from(rows, names.group),
        time: Array.from(rows, (row) => names.time(row)?.getTime() ?? NaN),
        labelEnd: Array.from(rows, (row) => names.labelEnd(row)?.getTime() ?? NaN),
        rng: rng(`bootstrap-${set}-${target}`),
        resamples,
      }),
    );
}

function kindOf(fit: Fit, head: number): TargetKind {
  return measuredAs(fit.model.heads[head]?.kind as HeadKind);
}

/**
 * One number for a set: each head's mean score over its output columns (AUC or Spearman), averaged by the heads'
 * weights. Scores that are undefined are left out; null if none is defined.
 */
export function overallScore(fit: Fit, set: HeldOut, weights: readonly number[]): number | null {
  let sum = 0;
  let total = 0;
  for (const h of fit.model.heads.keys()) {
    const scores = fit.predictions
      .filter((p) => p.set === set && p.head === h && p.rows.length > 0)
      .map((p) => scoreOf(kindOf(fit, h), p.actual, p.predicted))
      .filter((score) => Number.isFinite(score));
    if (scores.length === 0) continue;
    const weight = weights[h] ?? 1;
    sum += (weight * scores.reduce((a, b) => a + b, 0)) / scores.length;
    total += weight;
  }
  return total > 0 ? sum / total : null;
}

/**
 * What the loss of a set would be if every head predicted its training mean (the classes' shares for classes), in the
 * units of the learning curves. Null where the set has no labels.
 */
export function constantLoss(fit: Fit, set: HeldOut, weights: readonly number[]): number | null {
  const known = headConstants(fit, set).flatMap((loss, h) => (loss === null ? [] : [(weights[h] ?? 1) * loss]));
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

/** The same for each head, without its weight. */
function headConstants(fit: Pick<Fit, 'model' | 'predictions'>, set: HeldOut): (number | null)[] {
  return fit.model.heads.map(({ kind, outputs }, h) => {
    let sum = 0;
    let count = 0;
    const mine = fit.predictions.filter((p) => p.set === set && p.head === h);
    for (const [i, { actual }] of mine.entries()) {
      const { trainingMean, scale } = outputs[i] as (typeof outputs)[number];
      for (const value of actual) sum += lossOfConstant(kind, value, trainingMean ?? 0, scale);
      count += actual.length;
    }
    if (kind === 'multiclass') count /= outputs.length;
    return count > 0 ? sum / count : null;
  });
}

function lossOfConstant(kind: HeadKind, actual: number, mean: number, scale: number): number {
  if (kind === 'binary' || kind === 'multiclass') {
    // A class never seen in training has no share; the usual bound keeps its loss finite.
    const p = Math.min(1 - 1e-7, Math.max(1e-7, mean));
    if (actual === 1) return -log(p);
    return kind === 'binary' ? -log(1 - p) : 0;
  }
  return ((actual - mean) / scale) ** 2;
}

/** Training and validation loss by epoch, beside the loss of predicting constants. */
export function learningCurves(
  { history, bestEpoch }: Pick<Fit, 'history' | 'bestEpoch'>,
  constant: number | null,
  fold: number,
): Figure {
  const validated = history.some((record) => record.validationLoss !== null);
  const last = history.length;
  const best = history[bestEpoch - 1]?.validationLoss;
  return {
    kind: 'line',
    id: `learning-curves-fold-${fold}`,
    section: 'models',
    title: titleOf(validated ? (best ?? null) : null, constant, bestEpoch, last),
    subtitle: `Weighted loss by epoch, fold ${fold}; ${last} epochs${
      best === null || best === undefined ? '' : `, lowest validation loss ${best.toPrecision(3)}`
    }`,
    caption:
      'Training loss: mean over the batches of an epoch with dropout. Validation loss: after the epoch, running statistics, no dropout.',
    method: 'Multi-task network',
    x: { label: 'Epoch', scale: 'linear', min: 1 },
    y: { label: 'Weighted loss', scale: 'linear' },
    series: [
      ...(validated
        ? [
            {
              label: 'validation',
              role: 'this' as const,
              x: history.map((record) => record.epoch),
              y: history.map((record) => record.validationLoss),
            },
          ]
        : []),
      {
        label: 'training',
        role: validated ? 'other' : 'this',
        x: history.map((record) => record.epoch),
        y: history.map((record) => record.trainLoss),
      },
      ...(constant === null
        ? []
        : [
            {
              label: 'training mean for everybody',
              role: 'baseline' as const,
              x: history.map((record) => record.epoch),
              y: history.map(() => constant),
            },
          ]),
    ],
  };
}

/**
 * Validation loss of every head by epoch, in units of the loss of predicting its training mean; undefined with one head,
 * whose curve is that of the whole.
 */
export function headCurves(
  fit: Pick<Fit, 'history' | 'bestEpoch' | 'model' | 'predictions'>,
  fold: number,
): Figure | undefined {
  const { history, bestEpoch, model } = fit;
  const constants = headConstants(fit, 'validation');
  const epochs = history.map((record) => record.epoch);
  const series = model.heads.flatMap(({ name }, h) => {
    const constant = constants[h];
    if (constant === null || constant === undefined || constant === 0) return [];
    const y = history.map(({ headLosses }) => {
      const loss = headLosses[h];
      return loss === null || loss === undefined ? null : loss / constant;
    });
    return y.every((value) => value === null) ? [] : [{ label: name, role: 'other' as const, x: epochs, y }];
  });
  if (model.heads.length < 2 || series.length === 0) return undefined;
  const kept = series.map(({ label, y }) => ({ label, at: y[bestEpoch - 1] ?? null }));
  const learned = kept.filter(({ at }) => at !== null && at < 1);
  return {
    kind: 'line',
    id: `head-curves-fold-${fold}`,
    section: 'models',
    title:
      learned.length === 0
        ? 'No head beats predicting its training mean'
        : `${learned.length} of ${kept.length} heads beat predicting their training mean: ${learned.map(({ label }) => label).join(', ')}`,
    subtitle: `Validation loss of each head by epoch over that of its training mean, fold ${fold}; epoch ${bestEpoch} is kept`,
    caption: 'Below 1 a head has learned something; one that rises while others fall pays for them.',
    method: 'Multi-task network',
    x: { label: 'Epoch', scale: 'linear', min: 1 },
    y: { label: 'Loss / loss of the training mean', scale: 'linear' },
    series: [...series, { label: 'training mean', role: 'baseline', x: epochs, y: epochs.map(() => 1) }],
  };
}

function titleOf(best: number | null, constant: number | null, bestEpoch: number, last: number): string {
  if (best === null) return `Training ran its ${last} epochs without a validation set`;
  if (constant !== null && best >= constant) return 'The network does not beat predicting the training mean';
  if (bestEpoch === last) return `Validation loss was still falling at epoch ${last}`;
  return `Validation loss was lowest at epoch ${bestEpoch} of ${last}`;
}
