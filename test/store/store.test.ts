import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { listArtifacts, type Manifest, openStore, type Store, sha256OfFile } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/stage.ts';

const task = 'ab'.repeat(16);
const head: Omit<Manifest, 'format' | 'outputs'> = {
  task,
  use: 'test.number',
  version: 1,
  numerics: 'abc',
  params: { value: 2 },
  engine: null,
  engineVersion: null,
  seed: 7,
  inputs: {},
  files: [],
};

let store: Store;
beforeEach(async () => {
  store = openStore(path.join(await temporaryFolder(), 'results'));
});

async function staged(text = 'hello'): Promise<string> {
  const folder = await store.stage(task);
  await writeFile(path.join(folder, 'model.model'), text);
  return folder;
}

const outputs = { model: { file: 'model.model', kind: 'model' } } as const;

describe('an artifact', () => {
  it('is not there until it is committed, and then all of it', async () => {
    const folder = await staged();
    expect(await store.has(task)).toBe(false);
    expect(existsSync(path.join(folder, 'manifest.json'))).toBe(false);
    const manifest = await store.commit(folder, head, outputs, { host: 'here' });
    // echo -n hello | sha256sum
    expect(manifest.outputs['model']).toEqual({
      file: 'model.model',
      kind: 'model',
      bytes: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    expect(await store.has(task)).toBe(true);
    expect(await store.manifest(task)).toEqual(manifest);
    expect((await readdir(store.paths.artifact(task))).sort()).toEqual([
      'manifest.json',
      'model.model',
      'provenance.json',
    ]);
    expect(await readdir(store.paths.staging)).toEqual([]);
  });

  it('holds folders, hashed by the names and contents of their files', async () => {
    const commit = async (name: string, files: Record<string, string>): Promise<string | undefined> => {
      const folder = await store.stage(name);
      await mkdir(path.join(folder, 'parts'));
      for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, 'parts', file), text);
      const manifest = await store.commit(
        folder,
        { ...head, task: name },
        { parts: { file: 'parts', kind: 'folder' } },
        {},
      );
      expect(manifest.outputs).toMatchObject({ parts: { bytes: 2 } });
      return Object.values(manifest.outputs)[0]?.sha256;
    };
    const first = await commit('aa'.repeat(16), { a: '1', b: '2' });
    expect(await commit('ab'.repeat(16), { b: '2', a: '1' })).toBe(first);
    expect(await commit('ac'.repeat(16), { a: '2', b: '1' })).not.toBe(first);
    expect(await commit('ad'.repeat(16), { a: '1', c: '2' })).not.toBe(first);
  });

  it('has the same manifest whoever made it and when', async () => {
    await store.commit(await staged(), head, outputs, { host: 'here' });
    const first = await readFile(store.paths.manifest(task), 'utf8');
    await rm(store.paths.artifact(task), { recursive: true });
    await store.commit(await staged(), head, outputs, { host: 'there', startedAt: 'later' });
    expect(await readFile(store.paths.manifest(task), 'utf8')).toBe(first);
  });

  it('stays as the first made it; the copy of the second is dropped', async () => {
    const [one, two] = [await staged('first'), await staged('second')];
    expect(one).not.toBe(two);
    const first = await store.commit(one, head, outputs, { host: 'first' });
    expect(await store.commit(two, head, outputs, { host: 'second' })).toEqual(first);
    expect(await readFile(path.join(store.paths.artifact(task), 'model.model'), 'utf8')).toBe('first');
    expect(await readFile(store.paths.provenance(task), 'utf8')).toContain('first');
    expect(await readdir(store.paths.staging)).toEqual([]);
  });

  it('takes the place of a folder that has lost its manifest', async () => {
    await mkdir(store.paths.artifact(task), { recursive: true });
    await writeFile(path.join(store.paths.artifact(task), 'model.model'), 'half');
    expect(await store.has(task)).toBe(false);
    await store.commit(await staged('whole'), head, outputs, {});
    expect(await store.has(task)).toBe(true);
    expect(await readFile(path.join(store.paths.artifact(task), 'model.model'), 'utf8')).toBe('whole');
  });

  it('is not there if an output is missing', async () => {
    const folder = await store.stage(task);
    await expect(store.commit(folder, head, outputs, {})).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await store.has(task)).toBe(false);
    expect(existsSync(store.paths.artifact(task))).toBe(false);
  });

  it('is hashed the same whether it is small or streamed', async () => {
    const folder = await store.stage(task);
    const bytes = Buffer.alloc((8 << 20) + 1, 'fathom');
    await writeFile(path.join(folder, 'model.model'), bytes);
    const { sha256 } = await sha256OfFile(path.join(folder, 'model.model'));
    const manifest = await store.commit(folder, head, outputs, {});
    expect(manifest.outputs['model']).toMatchObject({ bytes: bytes.length, sha256 });
  });
});

describe('a damaged manifest', () => {
  it.each([
    ['cut short', '{"format":1,"task', 'not readable as JSON'],
    ['empty', '', 'not readable as JSON'],
    ['not an object', 'null', 'not a manifest'],
    ['of something else', '{"name":"x"}', 'not a manifest'],
    ['of another layout', '{"format":99}', 'format 99 is not 1'],
  ])('%s is one clear error that names the file and the way out', async (_how, text, message) => {
    await store.commit(await staged(), head, outputs, {});
    await writeFile(store.paths.manifest(task), text);
    const error = await store.has(task).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'io', hint: expect.stringMatching(/remove (its|the) folder/) });
    expect((error as Error).message).toBe(`${store.paths.manifest(task)}: ${message}`);
  });
});

describe('listArtifacts', () => {
  it('names what is there in order, and nothing where there is no store', async () => {
    expect(await listArtifacts(store)).toEqual([]);
    const ids = ['ff'.repeat(16), '0a'.repeat(16), `0a${'0'.repeat(30)}`];
    for (const id of ids) {
      const folder = await store.stage(id);
      await store.commit(folder, { ...head, task: id }, {}, {});
    }
    await mkdir(store.paths.claims, { recursive: true });
    expect(await listArtifacts(store)).toEqual([ids[2], ids[1], ids[0]]);
  });
});
