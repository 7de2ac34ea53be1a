/** The shipped experiment on single trades, in a smaller world: from fills to frames, splits and, where it can, trees. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { searchXgboost } from '../../src/native/find.ts';
import { thisMachine } from '../../src/native/system.ts';
import { fathom } from '../support/cli.ts';
import { temporaryFolder } from '../support/stage.ts';

const root = path.resolve(import.meta.dirname, '../..');

it('experiments/copyable-trades.yaml tells apart what copying pays better than the price does', async () => {
  const results = await temporaryFolder();
  const smaller = [
    'world.wallets=400',
    'world.markets=150',
    'trades.sampleRows=8000',
    'all.rounds=40',
    'priceOnly.rounds=40',
  ];
  const { code, err } = await fathom(
    ['run', 'experiments/copyable-trades.yaml', ...smaller, '--results', results, '--no-report'],
    { cwd: root },
  );
  expect(code, err).toBe(0);
  const files = await readdir(results, { recursive: true });
  const metrics = await Promise.all(
    files
      .filter((file) => path.basename(file) === 'metrics.json')
      .map(async (file) => JSON.parse(await readFile(path.join(results, file), 'utf8')) as MetricsFile),
  );
  const having = (name: string): MetricsFile | undefined => metrics.find(({ scalars }) => name in scalars);
  expect(having('share.profitable')?.scalars['rows.labelled']).toBeGreaterThan(5000);
  // Time order, label overlap and the rest.
  const checks = having('fold0.train')?.checks ?? [];
  expect(checks.length).toBeGreaterThan(2);
  expect(checks.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
  if (!searchXgboost(thisMachine()).found) return;
  const compared = having('all.profitable.auc')?.scalars;
  expect(compared?.['all.profitable.auc']).toBeGreaterThan(compared?.['priceOnly.profitable.auc'] as number);
}, 60_000);
