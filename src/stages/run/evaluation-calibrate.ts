import type { Figure } from '../../contract/figure.ts';
import type { StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { type BrierParts, brierParts, fitCalibrator } from '../../evaluation/calibration.ts';
import { calibrationCurve } from '../../evaluation/curves.ts';
import { foldsWithValidation, heldOutColumns, type JudgedRow } from '../../evaluation/held-out.ts';
import { timeBlocks } from '../../evaluation/sampling.ts';
import { counted, written } from '../../evaluation/words.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { CalibrateParams } from '../evaluation-calibrate.ts';
import { readHeldOut } from './held-out.ts';

const run: StageRun<CalibrateParams> = async (context) => {
  const { target, method, bins, resamples } = context.params;
  const rows = await readHeldOut(context.inputs('predictions'));
  const folds = foldsWithValidation(rows, target);
  const before = folds.flatMap(({ test }) => test);
  if (before.length === 0) throw new FathomError('data', `there are no test rows of "${target}"`);
  checkProbabilities(
    folds.flatMap(({ validation, test }) => [...validation, ...test]),
    target,
  );
  const after = folds.flatMap(({ validation, test }) => {
    const calibrate = fitCalibrator(
      method,
      validation.map((row) => row.predicted),
      validation.map((row) => row.actual),
    );
    return test.map((row): JudgedRow => ({ ...row, predicted: calibrate(row.predicted) }));
  });
  await writeParquet(context.outputPath('predictions'), heldOutColumns(after));
  const parts = { before: partsOf(before, bins), after: partsOf(after, bins) };
  await context.writeMetrics('metrics', {
    scalars: Object.fromEntries(
      Object.entries(parts).flatMap(([when, one]) =>
        Object.entries(one).map(([name, value]) => [`${when}.${name}`, value]),
      ),
    ),
    notes: [
      `${method === 'isotonic' ? 'Isotonic regression' : "Platt's scaling"} on ${folds.map(({ validation }) => validation.length).join(', ')} validation rows of folds ${folds.map(({ fold }) => fold).join(', ')}; the model may have stopped early by the same rows, so that they flatter it a little.`,
    ],
  });
  const curve = (list: readonly JudgedRow[], purpose: string) => {
    const blocks = timeBlocks(
      list.map((row) => row.time ?? NaN),
      list.map((row) => row.labelEnd ?? NaN),
    );
    const { counts: _, ...drawn } = calibrationCurve(
      {
        actual: Float64Array.from(list, (row) => row.actual),
        predicted: Float64Array.from(list, (row) => row.predicted),
        cluster: list.map((row) => row.group),
        ...(blocks === undefined ? {} : { block: blocks.of }),
      },
      bins,
      context.rng(purpose),
      resamples,
    );
    return drawn;
  };
  const better = parts.after.brier < parts.before.brier;
  const figure: Figure = {
    kind: 'line',
    id: 'calibrated',
    section: 'models',
    title: `Calibration ${better ? 'lowers' : 'does not lower'} the Brier score of ${target}: ${written(parts.before.brier)} before, ${written(parts.after.brier)} after`,
    subtitle: `Share of ${target} observed against what was predicted, up to ${bins} groups, 95 % intervals, ${counted(after.length, 'test rows')}; calibration error ${written(parts.before.expectedError)} before, ${written(parts.after.expectedError)} after`,
    caption: `Fitted fold by fold on validation rows (${method}), measured on test rows.`,
    method: 'Calibration',
    x: { label: `Predicted ${target}`, scale: 'linear' },
    y: { label: `Observed ${target}`, scale: 'linear' },
    reference: 'diagonal',
    series: [
      { label: 'calibrated', role: 'this', ...curve(after, 'after') },
      { label: 'as predicted', role: 'other', ...curve(before, 'before') },
    ],
  };
  await context.writeFigures('figures', [figure]);
};

export default run;

function partsOf(rows: readonly JudgedRow[], bins: number): BrierParts {
  return brierParts(
    rows.map((row) => row.actual),
    rows.map((row) => row.predicted),
    bins,
  );
}

function checkProbabilities(rows: readonly JudgedRow[], target: string): void {
  const wrong = rows.find(
    ({ actual, predicted }) => (actual !== 0 && actual !== 1) || !(predicted >= 0 && predicted <= 1),
  );
  if (wrong !== undefined)
    throw new FathomError(
      'data',
      `"${target}" has predicted ${wrong.predicted} where ${wrong.actual} happened (row ${wrong.row}, fold ${wrong.fold}): only probabilities of 0 or 1 are calibrated`,
    );
}
