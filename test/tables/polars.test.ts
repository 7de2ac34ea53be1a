import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '../..');

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('the binary of Polars', () => {
  it('is a dependency by name, since npm leaves it out on Node 20', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(dependencies['nodejs-polars-linux-x64-gnu']).toBe(dependencies['nodejs-polars']);
    expect(require.resolve('nodejs-polars-linux-x64-gnu')).toMatch(/\.node$/);
  });

  it('loads and computes', () => {
    const polars = require('nodejs-polars') as {
      DataFrame(data: object): { getColumn(name: string): { sum(): number } };
    };
    expect(
      polars
        .DataFrame({ x: [1, 2, 4] })
        .getColumn('x')
        .sum(),
    ).toBe(7);
  });
});
