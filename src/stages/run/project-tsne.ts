import type { StageRun } from '../../contract/stage.ts';
import { type Tsne, tsne } from '../../projections/tsne.ts';
import type { TsneParams } from '../project-tsne.ts';
import { runProjection } from './projection.ts';

const run: StageRun<TsneParams> = (context) =>
  runProjection(context, 'iterations', async (matrix, rng, onProgress, { products }) => {
    const { params } = context;
    let snapshot: (() => Uint8Array) | undefined;
    const watch = (done: number, total: number, current?: () => Uint8Array): void => {
      snapshot = current;
      onProgress(done, total);
    };
    const saved = await context.checkpoint.load();
    let map: Tsne;
    try {
      const { threads } = context.resources;
      map = await tsne(matrix, params, rng, { threads, onProgress: watch, resume: saved, products });
    } catch (error) {
      if (context.cancelled() && snapshot !== undefined) await context.checkpoint.save(snapshot());
      throw error;
    }
    const { points, divergence, perplexity, repulsion, notes } = map;
    const how = repulsion === 'interpolation' ? 'interpolation' : `Barnes-Hut, θ ${params.theta}`;
    return {
      points,
      notes,
      scalars: { klDivergence: divergence, perplexity },
      caption:
        `t-SNE (${how}), perplexity ${round(Number.isNaN(perplexity) ? params.perplexity : perplexity)}, ` +
        `${params.iterations} iterations${Number.isNaN(divergence) ? '' : `, divergence ${round(divergence)} nats`}. ` +
        'Near points are alike; the axes, the sizes of clusters and the distances between them mean little.',
    };
  });

function round(x: number): number {
  return Math.round(x * 100) / 100;
}

export default run;
