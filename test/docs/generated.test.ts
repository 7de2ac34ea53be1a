import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fathom } from '../support/cli.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('documentation', () => {
  it('docs/stages.md is what `fathom list --markdown` prints', async () => {
    const { out } = await fathom(['list', '--markdown'], { cwd: root, env: { FATHOM_STAGES: '' } });
    expect(
      await readFile(path.join(root, 'docs/stages.md'), 'utf8'),
      'run `bin/fathom list --markdown > docs/stages.md`',
    ).toBe(out);
  });

  it('every method that a figure links to has its heading in docs/methods.md', async () => {
    const methods = await readFile(path.join(root, 'docs/methods.md'), 'utf8');
    const headings = new Set([...methods.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]));
    const files = (await readdir(path.join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
    const named = new Set<string>();
    for (const file of files)
      for (const match of (await readFile(path.join(root, 'src', file), 'utf8')).matchAll(/\bmethod: '([^']+)'/g))
        named.add(match[1] as string);
    expect(named.size).toBeGreaterThan(3);
    expect([...named].filter((name) => !headings.has(name))).toEqual([]);
  });
});
