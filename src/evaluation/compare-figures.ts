/** The comparison of models as figures: who scores what beside which baseline, and the curves behind it. */

import type { Figure, ForestFigure, HeatmapFigure, LineFigure, Role, TableFigure } from '../contract/figure.ts';
import type { Rng } from '../random/rng.ts';
import { precisionRecallBand, rocBand } from './bands.ts';
import { brierTable } from './brier-figure.ts';
import { ALPHA, type ModelComparison, type TargetComparison } from './compare.ts';
import { type Curve, calibrationCurve, confusion, rocCurve } from './curves.ts';
import { againstOf, type FindingOptions, titleOf } from './findings.ts';
import { pathsFigure } from './path-scores.ts';
import { likeliestClass, type ModelRows } from './predictions.ts';
import { FEWEST_BLOCKS } from './sampling.ts';
import { scoreInfo } from './score-info.ts';
import { counted, percent, signed, written } from './words.ts';

export interface FigureOptions extends FindingOptions {
  readonly withinFolds: boolean;
  readonly resamples: number;
  readonly rng: (purpose: string) => Rng;
}

/** All figures; those of the first target stand with the answer. */
export function compareFigures(comparisons: readonly TargetComparison[], options: FigureOptions): Figure[] {
  return [
    ...comparisons.map((comparison, i) => forest(comparison, i === 0 ? 'answer' : 'models', options)),
    gainTable(comparisons, options),
    ...comparisons.flatMap((comparison) => curves(comparison, options)),
  ];
}

const bins = 10;

function roleOf(comparison: TargetComparison, one: ModelComparison): Role {
  return one === comparison.best ? 'this' : 'other';
}

