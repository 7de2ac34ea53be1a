import { tsne } from '../../projections/tsne.ts';
import type { StageRun } from '../contract.ts';
import type { TsneParams } from '../project-tsne.ts';
import { runProjection } from './projection.ts';

const run: StageRun<TsneParams> = (context) =>
  runProjection(context, async (matrix, rng, onProgress) => {
    const { params } = context;
    const { points, divergence, perplexity, notes } = tsne(matrix, params, rng, onProgress);
    return {
      points,
      notes,
      unit: 'iterations',
      scalars: { klDivergence: divergence, perplexity },
      caption:
        `t-SNE (Barnes-Hut, θ ${params.theta}), perplexity ${round(Number.isNaN(perplexity) ? params.perplexity : perplexity)}, ` +
        `${params.iterations} iterations${Number.isNaN(divergence) ? '' : `, divergence ${round(divergence)} nats`}. ` +
        'Near points are alike; the axes, the sizes of clusters and the distances between them mean little.',
    };
  });

function round(x: number): number {
  return Math.round(x * 100) / 100;
}

export default run;
