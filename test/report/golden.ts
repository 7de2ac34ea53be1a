import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Compares a text with `golden/<name>`. A difference is left beside it as `<name>.changed`, to look at and to move
 * over the old one if it is meant. A missing golden file is written, except on CI.
 */
export function expectGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, 'golden', name);
  const changed = `${path}.changed`;
  if (!existsSync(path)) {
    expect(process.env['CI'], `${path} is missing`).toBeUndefined();
    writeFileSync(path, text);
  }
  const equal = readFileSync(path, 'utf8') === text;
  if (equal) rmSync(changed, { force: true });
  else writeFileSync(changed, text);
  expect(equal, `differs from ${path}; see ${changed}`).toBe(true);
}
