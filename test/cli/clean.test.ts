import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { clean } from '../../src/cli/clean.ts';
import { runPaths } from '../../src/store/layout.ts';
import { listArtifacts, openStore, type Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/stage.ts';
import { recordedEffects } from './support.ts';

const hour = 3_600_000;
let cwd: string;
let results: string;
let store: Store;
beforeEach(async () => {
  cwd = await temporaryFolder();
  results = path.join(cwd, 'results');
  store = openStore(results);
});

/** Sets the time of everything below a folder, itself included. */
async function age(file: string, ms: number): Promise<void> {
  const found = await stat(file);
  if (found.isDirectory()) for (const name of await readdir(file)) await age(path.join(file, name), ms);
  const at = new Date(Date.now() - ms);
  await utimes(file, at, at);
}

async function artifact(letter: string, ms = 2 * hour): Promise<string> {
  const id = letter.repeat(32);
  await mkdir(store.paths.artifact(id), { recursive: true });
  await writeFile(store.paths.manifest(id), 'x'.repeat(1000));
  await age(store.paths.artifact(id), ms);
  return id;
}

async function makeRun(id: string, tasks: readonly string[], ms: number): Promise<string> {
  const folder = path.join(results, 'sweep', id.repeat(10));
  const paths = runPaths(folder);
  await mkdir(paths.states(0), { recursive: true });
  await mkdir(path.dirname(paths.shape), { recursive: true });
  await writeFile(paths.round(0), tasks.map((task) => `${JSON.stringify({ id: task })}\n`).join(''));
  await age(folder, ms);
  return folder;
}

async function go(options: { yes?: boolean; keep?: number } = {}): Promise<string[]> {
  const effects = recordedEffects(cwd);
  await clean({ yes: false, keep: 1, json: true, results, ...options }, effects);
  const { items } = JSON.parse(effects.text()) as { items: { what: string; path: string }[] };
  return items.map((item) => `${item.what}: ${path.relative(results, item.path)}`);
}

async function runs(): Promise<string[]> {
  return (await readdir(path.join(results, 'sweep'))).map((name) => name[0] as string).sort();
}

describe('fathom clean', () => {
  it('finds nothing where there are no results', async () => {
    expect(await go()).toEqual([]);
  });

  it('keeps the newest run and what it uses; the rest may go', async () => {
    const [a, b, c] = [await artifact('a'), await artifact('b'), await artifact('c')];
    await makeRun('1', [a, b], 5 * hour);
    await makeRun('2', [b], 3 * hour);
    const found = await go();
    expect(found).toEqual(
      [`old run: sweep/${'1'.repeat(10)}`, `artifact of no run: aa/${a}`, `artifact of no run: cc/${c}`].map((line) =>
        line.replace(/: (aa|cc)/, ': store/$1'),
      ),
    );
  });

  it('removes nothing unless told to, and then what it said', async () => {
    const [a, b] = [await artifact('a'), await artifact('b')];
    await makeRun('1', [a], 5 * hour);
    await makeRun('2', [b], 3 * hour);
    const said = await go();
    expect(await runs()).toEqual(['1', '2']);
    expect(await listArtifacts(store)).toEqual([a, b]);
    expect(await go({ yes: true })).toEqual(said);
    expect(await runs()).toEqual(['2']);
    expect(await listArtifacts(store)).toEqual([b]);
    expect(await go()).toEqual([]);
  });

  it('keeps as many runs as asked for', async () => {
    for (const [id, hours] of [
      ['1', 4],
      ['2', 3],
      ['3', 2],
    ] as const)
      await makeRun(id, [], hours * hour);
    await go({ keep: 2, yes: true });
    expect(await runs()).toEqual(['2', '3']);
    await go({ keep: 0, yes: true });
    expect(await runs()).toEqual([]);
  });

  it('touches nothing younger than an hour', async () => {
    const a = await artifact('a', hour / 2);
    await makeRun('1', [], hour / 2);
    await makeRun('2', [], hour / 4);
    await mkdir(path.join(store.paths.staging, `${a}.1.x`), { recursive: true });
    expect(await go()).toEqual([]);
  });

  it('takes the run that last ended a task for the newest, whenever it began', async () => {
    const a = await artifact('a');
    const folder = await makeRun('1', [a], 5 * hour);
    await makeRun('2', [], 3 * hour);
    await writeFile(runPaths(folder).state(0, 0, 'done'), '{}');
    expect(await go()).toEqual([`old run: sweep/${'2'.repeat(10)}`]);
  });

  it('keeps an old run whose one task takes hours', async () => {
    const a = await artifact('a');
    const b = 'b'.repeat(32);
    await makeRun('1', [a, b], 5 * hour);
    await makeRun('2', [], 3 * hour);
    await mkdir(store.paths.claims, { recursive: true });
    await writeFile(path.join(store.paths.claims, b), '{}');
    expect(await go()).toEqual([]);
    await age(path.join(store.paths.claims, b), 2 * hour);
    expect(await go()).toHaveLength(3);
  });

  it('removes what dead runs left, but no checkpoint that a kept run may go on from', async () => {
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
    await makeRun('1', [a], 2 * hour);
    for (const file of [
      path.join(store.paths.staging, `${a}.1.x`, 'model.model'),
      path.join(store.paths.scratch, `${a}.1.x`, 'spill'),
      path.join(store.paths.claims, a),
      store.paths.checkpoint(a),
      store.paths.checkpoint(b),
    ]) {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, '');
    }
    await age(store.paths.root, 2 * hour);
    expect((await go({ yes: true })).map((line) => line.split(':')[0])).toEqual([
      'half-made artifact',
      'spilled data',
      'dead claim',
      'checkpoint',
    ]);
    expect(await readdir(path.dirname(store.paths.checkpoint(a)))).toEqual([a]);
  });

  it('says in words how much that is', async () => {
    await artifact('a');
    const effects = recordedEffects(cwd);
    await clean({ yes: false, keep: 1, json: false, results }, effects);
    expect(effects.lines).toEqual([
      `artifact of no run  results/store/aa/${'a'.repeat(32)}  0.0 MB`,
      '1 items, 0.0 MB; --yes removes them',
    ]);
  });
});
