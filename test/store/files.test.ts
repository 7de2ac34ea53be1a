import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryName, writeAtomically } from '../../src/store/files.ts';
import { temporaryFolder } from '../support/stage.ts';

describe('writeAtomically', () => {
  it('makes the folder, writes texts and bytes, and leaves nothing else', async () => {
    const folder = path.join(await temporaryFolder(), 'a/b');
    await writeAtomically(path.join(folder, 'text'), 'Grüße');
    await writeAtomically(path.join(folder, 'bytes'), Uint8Array.of(0, 255));
    expect(await readFile(path.join(folder, 'text'), 'utf8')).toBe('Grüße');
    expect([...(await readFile(path.join(folder, 'bytes')))]).toEqual([0, 255]);
    expect((await readdir(folder)).sort()).toEqual(['bytes', 'text']);
  });

  it('shows readers all of the old or all of the new', async () => {
    const file = path.join(await temporaryFolder(), 'file');
    const texts = ['a', 'b'].map((letter) => letter.repeat(1 << 20));
    await writeAtomically(file, texts[0] as string);
    let writing = true;
    const writer = (async () => {
      for (let i = 0; i < 20; i++) await writeAtomically(file, texts[i % 2] as string);
      writing = false;
    })();
    const seen = new Set<string>();
    while (writing) seen.add(await readFile(file, 'utf8'));
    await writer;
    for (const text of seen) expect(texts.includes(text), `${text.length} characters`).toBe(true);
  });

  it('removes the temporary if it cannot rename, and keeps what stood there', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'taken/inside'), { recursive: true });
    await expect(writeAtomically(path.join(folder, 'taken'), 'text')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('fails where a folder is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'file'), '');
    await expect(writeAtomically(path.join(folder, 'file/inside'), 'text')).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

it('temporary names stand beside the file and differ', () => {
  const names = Array.from({ length: 100 }, () => temporaryName('/folder/file'));
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name).toMatch(/^\/folder\/file\.\d+\.[0-9a-f]{8}\.tmp$/);
});
