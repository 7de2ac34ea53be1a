import type { StageRun } from '../../contract/stage.ts';
import { umap } from '../../projections/umap.ts';
import type { UmapParams } from '../project-umap.ts';
import { runProjection } from './projection.ts';

const run: StageRun<UmapParams> = (context) =>
  runProjection(context, 'epochs', async (matrix, rng, onProgress) => {
    const { params } = context;
    const layout = params.implementation === 'fathom' ? umap : (await import('../../projections/umap-js.ts')).umapJs;
    const { points, neighbours, notes } = await layout(matrix, params, rng, {
      threads: context.resources.threads,
      onProgress,
    });
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
