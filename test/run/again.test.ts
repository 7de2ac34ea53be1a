/** What a plan becomes when tasks are twins, or fail and are tried again. */
import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, fathom, pluginStages, workFolder } from '../support/cli.ts';

async function status(cwd: string, ...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse((await fathom(['status', 'e.yaml', '--json', ...args], { cwd })).out);
}

async function run(cwd: string, ...args: string[]): Promise<CliResult & { summary: Record<string, unknown> }> {
  const result = await fathom(['run', 'e.yaml', '--no-report', '--json', ...args], { cwd });
  return { ...result, summary: result.out === '' ? {} : JSON.parse(result.out) };
}

describe('two places of a plan with the same task', () => {
  const twins = `name: twins
stages:
  a: { use: test.number, value: 2 }
  b: { use: test.number, value: 2 }
  other: { use: test.number, value: 3 }
`;

  it('make it once, and both are done', async () => {
    const cwd = await workFolder({ 'e.yaml': twins });
    const { code, err, summary } = await run(cwd);
    expect(code).toBe(0);
    expect(err).toContain('3/3 tasks');
    expect(summary).toMatchObject({ tasks: 3, done: 3, cached: 0, failed: [] });
    expect(await status(cwd)).toMatchObject({ done: 3, pending: 0 });
    expect((await run(cwd)).summary).toMatchObject({ tasks: 3, done: 3, cached: 3 });
  });

  it('are each marked by their own index of an array', async () => {
    const cwd = await workFolder({ 'e.yaml': twins });
    await run(cwd);
    const folder = path.join(cwd, 'results/twins', await latest(cwd, 'twins'));
    await rm(path.join(folder, 'state'), { recursive: true });
    await rm(path.join(cwd, 'results/store'), { recursive: true });
    const markers: string[] = [];
    for (const index of [0, 1]) {
      const result = await fathom(['task', folder, '--round', '0', '--index', String(index)], { cwd });
      expect(result.code).toBe(0);
      markers.push(`${index}.done`);
      expect((await readdir(path.join(folder, 'state/000'))).sort()).toEqual(markers);
    }
  });

  it('fail both, and the sweep that they are trials of has ended', async () => {
    const cwd = await workFolder({
      'e.yaml': `name: pair
stages:
  fit: { use: test.fit, failAt: 2 }
sweep:
  stage: fit
  metric: { name: validation.score, goal: maximize }
  space: { x: { choice: [2, 2, 4] } }
  sampler: { use: grid }
`,
    });
    const { code, summary } = await run(cwd);
    expect(code).toBe(1);
    expect(summary).toMatchObject({ tasks: 4, done: 2, blocked: 0, problem: null });
    expect(summary['failed']).toHaveLength(2);
    expect(await status(cwd)).toMatchObject({ done: 2, failed: 2, pending: 0 });
  });
});

describe('a sweep in which every trial failed', () => {
  const failing = `name: failing
stages:
  good: { use: test.number }
  fit: { use: test.fit, failAt: 2 }
  after: { use: test.gather, from: { parts: [good, fit] } }
sweep:
  stage: fit
  metric: { name: validation.score, goal: maximize }
  space: { x: { choice: [2] } }
  sampler: { use: grid }
  replicates: 2
`;

  it('says so, shows its state, and can be run again', async () => {
    const cwd = await workFolder({ 'e.yaml': failing });
    for (const cached of [0, 1]) {
      const { code, err, summary } = await run(cwd);
      expect(code).toBe(1);
      expect(err).toContain('the sweep has no winner: every trial failed');
      expect(err).toContain('2 of 5 tasks failed');
      expect(summary).toMatchObject({ tasks: 5, done: 1, cached, problem: expect.stringContaining('no winner') });
      expect(await status(cwd)).toMatchObject({ total: 5, done: 1, failed: 2, pending: 2 });
    }
    expect((await fathom(['plan', 'e.yaml'], { cwd })).code).toBe(0);
    const folder = path.join(cwd, 'results/failing', await latest(cwd, 'failing'));
    const late = await fathom(['task', folder, '--round', '1', '--index', '0'], { cwd });
    expect(late.code).toBe(1);
    expect(late.err).toContain('the sweep has no winner');
  });

  it('still has a page', async () => {
    const cwd = await workFolder({ 'e.yaml': failing });
    const result = await fathom(['run', 'e.yaml'], { cwd });
    expect(result.code).toBe(1);
    expect(result.out).toMatch(/^report: results\/failing\/\w+\/report\.html\n$/);
  });
});

it('a failed trial that ends well the second time can win', async () => {
  const cwd = await workFolder({
    'e.yaml': `name: flaky
stages:
  fit: { use: test.flaky }
  after: { use: test.gather, from: { parts: fit } }
sweep:
  stage: fit
  metric: { name: score, goal: maximize }
  space: { x: { choice: [1, 2, 3] } }
  sampler: { use: grid }
`,
    // Fails at its best point unless a file is there, which no identity knows.
    'stages.mjs': `import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
const port = { kind: 'metrics', description: 'score', optional: false };
export default {
  name: 'test.flaky', version: 1, summary: 'fails while the weather is bad', inputs: {}, outputs: { metrics: port },
  params: z.strictObject({ x: z.number().default(0) }), isolation: 'thread', runs: new URL('run.mjs', import.meta.url).href,
  resources: () => ({ threads: 1, memoryMb: 10, gpus: 0 }),
};
`,
    'run.mjs': `import { existsSync } from 'node:fs';
export default async function run({ params, writeMetrics }) {
  if (params.x === 3 && !existsSync('sun')) throw new Error('bad weather');
  await writeMetrics('metrics', { scalars: { score: params.x, value: params.x } });
}
`,
  });
  const env = { FATHOM_STAGES: `${pluginStages}:${path.join(cwd, 'stages.mjs')}` };
  const go = async (): Promise<CliResult> => fathom(['run', 'e.yaml', '--no-report', '-w', '1'], { cwd, env });
  const sum = async (): Promise<unknown> => {
    const folder = path.join(cwd, 'results/flaky', await latest(cwd, 'flaky'));
    const last = (await readFile(path.join(folder, 'plan/002.jsonl'), 'utf8')).trim();
    const { id } = JSON.parse(last) as { id: string };
    return JSON.parse(await readFile(path.join(cwd, 'results/store', id.slice(0, 2), id, 'metrics.json'), 'utf8'));
  };
  expect((await go()).code).toBe(1);
  expect(await sum()).toEqual({ scalars: { sum: 2 } });
  await writeFile(path.join(cwd, 'sun'), '');
  const second = await go();
  expect(second.code, second.err).toBe(0);
  expect(second.err).toContain('5/5 tasks');
  expect(await sum()).toEqual({ scalars: { sum: 3 } });
});

/** Id of the run last started. */
function latest(cwd: string, experiment: string): Promise<string> {
  return readlink(path.join(cwd, 'results', experiment, 'latest'));
}
