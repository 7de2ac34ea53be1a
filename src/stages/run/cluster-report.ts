/** What is said of clusters however they were found: numbers, notes and figures, with the truth beside them if known. */
import type { Figure } from '../../contract/figure.ts';
import type { StageContext } from '../../contract/stage.ts';
import { centresFigure, mediansFigure, sizesFigure, truthFigure } from './cluster-figures.ts';
import { compareWithTruth } from './cluster-truth.ts';
import type { Taken, Truth } from './grouping.ts';

/** What only one way of clustering has to say. */
interface Own {
  /** One sentence beside the comparison with the truth. */
  readonly aside: string;
  readonly scalars: Readonly<Record<string, number | null>>;
  readonly notes: readonly string[];
  readonly figures: readonly Figure[];
}

/** @param labels cluster of each row taken, -1 for none */
export async function writeReport(
  context: StageContext<{ readonly resamples: number }>,
  taken: Taken,
  labels: Int32Array,
  truth: Truth | undefined,
  { aside, scalars, notes, figures }: Own,
): Promise<void> {
  const { resamples } = context.params;
  const compared =
    truth === undefined
      ? undefined
      : compareWithTruth(taken, labels, truth, { resamples, rng: context.rng('interval'), aside });
  await context.writeMetrics('metrics', {
    scalars: {
      rows: taken.points.rows,
      features: taken.points.columns,
      imputed: taken.selection.imputed,
      ...scalars,
      ...(compared === undefined ? {} : { adjustedRand: compared.metric.value }),
    },
    ...(compared === undefined ? {} : { metrics: [compared.metric], findings: [compared.finding] }),
    notes: [...taken.notes, ...notes],
  });
  await context.writeFigures('figures', [
    ...(truth === undefined || compared === undefined ? [] : [truthFigure(taken, labels, truth, compared.sentence)]),
    ...figures,
    centresFigure(taken, labels),
    sizesFigure(taken, labels),
    mediansFigure(taken, labels),
  ]);
}
