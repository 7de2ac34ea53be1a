/** The shipped experiment of six heads: what it says of a world in which kinds of wallet differ and styles do not. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { packageRoot } from '../../src/paths.ts';
import { fathom, workFolder } from '../support/cli.ts';

describe('experiments/wallet-profiles.yaml', () => {
  it('tells sophistication from the past better than its past value does, and finds no style where there is none', async () => {
    const text = await readFile(path.join(packageRoot, 'experiments/wallet-profiles.yaml'), 'utf8');
    const cwd = await workFolder({ 'e.yaml': text });
    const { code, err } = await fathom(['run', 'e.yaml', 'network.engine=wasm', '--no-report'], { cwd });
    expect(code, err).toBe(0);
    const results = path.join(cwd, 'results');
    const plans = path.join(results, 'wallet-profiles/latest/plan');
    const rounds = (await readdir(plans)).filter((name) => name.endsWith('.jsonl'));
    const lines = await Promise.all(rounds.map((name) => readFile(path.join(plans, name), 'utf8')));
    const tasks = lines
      .flatMap((round) => round.trim().split('\n'))
      .map((line) => JSON.parse(line) as { id: string; stage: string });
    const networks = tasks.filter(({ stage }) => stage === 'network');
    expect(networks).toHaveLength(2);
    for (const { id } of networks) {
      const file = path.join(results, 'store', id.slice(0, 2), id, 'metrics.json');
      const { metrics = [] } = JSON.parse(await readFile(file, 'utf8')) as MetricsFile;
      const spearman = (target: string) =>
        metrics.find((metric) => metric.name === 'spearman' && metric.set === 'test' && metric.target === target);
      const sophistication = spearman('nextSophistication');
      expect(sophistication?.value).toBeGreaterThan((sophistication?.baseline?.value ?? 1) as number);
      // Wallets of this world follow no path of prices.
      expect(Math.abs(spearman('nextMomentum')?.value ?? 1)).toBeLessThan(0.12);
    }
  }, 300_000);
});
