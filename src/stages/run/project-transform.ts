import { readFile } from 'node:fs/promises';
import type { StageRun } from '../../contract/stage.ts';
import { pointsOf } from '../../models/feature-space.ts';
import { rowsAsOf } from '../../projections/selection.ts';
import { transformUmap } from '../../projections/umap-transform.ts';
import { readFrame } from '../../tables/frame.ts';
import type { TransformParams } from '../project-transform.ts';
import { writeEmbedding } from './projection.ts';
import { readUmapModel } from './umap-model.ts';

const run: StageRun<TransformParams> = async (context) => {
  const { space, options, map } = readUmapModel(await readFile(context.input('model').path, 'utf8'));
  const { path, shared } = context.input('features');
  const frame = await readFrame(path, shared);
  const notes: string[] = [];
  const rows = rowsAsOf(frame, context.params.asOf, notes);
  const { columns, values } = pointsOf(space, frame);
  const taken = new Float64Array(rows.length * columns);
  for (const [i, row] of rows.entries()) taken.set(values.subarray(row * columns, (row + 1) * columns), i * columns);
  const points = await transformUmap(
    map,
    { rows: rows.length, columns, values: taken },
    options,
    context.rng('layout'),
    {
      threads: context.resources.threads,
      onProgress: (done, total) => {
        context.progress(done, total, 'epochs');
        context.throwIfCancelled();
      },
    },
  );
  await writeEmbedding(context.outputPath('embedding'), frame, rows, points);
  await context.writeMetrics('metrics', {
    scalars: { rows: rows.length, features: columns, mapRows: map.matrix.rows },
    notes,
  });
};

export default run;
