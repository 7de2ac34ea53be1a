import { readFile } from 'node:fs/promises';
import type { StageRun } from '../../contract/stage.ts';
import { predictFrame } from '../../models/boosting/predict.ts';
import { namesOf } from '../../models/predictions.ts';
import { readFrame } from '../../tables/frame.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { PredictParams } from '../predict-trees.ts';
import { openXgboost } from './trees.ts';

const run: StageRun<PredictParams> = async (context) => {
  const [model, features] = [context.input('model'), context.input('features')];
  const frame = await readFrame(features.path, features.shared);
  const { card, values, missing, unseen } = predictFrame(
    openXgboost(),
    await readFile(model.path),
    model.path,
    frame,
    context.params.nthread,
  );
  const names = namesOf(frame);
  const targets =
    card.objective === 'multiclass' ? card.classes.map((label) => `${card.target}=${label}`) : [card.target];
  const order = targets.map((_, k) => k).sort((a, b) => ((targets[a] as string) < (targets[b] as string) ? -1 : 1));
  const cells = order.flatMap((k) => Array.from({ length: frame.rows }, (_, row) => ({ row, k })));
  const info = 'info' as const;
  await writeParquet(context.outputPath('predictions'), [
    {
      name: 'row',
      role: info,
      type: 'INT32',
      values: Int32Array.from(cells, ({ row }) => row),
      description: 'Row in the frame, from 0',
    },
    { name: 'id', role: 'id', type: 'STRING', values: cells.map(({ row }) => names.id(row)) },
    { name: 'time', role: 'time', type: 'TIMESTAMP', values: cells.map(({ row }) => names.time(row)) },
    { name: 'target', role: info, type: 'STRING', values: cells.map(({ k }) => targets[k] as string) },
    {
      name: 'predicted',
      role: info,
      type: 'DOUBLE',
      values: cells.map(({ row, k }) => values[row * targets.length + k] as number),
    },
  ]);
  await context.writeMetrics('metrics', {
    scalars: { rows: frame.rows, 'values.missing': missing, 'values.unseen': unseen },
    notes: [
      ...(unseen === 0
        ? []
        : [`${unseen} values are of categories that the model has not seen; they count as missing.`]),
    ],
  });
};

export default run;
