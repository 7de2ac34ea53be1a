/** What anomaly stages do with their scores: threshold, comparison with the truth, figures, files. */
import { writeFile } from 'node:fs/promises';
import type { HistogramFigure, TableFigure } from '../../contract/figure.ts';
import type { Finding, Metric } from '../../contract/metrics.ts';
import type { StageContext } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { bootstrap, clustersOf, percentileInterval, quantile, wholeSample } from '../../evaluation/bootstrap.ts';
import { prepareScore } from '../../evaluation/scores.ts';
import { counted, interval, written } from '../../evaluation/words.ts';
import type { AnomalyParams } from '../outlier-fields.ts';
import { rowName, shown, subtitleOf, type Taken, truthOf, writeRows } from './grouping.ts';

const BINS = 40;
const LISTED = 15;
const FEWEST = 10;
/** An area under the curve up to here is no use even if it is above chance. */
const USELESS = 0.52;

/** The score above which a row is anomalous: quantile of type 7, as numpy's and scikit-learn's. */
export function thresholdOf(scores: Float64Array, threshold: AnomalyParams['threshold']): number {
  const share = 'percentile' in threshold ? threshold.percentile / 100 : 1 - threshold.contamination;
  return quantile(scores.toSorted(), share);
}

/** @param modelOf the model file's content for a threshold */
export async function reportAnomalies(
  context: StageContext<AnomalyParams>,
  taken: Taken,
  scores: Float64Array,
  options: {
    /** Quantity and unit, for axes. */
    readonly what: string;
    /** The score in a sentence: "isolation score". */
    readonly name: string;
    readonly caption: string;
    readonly modelOf: (threshold: number) => unknown;
    readonly notes?: readonly string[];
  },
): Promise<void> {
  const threshold = thresholdOf(scores, context.params.threshold);
  const above = Uint8Array.from(scores, (score) => (score > threshold ? 1 : 0));
  const known = knownAnomalies(taken, context.params);
  await writeRows(context.outputPath('scores'), taken, [
    { name: 'score', type: 'DOUBLE', values: scores, description: `${options.what}; higher is more unusual` },
    { name: 'anomalous', type: 'INT32', values: above, description: '1 above the threshold' },
  ]);
  await writeFile(context.outputPath('model'), `${JSON.stringify(options.modelOf(threshold))}\n`);
  const compared = known === undefined ? undefined : compare(context, taken, scores, known, options.name);
  await context.writeMetrics('metrics', {
    scalars: {
      rows: scores.length,
      features: taken.points.columns,
      imputed: taken.selection.imputed,
      threshold: shown(threshold),
      anomalies: above.filter((one) => one === 1).length,
      ...(compared === undefined ? {} : { auc: compared.metric.value }),
    },
    ...(compared === undefined ? {} : { metrics: [compared.metric], findings: [compared.finding] }),
    notes: [...taken.notes, ...(options.notes ?? [])],
  });
  await context.writeFigures('figures', [
    histogram(taken, scores, threshold, known, options),
    mostUnusual(taken, scores, known, options),
  ]);
}

/** What is known of the rows: 1 anomalous, 0 not, -1 unknown. */
interface Known {
  readonly name: string;
  readonly actual: Int32Array;
}

function knownAnomalies(taken: Taken, { truth: name, anomalousValues }: AnomalyParams): Known | undefined {
  const truth = truthOf(taken, name);
  if (truth === undefined) {
    if (anomalousValues !== undefined)
      throw new FathomError('experiment', 'anomalousValues needs `truth`, the column that holds them');
    return undefined;
  }
  if (anomalousValues === undefined && truth.labels.some((label) => label !== '0' && label !== '1'))
    throw new FathomError('data', `"${truth.name}" is not 0 or 1: it holds ${truth.labels.slice(0, 8).join(', ')}`, {
      hint: 'say in `anomalousValues` which of them are anomalies',
    });
  const anomalous = new Set<string>(anomalousValues ?? ['1']);
  const absent = [...anomalous].filter((value) => !truth.labels.includes(value));
  if (absent.length > 0)
    throw new FathomError('data', `"${truth.name}" is never ${absent.join(', ')} in these rows`, {
      hint: `it holds ${truth.labels.slice(0, 20).join(', ')}`,
    });
  const actual = truth.codes.map((code) => (code < 0 ? -1 : anomalous.has(truth.labels[code] as string) ? 1 : 0));
  return { name: anomalousValues === undefined ? truth.name : anomalousValues.join(', '), actual };
}

