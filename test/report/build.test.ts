import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bundleStyle, joinModules, tidyStyle } from '../../scripts/build-report.mjs';

const folder = mkdtempSync(join(tmpdir(), 'fathom-join-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('modules run in the order of their imports, each with names of its own', () => {
  write('a.js', 'const secret = 1;\nexport const one = secret;\nexport function two() { return 2; }\n');
  write(
    'b.js',
    "import { one as uno, two } from './a.js';\nconst secret = 10;\nexport const sum = uno + two() + secret;\n",
  );
  const entry = write(
    'main.js',
    "import { sum } from './b.js';\nimport { one } from './a.js';\nglobalThis.joined = sum + one;\n",
  );
  const script = joinModules(entry);
  new Function(script)();
  expect((globalThis as { joined?: number }).joined).toBe(14);
  expect(script.match(/const secret = 1;/g)).toHaveLength(1);
});

test('what it does not understand is an error, not a broken page', () => {
  expect(() => joinModules(write('c.js', "import x from './a.js';\n"))).toThrow('only named imports');
  expect(() => joinModules(write('d.js', "import { x } from 'left-pad';\n"))).toThrow('cannot import left-pad');
  expect(() => joinModules(write('e.js', 'export let x = 1;\n'))).toThrow('only named imports');
  write('f.js', "import { g } from './g.js';\nexport const f = g;\n");
  expect(() => joinModules(write('g.js', "import { f } from './f.js';\nexport const g = f;\n"))).toThrow(
    'imports itself',
  );
  expect(() => joinModules(write('h.js', "const x = '</script>';\n"))).toThrow('end its own element');
});

test('the style sheet has its tokens first and its paper last, and no comments', () => {
  const style = tidyStyle(bundleStyle());
  expect(style.startsWith(':root')).toBe(true);
  expect(style.indexOf('@media print')).toBeGreaterThan(style.lastIndexOf('@media (max-width'));
  expect(style).not.toContain('/*');
});
