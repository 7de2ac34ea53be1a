/** The whole way through a real scheduler: the same bytes as here, a failure resubmitted alone, a cancelled index left alone. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactHashes, fathom, workFolder } from '../support/cli.ts';
import { settled, startCluster, stopCluster } from '../support/cluster.ts';
import { tiny } from '../support/plugin/experiment.ts';

const cluster = startCluster();
if ('why' in cluster) console.warn(`skipped: ${cluster.why}`);

describe.skipIf('why' in cluster)('on a real cluster', () => {
  const env = 'env' in cluster ? cluster.env : {};
  const experiment = `${tiny}resources:\n  slurm: { partition: debug, time: 5m, throttle: 4 }\n`;
  let cwd: string;

  beforeAll(async () => {
    cwd = await workFolder({ 'e.yaml': experiment });
  });
  afterAll(stopCluster);

  it('gives the bytes of a run on this machine, in chunks under MaxArraySize, and a report at the end', async () => {
    const submitted = await fathom(['slurm', 'submit', 'e.yaml'], { cwd, env });
    expect(submitted.err).toMatch(/round 1: array \d+, indices 0-10\n/);
    expect(submitted.err).toMatch(/round 1: array \d+, indices 0-4 from 11\n/);
    expect(submitted.code).toBe(0);
    await settled(cwd, env);
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
    await settled(folder, env);
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
    await settled(folder, env);
    const status = await fathom(['slurm', 'status', 'e.yaml', '+fit.failAt=2', '--json'], { cwd: folder, env });
    expect(JSON.parse(status.out)[1]).toEqual({ done: 12, failed: 4 });
    const again = await fathom(['slurm', 'submit', 'e.yaml', '+fit.failAt=2'], { cwd: folder, env });
    expect(again.err).toMatch(/round 1: array \d+, indices 4-7\n/);
    await settled(folder, env);
  }, 120_000);

  async function runId(folder: string): Promise<string | undefined> {
    return (await readdir(path.join(folder, 'results/tiny'))).find((name) => /^[0-9a-f]{10}$/.test(name));
  }
});
