import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parquetFiles, partFile } from '../../src/tables/parquet-files.ts';
import { temporaryFolder } from '../support/stage.ts';

it('names the one file of a table, or its parts in order', async () => {
  const folder = await temporaryFolder();
  const single = path.join(folder, 'one.parquet');
  await writeFile(single, '');
  expect(parquetFiles(single)).toEqual([single]);

  const parts = path.join(folder, 'many.parquet');
  await mkdir(parts);
  expect(() => parquetFiles(parts)).toThrow(/holds no Parquet files/);
  for (const index of [10, 2, 0]) await writeFile(partFile(parts, index), '');
  await writeFile(path.join(parts, 'notes.txt'), '');
  expect(parquetFiles(parts).map((file) => path.basename(file))).toEqual([
    'part-000.parquet',
    'part-002.parquet',
    'part-010.parquet',
  ]);
});
