/**
 * Every kind of mistake in an experiment, with the text it is answered by. `UPDATE_GOLDEN=1` writes the texts anew;
 * read the difference before you keep it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadExperiment } from '../../src/experiment/load.ts';
import { errorOf, stages } from './support.ts';

const golden = path.join(import.meta.dirname, 'golden');

describe('golden error messages', () => {
  for (const name of readdirSync(golden).sort()) {
    test(name, async () => {
      const folder = path.join(golden, name);
      const overrides = existsSync(path.join(folder, 'overrides.txt'))
        ? (await readFile(path.join(folder, 'overrides.txt'), 'utf8')).trimEnd().split('\n')
        : [];
      const text = await errorOf(
        loadExperiment({
          file: 'experiment.yaml',
          overrides,
          env: { FOLDS: '3', SECRET_KEY: 'hidden' },
          readFile: (file) => readFile(path.join(folder, file), 'utf8'),
          stages,
        }),
      );
      // The path of a file that is not there is this machine's own.
      const found = `${text.replaceAll(`${folder}/`, '')}\n`;
      const file = path.join(folder, 'expected.txt');
      if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(file, found);
      expect(found).toBe(await readFile(file, 'utf8'));
    });
  }
});
