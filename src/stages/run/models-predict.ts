import { readFile } from 'node:fs/promises';
import type { StageRun } from '../../contract/stage.ts';
import { openModel, type Prediction } from '../../models/saved-model.ts';
import { rowsAsOf } from '../../projections/selection.ts';
import { type Frame, type FrameColumn, numbersOf, readFrame } from '../../tables/frame.ts';
import type { PredictParams } from '../models-predict.ts';
import { writeRows } from './grouping.ts';

const run: StageRun<PredictParams> = async (context) => {
  const model = openModel(await readFile(context.input('model').path, 'utf8'));
  const { path, shared } = context.input('features');
  const whole = await readFrame(path, shared);
  const notes: string[] = [];
  const rows = rowsAsOf(whole, context.params.asOf, notes);
  const frame = takenRows(whole, rows);
  const predictions = model.predict(frame);
  const selection = { rows: Int32Array.from(rows, (_, i) => i) };
  await writeRows(context.outputPath('predictions'), { frame, selection }, predictions);
  const gaps = missing(frame, model.space.features);
  const imputed = gaps.reduce((sum, { count }) => sum + count, 0);
  if (imputed > 0)
    notes.push(
      `${imputed} missing values stand at the means that the model has learned: ${gaps.map(({ name, count }) => `${name} ${count}`).join(', ')}.`,
    );
  await context.writeMetrics('metrics', {
    scalars: { rows: frame.rows, features: model.space.features.length, imputed, ...countsOf(predictions) },
    notes: [`Rows were given to the ${model.name} model of ${context.input('model').stage}.`, ...notes],
  });
};

function takenRows(frame: Frame, rows: Int32Array): Frame {
  if (rows.length === frame.rows) return frame;
  const columns = frame.columns.map((column): FrameColumn => {
    if (column.type === 'category') return { ...column, codes: rows.map((row) => column.codes[row] as number) };
    return { ...column, values: Float64Array.from(rows, (row) => column.values[row] as number) };
  });
  return { rows: rows.length, columns };
}

/** How many values each feature lacks. */
function missing(frame: Frame, features: readonly string[]): { name: string; count: number }[] {
  return frame.columns
    .filter(({ name }) => features.includes(name))
    .map((column) => {
      let count = 0;
      for (const value of numbersOf(column)) if (Number.isNaN(value)) count++;
      return { name: column.name, count };
    })
    .filter(({ count }) => count > 0);
}

/** Rows above the threshold, and rows by cluster. */
function countsOf(predictions: readonly Prediction[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const anomalous = predictions.find(({ name }) => name === 'anomalous');
  if (anomalous !== undefined) counts['anomalies'] = anomalous.values.filter((one: number) => one === 1).length;
  const cluster = predictions.find(({ name }) => name === 'cluster');
  for (const label of [...new Set(cluster?.values)].sort((a, b) => a - b))
    counts[label < 0 ? 'noise' : `cluster ${label}`] =
      cluster?.values.filter((one: number) => one === label).length ?? 0;
  return counts;
}

export default run;
