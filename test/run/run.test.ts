import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { artifactHashes, type CliResult, fathom, workFolder } from '../support/cli.ts';
import { tiny } from '../support/plugin/experiment.ts';

const noReport = ['--no-report'];

async function run(cwd: string, ...args: string[]): Promise<CliResult> {
  return fathom(['run', 'e.yaml', ...noReport, ...args], { cwd });
}

describe('a run on this machine', () => {
  let cwd: string;
  let first: CliResult;
  beforeAll(async () => {
    cwd = await workFolder({ 'e.yaml': tiny });
    first = await run(cwd, '-w', '1');
  });

  it('ends well, with every task done and the absent stage named', async () => {
    expect(first.code).toBe(0);
    expect(first.err).toContain('need (test.needs) will not run: nolib is not here. install nolib');
    expect(first.err).toContain('23/23 tasks');
    const status = await fathom(['status', 'e.yaml', '--json'], { cwd });
    expect(JSON.parse(status.out)).toMatchObject({ total: 23, done: 23, failed: 0, pending: 0 });
  });

  it('trains the winner again, once a fold, on train and validation', async () => {
    const manifests = Object.values(await artifactHashes(path.join(cwd, 'results')));
    const refits = manifests.filter(({ use, params }) => use === 'test.fit' && params.fitOn === 'train+validation');
    expect(refits.map(({ params }) => params.x)).toEqual([3, 3]);
  });

  it('does nothing the second time', async () => {
    const second = await run(cwd);
    expect(second.code).toBe(0);
    expect(second.err).toContain('nothing to do: all 23 tasks are in the store');
  });

  it('gives the same bytes with four workers', async () => {
    const other = await workFolder({ 'e.yaml': tiny });
    expect((await run(other, '-w', '4')).code).toBe(0);
    expect(await artifactHashes(path.join(other, 'results'))).toEqual(await artifactHashes(path.join(cwd, 'results')));
  });

  it('runs only what a change touches, says so, and keeps the run before', async () => {
    const plan = await fathom(['plan', 'e.yaml', 'a.value=5'], { cwd });
    expect(plan.out).toContain('a: 1 task: to run: changed value');
    expect(plan.out).toContain('b: 1 task: done');
    expect(plan.out).toContain('sum: 1 task: to run: changed input a');
    expect(plan.out).toContain('23 tasks, 21 done, 2 to run');
    const changed = await run(cwd, 'a.value=5');
    expect(changed.err).toContain('a.value: 2 -> 5');
    expect(changed.err).toContain('23/23 tasks');
    const runs = (await readdir(path.join(cwd, 'results/tiny'))).filter((name) => name !== 'latest');
    expect(runs).toHaveLength(2);
  });

  it('makes a missing artifact again and nothing else', async () => {
    const hashes = await artifactHashes(path.join(cwd, 'results'));
    const [id] =
      Object.entries(hashes).find(([, manifest]) => (manifest as { use: string }).use === 'test.folds') ?? [];
    await rm(path.join(cwd, 'results/store', (id as string).slice(0, 2), id as string), { recursive: true });
    const again = await run(cwd, '--json');
    expect(JSON.parse(again.out)).toMatchObject({ cached: 22, done: 23, tasks: 23 });
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(hashes);
  });

  it('writes provenance beside artifacts and no line of it into their manifests', async () => {
    const [id, manifest] = Object.entries(await artifactHashes(path.join(cwd, 'results')))[0] as [string, object];
    expect(JSON.stringify(manifest)).not.toMatch(/host|startedAt|pid/);
    const provenance = JSON.parse(
      await readFile(path.join(cwd, 'results/store', id.slice(0, 2), id, 'provenance.json'), 'utf8'),
    );
    expect(provenance).toMatchObject({ node: process.version, threads: 1 });
  });
});

describe('failures', () => {
  const dying = (how: string): string => `name: dying
stages:
  die: { use: test.die, how: ${how} }
  after: { use: test.gather, from: { parts: die } }
  good: { use: test.number }
`;

  it.each([
    ['abort', /the process died of SIGABRT/],
    ['SIGSEGV', /the process died of SIGSEGV/],
    ['exit', /the process ended with code 7/],
    ['throw', /no such thing/],
    ['forget', /without writing its output "metrics"/],
  ])('a stage that ends by %s fails its task only', async (how, message) => {
    const cwd = await workFolder({ 'e.yaml': dying(how) });
    const result = await run(cwd);
    expect(result.code).toBe(1);
    expect(result.err).toMatch(message);
    expect(result.err).not.toMatch(/\n\s+at .*\(/);
    const status = await fathom(['status', 'e.yaml', '--json'], { cwd });
    expect(JSON.parse(status.out)).toMatchObject({ done: 1, failed: 1, pending: 1 });
    expect(await readdir(path.join(cwd, 'results/store/staging')).catch(() => [])).toHaveLength(0);
  });

  it('goes on after a failed trial, which cannot win, and tries it again next time', async () => {
    const cwd = await workFolder({ 'e.yaml': tiny });
    const result = await run(cwd, '+fit.failAt=3');
    expect(result.code).toBe(1);
    expect(result.err).toContain('x = 3 cannot be');
    const status = await fathom(['status', 'e.yaml', '+fit.failAt=3', '--json'], { cwd });
    expect(JSON.parse(status.out)).toMatchObject({ done: 19, failed: 4 });
    const again = await run(cwd, '+fit.failAt=3', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ cached: 19, done: 19 });
    expect(JSON.parse(again.out).failed).toHaveLength(4);
  });

  it('stops at the first failure with --on-error abort', async () => {
    const cwd = await workFolder({ 'e.yaml': tiny });
    const result = await run(cwd, '+fit.failAt=1', '-w', '1', '--on-error', 'abort', '--json');
    expect(result.code).toBe(1);
    const summary = JSON.parse(result.out);
    expect(summary.failed).toHaveLength(1);
    expect(summary.done).toBeLessThan(10);
  });

  it('refuses a missing library unless told to skip, before anything runs', async () => {
    const cwd = await workFolder({
      'e.yaml': 'name: n\nstages:\n  need: { use: test.needs }\n  good: { use: test.number }\n',
    });
    const result = await run(cwd);
    expect(result.code).toBe(69);
    expect(result.err).toContain('stage "need" (test.needs): nolib is not here');
    expect(result.err).toContain('need.whenMissing=skip');
    expect(await readdir(path.join(cwd)).then((names) => names.includes('results'))).toBe(false);
  });
});
