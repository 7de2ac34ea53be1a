/** The shipped experiment on kinds of wallet, in a smaller world. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { MapFigure } from '../../src/contract/figure.ts';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { fathom } from '../support/cli.ts';
import { temporaryFolder } from '../support/stage.ts';

const root = path.resolve(import.meta.dirname, '../..');

it('experiments/archetypes.yaml finds kinds in a world that has them, and says how far they match', async () => {
  const results = await temporaryFolder();
  const smaller = ['world.wallets=300', 'world.markets=120', 'map.iterations=60', 'kinds.range.to=8'];
  const { code, err } = await fathom(
    ['run', 'experiments/archetypes.yaml', ...smaller, '--results', results, '--no-report'],
    { cwd: root },
  );
  expect(code, err).toBe(0);
  const files = await readdir(results, { recursive: true });
  const json = async <T>(name: string): Promise<T[]> =>
    Promise.all(
      files
        .filter((file) => path.basename(file) === name)
        .map(async (file) => JSON.parse(await readFile(path.join(results, file), 'utf8')) as T),
    );
  const metrics = await json<MetricsFile>('metrics.json');
  const kinds = metrics.find(({ scalars }) => 'silhouette.shuffled' in scalars);
  expect(kinds?.scalars['adjustedRand']).toBeGreaterThan(0.25);
  expect(kinds?.scalars['silhouette']).toBeGreaterThan(kinds?.scalars['silhouette.shuffled'] as number);
  expect(kinds?.findings?.[0]?.sentence).toContain('Beside truthArchetype');
  const unusual = metrics.find(({ scalars }) => 'auc' in scalars && scalars['rows'] === kinds?.scalars['rows']);
  expect(unusual).toBeDefined();
  const figures = (await json<MapFigure[]>('figures.json')).flat();
  const maps = figures.filter(({ kind }) => kind === 'map');
  expect(maps.length).toBe(2);
  for (const map of maps) {
    expect(map.colour).toBe('truthArchetype');
    expect(map.columns.map(({ name }) => name)).toContain('cluster');
  }
}, 60_000);
