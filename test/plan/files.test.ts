import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Origin } from '../../src/experiment/types.ts';
import { makeFileHasher, placeOfOrigin } from '../../src/plan/files.ts';
import type { TaskFile } from '../../src/plan/types.ts';
import { temporaryFolder } from '../support/stage.ts';
import { experiment, stage } from './fake.ts';

// echo -n one | sha256sum
const one = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';
const two = '3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3';

const named: Origin = { kind: 'file', file: 'e.yaml', line: 3, column: 40 };
const made = experiment([stage('trades', 'source', { params: { file: 'data.csv' } })], {
  origins: new Map([['stages.trades.file', named]]),
});
const where = { experiment: made, stage: 'trades' };

let cwd: string;
let memory: string;
let file: string;
beforeEach(async () => {
  cwd = await temporaryFolder();
  memory = path.join(cwd, 'results/store/file-hashes.json');
  file = path.join(cwd, 'data.csv');
  await writeFile(file, 'one');
});

/** Hashes with a fresh hasher, as the next command would. */
async function hashed(): Promise<TaskFile> {
  const hasher = await makeFileHasher(cwd, memory);
  const found = await hasher.hash('data.csv', where);
  await hasher.save();
  return found;
}

/** Changes what is remembered, so that a remembered answer can be told from a fresh one. */
async function tamper(): Promise<void> {
  await writeFile(memory, (await readFile(memory, 'utf8')).replace(one, 'remembered'));
}

describe('hashes of outside files', () => {
  it('are of the content; the path stays as it was written', async () => {
    expect(await hashed()).toEqual({ path: 'data.csv', sha256: one, bytes: 3 });
  });

  it('are remembered while size and time of change stay', async () => {
    await hashed();
    await tamper();
    expect((await hashed()).sha256).toBe('remembered');
  });

  it('are made again when the time changes', async () => {
    await hashed();
    await tamper();
    const later = new Date(Date.now() + 5000);
    await utimes(file, later, later);
    expect((await hashed()).sha256).toBe(one);
  });

  it('are made again when the size changes, whatever the time', async () => {
    const at = new Date(1_000_000_000_000);
    await utimes(file, at, at);
    await hashed();
    await writeFile(file, 'one more');
    await utimes(file, at, at);
    expect((await hashed()).sha256).not.toBe(one);
  });

  it('see a change of one letter a moment later', async () => {
    await hashed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await writeFile(file, 'two');
    expect((await hashed()).sha256).toBe(two);
  });

  it.each(['', 'null', '[1', '{"x":1}', 'damaged'])('do without a memory that reads %j', async (text) => {
    await mkdir(path.dirname(memory), { recursive: true });
    await writeFile(memory, text === '{"x":1}' ? JSON.stringify({ [file]: 1 }) : text);
    expect((await hashed()).sha256).toBe(one);
  });

  it('name the line of the experiment that names a file that is not there', async () => {
    const hasher = await makeFileHasher(path.join(cwd, 'elsewhere'), memory);
    await expect(hasher.hash('data.csv', where)).rejects.toMatchObject({
      code: 'data',
      message: 'stage "trades": no such file: data.csv',
      at: { file: 'e.yaml', line: 3, column: 40 },
      hint: `looked for ${path.join(cwd, 'elsewhere/data.csv')}`,
    });
  });

  it('refuse a folder', async () => {
    await mkdir(path.join(cwd, 'folder'));
    const hasher = await makeFileHasher(cwd, memory);
    await expect(hasher.hash('folder', where)).rejects.toMatchObject({
      code: 'data',
      message: 'stage "trades": folder is not a file',
    });
  });
});

it('the place of a value is that of the reference or variable it came through; overrides and defaults have none', () => {
  const place = { file: 'e.yaml', line: 3, column: 40 };
  expect(placeOfOrigin({ kind: 'env', name: 'X', fellBack: false, at: named })).toEqual(place);
  expect(placeOfOrigin({ kind: 'reference', to: 'y', at: { kind: 'reference', to: 'x', at: named } })).toEqual(place);
  expect(placeOfOrigin({ kind: 'override', index: 1, text: 'x=1' })).toBeUndefined();
  expect(placeOfOrigin({ kind: 'default' })).toBeUndefined();
  expect(placeOfOrigin(undefined)).toBeUndefined();
});
