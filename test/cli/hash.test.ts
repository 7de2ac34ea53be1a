import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hash } from '../../src/cli/hash.ts';
import { openDuck } from '../../src/tables/duck.ts';
import { temporaryFolder } from '../support/stage.ts';
import { recordedEffects } from './support.ts';

let cwd: string;

/** Lines of `fathom hash`, each hash and name apart. */
async function hashed(...artifact: string[]): Promise<[string, string][]> {
  const effects = recordedEffects(cwd);
  await hash({ artifact, results: path.join(cwd, 'results') }, effects);
  return effects.lines.map((line) => line.split('  ') as [string, string]);
}

/** Rows of every type that canonical tables have, nulls among them. */
const rows = `
  SELECT i::BIGINT AS seq, TIMESTAMP '2026-01-08 12:00:00' + INTERVAL (i) SECOND AS time,
    CASE WHEN i % 7 = 0 THEN NULL ELSE 'wallet ' || (i % 5) END AS wallet,
    i / 7.0 AS price, (i * 1.25)::DECIMAL(18,6) AS usd, (i % 3)::INTEGER AS outcomeIndex
  FROM range(3000) t(i)`;

describe('fathom hash', () => {
  beforeAll(async () => {
    cwd = await temporaryFolder();
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: cwd });
    const write = (name: string, query: string, options = ''): Promise<unknown> =>
      duck.run(`COPY (${query}) TO '${path.join(cwd, name)}.parquet' (FORMAT parquet${options})`);
    await write('plain', rows);
    await write('small-groups', rows, ', ROW_GROUP_SIZE 2048, COMPRESSION uncompressed');
    await write('zstd', rows, ', COMPRESSION zstd');
    await write('other-value', rows.replace('i / 7.0', 'CASE WHEN i = 2999 THEN 1 ELSE i / 7.0 END'));
    await write('other-order', `${rows} ORDER BY i DESC`);
    await write('other-name', rows.replace('AS price', 'AS cost'));
    await write('other-type', rows.replace('(i % 3)::INTEGER', '(i % 3)::BIGINT'));
    await write('fewer', `${rows} LIMIT 2999`);
    await duck.close();
  }, 30_000);

  it('is the same for equal tables, however they were written', async () => {
    const found = await hashed('plain.parquet', 'small-groups.parquet', 'zstd.parquet');
    expect(new Set(found.map(([text]) => text)).size).toBe(1);
    expect(found.map(([, name]) => name)).toEqual(['plain.parquet', 'small-groups.parquet', 'zstd.parquet']);
  });

  it.each(['other-value', 'other-order', 'other-name', 'other-type', 'fewer'])(
    'differs for a table with %s',
    async (name) => {
      const [plain, other] = await hashed('plain.parquet', `${name}.parquet`);
      expect(other?.[0]).not.toBe(plain?.[0]);
    },
  );

  it('is that of the bytes for everything else', async () => {
    await writeFile(path.join(cwd, 'a.json'), 'hello');
    expect(await hashed('a.json')).toEqual([
      ['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 'a.json'],
    ]);
  });

  it('lists the files of an artifact by its identity, provenance excepted', async () => {
    const id = 'ab'.repeat(16);
    const folder = path.join(cwd, 'results/store/ab', id);
    await mkdir(folder, { recursive: true });
    for (const name of ['provenance.json', 'model.model', 'manifest.json'])
      await writeFile(path.join(folder, name), name);
    const byId = await hashed(id);
    expect(byId.map(([, name]) => name)).toEqual(['manifest.json', 'model.model']);
    expect(await hashed(folder)).toEqual(byId);
  });

  it('says what it wants if it is given something else', async () => {
    await expect(hashed('nothing')).rejects.toMatchObject({
      code: 'usage',
      message: 'nothing is neither a file, a folder nor the identity of a task in the store',
    });
  });
});
