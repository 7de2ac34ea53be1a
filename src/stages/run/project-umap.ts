import { writeFile } from 'node:fs/promises';
import type { StageRun } from '../../contract/stage.ts';
import { fitSpace } from '../../models/feature-space.ts';
import { select } from '../../projections/selection.ts';
import { umap } from '../../projections/umap.ts';
import { columnNamed } from '../../tables/frame.ts';
import type { UmapParams } from '../project-umap.ts';
import { runProjection } from './projection.ts';
import { writeUmapModel } from './umap-model.ts';

const run: StageRun<UmapParams> = (context) =>
  runProjection(context, 'epochs', async (matrix, rng, onProgress, { frame, products }) => {
    const { params } = context;
    const layout = params.implementation === 'fathom' ? umap : (await import('../../projections/umap-js.ts')).umapJs;
    const { points, neighbours, notes } = await layout(matrix, params, rng, {
      threads: context.resources.threads,
      onProgress,
      products,
    });
    // The same rows once more, in the units of the frame: the model must bring later rows to the same scale.
    const { asOf, maxRows, features, standardize } = params;
    const raw = select(frame, { asOf, maxRows, features, standardize: false }, context.rng('sample'));
    const columns = raw.features.map((name) => columnNamed(frame, name));
    const space = fitSpace(columns, raw.matrix, standardize);
    const model = { space, options: params, map: { matrix, points } };
    await writeFile(context.outputPath('model'), writeUmapModel(model));
    return {
      points,
      notes,
      scalars: { neighbours },
      caption:
        `UMAP${params.implementation === 'umap-js' ? ' (umap-js)' : ''}, ` +
        `${Number.isNaN(neighbours) ? params.neighbours : neighbours} neighbours, minDist ${params.minDist}. ` +
        'Near points are alike; the axes and the density of clusters mean little, distances between clusters not much more.',
    };
  });

export default run;
