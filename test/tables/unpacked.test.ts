import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackedBytes } from '../../src/tables/unpacked.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'fathom-unpacked-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of unpackedBytes(file)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('bytes of a file', () => {
  it('are the same, plain and gzipped', async () => {
    const text = 'a,b\n1,2\n'.repeat(200_000);
    const [plain, packed] = [path.join(folder, 'a.csv'), path.join(folder, 'a.csv.gz')];
    await writeFile(plain, text);
    await writeFile(packed, gzipSync(text));
    expect(await read(plain)).toBe(text);
    expect(await read(packed)).toBe(text);
  });

  it('end in an error that can be caught, plain and gzipped, where there is nothing to read', async () => {
    for (const name of ['none.csv', 'none.csv.gz'])
      await expect(read(path.join(folder, name))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
