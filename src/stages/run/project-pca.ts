import type { StageRun } from '../../contract/stage.ts';
import { pca2 } from '../../projections/pca.ts';
import type { PcaParams } from '../project-pca.ts';
import { runProjection } from './projection.ts';

const run: StageRun<PcaParams> = (context) =>
  runProjection(context, 'maps', async (matrix, _rng, onProgress) => {
    onProgress(0, 1);
    const { points, explained } = pca2(matrix);
    onProgress(1, 1);
    const [first, second] = explained;
    return {
      points,
      notes: [],
      scalars: { 'explained.first': first, 'explained.second': second },
      caption:
        `Principal components: x holds ${percent(first)} of the variance, y ${percent(second)}, ` +
        `${percent(1 - first - second)} are not shown. Distances and axes mean what they say; rows far apart in what is not shown may lie together.`,
    };
  });

function percent(share: number): string {
  return `${(100 * Math.max(0, share)).toFixed(1)} %`;
}

export default run;
