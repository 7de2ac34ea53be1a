/** The whole way through a real scheduler: the same bytes as here, a failure resubmitted alone, a cancelled index left alone. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactHashes, execute, fathom, workFolder } from '../support/cli.ts';
import { tiny } from '../support/plugin/experiment.ts';
import { shared, sharedFile } from '../support/shared.ts';

/** A cluster of one host, if this machine may have one: it needs root and Debian's packages. */
const cluster = ((): { conf: string } | { why: string } => {
  if (shared === undefined || !existsSync(sharedFile('bin', 'slurm-up')))
    return { why: 'FATHOM_SHARED names no folder with bin/slurm-up' };
  try {
    const line = execFileSync(sharedFile('bin', 'slurm-up'), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SLURM_LAB_CPUS: '4', SLURM_LAB_MAX_ARRAY: '11' },
    });
    return { conf: /SLURM_CONF=(\S+)/.exec(line)?.[1] ?? '' };
  } catch (error) {
    if ((error as { status?: number }).status === 2)
      return { why: 'a cluster cannot be started here (not root, or no packages)' };
    throw error;
  }
})();
if ('why' in cluster) console.warn(`skipped: ${cluster.why}`);

describe.skipIf('why' in cluster)('on a real cluster', () => {
  const env = { SLURM_CONF: 'conf' in cluster ? cluster.conf : '' };
  const experiment = `${tiny}resources:\n  slurm: { partition: debug, time: 5m, throttle: 4 }\n`;
  let cwd: string;

  async function settled(folder: string): Promise<void> {
    for (let i = 0; i < 240; i++) {
      const { out, code } = await execute('squeue', ['-h'], { cwd: folder, env });
      if (code === 0 && out.trim() === '') return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error('the queue did not empty');
  }

  beforeAll(async () => {
    cwd = await workFolder({ 'e.yaml': experiment });
  });
  afterAll(() => {
    execFileSync(sharedFile('bin', 'slurm-down'), { stdio: 'ignore' });
  });

  it('gives the bytes of a run on this machine, in chunks under MaxArraySize, and a report at the end', async () => {
    const submitted = await fathom(['slurm', 'submit', 'e.yaml'], { cwd, env });
    expect(submitted.err).toMatch(/round 1: array \d+, indices 0-10\n/);
    expect(submitted.err).toMatch(/round 1: array \d+, indices 0-4 from 11\n/);
    expect(submitted.code).toBe(0);
    await settled(cwd);
    const status = await fathom(['slurm', 'status', 'e.yaml', '--json'], { cwd, env });
    expect(JSON.parse(status.out)).toEqual([{ done: 4 }, { done: 16 }, { done: 2 }, { done: 1 }]);
    const here = await workFolder({ 'e.yaml': tiny });
    expect((await fathom(['run', 'e.yaml', '--no-report'], { cwd: here })).code).toBe(0);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(await artifactHashes(path.join(here, 'results')));
    expect(
      (
        await readFile(
          path.join(cwd, 'results/tiny/latest/report.html').replace('latest', (await runId(cwd)) ?? ''),
          'utf8',
        )
      ).length,
    ).toBeGreaterThan(1000);
  }, 120_000);

  it('gives the bytes of a small sweep of real stages', async () => {
    const small = await readFile(path.join(import.meta.dirname, '../support/small-sweep.yaml'), 'utf8');
    const folder = await workFolder({ 'e.yaml': small });
    const submitted = await fathom(['slurm', 'submit', 'e.yaml', '+resources.slurm.tasksPerJob=4'], {
      cwd: folder,
      env,
    });
    expect(submitted.code, submitted.err).toBe(0);
    await settled(folder);
    const here = await workFolder({ 'e.yaml': small });
    expect((await fathom(['run', 'e.yaml', '--no-report'], { cwd: here })).code).toBe(0);
    expect(await artifactHashes(path.join(folder, 'results'))).toEqual(
      await artifactHashes(path.join(here, 'results')),
    );
  }, 180_000);

  it('submits nothing when all is done', async () => {
    const again = await fathom(['slurm', 'submit', 'e.yaml'], { cwd, env });
    expect(again.err).toContain('nothing to submit: everything is done');
  });

  it('leaves the mark of a failure and submits only that index again', async () => {
    const folder = await workFolder({ 'e.yaml': experiment });
    await fathom(['slurm', 'submit', 'e.yaml', '+fit.failAt=2'], { cwd: folder, env });
    await settled(folder);
    const status = await fathom(['slurm', 'status', 'e.yaml', '+fit.failAt=2', '--json'], { cwd: folder, env });
    expect(JSON.parse(status.out)[1]).toEqual({ done: 12, failed: 4 });
    const again = await fathom(['slurm', 'submit', 'e.yaml', '+fit.failAt=2'], { cwd: folder, env });
    expect(again.err).toMatch(/round 1: array \d+, indices 4-7\n/);
    await settled(folder);
  }, 120_000);

  async function runId(folder: string): Promise<string | undefined> {
    return (await readdir(path.join(folder, 'results/tiny'))).find((name) => /^[0-9a-f]{10}$/.test(name));
  }
});
