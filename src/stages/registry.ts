/** All stages. Adding a method means adding its file and a line here. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StageDefinition } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';

// Descriptions only: nothing here loads a kernel or a native library.
const builtIn: readonly (() => Promise<{ default: unknown }>)[] = [
  () => import('./source-table.ts'),
  () => import('./source-polymarket.ts'),
  () => import('./source-polymarket-activity.ts'),
  () => import('./source-polymarket-markets.ts'),
  () => import('./source-polymarket-fills.ts'),
  () => import('./source-polymarket-snapshots.ts'),
  () => import('./source-hyperliquid.ts'),
  () => import('./source-simulated.ts'),
  () => import('./source-simulated-perpetuals.ts'),
  () => import('./markets-describe.ts'),
  () => import('./markets-settle.ts'),
  () => import('./wallets-facts.ts'),
  () => import('./wallets-profile.ts'),
  () => import('./wallets-targets.ts'),
  () => import('./wallets-discover.ts'),
  () => import('./features-frame.ts'),
  () => import('./features-encode.ts'),
  () => import('./features-trades.ts'),
  () => import('./features-hyperliquid.ts'),
  () => import('./evaluation-split.ts'),
  () => import('./evaluation-compare.ts'),
  () => import('./evaluation-calibrate.ts'),
  () => import('./evaluation-thresholds.ts'),
  () => import('./evaluation-ensemble.ts'),
  () => import('./evaluation-conformal.ts'),
  () => import('./train-mtl.ts'),
  () => import('./train-boosting.ts'),
  () => import('./train-forest.ts'),
  () => import('./predict-trees.ts'),
  () => import('./cluster-k-means.ts'),
  () => import('./cluster-dbscan.ts'),
  () => import('./anomaly-isolation-forest.ts'),
  () => import('./anomaly-centroid-distance.ts'),
  () => import('./models-predict.ts'),
  () => import('./project-pca.ts'),
  () => import('./project-transform.ts'),
  () => import('./project-tsne.ts'),
  () => import('./project-umap.ts'),
];

let loaded: Promise<ReadonlyMap<string, StageDefinition>> | undefined;

/**
 * The registry. Modules named in FATHOM_STAGES (separated by `:`) add stages of your own: each has a default export of
 * one StageDefinition or a list, whose `runs` is a `file:` URL.
 */
export function loadRegistry(
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<string, StageDefinition>> {
  loaded ??= load((env['FATHOM_STAGES'] ?? '').split(':').filter((name) => name !== ''));
  return loaded;
}

async function load(outside: readonly string[]): Promise<ReadonlyMap<string, StageDefinition>> {
  const stages = new Map<string, StageDefinition>();
  const add = (found: unknown, where: string): void => {
    for (const definition of [found].flat() as StageDefinition[]) {
      if (typeof definition?.name !== 'string' || definition.params === undefined)
        throw new FathomError('usage', `${where}: its default export is not a stage definition`);
      if (stages.has(definition.name))
        throw new FathomError('usage', `${where}: there is a stage "${definition.name}" already`);
      stages.set(definition.name, definition);
    }
  };
  for (const module of await Promise.all(builtIn.map((open) => open()))) add(module.default, 'registry');
  for (const file of outside) {
    const module = await import(pathToFileURL(path.resolve(file)).href).catch((error: unknown) => {
      throw new FathomError('usage', `FATHOM_STAGES names ${file}, which cannot be loaded`, {
        cause: error,
        hint: String(error),
      });
    });
    add((module as { default: unknown }).default, file);
  }
  return stages;
}