function compare(
  context: StageContext<AnomalyParams>,
  taken: Taken,
  scores: Float64Array,
  { name, actual }: Known,
  score: string,
): { metric: Metric; finding: Finding } {
  const rows = Array.from(actual.keys()).filter((i) => (actual[i] as number) >= 0);
  const subjects = clustersOf(rows.map((i) => taken.subjects.of[i] as number));
  const scorer = prepareScore(
    'auc',
    {
      actual: Float64Array.from(rows, (i) => actual[i] as number),
      predicted: Float64Array.from(rows, (i) => scores[i] as number),
      cluster: subjects.of,
    },
    subjects.count,
  );
  const value = scorer.score(wholeSample(subjects.count));
  const [draws] = bootstrap([scorer], subjects.count, context.rng('interval'), context.params.resamples);
  const bounds = percentileInterval(draws ?? new Float64Array(0), subjects.count);
  const estimate = Number.isNaN(value) ? { value: null, why: 'all rows are of one class' } : { value, ...bounds };
  const { low = null, high = null } = Number.isNaN(value) ? {} : bounds;
  const positives = rows.filter((i) => actual[i] === 1).length;
  const baseline = { label: 'chance', value: 0.5 };
  const verdict =
    low === null || high === null || Math.min(positives, subjects.count) < FEWEST
      ? 'undecided'
      : low > 0.5
        ? 'yes'
        : high < USELESS
          ? 'no'
          : 'undecided';
  const headline = { yes: 'Yes.', no: 'No.', undecided: 'Not shown.' }[verdict];
  return {
    metric: {
      name: 'auc',
      label: 'Area under the ROC curve',
      goal: 'maximize',
      set: 'train',
      target: name,
      n: rows.length,
      clusters: subjects.count,
      ...estimate,
      baseline,
    },
    finding: {
      verdict,
      headline,
      sentence:
        `The ${score} ranks a known anomaly (${name}) above another row with a chance of ${written(value)}` +
        `${low === null ? '' : ` (95 % interval ${interval(low, high)})`}, where 0.5 is luck: ` +
        `${positives} known among ${counted(rows.length, taken.noun)}, never learned from.`,
      metric: 'Area under the ROC curve',
      estimate,
      n: rows.length,
      baseline,
    },
  };
}

const FIGURE = { section: 'wallets', method: 'Anomalies' } as const;

function histogram(
  taken: Taken,
  scores: Float64Array,
  threshold: number,
  known: Known | undefined,
  { what, caption }: { readonly what: string; readonly caption: string },
): HistogramFigure {
  let low = Infinity;
  let high = -Infinity;
  for (const score of scores) {
    low = Math.min(low, score);
    high = Math.max(high, score);
  }
  const width = high > low ? (high - low) / BINS : 1;
  const counts = (mine: (row: number) => boolean): number[] => {
    const bins = new Array<number>(BINS).fill(0);
    for (const [i, score] of scores.entries()) {
      if (!mine(i)) continue;
      const bin = Math.min(BINS - 1, Math.floor((score - low) / width));
      bins[bin] = (bins[bin] as number) + 1;
    }
    return bins;
  };
  const groups: HistogramFigure['groups'] =
    known === undefined
      ? [
          { label: 'up to the threshold', role: 'other', counts: counts((i) => (scores[i] as number) <= threshold) },
          { label: 'above', role: 'this', counts: counts((i) => (scores[i] as number) > threshold) },
        ]
      : [
          { label: 'others', role: 'other', counts: counts((i) => known.actual[i] !== 1) },
          { label: known.name, role: 'this', counts: counts((i) => known.actual[i] === 1) },
        ];
  return {
    ...FIGURE,
    kind: 'histogram',
    id: 'anomaly-scores',
    title: known === undefined ? 'How unusual are they?' : `Do the scores tell ${known.name} from the others?`,
    subtitle: `${what}; threshold ${written(threshold)}; ${subtitleOf(taken)}`,
    caption,
    x: { label: what, scale: 'linear' },
    edges: Array.from({ length: BINS + 1 }, (_, b) => shown(low + b * width) as number),
    groups,
  };
}

function mostUnusual(
  taken: Taken,
  scores: Float64Array,
  known: Known | undefined,
  { what }: { readonly what: string },
): TableFigure {
  const top = Array.from(scores.keys())
    .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
    .slice(0, LISTED);
  return {
    ...FIGURE,
    kind: 'table',
    id: 'most-unusual',
    title: `Which ${taken.noun} are the most unusual?`,
    subtitle: `The ${top.length} largest of: ${what.toLowerCase()}; ${subtitleOf(taken)}`,
    caption: 'Farthest feature: the one most standard deviations from the mean of all rows, with its value.',
    columns: [
      { name: taken.noun, align: 'left' },
      { name: 'score', align: 'right' },
      { name: 'farthest feature', align: 'left' },
      { name: 'value', align: 'right' },
      { name: 'standard deviations', align: 'right' },
      ...(known === undefined ? [] : [{ name: 'known', align: 'left' as const }]),
    ],
    rows: top.map((i) => {
      const far = farthest(taken, i);
      const one = known?.actual[i];
      return [
        rowName(taken, i),
        shown(scores[i]),
        far.name,
        shown(far.value),
        shown(far.deviations),
        ...(known === undefined ? [] : [one === 1 ? known.name : one === 0 ? 'no' : null]),
      ];
    }),
  };
}

function farthest(
  { space, selection }: Taken,
  i: number,
): { name: string; value: number | undefined; deviations: number | undefined } {
  const { values, columns } = selection.matrix;
  let best = { name: 'none', value: undefined as number | undefined, deviations: undefined as number | undefined };
  for (let c = 0; c < columns; c++) {
    const deviation = space.deviations[c] as number;
    if (deviation === 0) continue;
    const value = values[i * columns + c] as number;
    const deviations = (value - (space.means[c] as number)) / deviation;
    if (Math.abs(deviations) > Math.abs(best.deviations ?? 0))
      best = { name: space.features[c] as string, value, deviations };
  }
  return best;
}