function idOf(...parts: string[]): string {
  return parts
    .join('-')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function bootstrapNote({ resamples, clusterName }: FigureOptions, { blocks }: ModelComparison): string {
  if (blocks === undefined) return `95 % percentile intervals from ${resamples} resamples of whole ${clusterName}`;
  return blocks < FEWEST_BLOCKS
    ? `95 % percentile intervals from ${resamples} resamples of whole ${clusterName}: with ${counted(blocks, 'stretches of time')}, what differs from one to the next is not in them`
    : `95 % intervals by ${clusterName} and by ${blocks} stretches of time, from ${resamples} resamples of each`;
}

function within({ withinFolds }: FigureOptions, metric: keyof typeof scoreInfo): string {
  if (!scoreInfo[metric].ranks) return 'pooled over folds';
  return withinFolds ? 'ranks compared within folds' : 'ranks compared across folds';
}

function forest(comparison: TargetComparison, section: 'answer' | 'models', options: FigureOptions): ForestFigure {
  const { metric, target, models, best } = comparison;
  const { label, goal } = scoreInfo[metric];
  const baselines = new Map<string, ForestFigure['rows'][number]>();
  for (const { baseline, baselineLabel, n, gain } of models) {
    const row = gain.overChance
      ? { label: 'chance', role: 'baseline' as const, n, value: 0, low: null, high: null }
      : {
          label: baselineLabel,
          role: 'baseline' as const,
          n,
          value: baseline.value,
          low: baseline.low,
          high: baseline.high,
          ...(baseline.why === undefined ? {} : { why: baseline.why }),
        };
    baselines.set(JSON.stringify(row), row);
  }
  const zeros: Partial<Record<typeof metric, number>> = { auc: 0.5, spearman: 0, gini: 0, r2: 0 };
  return {
    kind: 'forest',
    id: idOf('scores', target),
    section,
    title: titleOf(comparison, options),
    subtitle: `${label} of ${target} on ${counted(best.n, 'test rows')} of ${counted(best.clusters, options.clusterName)}, with 95 % intervals; ${goal === 'maximize' ? 'higher' : 'lower'} is better`,
    caption: `Test rows of all folds, ${within(options, metric)}; ${bootstrapNote(options, best)}.`,
    method: best.blocks === undefined ? 'Cluster bootstrap' : 'Intervals by wallet and time',
    unit: label,
    zero: zeros[metric] ?? best.baseline.value ?? 0,
    rows: [
      ...models.map(({ model, n, score }, i) => ({
        label: model,
        role: roleOf(comparison, models[i] as ModelComparison),
        n,
        value: score.value,
        low: score.low,
        high: score.high,
        ...(score.why === undefined ? {} : { why: score.why }),
      })),
      ...baselines.values(),
    ],
  };
}

function gainTable(comparisons: readonly TargetComparison[], options: FigureOptions): TableFigure {
  const all = comparisons.flatMap((comparison) => comparison.models);
  const beating = all.filter(({ gain }) => gain.correctedLow !== null && gain.correctedLow > 0).length;
  const asked = comparisons[0]?.comparisons ?? 0;
  return {
    kind: 'table',
    id: 'gains',
    section: 'models',
    title: `${beating} of ${asked} comparisons with a baseline hold after correction`,
    subtitle: `Gain over the baseline and over the best other model, in the unit of each score; ${Math.round(100 * (1 - ALPHA))} % intervals`,
    caption: `Positive is better. ${comparisons[0] === undefined ? '' : bootstrapNote(options, comparisons[0].best)}, the same resamples for all models of a target; p by Holm over all ${asked} comparisons.`,
    method: 'Comparing models',
    columns: [
      { name: 'target', align: 'left' },
      { name: 'model', align: 'left' },
      { name: 'score', align: 'left' },
      { name: 'value', align: 'right' },
      { name: 'gain', align: 'right' },
      { name: 'from', align: 'right' },
      { name: 'to', align: 'right' },
      { name: 'p (Holm)', align: 'right' },
      { name: 'best other', align: 'left' },
      { name: 'over it', align: 'right' },
      { name: 'over it, from', align: 'right' },
      { name: 'over it, to', align: 'right' },
      { name: 'rows', align: 'right' },
      { name: options.clusterName, align: 'right' },
    ],
    rows: comparisons.flatMap(({ target, metric, models }) =>
      models.map(({ model, score, gain, versus, n, clusters }) => [
        target,
        model,
        scoreInfo[metric].label,
        score.value,
        gain.value,
        gain.low,
        gain.high,
        gain.adjustedP,
        versus?.model ?? null,
        versus?.value ?? null,
        versus?.low ?? null,
        versus?.high ?? null,
        n,
        clusters,
      ]),
    ),
  };
}

function curves(comparison: TargetComparison, options: FigureOptions): Figure[] {
  if (comparison.kind === 'multiclass') return comparison.models.map((one) => confusionOf(comparison, one));
  const rates =
    comparison.kind === 'binary' ? [rocFigure(comparison, options), precisionRecallFigure(comparison, options)] : [];
  const parts = comparison.kind === 'binary' ? [brierTable(comparison, idOf('brier', comparison.target), bins)] : [];
  const paths = pathsFigure(comparison, idOf('paths', comparison.target));
  return [
    ...rates.filter((figure) => figure !== undefined),
    calibrationFigure(comparison, options),
    ...parts,
    ...(paths ? [paths] : []),
  ];
}

function rowsOf(one: ModelComparison): ModelRows {
  return (one.source.classes[0] as (typeof one.source.classes)[number]).rows;
}

function rocFigure(comparison: TargetComparison, options: FigureOptions): LineFigure | undefined {
  const { best, target, models } = comparison;
  const series: LineFigure['series'][number][] = [];
  const strata = (rows: ModelRows): ArrayLike<number> | undefined => (options.withinFolds ? rows.fold : undefined);
  for (const one of models) {
    const rows = rowsOf(one);
    const rng = options.rng(`roc ${target} ${one.model}`);
    const curve =
      one === best
        ? rocBand(rows, strata(rows), rng, Math.min(options.resamples, BAND_RESAMPLES))
        : rocCurve(rows.actual, rows.predicted, strata(rows));
    if (curve !== null) series.push({ label: one.model, role: roleOf(comparison, one), ...curve });
  }
  if (series.length === 0) return undefined;
  const rows = rowsOf(best);
  const base = rocCurve(rows.actual, rows.baseline, strata(rows));
  const auc = best.metrics.find((metric) => metric.name === 'auc');
  const ours = series.find(({ role }) => role === 'this') ?? series[0];
  const tenth = ours?.y[ours.x.findIndex((rate) => rate >= 0.1)] ?? null;
  return {
    kind: 'line',
    id: idOf('roc', target),
    section: 'models',
    title: `At one false alarm in ten, ${best.model} finds ${percent(tenth)} of ${target}`,
    subtitle: `Share found against share of false alarms, ${counted(best.n, 'test rows')}; area ${written(auc?.value)}, the diagonal is chance`,
    caption: `${
      options.withinFolds
        ? 'Mean of the curves of the folds, weighted by their pairs of positive and negative rows; the area is the AUC within folds.'
        : 'All test rows in one ranking.'
    } Band of ${best.model}: ${bandNote(options, best)}, at each twentieth.`,
    method: 'Scores',
    x: { label: 'False positive rate', scale: 'linear', min: 0, max: 1 },
    y: { label: 'True positive rate', scale: 'linear', min: 0, max: 1 },
    reference: 'diagonal',
    series: [...series, ...(base === null ? [] : [{ label: best.baselineLabel, role: 'baseline' as const, ...base }])],
  };
}

/** Bands are drawn, not quoted: fewer resamples than for a score. */
const BAND_RESAMPLES = 200;

function bandNote(options: FigureOptions, one: ModelComparison): string {
  return bootstrapNote({ ...options, resamples: Math.min(options.resamples, BAND_RESAMPLES) }, one);
}

function precisionRecallFigure(comparison: TargetComparison, options: FigureOptions): LineFigure | undefined {
  const { best, target, models } = comparison;
  const resamples = Math.min(options.resamples, BAND_RESAMPLES);
  const series: LineFigure['series'][number][] = [];
  for (const one of models) {
    const curve = precisionRecallBand(
      rowsOf(one),
      options.rng(`precision ${target} ${one.model}`),
      one === best ? resamples : 0,
    );
    if (curve !== null)
      series.push({ label: one.model, role: roleOf(comparison, one), ...withoutBand(curve, one === best) });
  }
  if (series.length === 0) return undefined;
  const { actual } = rowsOf(best);
  const share = actual.reduce((sum, value) => sum + value, 0) / actual.length;
  const ours = series.find(({ role }) => role === 'this') ?? series[0];
  const half = ours?.y[ours.x.findIndex((recall) => recall >= 0.5)] ?? null;
  const ends = [0, 1];
  return {
    kind: 'line',
    id: idOf('precision-recall', target),
    section: 'models',
    title: `Where ${best.model} finds half of ${target}, ${percent(half)} of what it names are right`,
    subtitle: `Share right among those named against share found, ${counted(best.n, 'test rows')}, ${percent(share)} of them positive`,
    caption: `All test rows in one ranking, precision of the highest threshold that finds as many. Band of ${best.model}: ${bandNote(options, best)}, at each twentieth.`,
    method: 'Scores',
    x: { label: 'Recall', scale: 'linear', min: 0, max: 1 },
    y: { label: 'Precision', scale: 'linear', min: 0, max: 1 },
    series: [...series, { label: 'naming at random', role: 'baseline', x: ends, y: ends.map(() => share) }],
  };
}

function withoutBand({ low, high, ...curve }: Curve, drawn: boolean): Curve {
  return drawn && low !== undefined && high !== undefined ? { ...curve, low, high } : curve;
}

/** Reliability for probabilities, deciles for other numbers. */
function calibrationFigure(comparison: TargetComparison, options: FigureOptions): LineFigure {
  const { best, target, models, kind } = comparison;
  const curveOf = (one: ModelComparison, column: 'predicted' | 'baseline'): Curve => {
    const { actual, cluster, [column]: predicted } = rowsOf(one);
    const rng = options.rng(`calibration ${target} ${one.model} ${column}`);
    const { counts: _, ...curve } = calibrationCurve({ actual, predicted, cluster }, bins, rng, options.resamples);
    return curve;
  };
  const drawn = models.map((one) => ({
    label: one.model,
    role: roleOf(comparison, one),
    ...curveOf(one, 'predicted'),
  }));
  const ours = drawn[0] as (typeof drawn)[number];
  const binary = kind === 'binary';
  return {
    kind: 'line',
    id: idOf(binary ? 'reliability' : 'deciles', target),
    section: 'models',
    title: binary ? reliabilityTitle(best, ours) : decileTitle(best, target, ours),
    subtitle: `${binary ? `Share of ${target} observed` : `Mean ${target} observed`} against what was predicted, in up to ${bins} groups by prediction, 95 % intervals, ${counted(best.n, 'test rows')}`,
    caption: `Groups of about equally many rows; ${bootstrapNote(options, best)}. On the diagonal, what happens is what was predicted.`,
    method: 'Calibration',
    x: { label: `Predicted ${target}`, scale: 'linear' },
    y: { label: `Observed ${target}`, scale: 'linear' },
    reference: 'diagonal',
    series: [...drawn, { label: best.baselineLabel, role: 'baseline', dots: true, ...curveOf(best, 'baseline') }],
  };
}

function reliabilityTitle({ model }: ModelComparison, curve: Curve): string {
  const groups = curve.x.length;
  const off = curve.x.filter((x, i) => {
    const low = curve.low?.[i] ?? null;
    const high = curve.high?.[i] ?? null;
    return low !== null && high !== null && (x < low || x > high);
  }).length;
  if (groups < 2) return `${model} predicts one probability for all`;
  return off === 0
    ? `What ${model} calls likely happens about that often, in all ${groups} groups`
    : `In ${off} of ${groups} groups what happens is off what ${model} predicts`;
}

function decileTitle({ model }: ModelComparison, target: string, curve: Curve): string {
  const first = curve.y[0] ?? null;
  const last = curve.y.at(-1) ?? null;
  if (curve.x.length < 2 || first === null || last === null) return `${model} predicts one ${target} for all`;
  return `From the lowest to the highest predictions of ${model}, ${target} goes from ${written(first)} to ${written(last)}`;
}

function confusionOf(comparison: TargetComparison, one: ModelComparison): HeatmapFigure {
  const { target } = comparison;
  const { classes } = one.source;
  const names = classes.map(({ name }) => name);
  const truth = likeliestClass(classes.map(({ rows }) => ({ values: rows.actual })));
  const chosen = likeliestClass(classes.map(({ rows }) => ({ values: rows.predicted })));
  const counts = confusion(truth, chosen, names.length);
  const right = counts.reduce((sum, line, c) => sum + (line[c] as number), 0);
  const accuracy = one.metrics.find((metric) => metric.name === 'accuracy');
  return {
    kind: 'heatmap',
    id: idOf('confusion', target, one.model),
    section: 'models',
    title: `${one.model} names the right ${target} for ${percent(accuracy?.value ?? null)} of rows; ${againstOf(one)} for ${percent(accuracy?.baseline?.value ?? null)}`,
    subtitle: `Test rows by actual and likeliest class; ${right.toLocaleString('en-US')} of ${counted(one.n, 'rows')} on the diagonal`,
    caption: `The class with the highest prediction. Gain in area under the ROC curve, mean over classes: ${signed(one.gain.value)}.`,
    method: 'Scores',
    rowTitle: 'actual',
    columnTitle: 'predicted',
    rows: names,
    columns: names,
    values: counts,
    unit: 'rows',
  };
}
