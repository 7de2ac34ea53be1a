/** The same layout by the npm package umap-js, for comparison. */
import { UMAP } from 'umap-js';
import type { Rng } from '../random/rng.ts';
import { type Matrix, requireLayout } from './matrix.ts';
import { defaultEpochs, prepareUmap, type Umap, type UmapOptions, type UmapRun } from './umap.ts';

/**
 * Repeats for a seed on one version of Node; other versions may round its powers and logarithms differently. It knows
 * no start but its own random one and finds neighbours approximately.
 */
export async function umapJs(
  matrix: Matrix,
  options: Omit<UmapOptions, 'start'>,
  rng: Rng,
  { onProgress }: UmapRun = {},
): Promise<Umap> {
  const { map, neighbours, notes } = prepareUmap(matrix, options.neighbours, matrix.rows - 1);
  if (map !== undefined) return map;
  const layout = new UMAP({
    nComponents: 2,
    nNeighbors: neighbours,
    minDist: options.minDist,
    spread: options.spread,
    learningRate: options.learningRate,
    negativeSampleRate: options.negativeSamples,
    nEpochs: options.epochs === 'auto' ? defaultEpochs(matrix.rows) : options.epochs,
    random: () => rng.uniform(),
  });
  const epochs = layout.initializeFit(
    Array.from({ length: matrix.rows }, (_, i) => [
      ...matrix.values.subarray(i * matrix.columns, (i + 1) * matrix.columns),
    ]),
  );
  for (let epoch = 0; epoch < epochs; epoch++) {
    layout.step();
    onProgress?.(epoch + 1, epochs);
  }
  const points = Float64Array.from(layout.getEmbedding().flat());
  requireLayout(points);
  return { points, neighbours, notes };
}
