import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { execute, workFolder } from '../support/cli.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('the registry', () => {
  it('describes every stage without loading a native library or a kernel', async () => {
    const cwd = await workFolder({
      'describe.mjs': `
        import { readFileSync } from 'node:fs';
        const { loadRegistry } = await import(process.argv[2]);
        const stages = await loadRegistry({});
        for (const stage of stages.values()) stage.resources;
        console.log(stages.size, readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => /\\.(node|so)\\b.*(duckdb|polars|koffi|xgboost)|(duckdb|polars|koffi|xgboost).*\\.(node|so)/.test(line)).length);
      `,
    });
    const { out, err } = await execute(process.execPath, ['describe.mjs', path.join(root, 'dist/stages/registry.js')], {
      cwd,
    });
    expect(err).toBe('');
    const [count, native] = out.trim().split(' ').map(Number);
    expect(native).toBe(0);
    const files = readdirSync(path.join(root, 'src/stages')).filter((name) =>
      /^(source|markets|wallets|features|evaluation|train|predict|models|cluster|anomaly|project)-/.test(name),
    );
    expect(count).toBe(files.length);
  });

  it('has a module that does the work, and a hash of its code, for every stage', () => {
    const numerics = JSON.parse(readFileSync(path.join(root, 'dist/numerics.json'), 'utf8')) as Record<string, string>;
    const runs = readdirSync(path.join(root, 'src/stages')).filter(
      (name) => /^[a-z]+-[a-z]+\.ts$/.test(name) && readdirSync(path.join(root, 'src/stages/run')).includes(name),
    );
    expect(runs.length).toBeGreaterThan(10);
    for (const name of runs) expect(numerics[name.replace('.ts', '')]).toMatch(/^[0-9a-f]{16}$/);
  });
});
