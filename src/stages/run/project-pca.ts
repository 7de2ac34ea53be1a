import { writeFile } from 'node:fs/promises';
import type { BarsFigure, Figure, HeatmapFigure } from '../../contract/figure.ts';
import type { StageRun } from '../../contract/stage.ts';
import { pcaModel } from '../../models/components/pca-model.ts';
import { fitSpace } from '../../models/feature-space.ts';
import { type ComponentFinder, type Components, pca2, principalComponents } from '../../projections/pca.ts';
import { select } from '../../projections/selection.ts';
import { columnNamed } from '../../tables/frame.ts';
import type { PcaParams } from '../project-pca.ts';
import { shown } from './grouping.ts';
import { runProjection } from './projection.ts';

/** Components and features that a figure has room for. */
const SHOWN = { components: 5, features: 40 };

const run: StageRun<PcaParams> = async (context) => {
  const { asOf, maxRows, features, standardize, components: count } = context.params;
  const find = await finder(context.engine);
  await runProjection(context, 'maps', async (matrix, _rng, onProgress, { frame, selection }) => {
    onProgress(0, 1);
    const components = find(matrix, count);
    const { points, explained } = pca2(matrix, components);
    onProgress(1, 1);
    // The same rows once more, in the units of the frame: the model must bring later rows to the same scale.
    const raw = select(frame, { asOf, maxRows, features, standardize: false }, context.rng('sample'));
    const columns = raw.features.map((name) => columnNamed(frame, name));
    const model = pcaModel(fitSpace(columns, raw.matrix, standardize), components);
    await writeFile(context.outputPath('model'), `${JSON.stringify(model)}\n`);
    const [first, second] = explained;
    return {
      points,
      notes: [],
      scalars: { 'explained.first': first, 'explained.second': second },
      caption:
        `Principal components: x holds ${percent(first)} of the variance, y ${percent(second)}, ` +
        `${percent(1 - first - second)} are not shown. Distances and axes mean what they say; rows far apart in what is not shown may lie together.`,
      figures: figuresOf(components, selection.features),
    };
  });
};

/** Native code is loaded only here, and only if it is asked for: then this is a process of its own. */
async function finder(engine: string | undefined): Promise<ComponentFinder> {
  if (engine !== 'openblas') return principalComponents;
  const [{ loadOpenblas }, { requireOpenblas }, { openblasComponents }] = await Promise.all([
    import('../../native/blas.ts'),
    import('../../native/openblas.ts'),
    import('../../projections/pca-openblas.ts'),
  ]);
  return openblasComponents(loadOpenblas(requireOpenblas().path));
}

const FIGURE = { section: 'map', method: 'Projections' } as const;
const nameOf = (_: unknown, c: number): string => `component ${c + 1}`;

/** How much each component holds, and what goes into the first ones. */
function figuresOf({ shares, vectors, means }: Components, features: readonly string[]): Figure[] {
  const held = Array.from(shares).reduce((sum, share) => sum + share, 0);
  const scree: BarsFigure = {
    ...FIGURE,
    kind: 'bars',
    id: 'explained-variance',
    title: 'How many directions hold the variance?',
    subtitle: `Share of the variance of ${features.length} features; together ${percent(held)}`,
    caption: 'Eigenvalues of the covariance matrix over their sum.',
    unit: 'share of variance',
    bars: Array.from(shares, (share, c) => ({ label: nameOf(share, c), role: 'this' as const, value: share })),
  };
  const columns = means.length;
  const rows = Array.from({ length: Math.min(SHOWN.components, shares.length) }, nameOf);
  const largest = features
    .map((name, c) => ({
      name,
      c,
      size: Math.max(...rows.map((_, e) => Math.abs(vectors[e * columns + c] as number))),
    }))
    .sort((a, b) => b.size - a.size || a.c - b.c)
    .slice(0, SHOWN.features)
    .sort((a, b) => a.c - b.c);
  const loadings: HeatmapFigure = {
    ...FIGURE,
    kind: 'heatmap',
    id: 'component-loadings',
    title: 'What are the components made of?',
    subtitle: `Entries of the unit vectors${largest.length < features.length ? `; the ${largest.length} features with the largest` : ''}`,
    caption: 'The sign of a component is free: its entry of largest size is made positive.',
    rowTitle: 'component',
    columnTitle: 'feature',
    rows,
    columns: largest.map(({ name }) => name),
    values: rows.map((_, e) => largest.map(({ c }) => shown(vectors[e * columns + c]))),
    unit: 'loading',
  };
  return [scree, loadings];
}

function percent(share: number): string {
  return `${(100 * Math.max(0, share)).toFixed(1)} %`;
}

export default run;
