/** One task in this process, without pools: what it leaves, and what it does not leave when it fails. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Task } from '../../src/plan/types.ts';
import type { JobMessage, JobResult } from '../../src/run/job.ts';
import { runTask, streamOf } from '../../src/run/task.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/stage.ts';

let cwd: string;
let store: Store;
beforeEach(async () => {
  cwd = await temporaryFolder();
  store = openStore(path.join(cwd, 'results'));
});

const id = 'ab'.repeat(16);

/** A task whose stage has the given body; `context` is in scope. */
async function run(body: string, changes: Partial<Task> = {}, messages: JobMessage[] = []): Promise<JobResult> {
  const file = path.join(cwd, `${messages.length}-${body.length}.mjs`);
  await writeFile(file, `import fs from 'node:fs';\nexport default async (context) => { ${body} };\n`);
  const task: Task = {
    round: 0,
    index: 0,
    id,
    stage: 'fit',
    use: 'test.fit',
    version: 1,
    numerics: 'abc',
    coordinates: { fold: 1, trial: 2, replicate: 3 },
    params: { x: 1 },
    engine: null,
    engineVersion: null,
    seed: 7,
    inputs: {},
    files: [],
    isolation: 'thread',
    runs: pathToFileURL(file).href,
    outputs: { metrics: { kind: 'metrics', optional: false }, model: { kind: 'model', optional: true } },
    resources: { threads: 1, memoryMb: 10, gpus: 0 },
    ...changes,
  };
  return runTask(
    { task, results: path.join(cwd, 'results'), cwd, resources: task.resources, stop: null, shared: {} },
    { send: (message) => messages.push(message), cancelled: () => false },
  );
}

const good = `await context.writeMetrics('metrics', { scalars: { x: context.params.x } });`;

async function expectNothing(): Promise<void> {
  expect(await store.has(id)).toBe(false);
  expect(await readdir(store.paths.staging).catch(() => [])).toEqual([]);
  expect(await readdir(store.paths.scratch).catch(() => [])).toEqual([]);
}

describe('a task that ends well', () => {
  it('leaves its artifact and nothing else', async () => {
    const result = await run(`await context.scratch(); await context.checkpoint.save(Buffer.from('x')); ${good}`);
    expect(result).toMatchObject({ state: 'done', cached: false });
    expect(Object.keys((await store.manifest(id))?.outputs ?? {})).toEqual(['metrics']);
    expect(await readdir(store.paths.staging)).toEqual([]);
    expect(await readdir(store.paths.scratch)).toEqual([]);
    expect(existsSync(store.paths.checkpoint(id))).toBe(false);
    expect(JSON.parse(await readFile(store.paths.provenance(id), 'utf8'))).toMatchObject({ stage: 'fit', threads: 1 });
  });

  it('is not made a second time', async () => {
    await run(good);
    expect(await run(`throw new Error('again')`)).toMatchObject({ state: 'done', cached: true });
  });

  it('is not told which trial it is: only what enters its identity', async () => {
    await run(`await context.writeMetrics('metrics', { scalars: { ...context.coordinates } });`);
    expect(JSON.parse(await readFile(path.join(store.paths.artifact(id), 'metrics.json'), 'utf8'))).toEqual({
      scalars: { fold: 1 },
    });
  });

  it('sends few messages of progress, the last among them', async () => {
    const messages: JobMessage[] = [];
    await run(`for (let i = 1; i <= 1000; i++) context.progress(i, 1000); context.log('hello'); ${good}`, {}, messages);
    const progress = messages.filter((message) => message.type === 'progress');
    expect(progress.length).toBeLessThan(20);
    expect(progress.at(-1)).toMatchObject({ task: id, done: 1000, total: 1000, unit: 'steps' });
    expect(messages).toContainEqual({ type: 'log', task: id, line: 'hello' });
  });
});

describe('a task that does not', () => {
  it.each([
    [
      'throws',
      `fs.writeFileSync(context.outputPath('model'), 'half'); throw new TypeError('no such thing')`,
      'task',
      /no such thing/,
    ],
    ['throws what is no error', `throw 'text'`, 'task', /text/],
    ['forgets an output', '', 'internal', /test\.fit ended without writing its output "metrics"/],
    [
      'writes a number that is none',
      `await context.writeMetrics('metrics', { scalars: { x: NaN } })`,
      'internal',
      /"x" is NaN/,
    ],
    [
      'finds the disk full',
      `throw Object.assign(new Error('write'), { code: 'ENOSPC', path: '/data' })`,
      'io',
      /fit \(fold 1, trial 2, replicate 3\): the disk is full \(\/data\)/,
    ],
  ])('and %s leaves nothing', async (_how, body, code, message) => {
    const result = await run(body);
    expect(result).toMatchObject({ state: 'failed', error: { code, message: expect.stringMatching(message) } });
    await expectNothing();
  });

  it('keeps its checkpoint, for the next time', async () => {
    await run(`await context.checkpoint.save(Buffer.from('12')); throw new Error('no')`);
    await expectNothing();
    const next = `await context.writeMetrics('metrics', { scalars: { saved: Number(await context.checkpoint.load()) } });`;
    expect(await run(next)).toMatchObject({ state: 'done' });
    expect(await readFile(path.join(store.paths.artifact(id), 'metrics.json'), 'utf8')).toContain('"saved":12');
  });

  it('refuses an outside file that is not what was planned', async () => {
    await writeFile(path.join(cwd, 'data.csv'), 'longer than before');
    const files = [{ path: 'data.csv', sha256: 'x', bytes: 3 }];
    expect(await run(good, { files })).toMatchObject({
      state: 'failed',
      error: { code: 'data', message: 'data.csv: 18 bytes, but 3 when the plan was made' },
    });
    expect(await run(good, { files: [{ path: 'gone.csv', sha256: 'x', bytes: 3 }] })).toMatchObject({
      state: 'failed',
      error: { code: 'io', message: expect.stringContaining('fit reads gone.csv: no such file') },
    });
    await expectNothing();
  });

  it('says that it cannot be loaded', async () => {
    const result = await run(good, { runs: pathToFileURL(path.join(cwd, 'nowhere.mjs')).href });
    expect(result).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('nowhere.mjs') } });
    await expectNothing();
  });

  it('fails where the store cannot be written', async () => {
    await mkdir(path.join(cwd, 'results'));
    await writeFile(path.join(cwd, 'results/store'), 'a file');
    expect(await run(good)).toMatchObject({ state: 'failed' });
  });
});

it('random streams are keyed by stage, fold and shard, not by trial: trials share their noise', () => {
  expect(streamOf({ use: 'train.mtl', coordinates: { fold: 1, trial: 5, replicate: 2 } })).toBe('train.mtl/fold 1');
  expect(streamOf({ use: 'train.mtl', coordinates: { shard: 3, refit: true } })).toBe('train.mtl/shard 3');
  expect(streamOf({ use: 'train.mtl', coordinates: {} })).toBe('train.mtl');
});
